/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"
#include "sim-kvm-host.h"

/* KVM of the simulated host: what tests/conformance cannot ask a kernel for, or not see. */

/* What is inside, with the lock that the calls take. */
static KvmHelperSimVm *
lock_vm (const SimKvmHost *host)
{
  KvmHelperSimKvm *kvm = host->sim->kvm;

  g_mutex_lock (&host->sim->lock);
  g_assert_cmpuint (kvm->vms->len, ==, 1);
  return kvm->vms->pdata[0];
}

/* --- kinds of hosts --- */

static void
test_without_hv (void)
{
  SimKvmHost host;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML ("kvm-hv='no'"));
  g_assert_cmpint (host.vm, ==, -EINVAL);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.kvm, KVM_CREATE_VM, (void *) 1), ==, -EINVAL);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.kvm, KVM_CHECK_EXTENSION,
                                       (void *) (gulong) KVM_CAP_PPC_HTAB_FD),
                   ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.kvm, KVM_CHECK_EXTENSION,
                                       (void *) (gulong) KVM_CAP_PPC_IRQ_XIVE),
                   ==, 0);
  sim_kvm_host_stop (&host);
}

static void
test_xive_off (void)
{
  SimKvmHost host;
  struct kvm_enable_cap request = { .cap = KVM_CAP_PPC_IRQ_XIVE };
  g_autofree char *link = NULL;
  g_autofree char *path = NULL;
  int xics, vcpu;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML ("command-line='xive=off'"));
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_CHECK_EXTENSION,
                                       (void *) (gulong) KVM_CAP_PPC_IRQ_XIVE),
                   ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_CHECK_EXTENSION,
                                       (void *) (gulong) KVM_CAP_IRQFD_RESAMPLE),
                   ==, 1);
  g_assert_cmpint (sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_XIVE), ==, -ENODEV);
  xics = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_XICS);
  path = g_strdup_printf ("%u/fd/%d", host.kernel->pid, xics);
  link = kvmhelper_kernel_readlink (host.kernel, KVMHELPER_PROC, path);
  g_assert_cmpstr (link, ==, "anon_inode:kvm-xics");
  vcpu = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_VCPU, NULL);
  request.args[0] = (guint64) xics;
  g_assert_cmpint (sim_kvm_host_ioctl (&host, vcpu, KVM_ENABLE_CAP, &request), ==, -ENXIO);
  sim_kvm_host_stop (&host);
}

static void
test_pvr (void)
{
  SimKvmHost host;
  struct kvm_sregs registers;
  guint32 pvr;
  int vcpu;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML ("revision='2.0 (pvr 0080 1200)'"));
  vcpu = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_VCPU, NULL);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, vcpu, KVM_GET_SREGS, &registers), ==, 0);
  memcpy (&pvr, &registers, sizeof pvr);
  g_assert_cmphex (pvr, ==, 0x00801200);
  pvr = 0x004e1202;
  memcpy (&registers, &pvr, sizeof pvr);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, vcpu, KVM_SET_SREGS, &registers), ==, -EINVAL);
  sim_kvm_host_stop (&host);
}

