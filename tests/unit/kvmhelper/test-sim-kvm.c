/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* KVM of the simulated host: what tests/conformance cannot ask a kernel for, or not see. */

#define HOST(attributes)                                                                           \
  "<simulated-host kernel='6.12' platform='powernv' " attributes ">"                               \
  "<phb domain='0'>"                                                                               \
  "<bridge address='0000:00:00.0' bus='1' vendor='0x1014' device='0x04c1' driver='pcieport'>"      \
  "<function address='0000:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"              \
  " driver='vfio-pci' msi='1' msix='5' bars='4' reset='pm bus' group='0'/>"                        \
  "</bridge></phb></simulated-host>"

#define MEMORY 0x100000

typedef struct
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  const KvmHelperKernel *kernel;
  int kvm, vm, group, container;
  guint8 *memory;
} Host;

static int
call (const Host *host, int handle, gulong request, const void *argument)
{
  return kvmhelper_kernel_ioctl (host->kernel, handle, request, (gulong) argument);
}

static void
host_start (Host *host, const char *xml)
{
  const KvmHelperSimProcessConfig config = { "qemu", 0, TRUE, 0 };
  g_autoptr (GError) error = NULL;

  memset (host, 0, sizeof *host);
  host->sim = kvmhelper_sim_new_from_xml (xml, "test", &error);
  g_assert_no_error (error);
  host->process = kvmhelper_sim_process_new (host->sim, &config);
  host->kernel = kvmhelper_sim_process_kernel (host->process);
  host->kvm = kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  g_assert_cmpint (host->kvm, >=, 0);
  host->vm = call (host, host->kvm, KVM_CREATE_VM, NULL);
  host->memory = g_aligned_alloc0 (1, MEMORY, 0x10000);
}

static void
host_stop (Host *host)
{
  kvmhelper_sim_process_exit (host->process);
  g_assert_cmpuint (kvmhelper_sim_handles (host->sim), ==, 0);
  kvmhelper_sim_free (host->sim);
  g_aligned_free (host->memory);
}

/* What is inside, with the lock that the calls take. */
static KvmHelperSimVm *
lock_vm (const Host *host)
{
  KvmHelperSimKvm *kvm = host->sim->kvm;

  g_mutex_lock (&host->sim->lock);
  g_assert_cmpuint (kvm->vms->len, ==, 1);
  return kvm->vms->pdata[0];
}

static int
create_device (const Host *host, guint type)
{
  struct kvm_create_device request = { .type = type };
  int answer = call (host, host->vm, KVM_CREATE_DEVICE, &request);

  return answer < 0 ? answer : (int) request.fd;
}

static int
set (const Host *host, int device, guint group, guint64 attribute, const void *value)
{
  const struct kvm_device_attr request
      = { .group = group, .attr = attribute, .addr = (guint64) (gulong) value };

  return call (host, device, KVM_SET_DEVICE_ATTR, &request);
}

/* --- kinds of hosts --- */

static void
test_without_hv (void)
{
  Host host;

  host_start (&host, HOST ("kvm-hv='no'"));
  g_assert_cmpint (host.vm, ==, -EINVAL);
  g_assert_cmpint (call (&host, host.kvm, KVM_CREATE_VM, (void *) 1), ==, -EINVAL);
  g_assert_cmpint (
      call (&host, host.kvm, KVM_CHECK_EXTENSION, (void *) (gulong) KVM_CAP_PPC_HTAB_FD), ==, 0);
  g_assert_cmpint (
      call (&host, host.kvm, KVM_CHECK_EXTENSION, (void *) (gulong) KVM_CAP_PPC_IRQ_XIVE), ==, 0);
  host_stop (&host);
}

static void
test_xive_off (void)
{
  Host host;
  struct kvm_enable_cap request = { .cap = KVM_CAP_PPC_IRQ_XIVE };
  g_autofree char *link = NULL;
  g_autofree char *path = NULL;
  int xics, vcpu;

  host_start (&host, HOST ("command-line='xive=off'"));
  g_assert_cmpint (
      call (&host, host.vm, KVM_CHECK_EXTENSION, (void *) (gulong) KVM_CAP_PPC_IRQ_XIVE), ==, 0);
  g_assert_cmpint (
      call (&host, host.vm, KVM_CHECK_EXTENSION, (void *) (gulong) KVM_CAP_IRQFD_RESAMPLE), ==, 1);
  g_assert_cmpint (create_device (&host, KVM_DEV_TYPE_XIVE), ==, -ENODEV);
  xics = create_device (&host, KVM_DEV_TYPE_XICS);
  path = g_strdup_printf ("%u/fd/%d", host.kernel->pid, xics);
  link = kvmhelper_kernel_readlink (host.kernel, KVMHELPER_PROC, path);
  g_assert_cmpstr (link, ==, "anon_inode:kvm-xics");
  vcpu = call (&host, host.vm, KVM_CREATE_VCPU, NULL);
  request.args[0] = (guint64) xics;
  g_assert_cmpint (call (&host, vcpu, KVM_ENABLE_CAP, &request), ==, -ENXIO);
  host_stop (&host);
}

