/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* A VM: virt/kvm/kvm_main.c, kvm_vm_ioctl; arch/powerpc/kvm/powerpc.c, kvm_arch_vm_ioctl. */

gboolean
kvmhelper_sim_vm_is_foreign (const KvmHelperSimVm *vm, const KvmHelperSimProcess *process)
{
  return vm->mm != process->mm;
}

KvmHelperSimVm *
kvmhelper_sim_vm_ref (KvmHelperSimVm *vm)
{
  vm->references++;
  return vm;
}

static KvmHelperSimNode *
debugfs (KvmHelperSim *sim)
{
  return kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_SYS), "kernel/debug/kvm",
                                  NULL, NULL);
}

/* kvm_destroy_vm: what is open of the VM had a reference, so that here only memory is left. */
void
kvmhelper_sim_vm_unref (KvmHelperSimVm *vm)
{
  KvmHelperSimKvm *kvm = vm->sim->kvm;

  if (--vm->references > 0)
    return;
  g_ptr_array_remove (kvm->vms, vm);
  if (vm->has_directory)
    kvmhelper_sim_remove (debugfs (vm->sim), vm->name);
  g_ptr_array_unref (vm->vcpus);
  g_hash_table_unref (vm->cores);
  g_ptr_array_unref (vm->devices);
  g_ptr_array_unref (vm->tables);
  g_ptr_array_unref (vm->irqfds);
  g_array_unref (vm->slots);
  g_clear_pointer (&vm->passed, g_array_unref);
  kvmhelper_sim_mm_unref (vm->mm);
  g_free (vm->name);
  g_free (vm);
}

/* KVM_ENABLE_CAP of the VM switches hypercalls on and off (kvm_vm_ioctl_enable_cap). Those that the
 * kernel could take over are the ones that fill TCE tables; the model's guests make none. */
static int
enable_capability (gulong argument)
{
  struct kvm_enable_cap request;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.flags != 0 || request.cap != KVM_CAP_PPC_ENABLE_HCALL)
    return -EINVAL;
  /* H_REMOVE is 4, the last one is some number above 0x138: all are multiples of 4. */
  return request.args[0] == 0 || request.args[0] % 4 != 0 || request.args[1] > 1 ? -EINVAL : 0;
}

static int
vm_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  KvmHelperSimVm *vm = file->object;

  if (kvmhelper_sim_vm_is_foreign (vm, process))
    return -EIO;
  switch (request)
    {
    case KVM_CHECK_EXTENSION:
      return kvmhelper_sim_kvm_check_extension (vm->sim, argument);
    case KVM_CREATE_VCPU:
      return kvmhelper_sim_vcpu_create (vm, process, argument);
    case KVM_CREATE_DEVICE:
      return kvmhelper_sim_kvm_device_create (vm, process, argument);
    case KVM_ENABLE_CAP:
      return enable_capability (argument);
    case KVM_SET_USER_MEMORY_REGION:
      return kvmhelper_sim_vm_set_memory (vm, argument);
    case KVM_IRQ_LINE:
      return kvmhelper_sim_irq_line (vm, argument);
    case KVM_IRQFD:
      return kvmhelper_sim_irqfd_ioctl (vm, process, argument);
    case KVM_CREATE_SPAPR_TCE:
      return kvmhelper_sim_kvm_table_create (vm, process, argument, FALSE);
    case KVM_CREATE_SPAPR_TCE_64:
      return kvmhelper_sim_kvm_table_create (vm, process, argument, TRUE);
    default:
      /* Also KVM_SET_GSI_ROUTING: a gsi is the guest's interrupt number, and there is no other
       * way to route it. */
      return -ENOTTY;
    }
}

/* kvm_vm_release: the irqfds go with the VM's own file, all else with the last reference. */
static void
vm_release (KvmHelperSimFile *file)
{
  KvmHelperSimVm *vm = file->object;

  while (vm->irqfds->len > 0)
    kvmhelper_sim_irqfd_remove (vm->irqfds->pdata[0]);
  kvmhelper_sim_vm_unref (vm);
}

static const KvmHelperSimFileKind vm_kind = {
  .link = "anon_inode:kvm-vm",
  .release = vm_release,
  .ioctl = vm_ioctl,
};

static KvmHelperSimVm *
vm_new (KvmHelperSimProcess *process)
{
  KvmHelperSimVm *vm = g_new0 (KvmHelperSimVm, 1);
  KvmHelperSimKvm *kvm = process->sim->kvm;

  vm->sim = process->sim;
  vm->references = 1;
  vm->mm = kvmhelper_sim_mm_ref (process->mm);
  vm->slots = g_array_new (FALSE, FALSE, sizeof (KvmHelperSimSlot));
  vm->vcpus = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_sim_vcpu_free);
  vm->cores = g_hash_table_new (NULL, NULL);
  vm->devices = g_ptr_array_new ();
  vm->tables = g_ptr_array_new ();
  vm->irqfds = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (kvm->vms, vm);
  return vm;
}

/* kvm_create_vm_debugfs. The handle may be used again while the VM before lives on by its devices'
 * files: then the new one has no directory. */
static void
make_directory (KvmHelperSimVm *vm)
{
  const KvmHelperSimKvm *kvm = vm->sim->kvm;

  for (guint i = 0; i < kvm->vms->len; i++)
    {
      const KvmHelperSimVm *other = kvm->vms->pdata[i];

      if (other->has_directory && g_str_equal (other->name, vm->name))
        {
          kvmhelper_sim_log (vm->sim, "KVM: debugfs: duplicate directory %s", vm->name);
          return;
        }
    }
  kvmhelper_sim_directory (debugfs (vm->sim), vm->name, kvmhelper_sim_vm_attributes, vm);
  vm->has_directory = TRUE;
}

int
kvmhelper_sim_vm_create (KvmHelperSim *sim, KvmHelperSimProcess *process, gulong type)
{
  KvmHelperSimVm *vm;
  int handle;

  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  /* kvm_arch_init_vm: 0 is the kernel's choice, KVM_VM_PPC_PR another kind of KVM, which a host
   * with kvm_hv does not load. */
  if (!sim->profile.kvm_hv || (type != 0 && type != KVM_VM_PPC_HV))
    return -EINVAL;
  vm = vm_new (process);
  handle = kvmhelper_sim_process_install (process, kvmhelper_sim_file_new (sim, &vm_kind, vm));
  vm->name = g_strdup_printf ("%u-%d", process->pid, handle);
  make_directory (vm);
  return handle;
}
