/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-hardware.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/pci-address.h"

/* Registers of the 82574 (its datasheet, chapter 10). */
#define CONTROL 0x00
#define ICR     0xc0
#define ITR     0xc4
#define ICS     0xc8
#define IMS     0xd0
#define IMC     0xd8
#define IVAR    0xe4
#define EITR    0xe8 /* of vector 0; the others follow */

#define CONTROL_RST (1u << 26)
#define ICR_OTHER   (1u << 24)
#define MODERATION  0xffff /* in units of 256 ns */

#define ID_82574 0x10d38086u

/* Microseconds: in which the first message is got rid of; and after which the second one was sent.
 */
#define SOON  2000
#define SENT  100000
#define TRIES 100

static void
store (volatile guint8 *registers, guint at, guint32 value)
{
  *(volatile guint32 *) (volatile void *) (registers + at) = GUINT32_TO_LE (value);
}

static guint32
load (volatile guint8 *registers, guint at)
{
  return GUINT32_FROM_LE (*(volatile guint32 *) (volatile void *) (registers + at));
}

static gboolean
region (int handle, guint index, struct vfio_region_info *info)
{
  *info = (struct vfio_region_info){ .argsz = sizeof *info, .index = index };
  return ioctl (handle, VFIO_DEVICE_GET_REGION_INFO, info) == 0;
}

/* Whether the device may write to memory, and so send messages; it answers to accesses always. */
static gboolean
set_bus_master (int handle, gboolean on)
{
  struct vfio_region_info config;
  guint32 id = 0;
  guint16 command = 0;

  if (!region (handle, VFIO_PCI_CONFIG_REGION_INDEX, &config)
      || pread (handle, &id, sizeof id, (off_t) config.offset) != sizeof id
      || GUINT32_FROM_LE (id) != ID_82574
      || pread (handle, &command, sizeof command, (off_t) config.offset + 4) != sizeof command)
    return FALSE;
  command = (command & GUINT16_TO_LE (0xfffb)) | GUINT16_TO_LE (on ? 0x6 : 0x2);
  return pwrite (handle, &command, sizeof command, (off_t) config.offset + 4) == sizeof command;
}

static void
raise_other (volatile guint8 *registers, guint vector)
{
  store (registers, IMC, G_MAXUINT32);
  load (registers, ICR);                       /* clears what was */
  store (registers, IVAR, (8 | vector) << 16); /* "other" causes, to this vector */
  store (registers, ITR, MODERATION);
  store (registers, EITR + 4 * vector, MODERATION);
  store (registers, IMS, ICR_OTHER);
  store (registers, ICS, ICR_OTHER);
}

/* One message, and not two: the emulated card sends one at once, and another one when its timer for
 * moderation runs out. The first gets nowhere, and the second comes 17 ms later. Where a busy
 * machine has taken long so far, the timer is stopped by a reset, and all of it done anew. */
int
conformance_hardware_raise (gpointer data, int handle, const char *bdf, guint vector)
{
  struct vfio_region_info bar;
  volatile guint8 *registers;
  gboolean done = FALSE;

  if (vector > 4 || !set_bus_master (handle, FALSE)
      || !region (handle, VFIO_PCI_BAR0_REGION_INDEX, &bar))
    return -ENOTSUP;
  registers = mmap (NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, handle, (off_t) bar.offset);
  if (registers == MAP_FAILED)
    return -errno;
  for (guint left = TRIES; left > 0 && !done; left--)
    {
      gint64 before = g_get_monotonic_time ();

      raise_other (registers, vector);
      done = g_get_monotonic_time () - before < SOON;
      if (!done)
        store (registers, CONTROL, CONTROL_RST);
    }
  done = set_bus_master (handle, TRUE) && done;
  g_usleep (SENT);
  munmap ((void *) registers, bar.size);
  return done ? 0 : -EIO;
}

/* IODA tables of PHB4, which are reached through two registers (skiboot, include/phb4-regs.h:
 * PHB_IODA_ADDR, PHB_IODA_DATA0, IODA3_TBL_…). */
#define IODA_ADDRESS 0x220
#define IODA_DATA    0x228
#define TABLE_PESTA  7
#define TABLE_PESTB  8
#define TABLE_PEEV   20

static volatile guint64 *
ioda (volatile guint8 *registers, guint table, guint index)
{
  *(volatile guint64 *) (volatile void *) (registers + IODA_ADDRESS)
      = GUINT64_TO_BE ((guint64) table << 48 | index);
  __sync_synchronize ();
  return (volatile guint64 *) (volatile void *) (registers + IODA_DATA);
}

static int
order_u64 (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

/* Where the registers of the PHB of that domain are: by their addresses in the device tree, of
 * which domains are numbered in order. 0: nowhere. */
static guint64
phb_registers (guint domain)
{
  g_autoptr (GDir) directory = g_dir_open ("/sys/firmware/devicetree/base", 0, NULL);
  g_autoptr (GArray) addresses = g_array_new (FALSE, FALSE, sizeof (guint64));
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_prefix (name, "pciex@"))
      {
        guint64 address = g_ascii_strtoull (name + 6, NULL, 16);

        g_array_append_val (addresses, address);
      }
  g_array_sort (addresses, order_u64);
  return domain < addresses->len ? g_array_index (addresses, guint64, domain) : 0;
}

int
conformance_hardware_freeze (const char *bdf)
{
  g_autofree char *path = g_strdup_printf ("/sys/bus/pci/devices/%s/eeh_pe_config_addr", bdf);
  g_autofree char *text = NULL;
  PciAddress address;
  volatile guint8 *registers;
  guint64 base, events;
  guint pe;
  int memory, result;

  if (!pci_address_parse (bdf, &address, NULL) || !g_file_get_contents (path, &text, NULL, NULL)
      || (base = phb_registers (address.domain)) == 0)
    return -ENODEV;
  pe = (guint) g_ascii_strtoull (text, NULL, 0);
  memory = open ("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
  if (memory < 0)
    return -errno;
  registers = mmap (NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (off_t) base);
  result = registers == MAP_FAILED ? -errno : 0;
  close (memory);
  if (result != 0)
    return result;
  events = GUINT64_FROM_BE (*ioda (registers, TABLE_PEEV, pe / 64));
  *ioda (registers, TABLE_PEEV, pe / 64)
      = GUINT64_TO_BE (events | G_GUINT64_CONSTANT (1) << (63 - pe % 64));
  *ioda (registers, TABLE_PESTA, pe) = GUINT64_TO_BE (G_GUINT64_CONSTANT (1) << 63);
  *ioda (registers, TABLE_PESTB, pe) = GUINT64_TO_BE (G_GUINT64_CONSTANT (1) << 63);
  __sync_synchronize ();
  munmap ((void *) registers, 65536);
  return 0;
}
