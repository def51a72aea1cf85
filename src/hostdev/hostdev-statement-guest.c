/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <glib/gi18n-lib.h>

/* What is said of the guest: its devices' XML, its PHBs, its memory, and its policy. */

#define ISOLATION "libvirt, src/qemu/qemu_domain_address.c: qemuDomainFillDeviceIsolationGroup"
#define MEMLOCK   "libvirt, src/qemu/qemu_domain.c: getPPC64MemLockLimitBytes"

static const HostdevStatement statements[] = {
  { HOSTDEV_SAYS_DRIVER_UNSUPPORTED, "driver-unsupported", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED, N_ ("<driver name='{name}'/> is not to be had on ppc64."),
    N_ ("Leave the element out, or write <driver name='vfio'/>."),
    "libvirt, src/hypervisor/virhostdev.c: “host doesn't support legacy PCI passthrough”" },
  { HOSTDEV_SAYS_DRIVER_IOMMUFD, "driver-iommufd", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("<driver iommufd='yes'/> is not to be had on ppc64: IOMMUFD has no SPAPR TCE."),
    N_ ("Leave iommufd='yes' out."),
    "Linux, drivers/vfio/Kconfig: VFIO_DEVICE_CDEV depends on !SPAPR_TCE_IOMMU" },

  { HOSTDEV_SAYS_NO_FREE_PHB, "no-free-phb", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_NO_FREE_PHB,
    N_ ("“{guest}” has no PCI host bridge (PHB) free for {device}: each IOMMU group takes one for "
        "itself."),
    N_ ("Add to its <devices> (virsh edit {guest}): {elements}. It takes effect when the guest is "
        "started next: libvirt cannot add a PHB to a guest that runs."),
    ISOLATION "; libvirt, docs/pci-hotplug.rst" },
  { HOSTDEV_SAYS_PHB_LIMIT, "phb-limit", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_NO_FREE_PHB,
    N_ ("“{guest}” has all {limit} PHBs that a pSeries guest can have, and none is free for "
        "{device}."),
    N_ ("Take another device out of it first."),
    "QEMU, include/hw/pci-host/spapr.h: SPAPR_MAX_PHBS; libvirt: target index 0 to 30" },
  { HOSTDEV_SAYS_PHB_UNKNOWN, "phb-unknown", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is to go on PCI bus {bus}, which “{guest}” does not have."),
    N_ ("Leave the guest's <address> out, so that libvirt chooses."),
    "libvirt, src/conf/domain_addr.c: virDomainPCIAddressValidate" },
  { HOSTDEV_SAYS_PHB_SHARED, "phb-shared", HOSTDEV_WARN, TRUE, COMMON_ERROR_PHB_SHARED,
    N_ ("Devices of several IOMMU groups share PHB {phb} of “{guest}” ({devices}): QEMU offers EEH "
        "to none of them."),
    N_ ("Leave the guest's <address> of all but one group's devices out: libvirt then gives each "
        "group a PHB of its own."),
    "QEMU, hw/ppc/spapr_pci_vfio.c: vfio_eeh_as_ok" },
  { HOSTDEV_SAYS_GROUP_SPLIT, "group-split", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_GROUP_SPLIT,
    N_ ("{device} would go on PHB {phb} of “{guest}”, while other devices of {group} are on PHB "
        "{other}: QEMU refuses a group on two PHBs."),
    N_ ("Give it an address on that PHB: <address type='pci' bus='{other}' slot='…'/>."),
    "QEMU, hw/vfio/common.c: vfio_get_group, “group used in multiple address spaces”" },
  { HOSTDEV_SAYS_SPARE_PHBS, "spare-phbs", HOSTDEV_WARN, FALSE, COMMON_ERROR_NO_FREE_PHB,
    N_ ("“{guest}” wishes {wished} PHBs free for hotplug (spare-phbs), and has {found}."),
    N_ ("Add to its <devices> (virsh edit {guest}): {elements}. It takes effect when the guest is "
        "started next: libvirt cannot add a PHB to a guest that runs."),
    "this project: spare-phbs of the guest's metadata" },
  { HOSTDEV_SAYS_SPARE_PHBS_LIMIT, "spare-phbs-limit", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_NO_FREE_PHB,
    N_ ("“{guest}” wishes {wished} PHBs free for hotplug (spare-phbs), has {found}, and can have "
        "no "
        "more: there are {limit} in all."),
    N_ ("Write a smaller number into its metadata."),
    "QEMU, include/hw/pci-host/spapr.h: SPAPR_MAX_PHBS" },

  { HOSTDEV_SAYS_MEMORY_LIMIT, "memory-limit", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” may lock {limit} of memory, by its <hard_limit>, and with a device of the host "
        "all of its {memory} are locked: QEMU would fail with “Memory registering failed: "
        "Operation "
        "not permitted”."),
    N_ ("Raise <hard_limit> in the guest's <memtune> to {wanted} ({kib} KiB) or more, or remove "
        "it: libvirt then sets what is needed."),
    MEMLOCK "; Linux, mm/util.c: __account_locked_vm" },
  { HOSTDEV_SAYS_MEMORY_LIMIT_CLOSE, "memory-limit-close", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” may lock {limit} of memory, by its <hard_limit>; for its {memory}, {phbs} PHBs "
        "and their DMA windows libvirt would allow {wanted}. QEMU may fail with “Operation not "
        "permitted” or “Bad file descriptor”."),
    N_ ("Raise <hard_limit> in the guest's <memtune> to {wanted} ({kib} KiB) or more, or remove "
        "it: libvirt then sets what is needed."),
    MEMLOCK "; Linux, arch/powerpc/kvm/book3s_64_vio.c: kvm_vm_ioctl_create_spapr_tce" },
  { HOSTDEV_SAYS_MEMORY_HOST_SHORT, "memory-host-short", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_MEMORY_LIMIT,
    N_ ("The host has {available} of memory to give away, and with a device of the host all "
        "{memory} of “{guest}” are locked from its start."),
    N_ ("Give the guest less memory, or end what else needs it: what is locked is neither swapped "
        "nor taken back by ballooning."),
    "Linux, arch/powerpc/mm/book3s64/iommu_api.c: mm_iommu_new" },
  { HOSTDEV_SAYS_POLICY_REQUIRES, "policy-requires", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_POLICY_REQUIRES,
    N_ ("The metadata of “{guest}” says {setting} for {device}: what is lacking is a refusal "
        "then."),
    N_ ("Give it what it lacks, or take {setting} out of the guest's metadata."),
    "this project: the policy in the guest's metadata" },
  { HOSTDEV_SAYS_DRIVER_MODEL, "driver-model", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("<driver model='{model}'/> is not to be had on ppc64: a variant driver is there to move a "
        "guest with its device, for which the IOMMU has to note the pages that DMA has written, "
        "and SPAPR TCE cannot."),
    N_ ("Leave model='{model}' out: the device is then driven by vfio-pci."),
    "Linux, drivers/vfio/vfio_iommu_spapr_tce.c; libvirt 10.0, src/util/virpci.c: "
    "virPCIDeviceFindBestVFIOVariant" },
  { HOSTDEV_SAYS_TEAMING, "teaming", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("{device} is given with <teaming type='transient'>, and a pSeries guest has no PCI Express "
        "bus for it: QEMU would fail with “failover primary device must be on PCIExpress bus”."),
    N_ ("Leave <teaming> out of both interfaces, and team them in the guest."),
    "QEMU, hw/pci/pci.c: pci_qdev_realize" },
  { HOSTDEV_SAYS_MDEV, "mdev", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("“{guest}” is to have a mediated device (<hostdev type='mdev'>), which VFIO with SPAPR "
        "TCE refuses."),
    N_ ("Leave it out; a virtual function of a device with SR-IOV can do in its place."),
    "Linux, drivers/vfio/vfio_iommu_spapr_tce.c: tce_iommu_attach_group (VFIO_EMULATED_IOMMU)" },
  { HOSTDEV_SAYS_NVME_DISK, "nvme-disk", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("“{guest}” is to have {nvme} as a <disk type='nvme'>: QEMU's own driver wants an IOMMU of "
        "type 1, and would fail with “VFIO IOMMU Type1 is not supported”."),
    N_ ("Give it as <hostdev type='pci'>, or as a <disk type='block'> of the host's driver."),
    "QEMU, util/vfio-helpers.c: qemu_vfio_init_pci" },
  { HOSTDEV_SAYS_QEMU_ARGS_DEVICE, "qemu-args-device", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("The <qemu:commandline> of “{guest}” gives it a vfio-pci device by itself: libvirt neither "
        "binds it nor raises the limit of locked memory for it, and no plan sees it."),
    N_ ("Give it as <hostdev type='pci'>."),
    "libvirt, src/qemu/qemu_domain.c: qemuDomainGetMemLockLimitBytes; "
    "docs/kbase/qemu-passthrough-security.rst" },
  { HOSTDEV_SAYS_QEMU_OVERRIDE, "qemu-override", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("The <qemu:override> of “{guest}” changes which device of the host “{alias}” is: what was "
        "planned and prepared is not what QEMU gets."),
    N_ ("Take that property out, and write the address into the <source> of the device."),
    "libvirt 8.2, src/qemu/qemu_command.c: qemuBuildDeviceCommandlineHandleOverrides" },
  { HOSTDEV_SAYS_ADDRESS_TWICE, "address-twice", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("Two devices of “{guest}” have the address {address} in the guest."),
    N_ ("Leave one's <address> out, so that libvirt chooses."),
    "libvirt, src/conf/domain_addr.c: “Attempted double use of PCI Address”" },
  { HOSTDEV_SAYS_ADDRESS_TAKEN, "address-taken", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is to go on slot {slot} of bus {bus} of “{guest}”, where another device is."),
    N_ ("Leave the guest's <address> out, so that libvirt chooses."),
    "libvirt, src/conf/domain_addr.c: “Attempted double use of PCI Address”" },
  { HOSTDEV_SAYS_SLOT_ZERO, "slot-zero", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is to go on slot 0 of bus {bus}, and slots of a pSeries guest begin with 1."),
    N_ ("Write a slot from 1 to 31, or leave the guest's <address> out, so that libvirt chooses."),
    "libvirt, src/conf/domain_addr.c: virDomainPCIAddressBusSetModel, "
    "virDomainPCIAddressValidate" },
  { HOSTDEV_SAYS_FUNCTION_HOTPLUG, "function-hotplug", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is to be function {function} of a slot: libvirt attaches to a guest that runs "
        "function 0 only."),
    N_ ("Leave the guest's <address> out: each function then has a slot of its own."),
    "libvirt, src/conf/domain_addr.c: “Only PCI device addresses with function=0 are supported”" },
  { HOSTDEV_SAYS_FUNCTION_LONE, "function-lone", HOSTDEV_WARN, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is function {function} of slot {slot} on bus {bus}, which has no function 0: the "
        "guest does not look for it."),
    N_ ("Give one device function 0 of that slot, or leave the guest's <address> out."),
    "Linux, drivers/pci/probe.c: pci_scan_slot" },
  { HOSTDEV_SAYS_FUNCTION_DETACH, "function-detach", HOSTDEV_WARN, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} shares its slot in the guest with other functions: libvirt detaches none of "
        "those while the guest runs."),
    N_ ("Stop the guest, and take the device out of its XML."),
    "libvirt, src/qemu/qemu_hotplug.c: “cannot hot unplug … multifunction PCI guest address”" },
  { HOSTDEV_SAYS_PHB_DEFAULT, "phb-default", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_PHB_SHARED,
    N_ ("{device} is to go on PHB 0 of “{guest}”, where its emulated devices are: these share its "
        "DMA windows."),
    N_ ("Leave the guest's <address> out: libvirt then gives it a PHB of its own."),
    "libvirt, src/qemu/qemu_domain_address.c: qemuDomainSetupIsolationGroups" },
  { HOSTDEV_SAYS_PHB_NODE, "phb-node", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_PHB_SHARED,
    N_ ("“{guest}” has NUMA nodes, and PHB {phb} with {device} is on none of them: the guest "
        "cannot tell which of its memory is near the device."),
    N_ ("Add to the PHB's <target> that of the guest's nodes which lies on node {node} of the "
        "host, as in <node>0</node>."),
    "libvirt, docs/formatdomain.rst: <target><node>; QEMU, hw/ppc/spapr_pci.c: numa_node" },
  { HOSTDEV_SAYS_MEMORY_HOTPLUG, "memory-hotplug", HOSTDEV_WARN, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” may lock {limit} of memory, by its <hard_limit>, and can grow to {most}: QEMU "
        "would end when memory is plugged that it may not lock."),
    N_ ("Raise <hard_limit> in the guest's <memtune> to {wanted} ({kib} KiB) or more, or remove "
        "it: libvirt then raises the limit as memory is plugged."),
    "QEMU, hw/vfio/common.c: “Memory registering failed, unable to continue”; libvirt, "
    "getPPC64MemLockLimitBytes" },
  { HOSTDEV_SAYS_MEMORY_UNLIMITED, "memory-unlimited", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” may lock any amount of memory: it has <locked/> and no <hard_limit>."),
    N_ ("Write a <hard_limit> into its <memtune> if the host is to be kept from running out of "
        "memory: {wanted} ({kib} KiB) do for this guest."),
    "libvirt, src/qemu/qemu_domain.c: qemuDomainGetMemLockLimitBytes" },
  { HOSTDEV_SAYS_MEMORY_BALLOON, "memory-balloon", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” has {current} of its {memory} by its balloon, and with a device of the host all "
        "of it is locked: the host gets nothing back."),
    N_ ("Write the same amount into <memory> and <currentMemory>, or plug memory in as it is "
        "wanted."),
    "QEMU, hw/virtio/virtio-balloon.c: virtio_balloon_inhibited" },
  { HOSTDEV_SAYS_POLICY_STRAY, "policy-stray", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_INVALID_METADATA,
    N_ ("The metadata of “{guest}” has a <device> for {name}, which is none of its devices now."),
    N_ ("Correct the alias or address; nothing is to be done where that device is to be attached "
        "later."),
    "this project: the policy in the guest's metadata" },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW, "qemu-vfio-slow", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_DRIVER_UNSUPPORTED,
    N_ ("The <{element}> of “{guest}” says {option}: what its devices of the host would do without "
        "QEMU goes through QEMU then, which is slow."),
    N_ ("Remove {option} from it and start the guest again."),
    "QEMU, hw/vfio/pci.c: vfio_pci_dev_properties" },
  { HOSTDEV_SAYS_MULTIFUNCTION_OFF, "multifunction-off", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_PHB_UNKNOWN,
    N_ ("Several devices of “{guest}” are on slot {slot} of bus {bus}, and function 0 of it says "
        "multifunction='off': QEMU would fail with “single function device can't be populated”."),
    N_ ("Write multifunction='on' there, or leave it out: libvirt then writes it itself."),
    "QEMU, hw/pci/pci.c: pci_init_multifunction; libvirt, src/conf/domain_addr.c: "
    "virDomainPCIAddressSetAllMulti" },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE, "hpt-page-size", HOSTDEV_WARN, FALSE, COMMON_ERROR_MEMORY_LIMIT,
    N_ ("“{guest}” may have pages of {wanted} (<features><hpt><maxpagesize>), and its memory is "
        "made of pages of {found}: QEMU would fail with “Can't support … kiB guest pages”."),
    N_ ("Write {found} or less into <maxpagesize>, or have the memory made of pages of {wanted} "
        "(<memoryBacking><hugepages><page size=''/>)."),
    "QEMU, hw/ppc/spapr_caps.c: spapr_check_pagesize" },
  { HOSTDEV_SAYS_GUEST_DOMAIN, "guest-domain", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_PHB_UNKNOWN,
    N_ ("{device} is to go on PCI domain {domain} of “{guest}”: to libvirt all of a guest's PHBs "
        "are "
        "buses of domain 0."),
    N_ ("Write domain='0' and the PHB's index as the bus, or leave the guest's <address> out, so "
        "that libvirt chooses."),
    "libvirt, src/conf/domain_addr.c: “Only PCI domain 0 is available”" },
};

const HostdevStatement *
hostdev_statements_of_guest (gsize *count)
{
  *count = G_N_ELEMENTS (statements);
  return statements;
}
