/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>

#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/simulated/kvmhelper-sim-host.h"
#include "sim-host.h"

/* What scripts of the conformance suite cannot ask: configuration space, byte for byte, several
 * who are at one function at a time, and what the code above makes of a function that is needed. */

#define CARD "0000:01:00.0"
#define PATH "bus/pci/devices/" CARD

static const char host_xml[]
    = "<simulated-host kernel='6.12' platform='powernv' cpus='2'><phb domain='0'>"
      "<bridge address='0000:00:00.0' bus='1' vendor='0x1014' device='0x04c1'>"
      "<function address='0000:01:00.0' vendor='0x8086' device='0x10d3' subsystem-vendor='0x1111'"
      " subsystem-device='0x2222' class='0x020000' revision='7' driver='e1000e' msi='4' msix='5'>"
      "<interface name='eth0' up='yes' default-route='yes'/></function>"
      "<function address='0000:01:00.1' vendor='0x144d' device='0xa808' class='0x010802'"
      " driver='nvme' msix='33' total-vfs='4' num-vfs='2' vf-driver='nvme'>"
      "<disk name='nvme0n1' sectors='2000'><partition name='nvme0n1p1' sectors='1000' mount='/'/>"
      "<partition name='nvme0n1p2' sectors='900' swap='yes'/></disk></function>"
      "</bridge></phb></simulated-host>";

typedef struct
{
  KvmHelperSim *sim;
  const KvmHelperKernel *kernel;
} Host;

static const KvmHelperKernel *
start (KvmHelperSim *sim, guint uid)
{
  return kvmhelper_sim_process_kernel (sim_host_start (sim, uid));
}

static void
set_up (Host *host, gconstpointer data)
{
  host->sim = sim_host_new (host_xml);
  host->kernel = start (host->sim, 0);
}

static void
tear_down (Host *host, gconstpointer data)
{
  kvmhelper_sim_free (host->sim);
}

/* The driver that is bound. */
static void
expect_driver (const KvmHelperKernel *kernel, const char *expected)
{
  sim_host_expect_link (kernel, PATH "/driver", expected);
}

static void
give_to_vfio (const KvmHelperKernel *kernel)
{
  sim_host_give_to_vfio (kernel, CARD);
  expect_driver (kernel, "vfio-pci");
}

/* The handle of the open function; its group and container are open as well. */
static int
open_device (const KvmHelperKernel *kernel)
{
  int group, container;

  sim_host_write (kernel, "bus/pci/devices/0000:01:00.1/driver/unbind", "0000:01:00.1");
  sim_host_open_group (kernel, 0, VFIO_SPAPR_TCE_v2_IOMMU, &group, &container);
  return sim_host_open_device (kernel, group, CARD);
}

/* --- configuration space --- */

static guint
word (const char *config, guint at)
{
  return (guint8) config[at] | (guint) (guint8) config[at + 1] << 8;
}

