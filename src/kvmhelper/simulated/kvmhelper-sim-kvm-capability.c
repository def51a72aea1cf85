/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim-machine.h"

/* What KVM_CHECK_EXTENSION says, of the host and of a VM alike (arch/powerpc/kvm/powerpc.c:
 * kvm_vm_ioctl_check_extension; virt/kvm/kvm_main.c: kvm_vm_ioctl_check_extension_generic). */
typedef enum
{
  ALWAYS,
  WITH_HV,     /* kvm_hv is loaded */
  ON_POWERNV,  /* kvm_hv is loaded, and the host is no partition */
  WITH_XIVE,   /* guests can have native XIVE */
  WITHOUT_XIVE /* the host's own interrupts are XICS': level interrupts can be resampled */
} Condition;

static const struct
{
  gulong extension;
  Condition condition;
  int value;
} extensions[] = {
  { KVM_CAP_USER_MEMORY, ALWAYS, 1 },
  { KVM_CAP_MAX_VCPUS, ALWAYS, KVMHELPER_SIM_MAX_VCPUS },
  { KVM_CAP_MAX_VCPU_ID, ALWAYS, KVMHELPER_SIM_MAX_VCPU_IDS },
  { KVM_CAP_IRQFD, ALWAYS, 1 },
  { KVM_CAP_IRQFD_RESAMPLE, WITHOUT_XIVE, 1 },
  { KVM_CAP_IOEVENTFD, ALWAYS, 1 },
  { KVM_CAP_ENABLE_CAP, ALWAYS, 1 },
  { KVM_CAP_ONE_REG, ALWAYS, 1 },
  { KVM_CAP_DEVICE_CTRL, ALWAYS, 1 },
  { KVM_CAP_PPC_PAPR, ALWAYS, 1 },
  { KVM_CAP_SPAPR_TCE, ALWAYS, 1 },
  { KVM_CAP_SPAPR_TCE_64, ALWAYS, 1 },
  { KVM_CAP_SPAPR_TCE_VFIO, ALWAYS, 1 },
  { KVM_CAP_SPAPR_MULTITCE, ALWAYS, 1 },
  { KVM_CAP_IRQ_XICS, ALWAYS, 1 },
  { KVM_CAP_PPC_IRQ_XIVE, WITH_XIVE, 1 },
  { KVM_CAP_PPC_HTAB_FD, WITH_HV, 1 },
  { KVM_CAP_PPC_MMU_RADIX, WITH_HV, 1 },
  { KVM_CAP_PPC_MMU_HASH_V3, ON_POWERNV, 1 },
  { KVM_CAP_PPC_NESTED_HV, WITH_HV, 1 },
  { KVM_CAP_PPC_SMT, WITH_HV, 1 },
  { KVM_CAP_PPC_FWNMI, WITH_HV, 1 },
};

static gboolean
holds (const KvmHelperSimProfile *profile, Condition condition)
{
  switch (condition)
    {
    case WITH_HV:
      return profile->kvm_hv;
    case ON_POWERNV:
      return profile->kvm_hv && profile->powernv;
    case WITH_XIVE:
      return profile->xive_native;
    case WITHOUT_XIVE:
      return !profile->xive;
    default:
      return TRUE;
    }
}

int
kvmhelper_sim_kvm_check_extension (KvmHelperSim *sim, gulong extension)
{
  if (extension == KVM_CAP_NR_VCPUS)
    return (int) MIN (sim->machine->cpus, KVMHELPER_SIM_MAX_VCPUS);
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (extensions[i].extension == extension)
      return holds (&sim->profile, extensions[i].condition) ? extensions[i].value : 0;
  return 0;
}