static void
test_pvr (void)
{
  Host host;
  struct kvm_sregs registers;
  guint32 pvr;
  int vcpu;

  host_start (&host, HOST ("revision='2.0 (pvr 0080 1200)'"));
  vcpu = call (&host, host.vm, KVM_CREATE_VCPU, NULL);
  g_assert_cmpint (call (&host, vcpu, KVM_GET_SREGS, &registers), ==, 0);
  memcpy (&pvr, &registers, sizeof pvr);
  g_assert_cmphex (pvr, ==, 0x00801200);
  pvr = 0x004e1202;
  memcpy (&registers, &pvr, sizeof pvr);
  g_assert_cmpint (call (&host, vcpu, KVM_SET_SREGS, &registers), ==, -EINVAL);
  host_stop (&host);
}

/* A handle may be used again while the VM before it lives on: the second has no directory. */
static void
test_two_of_a_name (void)
{
  Host host;
  g_autofree char *path = NULL;
  g_auto (GStrv) log = NULL;
  int xive, second;

  host_start (&host, HOST (""));
  xive = create_device (&host, KVM_DEV_TYPE_XIVE);
  path = g_strdup_printf ("kernel/debug/kvm/%u-%d/xive", host.kernel->pid, host.vm);
  kvmhelper_kernel_close (host.kernel, host.vm);
  second = call (&host, host.kvm, KVM_CREATE_VM, NULL);
  g_assert_cmpint (second, ==, host.vm);
  log = kvmhelper_sim_kernel_log (host.sim);
  g_assert_true (
      g_str_has_prefix (log[g_strv_length (log) - 1], "KVM: debugfs: duplicate directory"));
  g_assert_true (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  kvmhelper_kernel_close (host.kernel, second);
  g_assert_true (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  kvmhelper_kernel_close (host.kernel, xive);
  g_assert_false (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  host_stop (&host);
}

/* --- a guest's DMA --- */

static void
take_group (Host *host)
{
  struct vfio_iommu_spapr_register_memory memory
      = { .argsz = sizeof memory, .vaddr = (gulong) host->memory, .size = MEMORY / 2 };
  struct vfio_iommu_spapr_tce_remove remove = { .argsz = sizeof remove };
  struct vfio_iommu_spapr_tce_create create
      = { .argsz = sizeof create, .page_shift = 12, .window_size = 1 << 30, .levels = 1 };

  host->group = kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, "vfio/0", O_RDWR);
  host->container = kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);
  g_assert_cmpint (call (host, host->group, VFIO_GROUP_SET_CONTAINER, &host->container), ==, 0);
  g_assert_cmpint (
      call (host, host->container, VFIO_SET_IOMMU, (void *) (gulong) VFIO_SPAPR_TCE_v2_IOMMU), ==,
      0);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &memory), ==, 0);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &remove), ==, 0);
  g_assert_cmpint (call (host, host->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &create), ==, 0);
}

static guint64
hardware_tce (const Host *host, guint64 page)
{
  const KvmHelperSimGroup *group;
  guint64 tce;

  g_mutex_lock (&host->sim->lock);
  group = kvmhelper_sim_find_group (host->sim, 0);
  tce = kvmhelper_sim_tce_get (group->tables[0], page);
  g_mutex_unlock (&host->sim->lock);
  return tce;
}

static int
put_tce (const Host *host, guint64 liobn, guint64 address, guint64 tce)
{
  KvmHelperSimVm *vm = lock_vm (host);
  int answer = kvmhelper_sim_kvm_put_tce (vm, liobn, address, tce);

  g_mutex_unlock (&host->sim->lock);
  return answer;
}