static void
test_config (Host *host, gconstpointer data)
{
  gsize length;
  g_autofree char *config
      = kvmhelper_kernel_read (host->kernel, KVMHELPER_SYS, PATH "/config", 4096, &length, NULL);
  guint msi = 0, msix = 0;

  g_assert_cmpuint (length, ==, 256);
  g_assert_cmphex (word (config, PCI_VENDOR_ID), ==, 0x8086);
  g_assert_cmphex (word (config, PCI_DEVICE_ID), ==, 0x10d3);
  g_assert_cmphex ((guint8) config[PCI_REVISION_ID], ==, 7);
  g_assert_cmphex (word (config, PCI_CLASS_DEVICE), ==, 0x0200);
  g_assert_cmphex ((guint8) config[PCI_HEADER_TYPE], ==, 0x80 | PCI_HEADER_TYPE_NORMAL);
  g_assert_cmphex (word (config, PCI_SUBSYSTEM_VENDOR_ID), ==, 0x1111);
  g_assert_cmphex (word (config, PCI_SUBSYSTEM_ID), ==, 0x2222);
  g_assert_cmphex (word (config, PCI_STATUS) & PCI_STATUS_CAP_LIST, !=, 0);
  for (guint at = (guint8) config[PCI_CAPABILITY_LIST]; at != 0;
       at = (guint8) config[at + PCI_CAP_LIST_NEXT])
    if (config[at] == PCI_CAP_ID_MSI)
      msi = 1u << ((word (config, at + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QMASK) >> 1);
    else if (config[at] == PCI_CAP_ID_MSIX)
      msix = (word (config, at + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1;
  g_assert_cmpuint (msi, ==, 4);
  g_assert_cmpuint (msix, ==, 5);
}

static void
test_config_of_bridge (Host *host, gconstpointer data)
{
  gsize length;
  g_autofree char *config = kvmhelper_kernel_read (
      host->kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0/config", 4096, &length, NULL);

  g_assert_cmpuint (length, ==, 256);
  g_assert_cmphex ((guint8) config[PCI_HEADER_TYPE], ==, PCI_HEADER_TYPE_BRIDGE);
  g_assert_cmpuint ((guint8) config[PCI_SECONDARY_BUS], ==, 1);
}

/* The header is for everybody, the rest for root. */
static void
test_config_of_nobody (Host *host, gconstpointer data)
{
  gsize length;
  g_autofree char *config = kvmhelper_kernel_read (start (host->sim, 65534), KVMHELPER_SYS,
                                                   PATH "/config", 4096, &length, NULL);

  g_assert_cmpuint (length, ==, 64);
  g_assert_cmphex (word (config, PCI_VENDOR_ID), ==, 0x8086);
}

/* driver_set_override: a page is too much, and changes nothing. */
static void
test_long_override (Host *host, gconstpointer data)
{
  const KvmHelperKernelCalls *calls = host->kernel->calls;
  g_autofree char *name = g_strnfill (host->kernel->page_size, 'x');
  int file = calls->open (host->kernel->data, KVMHELPER_SYS, PATH "/driver_override", O_WRONLY);

  g_assert_cmpint (calls->write (host->kernel->data, file, name, strlen (name)), ==, -EINVAL);
  sim_host_expect_text (host->kernel, PATH "/driver_override", "(null)");
  name[strlen (name) - 2] = '\0';
  g_assert_cmpint (calls->write (host->kernel->data, file, name, strlen (name)), ==,
                   (gssize) strlen (name));
}

/* --- several at one function --- */

typedef struct
{
  const KvmHelperKernel *kernel;
  const char *path, *text;
  int result;
  gint done; /* atomic */
} Writer;

static gpointer
run_writer (gpointer data)
{
  Writer *writer = data;
  const KvmHelperKernel *kernel = writer->kernel;
  int handle = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, writer->path, O_WRONLY);

  writer->result = handle < 0 ? handle
                              : (int) kernel->calls->write (kernel->data, handle, writer->text,
                                                            strlen (writer->text));
  g_atomic_int_set (&writer->done, TRUE);
  return NULL;
}

static GThread *
begin (Writer *writer, KvmHelperSim *sim, const char *path, const char *text)
{
  *writer = (Writer){ start (sim, 0), path, text, 0, FALSE };
  return g_thread_new ("writer", run_writer, writer);
}

/* Who unbinds an open function waits, and who comes after him waits for him; the override is not
 * under the lock. */
static void
test_wait (Host *host, gconstpointer data)
{
  Writer unbind, bind, override;
  GThread *threads[3];
  int device;

  give_to_vfio (host->kernel);
  device = open_device (host->kernel);
  threads[0] = begin (&unbind, host->sim, "bus/pci/drivers/vfio-pci/unbind", CARD);
  /* The links go first. */
  while (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, PATH "/driver"))
    g_usleep (1000);
  threads[1] = begin (&bind, host->sim, "bus/pci/drivers/vfio-pci/bind", CARD);
  threads[2] = begin (&override, host->sim, PATH "/driver_override", "vfio-pci");
  g_usleep (50000);
  g_assert_false (g_atomic_int_get (&unbind.done));
  g_assert_false (g_atomic_int_get (&bind.done));
  kvmhelper_kernel_close (host->kernel, device);
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (unbind.result, ==, (int) strlen (CARD));
  g_assert_cmpint (bind.result, ==, (int) strlen (CARD));
  g_assert_cmpint (override.result, ==, (int) strlen ("vfio-pci"));
  expect_driver (host->kernel, "vfio-pci");
}

/* The card is pulled while somebody waits to unbind it. */
static void
test_pull (Host *host, gconstpointer data)
{
  const PciAddress address = { 0, 1, 0, 0 };
  Writer unbind;
  GThread *thread;
  int device;

  give_to_vfio (host->kernel);
  device = open_device (host->kernel);
  thread = begin (&unbind, host->sim, "bus/pci/drivers/vfio-pci/unbind", CARD);
  while (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, PATH "/driver"))
    g_usleep (1000);
  g_mutex_lock (&host->sim->lock);
  kvmhelper_sim_replace (kvmhelper_sim_find (host->sim, &address), 0x8086, 0x1572);
  g_mutex_unlock (&host->sim->lock);
  g_assert_false (g_atomic_int_get (&unbind.done));
  kvmhelper_kernel_close (host->kernel, device);
  g_thread_join (thread);
  g_assert_cmpint (unbind.result, ==, (int) strlen (CARD));
  for (guint64 id = 0; id != 0x1572; g_usleep (1000))
    kvmhelper_kernel_read_number (host->kernel, KVMHELPER_SYS, PATH "/device", &id);
  expect_driver (host->kernel, "e1000e");
}

/* A bridge goes with all that is behind it, and a physical function with its virtual ones. */
static void
test_remove_bridge (Host *host, gconstpointer data)
{
  g_autoptr (GPtrArray) names = NULL;

  sim_host_write (host->kernel, "bus/pci/devices/0000:00:00.0/remove", "1");
  names = kvmhelper_kernel_list (host->kernel, KVMHELPER_SYS, "bus/pci/devices");
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "class/net/eth0"));
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "class/block/nvme0n1"));
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "kernel/iommu_groups/0"));
  sim_host_write (host->kernel, "bus/pci/rescan", "1");
  g_ptr_array_unref (g_steal_pointer (&names));
  names = kvmhelper_kernel_list (host->kernel, KVMHELPER_SYS, "bus/pci/devices");
  g_assert_cmpuint (names->len, ==, 3); /* VFs are not found by looking */
  expect_driver (host->kernel, "e1000e");
  sim_host_write (host->kernel, "bus/pci/devices/0000:01:00.1/sriov_numvfs", "4");
}

