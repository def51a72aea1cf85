/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-machine.h"
#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* vCPUs: virt/kvm/kvm_main.c, kvm_vcpu_ioctl; arch/powerpc/kvm/powerpc.c,
 * kvm_vcpu_ioctl_enable_cap; book3s_hv.c. */

#define PVR_POWER9 0x004e1202

/* The processor version register, as /proc/cpuinfo has it: "2.2 (pvr 004e 1202)". */
static guint32
host_pvr (const KvmHelperSim *sim)
{
  const char *text = strstr (sim->machine->revision, "pvr ");
  guint version, revision;

  return text != NULL && sscanf (text, "pvr %x %x", &version, &revision) == 2
             ? version << 16 | revision
             : PVR_POWER9;
}

/* kvmppc_sanity_check: a vCPU of KVM-HV can run once it is known which processor it is, and that
 * its guest is a PAPR one. */
static int
check_sane (KvmHelperSimVcpu *vcpu)
{
  vcpu->sane = vcpu->pvr != 0 && vcpu->papr;
  return vcpu->sane ? 0 : -EINVAL;
}

static int
connect (KvmHelperSimVcpu *vcpu, KvmHelperSimProcess *process, const struct kvm_enable_cap *request)
{
  const gboolean native = request->cap == KVM_CAP_PPC_IRQ_XIVE;
  const KvmHelperSimProfile *profile = &vcpu->vm->sim->profile;
  KvmHelperSimFile *file = kvmhelper_sim_process_file (process, (int) request->args[0]);
  KvmHelperSimKvmDevice *device;
  guint32 server = (guint32) request->args[1];

  if (file == NULL)
    return -EBADF;
  if (native && !profile->xive)
    return -ENXIO;
  device = kvmhelper_sim_kvm_device_of (file);
  if (device == NULL)
    return -EPERM;
  if (native)
    return kvmhelper_sim_xive_native_connect (device, vcpu, server);
  /* xics_on_xive(): the host has XIVE and is no partition. */
  if (profile->xive && profile->powernv)
    return kvmhelper_sim_xive_xics_connect (device, vcpu, server);
  return kvmhelper_sim_xics_connect (device, vcpu, server);
}

static int
enable_capability (KvmHelperSimVcpu *vcpu, KvmHelperSimProcess *process, gulong argument)
{
  struct kvm_enable_cap request;
  int answer = 0;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.flags != 0)
    return -EINVAL;
  if (request.cap == KVM_CAP_PPC_PAPR)
    vcpu->papr = TRUE;
  else if (request.cap == KVM_CAP_PPC_IRQ_XIVE || request.cap == KVM_CAP_IRQ_XICS)
    answer = connect (vcpu, process, &request);
  else
    return -EINVAL;
  /* The check comes last: a vCPU that is not sane is connected all the same, though the answer is
   * EINVAL, and connecting it again is EBUSY. */
  return answer != 0 ? answer : check_sane (vcpu);
}

/* powerpc's struct kvm_sregs begins with the PVR, and that is all that KVM-HV has of it. */
static int
get_registers (KvmHelperSimVcpu *vcpu, gulong argument)
{
  struct kvm_sregs registers;

  memset (&registers, 0, sizeof registers);
  memcpy (&registers, &vcpu->pvr, sizeof vcpu->pvr);
  return kvmhelper_sim_copy_out (argument, &registers, sizeof registers);
}

static int
set_registers (KvmHelperSimVcpu *vcpu, gulong argument)
{
  struct kvm_sregs registers;
  guint32 pvr;

  if (kvmhelper_sim_copy_in (argument, &registers, sizeof registers) != 0)
    return -EFAULT;
  memcpy (&pvr, &registers, sizeof pvr);
  return pvr == vcpu->pvr ? 0 : -EINVAL;
}

static int
vcpu_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  KvmHelperSimVcpu *vcpu = file->object;

  if (kvmhelper_sim_vm_is_foreign (vcpu->vm, process))
    return -EIO;
  switch (request)
    {
    case KVM_ENABLE_CAP:
      return enable_capability (vcpu, process, argument);
    case KVM_GET_SREGS:
      return get_registers (vcpu, argument);
    case KVM_SET_SREGS:
      return set_registers (vcpu, argument);
    case KVM_RUN:
      /* Guests do not run here: a sane vCPU comes back at once, as with a signal that waits
       * (kvmppc_vcpu_run_hv). */
      return argument != 0 || !vcpu->sane ? -EINVAL : -EINTR;
    default:
      return -EINVAL; /* kvm_arch_vcpu_ioctl */
    }
}

/* The vCPU itself lives as long as the VM (kvm_vcpu_release). */
static void
vcpu_release (KvmHelperSimFile *file)
{
  KvmHelperSimVcpu *vcpu = file->object;

  kvmhelper_sim_vm_unref (vcpu->vm);
}

/* The link has the vCPU's number: "anon_inode:kvm-vcpu:0". */
static const KvmHelperSimFileKind vcpu_kind = {
  .release = vcpu_release,
  .ioctl = vcpu_ioctl,
};

void
kvmhelper_sim_vcpu_free (KvmHelperSimVcpu *vcpu)
{
  g_free (vcpu);
}

int
kvmhelper_sim_vcpu_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong id)
{
  KvmHelperSimVcpu *vcpu;
  KvmHelperSimFile *file;

  /* kvmppc_core_vcpu_create_hv: as many as a guest with one thread a core may have. One that is
   * there already has its core, and so is refused before KVM sees that it is (EEXIST). The core
   * stays when what comes after it fails. */
  if (id >= KVMHELPER_SIM_MAX_VCPUS || !g_hash_table_add (vm->cores, GSIZE_TO_POINTER (id)))
    return -EINVAL;
  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  vcpu = g_new0 (KvmHelperSimVcpu, 1);
  vcpu->vm = vm;
  vcpu->id = (guint32) id;
  vcpu->pvr = host_pvr (vm->sim);
  g_ptr_array_add (vm->vcpus, vcpu);
  file = kvmhelper_sim_file_new (vm->sim, &vcpu_kind, vcpu);
  file->path = g_strdup_printf ("anon_inode:kvm-vcpu:%u", vcpu->id);
  kvmhelper_sim_vm_ref (vm);
  return kvmhelper_sim_process_install (process, file);
}
