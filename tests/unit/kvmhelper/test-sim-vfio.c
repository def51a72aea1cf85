/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/mman.h>

#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"
#include "sim-host.h"

/* VFIO of the simulated host: what can only be seen from inside, or not be asked of a real one.
 * What calls answer is in tests/conformance. */

#define PAGE 0x10000

static const char host_xml[]
    = "<simulated-host kernel='6.12' platform='powernv'>"
      "  <phb domain='0'>"
      "    <bridge address='0000:00:00.0' bus='1' driver='pcieport'>"
      "      <function address='0000:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "                driver='e1000e' bound='vfio-pci' msi='1' msix='5' bars='4' reset='pm bus'/>"
      "    </bridge>"
      "  </phb>"
      "  <phb domain='1'>"
      "    <bridge address='0001:00:00.0' bus='1' driver='pcieport'>"
      "      <function address='0001:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "                bound='vfio-pci' msix='5'/>"
      "      <function address='0001:01:00.1' vendor='0x8086' device='0x10d3' class='0x020000'"
      "                bound='vfio-pci' msix='5' reset='flr'/>"
      "    </bridge>"
      "  </phb>"
      "</simulated-host>";

typedef struct
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  const KvmHelperKernel *kernel;
  int group, container, device;
  guint8 *ram; /* 16 pages */
} Host;

static KvmHelperSimProcess *
start (KvmHelperSim *sim, guint64 memlock)
{
  const KvmHelperSimProcessConfig config = { "qemu", 0, memlock == 0, memlock };

  return kvmhelper_sim_process_new (sim, &config);
}

static void
set_up (Host *host, gconstpointer data)
{
  host->sim = sim_host_new (host_xml);
  host->process = start (host->sim, 0);
  host->kernel = kvmhelper_sim_process_kernel (host->process);
  host->ram = g_aligned_alloc0 (16, PAGE, PAGE);
  host->group = host->container = host->device = -1;
}

static void
tear_down (Host *host, gconstpointer data)
{
  kvmhelper_sim_free (host->sim);
  g_aligned_free (host->ram);
}

static int
call (Host *host, int handle, gulong request, const void *argument)
{
  return kvmhelper_kernel_ioctl (host->kernel, handle, request, (gulong) argument);
}

static int
open_group (Host *host, guint number)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", number);

  return kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, path, O_RDWR);
}

static int
set_container (Host *host, int group)
{
  gint32 container = host->container;

  return call (host, group, VFIO_GROUP_SET_CONTAINER, &container);
}

/* The number of the group of a function. */
static guint
group_of (Host *host, guint domain)
{
  const PciAddress address = { (guint16) domain, 1, 0, 0 };

  return kvmhelper_sim_find (host->sim, &address)->group->number;
}

/* A container that is set up with one group. */
static void
open_all (Host *host, gulong type)
{
  sim_host_open_group (host->kernel, group_of (host, 0), type, &host->group, &host->container);
  host->device = sim_host_open_device (host->kernel, host->group, "0000:01:00.0");
}

static int
register_memory (Host *host, guint pages)
{
  struct vfio_iommu_spapr_register_memory request
      = { .argsz = sizeof request, .vaddr = (gulong) host->ram, .size = pages * PAGE };

  return call (host, host->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &request);
}

static int
map (Host *host, guint64 iova, guint page)
{
  struct vfio_iommu_type1_dma_map request = { .argsz = sizeof request,
                                              .flags = VFIO_DMA_MAP_FLAG_READ,
                                              .vaddr = (gulong) host->ram + page * PAGE,
                                              .iova = iova,
                                              .size = PAGE };

  return call (host, host->container, VFIO_IOMMU_MAP_DMA, &request);
}

static int
create (Host *host, guint shift, guint64 size, guint levels)
{
  struct vfio_iommu_spapr_tce_create request
      = { .argsz = sizeof request, .page_shift = shift, .window_size = size, .levels = levels };

  return call (host, host->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &request);
}

static int
remove_window (Host *host, guint64 start_addr)
{
  struct vfio_iommu_spapr_tce_remove request
      = { .argsz = sizeof request, .start_addr = start_addr };

  return call (host, host->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &request);
}