/* And when it is pulled. */
static void
test_pull_bridge (Host *host, gconstpointer data)
{
  const PciAddress address = { 0, 0, 0, 0 };
  g_autoptr (GPtrArray) names = NULL;
  int device;

  give_to_vfio (host->kernel);
  device = open_device (host->kernel);
  g_mutex_lock (&host->sim->lock);
  kvmhelper_sim_unplug (kvmhelper_sim_find (host->sim, &address));
  g_mutex_unlock (&host->sim->lock);
  /* What somebody has open stays, and with it the bridge. */
  names = kvmhelper_kernel_list (host->kernel, KVMHELPER_SYS, "bus/pci/devices");
  g_assert_cmpuint (names->len, ==, 2);
  sim_host_expect_round_trip (host->sim);
  kvmhelper_kernel_close (host->kernel, device);
  while (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0"))
    g_usleep (1000);
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, PATH));
  sim_host_write (host->kernel, "bus/pci/rescan", "1");
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, PATH));
}

/* A virtual function that somebody has open holds all that is above it. */
static void
test_pull_open_vf (Host *host, gconstpointer data)
{
  const PciAddress bridge = { 0, 0, 0, 0 };
  const char *vf = "bus/pci/devices/0000:01:10.1";
  int group, container, device;

  sim_host_give_to_vfio (host->kernel, "0000:01:10.1");
  sim_host_open_group (host->kernel, 1, VFIO_SPAPR_TCE_v2_IOMMU, &group, &container);
  device = sim_host_open_device (host->kernel, group, "0000:01:10.1");
  g_mutex_lock (&host->sim->lock);
  kvmhelper_sim_unplug (kvmhelper_sim_find (host->sim, &bridge));
  g_mutex_unlock (&host->sim->lock);
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, PATH));
  g_assert_true (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, vf));
  g_assert_true (
      kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0"));
  kvmhelper_kernel_close (host->kernel, device);
  while (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0"))
    g_usleep (1000);
  g_assert_false (kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, vf));
}

/* --- what the host needs --- */

static char *
needs_of (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (kernel);
  g_autoptr (KvmHelperFunction) function = kvmhelper_function_read (kernel, address, NULL);
  g_autoptr (GPtrArray) needs = kvmhelper_busy_get (busy, function);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];

      g_string_append_printf (text, "%s: %s; ", need->kind, need->detail);
    }
  return g_string_free (text, FALSE);
}

static void
test_busy (Host *host, gconstpointer data)
{
  const PciAddress card = { 0, 1, 0, 0 }, disk = { 0, 1, 0, 1 };
  g_autofree char *of_card = needs_of (host->kernel, &card);
  g_autofree char *of_disk = needs_of (host->kernel, &disk);
  g_autofree char *later = NULL;

  g_assert_cmpstr (of_card, ==, "route: default route by way of eth0; ");
  g_assert_cmpstr (of_disk, ==,
                   "mounted: /dev/nvme0n1p1 on /; swap: /dev/nvme0n1p2; "
                   "vfs: 2 virtual functions; ");
  /* An interface takes its route along. */
  give_to_vfio (host->kernel);
  later = needs_of (host->kernel, &card);
  g_assert_cmpstr (later, ==, "");
}

#define ADD(name, function)                                                                        \
  g_test_add ("/kvmhelper/sim-driver/" name, Host, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("config", test_config);
  ADD ("config-of-bridge", test_config_of_bridge);
  ADD ("config-of-nobody", test_config_of_nobody);
  ADD ("long-override", test_long_override);
  ADD ("wait", test_wait);
  ADD ("pull", test_pull);
  ADD ("remove-bridge", test_remove_bridge);
  ADD ("pull-bridge", test_pull_bridge);
  ADD ("pull-open-vf", test_pull_open_vf);
  ADD ("busy", test_busy);
  return g_test_run ();
}
