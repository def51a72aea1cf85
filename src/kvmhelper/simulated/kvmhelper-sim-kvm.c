/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* /dev/kvm: virt/kvm/kvm_main.c, kvm_dev_ioctl. */

static int
kvm_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  KvmHelperSim *sim = file->sim;

  switch (request)
    {
    case KVM_GET_API_VERSION:
      return argument != 0 ? -EINVAL : KVM_API_VERSION;
    case KVM_CREATE_VM:
      return kvmhelper_sim_vm_create (sim, process, argument);
    case KVM_CHECK_EXTENSION:
      return kvmhelper_sim_kvm_check_extension (sim, argument);
    case KVM_GET_VCPU_MMAP_SIZE:
      return argument != 0 ? -EINVAL : (int) sim->page_size /* of struct kvm_run */;
    default:
      return -EINVAL; /* kvm_arch_dev_ioctl */
    }
}

static const KvmHelperSimFileKind kvm_kind = { .ioctl = kvm_ioctl };

static int
kvm_open (gpointer object, KvmHelperSimProcess *process, int flags, KvmHelperSimFile **file)
{
  *file = kvmhelper_sim_file_new (object, &kvm_kind, NULL);
  return 0;
}

void
kvmhelper_sim_kvm_start (KvmHelperSim *sim)
{
  KvmHelperSimKvm *kvm = g_new0 (KvmHelperSimKvm, 1);

  kvm->vms = g_ptr_array_new ();
  kvm->ipis = g_hash_table_new (NULL, NULL);
  kvm->producers = g_ptr_array_new_with_free_func (g_free);
  kvm->consumers = g_ptr_array_new ();
  sim->kvm = kvm;
  /* The node is there as soon as kvm.ko is, which has no kind of VM without kvm_hv.ko. */
  kvmhelper_sim_device_node (kvmhelper_sim_tree_root (sim, KVMHELPER_DEV), "kvm", 0660, 10, 232,
                             kvm_open, sim);
  kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_SYS), "kernel/debug/kvm", NULL,
                           NULL);
}

void
kvmhelper_sim_kvm_free (KvmHelperSim *sim)
{
  KvmHelperSimKvm *kvm = sim->kvm;

  if (kvm == NULL)
    return;
  g_ptr_array_unref (kvm->vms);
  g_hash_table_unref (kvm->ipis);
  g_ptr_array_unref (kvm->producers);
  g_ptr_array_unref (kvm->consumers);
  g_free (kvm);
  sim->kvm = NULL;
}