/* A handle may be used again while the VM before it lives on: the second has no directory. */
static void
test_two_of_a_name (void)
{
  SimKvmHost host;
  g_autofree char *path = NULL;
  g_auto (GStrv) log = NULL;
  int xive, second;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
  xive = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_XIVE);
  path = g_strdup_printf ("kernel/debug/kvm/%u-%d/xive", host.kernel->pid, host.vm);
  kvmhelper_kernel_close (host.kernel, host.vm);
  second = sim_kvm_host_ioctl (&host, host.kvm, KVM_CREATE_VM, NULL);
  g_assert_cmpint (second, ==, host.vm);
  log = kvmhelper_sim_kernel_log (host.sim);
  g_assert_true (
      g_str_has_prefix (log[g_strv_length (log) - 1], "KVM: debugfs: duplicate directory"));
  g_assert_true (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  kvmhelper_kernel_close (host.kernel, second);
  g_assert_true (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  kvmhelper_kernel_close (host.kernel, xive);
  g_assert_false (kvmhelper_kernel_exists (host.kernel, KVMHELPER_SYS, path));
  sim_kvm_host_stop (&host);
}

/* --- a guest's DMA --- */

static void
take_group (SimKvmHost *host)
{
  struct vfio_iommu_spapr_register_memory memory
      = { .argsz = sizeof memory, .vaddr = (gulong) host->memory, .size = SIM_KVM_HOST_MEMORY / 2 };
  struct vfio_iommu_spapr_tce_remove remove = { .argsz = sizeof remove };
  struct vfio_iommu_spapr_tce_create create
      = { .argsz = sizeof create, .page_shift = 12, .window_size = 1 << 30, .levels = 1 };

  sim_kvm_host_open_group (host);
  g_assert_cmpint (
      sim_kvm_host_ioctl (host, host->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &memory), ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (host, host->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &remove),
                   ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (host, host->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &create),
                   ==, 0);
}

static guint64
hardware_tce (const SimKvmHost *host, guint64 page)
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
put_tce (const SimKvmHost *host, guint64 liobn, guint64 address, guint64 tce)
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
      = { .guest_phys_addr = user_of_guest, .memory_size = SIM_KVM_HOST_MEMORY };
  struct vfio_iommu_spapr_register_memory memory = { .argsz = sizeof memory };
  SimKvmHost host;
  guint64 *view;
  void *mapped;
  int table, kvmvfio;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
  take_group (&host);
  table = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  g_assert_cmpint (host.kernel->calls->mmap (host.kernel->data, table, 0x10000, 0, &mapped), ==, 0);
  view = mapped;
  slot.userspace_addr = (gulong) host.memory;
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_SET_USER_MEMORY_REGION, &slot), ==, 0);

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
  kvmvfio = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_VFIO);
  g_assert_cmpint (
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group), ==,
      0);
  link = (struct kvm_vfio_spapr_tce){ host.group, table };
  g_assert_cmpint (
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link),
      ==, 0);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, (user_of_guest + 0x10000) | 1), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, ((gulong) host.memory + 0x10000) | 1);
  g_assert_cmphex (hardware_tce (&host, 0x3f), ==, ((gulong) host.memory + 0x1f000) | 1);
  g_assert_cmphex (hardware_tce (&host, 0x40), ==, 0);

  /* Memory of the guest that is not registered: QEMU has to see to it, and nothing is changed. */
  g_assert_cmpint (
      put_tce (&host, 0x80000000, 0x30000, (user_of_guest + SIM_KVM_HOST_MEMORY / 2) | 3), ==,
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
  g_assert_cmpint (
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group), ==,
      0);
  g_assert_cmpint (put_tce (&host, 0x80000000, 0x30000, user_of_guest | 3), ==,
                   KVMHELPER_SIM_SUCCESS);
  g_assert_cmphex (hardware_tce (&host, 0x30), ==, 0);
  memory.vaddr = (gulong) host.memory;
  memory.size = SIM_KVM_HOST_MEMORY / 2;
  g_assert_cmpint (
      sim_kvm_host_ioctl (&host, host.container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &memory), ==,
      0);
  sim_kvm_host_stop (&host);
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
  SimKvmHost host;
  int handle, kvmvfio;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
  take_group (&host);
  handle = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  kvmvfio = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_VFIO);
  link = (struct kvm_vfio_spapr_tce){ host.group, handle };
  for (guint i = 0; i < 2; i++)
    {
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
      g_assert_cmpint (sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE,
                                         KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link),
                       ==, 0);
    }
  vm = lock_vm (&host);
  table = kvmhelper_sim_kvm_table_of (vm, 1);
  window = kvmhelper_sim_find_group (host.sim, 0)->tables[0];
  g_assert_cmpuint (table->links->len, ==, 1);
  g_assert_cmpuint (((KvmHelperSimTceLink *) table->links->pdata[0])->references, ==, 2);
  g_assert_cmpuint (window->references, ==, 3); /* of the container, the group and KVM */
  g_mutex_unlock (&host.sim->lock);

  sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group);
  lock_vm (&host);
  g_assert_cmpuint (table->links->len, ==, 1);
  g_mutex_unlock (&host.sim->lock);
  kvmhelper_kernel_close (host.kernel, handle);
  lock_vm (&host);
  g_assert_cmpuint (window->references, ==, 2);
  g_mutex_unlock (&host.sim->lock);

  /* kvm-vfio, closed, takes its groups out too */
  handle = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  link.tablefd = handle;
  sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
  sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &link);
  kvmhelper_kernel_close (host.kernel, kvmvfio);
  lock_vm (&host);
  g_assert_cmpuint (window->references, ==, 2);
  g_mutex_unlock (&host.sim->lock);
  sim_kvm_host_stop (&host);
}

/* The kernel says once, and no more, that a group left that had no table. */
static void
test_warning (void)
{
  SimKvmHost host;
  int kvmvfio;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
  take_group (&host);
  kvmvfio = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_VFIO);
  for (guint i = 0; i < 3; i++)
    {
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &host.group);
      sim_kvm_host_set (&host, kvmvfio, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &host.group);
    }
  g_assert_cmpuint (sim_host_count_lines (host.sim, "virt/kvm/vfio.c:103 "), ==, 1);
  sim_kvm_host_stop (&host);
}

/* --- memory that is locked --- */

static void
test_locked (void)
{
  struct kvm_create_spapr_tce_64 request = { .liobn = 1, .page_shift = 12, .size = 8193 };
  SimKvmHost host;
  int handle;

  sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
  handle = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
  lock_vm (&host);
  g_assert_cmpuint (host.process->mm->locked, ==, 3 * 0x10000);
  g_mutex_unlock (&host.sim->lock);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request), ==,
                   -EBUSY);
  kvmhelper_kernel_close (host.kernel, handle);
  lock_vm (&host);
  g_assert_cmpuint (host.process->mm->locked, ==, 0);
  g_mutex_unlock (&host.sim->lock);
  sim_kvm_host_stop (&host);
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
      SimKvmHost host;
      int handles[5];

      sim_kvm_host_start (&host, SIM_KVM_HOST_XML (""));
      handles[0] = host.vm;
      handles[1] = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_XIVE);
      handles[2] = sim_kvm_host_create_device (&host, host.vm, KVM_DEV_TYPE_VFIO);
      handles[3] = sim_kvm_host_ioctl (&host, host.vm, KVM_CREATE_SPAPR_TCE_64, &request);
      handles[4] = host.kernel->calls->eventfd (host.kernel->data);
      sim_kvm_host_set (&host, handles[1], KVM_DEV_XIVE_GRP_SOURCE, 0x1300, &state);
      irqfd.fd = (guint32) handles[4];
      g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_IRQFD, &irqfd), ==, 0);
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
      sim_kvm_host_stop (&host);
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
