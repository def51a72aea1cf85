/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <glib/gi18n-lib.h>

/* What is said of the host, of a function of its, and of the group that goes along. */

#define SIBLINGS "Linux, drivers/iommu/iommu.c: iommu_group_claim_dma_owner"

static const HostdevStatement statements[] = {
  { HOSTDEV_SAYS_NOT_PSERIES_KVM, "not-pseries-kvm", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_NOT_PSERIES_KVM, N_ ("“{guest}” is not a pSeries guest under KVM."),
    N_ ("Use a domain with type='kvm', arch='ppc64' or 'ppc64le' and machine='pseries'."),
    "this project: it is about pSeries guests under KVM" },
  { HOSTDEV_SAYS_KVM_UNAVAILABLE, "kvm-unavailable", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE, N_ ("The host has no KVM HV ({source})."),
    N_ ("Load the kernel module kvm_hv; in a partition, nested KVM has to be allowed for it on the "
        "management console."),
    "Linux, arch/powerpc/kvm/powerpc.c: kvm_arch_init_vm" },
  { HOSTDEV_SAYS_VFIO_UNAVAILABLE, "vfio-unavailable", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_VFIO_UNAVAILABLE, N_ ("The host has no VFIO with SPAPR TCE ({source})."),
    N_ ("Load the kernel modules vfio_iommu_spapr_tce and vfio_pci; Linux 5.19 to 6.3 cannot do it "
        "on POWER."),
    "Linux, drivers/vfio/vfio_iommu_spapr_tce.c" },

  { HOSTDEV_SAYS_DEVICE_UNKNOWN, "device-unknown", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DEVICE_UNKNOWN, N_ ("The host has no PCI function {device}."),
    N_ ("Correct the address: lspci -D shows them all, with the PCI domain (the PHB) before the "
        "bus."),
    "Linux, /sys/bus/pci/devices; libvirt, src/hypervisor/virhostdev.c: "
    "virHostdevGetPCIHostDevice" },
  { HOSTDEV_SAYS_DEVICE_GONE, "device-gone", HOSTDEV_WARN, FALSE, COMMON_ERROR_DEVICE_UNKNOWN,
    N_ ("The guest can give {device} back, but the host has no such PCI function any more."),
    N_ ("See the host's log for why it went; where the card is still in its slot, rescan the bus "
        "(1 into /sys/bus/pci/rescan)."),
    "Linux, /sys/bus/pci/devices" },
  { HOSTDEV_SAYS_DEVICE_NOT_THERE, "device-not-there", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_DEVICE_UNKNOWN, N_ ("“{guest}” has no PCI device {device}."),
    N_ ("See virsh dumpxml for those that it has."),
    "libvirt, src/qemu/qemu_hotplug.c: qemuDomainDetachPrepHostdev" },
  { HOSTDEV_SAYS_DEVICE_THERE_ALREADY, "device-there-already", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_GROUP_IN_USE, N_ ("{device} is a device of “{guest}” already."),
    N_ ("Nothing is to be done; detach it first if it is to be attached anew."),
    "libvirt, src/hypervisor/virhostdev.c: virHostdevIsPCINodeDeviceUsed" },
  { HOSTDEV_SAYS_NOT_ENDPOINT, "not-endpoint", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_NOT_ENDPOINT,
    N_ ("{function} is a bridge, which no guest can get."), N_ ("Give a device behind it."),
    "libvirt, src/hypervisor/virhostdev.c: “Non-endpoint PCI devices cannot be assigned”" },
  { HOSTDEV_SAYS_NO_IOMMU_GROUP, "no-iommu-group", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_NO_IOMMU_GROUP, N_ ("{function} is in no IOMMU group: VFIO cannot have it."),
    N_ ("See the host's log for why its PHB has no DMA windows (TCE)."),
    "Linux, arch/powerpc/kernel/iommu.c: iommu_register_group" },

  { HOSTDEV_SAYS_GROUP_IN_USE, "group-in-use", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_GROUP_IN_USE,
    N_ ("{group} was given to the guest “{other}”."),
    N_ ("Detach the group's devices from “{other}” first, or stop it."),
    "this project: a lease; Linux, drivers/vfio/group.c: vfio_group_fops_open (EBUSY)" },
  { HOSTDEV_SAYS_GROUP_HELD, "group-held", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_GROUP_IN_USE,
    N_ ("{group} is in use by process {process}, which has no lease on it."),
    N_ ("See what process {process} is (ps -fp {process}) and stop it, or detach the device from "
        "it."),
    "Linux, drivers/vfio/group.c: vfio_group_fops_open (EBUSY)" },
  { HOSTDEV_SAYS_GROUP_HELD_UNKNOWN, "group-held-unknown", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_GROUP_IN_USE, N_ ("{group} is in use by a process that has no lease on it."),
    N_ ("See who has it open (fuser -v /dev/vfio/{number}) and stop it."),
    "Linux, drivers/vfio/group.c: vfio_group_fops_open (EBUSY)" },
  { HOSTDEV_SAYS_GROUP_KEPT, "group-kept", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_GROUP_IN_USE,
    N_ ("The guest keeps other devices of {group}: nothing of it goes back to the host yet."),
    N_ ("Detach those as well if the host is to have them."), SIBLINGS },

  { HOSTDEV_SAYS_MEMBER_MOUNTED, "member-mounted", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("The host has file systems on {function}, of {group}: {uses}."),
    N_ ("Unmount what is on it first, or give another device; the disk that the host was started "
        "from cannot be given."),
    "Linux, /proc/self/mountinfo" },
  { HOSTDEV_SAYS_MEMBER_SWAP, "member-swap", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE, N_ ("The host swaps to {function}, of {group}: {uses}."),
    N_ ("Switch the swap space on it off first (swapoff), or give another device."),
    "Linux, /proc/swaps" },
  { HOSTDEV_SAYS_MEMBER_STORAGE, "member-storage", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("The host has storage built on {function}, of {group}: {uses}."),
    N_ ("Stop the storage that is built on it first, or give another device."),
    "Linux, /sys/block/*/holders" },
  { HOSTDEV_SAYS_MEMBER_ROUTE, "member-route", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("The host reaches its network through {function}, of {group}: {uses}."),
    N_ ("Take the host's routes off the interface first, or give another device; without them you "
        "may not reach the host any more."),
    "Linux, /proc/net/route, /proc/net/ipv6_route" },
  { HOSTDEV_SAYS_MEMBER_CONSOLE, "member-console", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("The host has its console on {function}, of {group}: {uses}."),
    N_ ("Move the host's console away from it first, or give another device."),
    "Linux, boot_vga, /proc/fb and /sys/class/tty/console/active" },
  { HOSTDEV_SAYS_MEMBER_VFS, "member-vfs", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("{function}, of {group}, has virtual functions: {uses}."),
    N_ ("Remove its virtual functions first (0 into sriov_numvfs), or give one of them instead."),
    "Linux, drivers/pci/iov.c: sriov_numvfs" },
  { HOSTDEV_SAYS_MEMBER_UNREADABLE, "member-unreadable", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("It cannot be told whether the host needs {function}, of {group}, now: {uses}."),
    N_ ("See the log of ppc64-kvmhelper.service; what cannot be read counts as a need."),
    "this project: no claim without evidence" },
  { HOSTDEV_SAYS_MEMBER_NOT_TAKEABLE, "member-not-takeable", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE, N_ ("The host needs {function}, of {group}, now: {uses}."),
    N_ ("End that use first, or give another device."),
    "this project: a need that a newer helper knows" },
  { HOSTDEV_SAYS_UNMANAGED_BOUND, "unmanaged-bound", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_UNMANAGED_BOUND,
    N_ ("The device is given with managed='no', and of {group} these are on drivers of the host: "
        "{functions}."),
    N_ ("Give it with managed='yes', or detach them first: {commands}."), SIBLINGS },

  { HOSTDEV_SAYS_PE_FAILED, "pe-failed", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PE_FAILED,
    N_ ("The PE of {group} has failed for good: EEH gave it up ({source})."),
    N_ ("See the host's log for EEH; reseat or replace the card, or restart the host."),
    "Linux, arch/powerpc/kernel/eeh_driver.c: eeh_handle_normal_event (eeh_max_freezes)" },
  { HOSTDEV_SAYS_PE_UNAVAILABLE, "pe-unavailable", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PE_FROZEN,
    N_ ("The firmware cannot tell the state of the PE of {group} ({source})."),
    N_ ("Its host bridge is being reset, or is dead: try again in a minute, and see the host's log "
        "for EEH; if it stays so, restart the host."),
    "Linux, arch/powerpc/kernel/eeh.c: eeh_pe_get_state" },
  { HOSTDEV_SAYS_PE_FROZEN, "pe-frozen", HOSTDEV_WARN, FALSE, COMMON_ERROR_PE_FROZEN,
    N_ ("The PE of {group} is frozen after an error ({source})."),
    N_ ("The helper thaws it before the guest, or the host, gets it; see the host's log for EEH "
        "whether the device is in order."),
    "Linux, arch/powerpc/kernel/eeh.c: eeh_dev_open" },
  { HOSTDEV_SAYS_RETURN_PE_FAILED, "return-pe-failed", HOSTDEV_WARN, FALSE, COMMON_ERROR_PE_FAILED,
    N_ ("The guest can give {device} back, but the PE of {group} has failed for good: no driver of "
        "the host will have use of it ({source})."),
    N_ ("See the host's log for EEH; reseat or replace the card, or restart the host."),
    "Linux, arch/powerpc/kernel/eeh_driver.c: eeh_handle_normal_event" },
  { HOSTDEV_SAYS_RETURN_PE_UNAVAILABLE, "return-pe-unavailable", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_PE_FROZEN,
    N_ ("The guest can give {device} back, but the firmware cannot tell the state of the PE of "
        "{group} ({source})."),
    N_ ("Its host bridge is being reset, or is dead: see the host's log for EEH; the helper gives "
        "the device back to its driver as soon as it can."),
    "Linux, arch/powerpc/kernel/eeh.c: eeh_pe_get_state" },
  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND, "kernel-cannot-bind", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_VFIO_UNAVAILABLE,
    N_ ("The host runs Linux {kernel}: from 5.19 to 6.3 vfio-pci takes no device on POWER."),
    N_ ("Take Linux 6.4 or later, unless your distribution has mended its own (commit "
        "a940904443e4)."),
    "Linux 5.19 to 6.3, drivers/vfio/group.c: vfio_group_find_or_alloc" },
  { HOSTDEV_SAYS_COMPANIONS_LEAVE, "companions-leave", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("With {device} these leave the host as well, as they are in {group} with it, and the guest "
        "does not get them: {functions}."),
    N_ ("Give the guest those too, or another device if the host is to keep them."),
    "Linux, drivers/iommu/iommu.c: iommu_group_claim_dma_owner" },
  { HOSTDEV_SAYS_COMPANIONS_REFUSED, "companions-refused", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_POLICY_REQUIRES,
    N_ ("With {device} these would leave the host as well, as they are in {group} with it, and the "
        "guest's metadata says companions='refuse': {functions}."),
    N_ ("Give the guest those too, another device, or write companions='leave' in its metadata."),
    "this project: the policy in the guest's metadata" },
  { HOSTDEV_SAYS_CARD_SHARED, "card-shared", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("Others on the card of {device} stay with the host: {functions}. What resets the slot, or "
        "takes its power, meets both."),
    N_ ("Mind them when the card is replaced or its firmware is updated."),
    "Linux, /sys/bus/pci/slots; this project: companions of a card" },
  { HOSTDEV_SAYS_NO_RESET, "no-reset", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_RESET_UNSAFE,
    N_ ("{function} has no way to be reset: the guest gets it as who had it last left it, and so "
        "does the host later."),
    N_ ("Shut its driver down cleanly in the guest before it is given back. Where there is "
        "/sys/bus/pci/devices/{device}/reset_method, the ways were switched off by hand: write "
        "“default” into it."),
    "Linux, drivers/pci/pci.c: pci_reset_fn_methods" },
  { HOSTDEV_SAYS_VF_PARENT, "vf-parent", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
    N_ ("{device} is a virtual function of {function}: when the driver of that is unbound or "
        "reloaded, or its PE freezes, the guest loses the device."),
    N_ ("Keep the driver of the physical function loaded as long as the guest has the device."),
    "Linux, drivers/pci/iov.c: sriov_disable; arch/powerpc/platforms/powernv/pci-sriov.c" },
  { HOSTDEV_SAYS_NUMA_MEMORY, "numa-memory", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("{device} is on NUMA node {node} of the host, and the memory of “{guest}” is bound to "
        "{nodes}: all DMA goes between nodes."),
    N_ ("Bind the memory to that node (<numatune>), or give a device of the guest's nodes."),
    "Linux, /sys/bus/pci/devices/*/numa_node; libvirt, <numatune>" },
  { HOSTDEV_SAYS_NUMA_VCPUS, "numa-vcpus", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("{device} is on NUMA node {node} of the host, and no CPU of that is among those of "
        "“{guest}” ({cpus}): its interrupts and registers are reached across nodes (distance "
        "{distance})."),
    N_ ("Bind the vCPUs to CPUs of that node (<vcpu cpuset=''>, <vcpupin>), or give a device of "
        "theirs."),
    "Linux, /sys/devices/system/node/node*/cpulist and distance" },
  { HOSTDEV_SAYS_GUEST_RUNS_WITH_IT, "guest-runs-with-it", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_GROUP_IN_USE, N_ ("The guest “{other}” runs with {function}, of {group}."),
    N_ ("Detach it from “{other}” first, or stop that guest."),
    "libvirt, src/hypervisor/virhostdev.c: “PCI device … is in use by driver QEMU”" },
  { HOSTDEV_SAYS_GUEST_DEFINED_WITH_IT, "guest-defined-with-it", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_GROUP_IN_USE,
    N_ ("The guest “{other}” is defined with {function}, of {group}: while this one has it, that "
        "one cannot start."),
    N_ ("Take it out of one of the two, or see to it that they do not run at a time."),
    "libvirt, src/hypervisor/virhostdev.c: “PCI device … is in use by driver QEMU”" },
};

const HostdevStatement *
hostdev_statements_of_host (gsize *count)
{
  *count = G_N_ELEMENTS (statements);
  return statements;
}