/* The guest's H_PUT_TCE reaches the hardware where group and table are linked, and nothing else. */
static void
test_put_tce (void)
{
  const gulong user_of_guest = 0x200000; /* where the guest has its memory */
  struct kvm_create_spapr_tce_64 request
      = { .liobn = 0x80000000, .page_shift = 16, .size = 0x1000 };
  struct kvm_vfio_spapr_tce link;
  struct kvm_userspace_memory_region slot
      = { .guest_phys_addr = user_of_guest, .memory_size = MEMORY };
  struct vfio_iommu_spapr_register_memory memory = { .argsz = sizeof memory };
  Host host;
  guint64 *view;
  void *mapped;
  int table, kvmvfio;

  host_start (&host, HOST (""));
  take_group (&host);
  table = call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  g_assert_cmpint (host.kernel->calls->mmap (host.kernel->data, table, 0x10000, 0, &mapped), ==, 0);
  view = mapped;
  slot.userspace_addr = (gulong) host.memory;
  g_assert_cmpint (call (&host, host.vm, KVM_SET_USER_MEMORY_REGION, &slot), ==, 0);

  /* no such table; not a page's address; outside of the window; no memory of the guest */
  g_assert_cmpint (put_tce (&host, 1, 0, user_of_guest | 3), ==, KVMHELPER_SIM_TOO_HARD);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x1000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_PARAMETER);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x10000000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_PARAMETER);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0, 3), ==, KVMHELPER_SIM_TOO_HARD);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0, user_of_guest | 0x1003), ==,
                   KVMHELPER_SIM_TOO_HARD);

  /* Without a link the kernel is content, and the device sees nothing: the dangerous state. */
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x20000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x20), ==, 0);
  g_assert_cmphex (GUINT64_FROM_BE (host.kernel->calls->load (host.kernel->data, &view[2])), ==,
                   GUINT64_TO_LE (user_of_guest | 3));

  /* Linked: a page of the guest is 16 of the hardware, with the user's addresses. */
  kvmvfio = create_device (&host, KVM_DEV_TYPE_VFIO);
  g_assert_cmpint (set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group), ==,
                   0);
  link = (struct kvm_vfio_spapr_tce){ host.group, table };
  g_assert_cmpint (set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link),
                   ==, 0);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, (user_of_guest + 0x10000) | 1), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, ((gulong) host.memory + 0x10000) | 1);
  g_assert_cmphex (hardware_tce (&host, 0x3f), ==, ((gulong) host.memory + 0x1f000) | 1);
  g_assert_cmphex (hardware_tce (&host, 0x40), ==, 0);

  /* Memory of the guest that is not registered: QEMU has to see to it, and nothing is changed. */
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, (user_of_guest + MEMORY / 2) | 3), ==,
                   KVMHELPER_SIM_TOO_HARD);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, ((gulong) host.memory + 0x10000) | 1);
  g_assert_cmphex (GUINT64_FROM_BE (host.kernel->calls->load (host.kernel->data, &view[3])), ==,
                   GUINT64_TO_LE ((user_of_guest + 0x10000) | 1));

  /* What is mapped by the guest counts as VFIO's own mappings do … */
  {
    KvmHelperSimMemory *region;

    lock_vm (&host);
    region = kvmhelper_sim_memory_lookup (host.process->mm, (gulong) host.memory, 0x1000);
    g_assert_cmpuint (region->mapped, ==, 17);
    g_mutex_unlock (&host.sim->lock);
  }
  /* … until it takes it away, or another one in its place. */
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, (gulong) host.memory | 3);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, 0), ==, KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, 0);
  g_assert_cmphex (hardware_tce (&host, 0x3f), ==, 0);

  /* Not linked any more. */
  g_assert_cmpint (set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group), ==,
                   0);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, 0);
  memory.vaddr = (gulong) host.memory;
  memory.size = MEMORY / 2;
  g_assert_cmpint (call (&host, host.container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &memory), ==,
                   0);
  host_stop (&host);
}

/* Links are counted: what was asked for twice needs to leave twice; closing the table ends all. */
static void
test_links (void)
{
  struct kvm_create_spapr_tce_64 request = { .liobn = 1, .page_shift = 12, .size = 16 };
  struct kvm_vfio_spapr_tce link;
  const KvmHelperSimKvmTable *table;
  const KvmHelperSimTable *window;
  KvmHelperSimVm *vm;
  Host host;
  int handle, kvmvfio;

  host_start (&host, HOST (""));
  take_group (&host);
  handle = call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  kvmvfio = create_device (&host, KVM_DEV_TYPE_VFIO);
  link = (struct kvm_vfio_spapr_tce){ host.group, handle };
  for (guint i = 0; i < 2; i++)
    {
      set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
      g_assert_cmpint (
          set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link), ==, 0);
    }
  vm = lock_vm (&host);
  table = kvmhelper_sim_kvm_table_of (vm, 1);
  window = kvmhelper_sim_find_group (host.sim, 0)->tables[0];
  g_assert_cmpuint (table->links->len, ==, 1);
  g_assert_cmpuint (((KvmHelperSimTceLink *) table->links->pdata[0])->references, ==, 2);
  g_assert_cmpuint (window->references, ==, 3); /* of the container, the group and KVM */
  g_mutex_unlock (&host.sim->lock);

  set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group);
  lock_vm (&host);
  g_assert_cmpuint (table->links->len, ==, 1);
  g_mutex_unlock (&host.sim->lock);
  kvmhelper_kernel_close (host.kernel, handle);
  lock_vm (&host);
  g_assert_cmpuint (window->references, ==, 2);
  g_mutex_unlock (&host.sim->lock);

  /* kvm-vfio, closed, takes its groups out too */
  handle = call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  link.tablefd = handle;
  set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
  set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link);
  kvmhelper_kernel_close (host.kernel, kvmvfio);
  lock_vm (&host);
  g_assert_cmpuint (window->references, ==, 2);
  g_mutex_unlock (&host.sim->lock);
  host_stop (&host);
}