static KvmHelperSimGroup *
hardware (Host *host)
{
  const PciAddress address = { 0, 1, 0, 0 };

  return kvmhelper_sim_find (host->sim, &address)->group;
}

static gboolean
log_has (Host *host, const char *text)
{
  for (guint i = 0; i < host->sim->log->len; i++)
    if (strstr (host->sim->log->pdata[i], text) != NULL)
      return TRUE;
  return FALSE;
}

/* --- windows and what they cost --- */

static void
test_windows (Host *host, gconstpointer data)
{
  KvmHelperSimGroup *group = hardware (host);
  const KvmHelperSimMm *mm = host->process->mm;

  /* The host's own, which is taken away with the group, and comes back. */
  g_assert_nonnull (group->tables[0]);
  g_assert_cmpuint (group->tables[0]->page_shift, ==, 16);
  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_null (group->tables[0]);
  g_assert_true (log_has (host, "Disabling 64-bit DMA bypass"));
  g_assert_cmpint (register_memory (host, 16), ==, 0);
  g_assert_cmpuint (mm->locked, ==, 16 * PAGE);

  /* The default one: 2^19 entries, twice. */
  g_assert_cmpint (map (host, 0, 3), ==, 0);
  g_assert_nonnull (group->tables[0]);
  g_assert_cmpuint (group->tables[0]->page_shift, ==, 12);
  g_assert_cmpuint (group->tables[0]->size << 12, ==, G_GUINT64_CONSTANT (1) << 31);
  g_assert_cmpuint (mm->locked, ==, 16 * PAGE + (2 << 22));
  for (guint i = 0; i < 16; i++)
    g_assert_cmpuint (kvmhelper_sim_tce_get (group->tables[0], i), ==,
                      ((gulong) host->ram + 3 * PAGE + i * 4096) | KVMHELPER_SIM_TCE_READ);
  g_assert_cmpuint (kvmhelper_sim_tce_get (group->tables[0], 16), ==, 0);

  /* Two levels of a page each: the first, the second and the copy of both. */
  g_assert_cmpint (create (host, 16, G_GUINT64_CONSTANT (1) << 40, 2), ==, 0);
  g_assert_cmpuint (group->tables[1]->offset << 16, ==, G_GUINT64_CONSTANT (1) << 59);
  g_assert_cmpint (remove_window (host, G_GUINT64_CONSTANT (1) << 59), ==, 0);
  g_assert_null (group->tables[1]);
  g_assert_cmpuint (mm->locked, ==, 16 * PAGE + (2 << 22));

  /* What was accounted for a table that is not to be had is not given back. */
  g_assert_cmpint (create (host, 12, G_GUINT64_CONSTANT (1) << 34, 1), ==, -ENOMEM);
  g_assert_true (log_has (host, "Failed to allocate a TCE memory, level shift=25"));
  g_assert_cmpuint (mm->locked, ==, 16 * PAGE + (2 << 22) + (2 << 25));

  kvmhelper_kernel_close (host->kernel, host->device);
  kvmhelper_kernel_close (host->kernel, host->group);
  g_assert_cmpuint (mm->locked, ==, 2 << 25);
  g_assert_cmpuint (group->tables[0]->page_shift, ==, 16);
}

static void
test_v1 (Host *host, gconstpointer data)
{
  const KvmHelperSimMm *mm = host->process->mm;

  open_all (host, VFIO_SPAPR_TCE_IOMMU);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_ENABLE, NULL), ==, 0);
  g_assert_cmpuint (mm->locked, ==, G_GUINT64_CONSTANT (1) << 31);
  g_assert_cmpint (map (host, PAGE, 0), ==, 0);
  g_assert_cmpuint (kvmhelper_sim_tce_get (hardware (host)->tables[0], 16), ==,
                    (gulong) host->ram | KVMHELPER_SIM_TCE_READ);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_DISABLE, NULL), ==, 0);
  kvmhelper_sim_process_exit (host->process);
  g_assert_cmpuint (kvmhelper_sim_handles (host->sim), ==, 0);
}

