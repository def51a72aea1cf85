/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal.h"

#include <errno.h>

#include <glib/gi18n-lib.h>

/* What the kernel's answers mean, by the functions that give them (Linux 6.12): virt/kvm/vfio.c,
 * virt/kvm/eventfd.c, drivers/vfio/group.c, drivers/vfio/vfio_iommu_spapr_tce.c,
 * arch/powerpc/kvm/book3s_64_vio.c, arch/powerpc/kvm/book3s_xive_native.c,
 * arch/powerpc/kernel/eeh.c. */
static const struct
{
  const char *name;
  int errnum;
  const char *meaning;
} meanings[] = {
  { "kvm", ENOENT, N_ ("KVM is not loaded; load it with \"modprobe kvm_hv\"") },
  { "kvm", EACCES, N_ ("The helper's unit does not let it open /dev/kvm") },
  { "kvm", EPERM, N_ ("The helper's unit does not let it open /dev/kvm") },
  { "vm", EINVAL, N_ ("KVM has no HV; load it with \"modprobe kvm_hv\"") },
  { "vm", ENOMEM, N_ ("KVM has no partition number, or no memory, for another guest") },
  { "capabilities", 0, N_ ("This KVM cannot keep TCE tables; DMA would go by way of QEMU") },
  { "xive", ENODEV, N_ ("KVM has no native XIVE here; the firmware may lack the calls for it") },
  { "xive", EEXIST, N_ ("The virtual machine has an interrupt controller already") },
  { "xive", ENOMEM, N_ ("There is no memory for the interrupt controller") },
  { "xive-servers", EBUSY, N_ ("A vCPU was connected too early") },
  { "vcpu-papr", EINVAL, N_ ("KVM does not take this processor's version for a vCPU") },
  { "vcpu-xive", EINVAL, N_ ("The vCPU is not set up as a pSeries one") },
  { "vcpu-xive", EBUSY, N_ ("The vCPU is connected already") },
  { "vcpu-xive", ENOSPC,
    N_ ("XIVE has no virtual processors left; too many guests may be running") },
  { "vcpu-xive", EIO, N_ ("The firmware refused to set up XIVE for the vCPU") },
  { "xive-source", ENXIO, N_ ("XIVE has no hardware interrupts left") },
  { "xive-source", ENOMEM, N_ ("There is no memory for interrupt sources") },
  { "xive-esb", 0, N_ ("The guest could not reach its interrupt sources") },
  { "group", ENOENT,
    N_ ("No function of the group is on vfio-pci; Linux before 6.4 cannot do that on POWER at "
        "all") },
  { "group", ENODEV, N_ ("The group's functions have just left vfio-pci") },
  { "group", EBUSY,
    N_ ("Somebody holds the group already: a guest, or KVM for one that is ending") },
  { "group", EACCES,
    N_ ("The node belongs to somebody else, as libvirt leaves it while a guest has it") },
  { "group-viable", 0, N_ ("Every function of the group must be on vfio-pci, or on no driver") },
  { "container", ENOENT, N_ ("VFIO is not loaded; load it with \"modprobe vfio-pci\"") },
  { "container-extensions", 0,
    N_ ("VFIO has no SPAPR TCE, version 2; load it with \"modprobe vfio_iommu_spapr_tce\"") },
  { "set-container", EPERM, N_ ("A driver of the host uses a function of the group for DMA") },
  { "set-container", EBUSY, N_ ("The group's DMA belongs to somebody else") },
  { "set-container", EINVAL, N_ ("The group is in a container already") },
  { "set-container", EBADFD, N_ ("The kernel does not take the container for one") },
  { "set-iommu", EINVAL, N_ ("This host's bridge cannot make DMA windows, which version 2 needs") },
  { "set-iommu", ENODEV,
    N_ ("VFIO has no SPAPR TCE; load it with \"modprobe vfio_iommu_spapr_tce\"") },
  { "set-iommu", EBUSY, N_ ("The container can have one group only") },
  { "set-iommu", EPERM, N_ ("The group and the container are of different kinds") },
  { "register-memory", ENOMEM,
    N_ ("The limit of locked memory is reached (LimitMEMLOCK of the helper's unit)") },
  { "register-memory", EPERM, N_ ("Another process has taken up the container") },
  { "register-memory", EFAULT, N_ ("The memory could not be pinned") },
  { "window-info", ENXIO, N_ ("The container has no group") },
  { "default-window", EINVAL, N_ ("The container has no window there") },
  { "tce-table", ENOMEM,
    N_ ("The limit of locked memory is reached (LimitMEMLOCK of the helper's unit)") },
  { "tce-table", EINVAL, N_ ("KVM does not take the size or the page size of the table") },
  { "tce-table", EBUSY, N_ ("The virtual machine has a table of that number") },
  { "kvm-vfio", EBUSY, N_ ("The virtual machine has a KVM-VFIO device already") },
  { "kvm-vfio", ENODEV, N_ ("KVM was built without its VFIO device") },
  { "attach-unknown", 0,
    N_ ("The kernel attaches tables to groups that it was not given; do not trust the steps "
        "below") },
  { "group-add", EINVAL, N_ ("The kernel does not take the group for one") },
  { "group-add", EEXIST, N_ ("The group was made known already") },
  { "attach-no-window", 0,
    N_ ("The kernel attaches a table without a window; do not trust the steps below") },
  { "window", ENOSPC, N_ ("The container's windows are all in use") },
  { "window", ENOMEM,
    N_ ("No memory for the window's table, in one piece or within the limit of locked memory") },
  { "window", EINVAL, N_ ("The bridge does not make a window of this size or page size") },
  { "window", ENXIO, N_ ("The container has no group") },
  { "window", 0,
    N_ ("The window is not where the guest's bridge has it, so the guest could not use it") },
  { "attach", EINVAL,
    N_ ("No window of the device fits the guest's table; DMA would go by way of QEMU") },
  { "attach", ENOENT, N_ ("KVM does not know the group") },
  { "attach", EBADF, N_ ("There is no table") },
  { "attach", ENOMEM, N_ ("There is no memory to attach the table") },
  { "device", ENODEV, N_ ("The function is not on vfio-pci, or not in this group") },
  { "device", EINVAL, N_ ("The container is not set up") },
  { "device", EAGAIN, N_ ("The function is locked: something else resets it, or its slot, now") },
  { "device", EIO, N_ ("The function does not answer; it may be powered off or broken") },
  { "eeh-enable", EIO,
    N_ ("EEH is off in the kernel, or the firmware could not thaw the endpoint") },
  { "eeh-enable", ENODEV, N_ ("The group is no partitionable endpoint of EEH's") },
  { "eeh-enable", EPERM, N_ ("Another process has taken up the container") },
  { "eeh-state", ENODEV, N_ ("The group is no partitionable endpoint of EEH's") },
  { "eeh-state", 0,
    N_ ("The partitionable endpoint is frozen or not available; see the kernel's log") },
  { "vector", EINVAL, N_ ("The function does not take the interrupt") },
  { "vector", ENOSPC, N_ ("The host has no interrupts left for the function") },
  { "irqfd", EAGAIN, N_ ("The virtual machine has no interrupt controller") },
  { "irqfd", EBUSY, N_ ("The eventfd is in use already") },
  { "bypass", 0,
    N_ ("Its interrupts would go by way of the host kernel; the kernel's log has the reason "
        "(\"kvmppc_set_passthru_irq\")") },
  { "undo-container", EBUSY, N_ ("A function of the group is still open") },
  { "undo-memory", EBUSY, N_ ("The memory is still mapped for DMA") },
  { "group-free", EBUSY, N_ ("The kernel still holds the group; it cannot be given back yet") },
};

const char *
kvmhelper_rehearsal_meaning (const char *name, int errnum)
{
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (g_str_equal (meanings[i].name, name) && meanings[i].errnum == errnum)
      return _ (meanings[i].meaning);
  return "";
}
