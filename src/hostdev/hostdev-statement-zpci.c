/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <glib/gi18n-lib.h>

/* What is said of s390x guests. None of it was run on such a machine: it follows from the sources
 * that are named. */

#define ENSURE "libvirt, src/conf/domain_addr.c: virDomainZPCIAddressEnsureAddr (not run on s390x)"
#define PLUG   "QEMU, hw/s390x/s390-pci-bus.c: s390_pcihost_plug (not run on s390x)"

static const HostdevStatement statements[] = {
  { HOSTDEV_SAYS_HOST_ARCHITECTURE, "host-architecture", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_NOT_PSERIES_KVM,
    N_ ("“{guest}” is a guest for {arch}, and the host is of another architecture ({platform})."),
    N_ ("Plan it against a host of its own architecture."),
    "libvirt: a KVM guest has the architecture of its host" },
  { HOSTDEV_SAYS_ZPCI_UNTESTED, "zpci-untested", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_NOT_PSERIES_KVM,
    N_ ("“{guest}” is an s390x guest: what is said here follows from the source of libvirt, QEMU "
        "and Linux, and was never run on such a machine."),
    N_ ("Take it as advice, and see in the guest what it has. virtppc64d lets such a guest pass, "
        "and prepares, rehearses and verifies nothing for it."),
    "this project: it runs on POWER" },
  { HOSTDEV_SAYS_ZPCI_STANDBY, "zpci-standby", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_DEVICE_UNKNOWN,
    N_ ("A function of an s390x host that is on standby has no PCI address: {device} may be one."),
    N_ ("Write 1 into power of its slot in /sys/bus/pci/slots, which are named by the host's fid."),
    "Linux, arch/s390/pci/pci.c: zpci_scan_configured_device (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_ID_RANGE, "zpci-id-range", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_INVALID_DEVICE,
    N_ ("A <zpci> of “{guest}” has a {name} that libvirt does not take."),
    N_ ("Write a uid from 0x0001 to 0xffff and a fid from 0x00000000 to 0xffffffff, or leave them "
        "out: libvirt then chooses."),
    "libvirt, src/util/virpci.c: virZPCIDeviceAddressIsValid (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_UID_TWICE, "zpci-uid-twice", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_INVALID_DEVICE,
    N_ ("Two PCI devices of “{guest}” are to have the zPCI uid {uid}, or none is left."),
    N_ ("Leave uid out of one of them: libvirt then chooses the lowest that is free."), ENSURE },
  { HOSTDEV_SAYS_ZPCI_FID_TWICE, "zpci-fid-twice", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_INVALID_DEVICE,
    N_ ("Two PCI devices of “{guest}” are to have the zPCI fid {fid}. libvirt completes those that "
        "have one of uid and fid before it looks at later devices."),
    N_ ("Give each of them a fid of its own, or none of both numbers."), ENSURE },
  { HOSTDEV_SAYS_ZPCI_NO_SLOT, "zpci-no-slot", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_NO_FREE_PHB,
    N_ ("“{guest}” has no PCI slot free for {device}, and libvirt adds no bridge to a guest that "
        "runs."),
    N_ ("Add to its <devices> (virsh edit {guest}): <controller type='pci' model='pci-bridge'/>. "
        "It "
        "takes effect when the guest is started next."),
    "libvirt, src/conf/domain_addr.c: virDomainPCIAddressGetNextAddr (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_HOST_LACKS, "zpci-host-lacks", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The PCI instructions and interrupts of “{guest}” go through QEMU, which is slow: the "
        "host's KVM does not interpret them ({source})."),
    N_ ("Take a z14 or later with Linux 6.0 or later, whose vfio-pci has VFIO_PCI_ZDEV_KVM."),
    "Linux, arch/s390/kvm/pci.h: kvm_s390_pci_interp_allowed (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_INTERPRET_OFF, "zpci-interpret-off", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The PCI instructions and interrupts of “{guest}” go through QEMU, which is slow: its "
        "<qemu:commandline> says zpci.interpret=off."),
    N_ ("Remove it and start the guest again."), PLUG },
  { HOSTDEV_SAYS_ZPCI_MACHINE, "zpci-machine", HOSTDEV_WARN, FALSE, COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The PCI instructions and interrupts of “{guest}” go through QEMU, which is slow: with its "
        "machine type, s390-ccw-virtio-{version}, interpretation is off."),
    N_ ("Take s390-ccw-virtio-7.2 or later."),
    "QEMU, hw/s390x/s390-virtio-ccw.c: ccw_machine_7_1_class_options (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_PROTECTED, "zpci-protected", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("“{guest}” may run protected (<launchSecurity type='s390-pv'>): QEMU then does not have "
        "interpreted what is plugged into it."),
    N_ ("Give it the device before it is started, or run it without protection."),
    "QEMU, hw/s390x/s390-pci-kvm.c: s390_pci_kvm_interp_allowed (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_FORWARDING_OFF, "zpci-forwarding-off", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The host takes the PCI interrupts of “{guest}” and passes them on, where the firmware "
        "could: its <qemu:commandline> says zpci.forwarding-assist=off."),
    N_ ("Remove it and start the guest again."),
    "QEMU, hw/s390x/s390-pci-kvm.c: s390_pci_kvm_aif_enable (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_MSIX, "zpci-msix", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_INTERRUPT_LIMIT,
    N_ ("{function} has no MSI-X, and without interpretation QEMU takes no function without it."),
    N_ ("Give a device that has MSI-X."), PLUG },
  { HOSTDEV_SAYS_ZPCI_ERROR_STOPS, "zpci-error-stops", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_EEH_UNAVAILABLE,
    N_ ("s390x has no EEH: when the host sees an error of the device, QEMU stops “{guest}”."),
    N_ ("Watch for guests that are paused; write eeh='off' into the metadata not to be told."),
    "QEMU, hw/vfio/pci.c: vfio_err_notifier_handler (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_NOT_REHEARSED, "zpci-not-rehearsed", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_POLICY_REQUIRES,
    N_ ("There is no rehearsal for “{guest}”, which its metadata asks for. On s390x a function is "
        "registered with a KVM as VFIO opens it: its group has an IOMMU domain and VFIO was told "
        "of "
        "the KVM by then, or it is not interpreted."),
    N_ ("Write rehearse='auto'. QEMU makes these calls in that order; a device that something else "
        "has opened has to be closed first."),
    "Linux, drivers/vfio/pci/vfio_pci_zdev.c: vfio_pci_zdev_open_device; "
    "arch/s390/kvm/pci.c: kvm_s390_pci_register_kvm (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_WISH, "zpci-wish", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_POLICY_REQUIRES,
    N_ ("The metadata of “{guest}” says {setting}, which is not of this architecture: s390x has no "
        "XIVE, no TCE tables and no EEH."),
    N_ ("Remove it from the metadata."),
    "this project: its metadata are about POWER (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_SPARE_PHBS, "zpci-spare-phbs", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_NO_FREE_PHB,
    N_ ("The metadata of “{guest}” asks for spare PHBs, which are not of this architecture: an "
        "s390x guest has a slot for each device."),
    N_ ("Remove spare-phbs from the metadata."),
    "this project: its metadata are about POWER (not run on s390x)" },
};

const HostdevStatement *
hostdev_statements_of_zpci (gsize *count)
{
  *count = G_N_ELEMENTS (statements);
  return statements;
}