/* --- memory --- */

/* A region that was given back while it was mapped is lost with the address space. */
static void
test_lost_memory (Host *host, gconstpointer data)
{
  struct vfio_iommu_spapr_register_memory request
      = { .argsz = sizeof request, .vaddr = (gulong) host->ram, .size = PAGE };

  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_cmpint (register_memory (host, 1), ==, 0);
  g_assert_cmpint (map (host, 0, 0), ==, 0);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &request), ==,
                   0);
  g_assert_false (log_has (host, "destroy_context"));
  kvmhelper_sim_process_exit (host->process);
  g_assert_true (log_has (host, "destroy_context"));
}

/* And one that was not is none. */
static void
test_kept_memory (Host *host, gconstpointer data)
{
  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_cmpint (register_memory (host, 16), ==, 0);
  g_assert_cmpint (map (host, 0, 0), ==, 0);
  g_assert_cmpint (map (host, PAGE, 1), ==, 0);
  kvmhelper_sim_process_exit (host->process);
  g_assert_false (log_has (host, "destroy_context"));
  g_assert_null (hardware (host)->dma_owner);
}

/* Memory that ends too soon: the kernel answers how many pages it found. */
static void
test_short_memory (Host *host, gconstpointer data)
{
  struct vfio_iommu_spapr_register_memory request = { .argsz = sizeof request, .size = 4 * PAGE };
  guint8 *space = mmap (NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint8 *start_page = (guint8 *) (((gulong) space + PAGE - 1) & ~(gulong) (PAGE - 1));

  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  request.vaddr = (gulong) start_page;
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &request), ==,
                   -EFAULT);
  g_assert_cmpint (mprotect (start_page, 3 * PAGE, PROT_READ | PROT_WRITE), ==, 0);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &request), ==, 3);
  g_assert_cmpuint (host->process->mm->locked, ==, 0);
  munmap (space, 5 * PAGE);
}

/* --- devices --- */

static void
test_bars (Host *host, gconstpointer data)
{
  const PciAddress address = { 0, 1, 0, 0 };
  void *bar = NULL;
  guint8 bytes[16] = { 0 };

  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_cmpint (host->kernel->calls->mmap (host->kernel->data, host->device, PAGE, 0, &bar), ==,
                   0);
  g_assert_cmpuint (host->kernel->calls->load (host->kernel->data, bar), ==, 0);
  g_assert_cmpint (host->kernel->calls->read (host->kernel->data, host->device, bytes, 16), ==, 16);
  g_assert_cmpuint (bytes[0], ==, 0);

  /* Nothing answers any more: all ones, and no reset. */
  g_assert_true (kvmhelper_sim_inject_unplug (host->sim, &address, NULL));
  g_assert_cmpuint (host->kernel->calls->load (host->kernel->data, bar), ==, G_MAXUINT64);
  g_assert_cmpint (host->kernel->calls->read (host->kernel->data, host->device, bytes, 16), ==, 16);
  g_assert_cmpuint (bytes[0], ==, 0xff);
  g_assert_cmpint (call (host, host->device, VFIO_DEVICE_RESET, NULL), ==, -ENOTTY);
  g_assert_cmpint (call (host, host->group, VFIO_GROUP_GET_DEVICE_FD, "0000:01:00.0"), ==, -ENODEV);
  g_assert_true (log_has (host, "No device request channel registered"));
  host->kernel->calls->munmap (host->kernel->data, bar, PAGE);
  kvmhelper_kernel_close (host->kernel, host->device);
}