/* The kernel says once, and no more, that a group left that had no table. */
static void
test_warning (void)
{
  Host host;
  guint lines = 0;
  g_auto (GStrv) log = NULL;
  int kvmvfio;

  host_start (&host, HOST (""));
  take_group (&host);
  kvmvfio = create_device (&host, KVM_DEV_TYPE_VFIO);
  for (guint i = 0; i < 3; i++)
    {
      set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
      set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group);
    }
  log = kvmhelper_sim_kernel_log (host.sim);
  for (guint i = 0; log[i] != NULL; i++)
    lines += strstr (log[i], "virt/kvm/vfio.c:103 ") != NULL;
  g_assert_cmpuint (lines, ==, 1);
  host_stop (&host);
}

/* --- memory that is locked --- */

static void
test_locked (void)
{
  struct kvm_create_spapr_tce_64 request = { .liobn = 1, .page_shift = 12, .size = 8193 };
  Host host;
  int handle;

  host_start (&host, HOST (""));
  handle = call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  lock_vm (&host);
  g_assert_cmpuint (host.process->mm->locked, ==, 3 * 0x10000);
  g_mutex_unlock (&host.sim->lock);
  g_assert_cmpint (call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request), ==, -EBUSY);
  kvmhelper_kernel_close (host.kernel, handle);
  lock_vm (&host);
  g_assert_cmpuint (host.process->mm->locked, ==, 0);
  g_mutex_unlock (&host.sim->lock);
  host_stop (&host);
}

/* Closed in any order, nothing is left over and nothing is used that is freed. */
static void
test_any_order (void)
{
  for (guint order = 0; order < 120; order++)
    {
      struct kvm_create_spapr_tce_64 request = { .liobn = 1, .page_shift = 12, .size = 16 };
      struct kvm_irqfd irqfd = { .gsi = 0x1300 };
      guint64 state = 0;
      guint n = order;
      Host host;
      int handles[5];

      host_start (&host, HOST (""));
      handles[0] = host.vm;
      handles[1] = create_device (&host, KVM_DEV_TYPE_XIVE);
      handles[2] = create_device (&host, KVM_DEV_TYPE_VFIO);
      handles[3] = call (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
      handles[4] = host.kernel->calls->eventfd (host.kernel->data);
      set (&host, handles[1], KVM_DEV_XIVE_GRP_SOURCE, 0x1300, &state);
      irqfd.fd = (guint32) handles[4];
      g_assert_cmpint (call (&host, host.vm, KVM_IRQFD, &irqfd), ==, 0);
      for (guint left = G_N_ELEMENTS (handles); left > 0; left--)
        {
          guint chosen = n % left;

          n /= left;
          kvmhelper_kernel_close (host.kernel, handles[chosen]);
          handles[chosen] = handles[left - 1];
        }
      g_mutex_lock (&host.sim->lock);
      g_assert_cmpuint (((KvmHelperSimKvm *) host.sim->kvm)->vms->len, ==, 0);
      g_assert_cmpuint (g_hash_table_size (((KvmHelperSimKvm *) host.sim->kvm)->ipis), ==, 0);
      g_mutex_unlock (&host.sim->lock);
      host_stop (&host);
    }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-kvm/without-hv", test_without_hv);
  g_test_add_func ("/sim-kvm/xive-off", test_xive_off);
  g_test_add_func ("/sim-kvm/pvr", test_pvr);
  g_test_add_func ("/sim-kvm/two-of-a-name", test_two_of_a_name);
  g_test_add_func ("/sim-kvm/put-tce", test_put_tce);
  g_test_add_func ("/sim-kvm/links", test_links);
  g_test_add_func ("/sim-kvm/warning", test_warning);
  g_test_add_func ("/sim-kvm/locked", test_locked);
  g_test_add_func ("/sim-kvm/any-order", test_any_order);
  return g_test_run ();
}
