/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-hold.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* An address as a caller sends it, up to the first line end, and after it what each link of the
 * kernel's says. What is taken for an address is canonical, byte for byte; and whatever it is, and
 * whatever the links say, no path leads anywhere else than to names below a root. */

typedef struct
{
  const char *link;
  gsize length;
} Host;

static void
check_path (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  g_assert_true (*path != '/' && *path != '\0');
  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_assert_cmpstr (parts[i], !=, "");
      g_assert_cmpstr (parts[i], !=, "..");
    }
}

static int
fuzz_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  check_path (path);
  return 3;
}

static int
fuzz_open_at (gpointer data, int directory, const char *path, int flags)
{
  check_path (path);
  return 3;
}

static void
fuzz_close (gpointer data, int handle)
{
}

static gssize
fuzz_read (gpointer data, int handle, void *buffer, gsize length)
{
  return 0;
}

static gssize
fuzz_write (gpointer data, int handle, const void *buffer, gsize length)
{
  return -EACCES;
}

static gssize
fuzz_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  const Host *host = data;
  gsize length = MIN (size, host->length);

  check_path (path);
  memcpy (buffer, host->link, length);
  return (gssize) length;
}

static int
fuzz_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  check_path (path);
  return 0;
}

static int
fuzz_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  check_path (path);
  return -ENOENT;
}

static const KvmHelperKernelCalls calls = {
  .open = fuzz_open,
  .open_at = fuzz_open_at,
  .close = fuzz_close,
  .read = fuzz_read,
  .write = fuzz_write,
  .readlink = fuzz_readlink,
  .list = fuzz_list,
  .stat = fuzz_stat,
};

/* All that is asked of the kernel for an address that was taken. */
static void
use (const KvmHelperKernel *kernel, const PciAddress *address)
{
  const KvmHelperIdentity identity = { 0 };
  g_autoptr (KvmHelperGroup) group G_GNUC_UNUSED = kvmhelper_group_read (kernel, address, NULL);
  g_autoptr (KvmHelperHold) hold G_GNUC_UNUSED
      = kvmhelper_hold_new (kernel, address, &identity, NULL);
  g_autoptr (GArray) vfs G_GNUC_UNUSED = kvmhelper_function_read_vfs (kernel, address);
  g_autofree char *driver = kvmhelper_function_driver (kernel, address);
  g_autofree char *below = g_strdup_printf ("bus/pci/drivers/%s/bind", driver);

  /* As a driver's files are named; "" is none. */
  if (*driver != '\0')
    check_path (below);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const uint8_t *end = memchr (data, '\n', size);
  gsize length = end == NULL ? size : (gsize) (end - data);
  g_autofree char *text = g_strndup ((const char *) data, length);
  const Host host
      = { end == NULL ? "" : (const char *) end + 1, end == NULL ? 0 : size - length - 1 };
  const KvmHelperKernel kernel = { &calls, (gpointer) &host, 0x10000, 4242, NULL };
  PciAddress address = { 0xffff, 0xff, 0xff, 0xff }, before = address;
  g_autoptr (GError) error = NULL;
  char canonical[PCI_ADDRESS_LEN];

  if (!pci_address_parse (text, &address, &error))
    {
      g_assert_nonnull (error);
      g_assert_cmpmem (&address, sizeof address, &before, sizeof before);
      return 0;
    }
  g_assert_cmpstr (pci_address_format (&address, canonical), ==, text);
  g_assert_cmpuint (strlen (canonical), ==, PCI_ADDRESS_LEN - 1);
  g_assert_cmpuint (strspn (canonical, "0123456789abcdef:."), ==, PCI_ADDRESS_LEN - 1);
  g_assert_true (address.slot < 32 && address.function < 8);
  use (&kernel, &address);
  return 0;
}