/* Two functions on a bus: one resets the other, if whoever asks has its group. */
static void
test_hot_reset (Host *host, gconstpointer data)
{
  /* Each ends with an array that has no length of its own. */
  gsize list_size
      = sizeof (struct vfio_pci_hot_reset_info) + 3 * sizeof (struct vfio_pci_dependent_device);
  gsize request_size = sizeof (struct vfio_pci_hot_reset) + sizeof (gint32);
  g_autofree struct vfio_pci_hot_reset_info *list = g_malloc0 (list_size);
  g_autofree struct vfio_pci_hot_reset *request = g_malloc0 (request_size);
  guint number = group_of (host, 1);
  int group = open_group (host, number);
  int null = kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, "null", O_RDWR);
  int device;

  list->argsz = (guint32) list_size;
  request->argsz = (guint32) request_size;
  request->count = 1;
  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_cmpint (set_container (host, group), ==, 0);
  device = call (host, group, VFIO_GROUP_GET_DEVICE_FD, "0001:01:00.1");
  g_assert_cmpint (device, >=, 0);
  g_assert_cmpint (call (host, device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, list), ==, 0);
  g_assert_cmpuint (list->count, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpuint (list->devices[i].group_id, ==, number);
      g_assert_cmpuint (list->devices[i].segment, ==, 1);
      g_assert_cmpuint (list->devices[i].bus, ==, 1);
      g_assert_cmpuint (list->devices[i].devfn, ==, i);
    }
  request->group_fds[0] = group;
  g_assert_cmpint (call (host, device, VFIO_DEVICE_PCI_HOT_RESET, request), ==, 0);
  request->group_fds[0] = host->group; /* another's */
  g_assert_cmpint (call (host, device, VFIO_DEVICE_PCI_HOT_RESET, request), ==, -EINVAL);
  request->group_fds[0] = -1;
  g_assert_cmpint (call (host, device, VFIO_DEVICE_PCI_HOT_RESET, request), ==, -EBADF);
  request->group_fds[0] = host->container;
  g_assert_cmpint (call (host, device, VFIO_DEVICE_PCI_HOT_RESET, request), ==, -EINVAL);
  request->count = 3;
  g_assert_cmpint (call (host, device, VFIO_DEVICE_PCI_HOT_RESET, request), ==, -EINVAL);

  /* Not a method of its own has the first one. */
  kvmhelper_kernel_close (host->kernel, device);
  device = call (host, group, VFIO_GROUP_GET_DEVICE_FD, "0001:01:00.0");
  g_assert_cmpint (call (host, device, VFIO_DEVICE_RESET, NULL), ==, 0);
  kvmhelper_kernel_close (host->kernel, null);
}

/* What is open at the end is closed in whatever order. */
static void
test_exit (Host *host, gconstpointer data)
{
  KvmHelperSimProcess *other = start (host->sim, PAGE);
  KvmHelperSimGroup *group = hardware (host);
  int handle;

  open_all (host, VFIO_SPAPR_TCE_v2_IOMMU);
  g_assert_cmpint (register_memory (host, 2), ==, 0);
  g_assert_cmpint (map (host, 0, 0), ==, 0);
  handle = kvmhelper_sim_process_pass (host->process, host->container, other);
  g_assert_cmpint (handle, >=, 0);
  kvmhelper_sim_process_exit (host->process);
  /* The container lives on, as new. */
  g_assert_null (group->dma_owner);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kvmhelper_sim_process_kernel (other), handle,
                                           VFIO_IOMMU_SPAPR_TCE_GET_INFO, 0),
                   ==, -EINVAL);
  g_assert_cmpuint (kvmhelper_sim_handles (host->sim), ==, 1);
  kvmhelper_sim_process_exit (other);
  g_assert_cmpuint (kvmhelper_sim_handles (host->sim), ==, 0);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);

#define ADD(path, function) g_test_add (path, Host, NULL, set_up, function, tear_down)
  ADD ("/kvmhelper/sim-vfio/windows", test_windows);
  ADD ("/kvmhelper/sim-vfio/v1", test_v1);
  ADD ("/kvmhelper/sim-vfio/lost-memory", test_lost_memory);
  ADD ("/kvmhelper/sim-vfio/kept-memory", test_kept_memory);
  ADD ("/kvmhelper/sim-vfio/short-memory", test_short_memory);
  ADD ("/kvmhelper/sim-vfio/bars", test_bars);
  ADD ("/kvmhelper/sim-vfio/hot-reset", test_hot_reset);
  ADD ("/kvmhelper/sim-vfio/exit", test_exit);
  return g_test_run ();
}
