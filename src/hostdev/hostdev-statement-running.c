/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <glib/gi18n-lib.h>

/* What is said of s390x guests that run. None of it was run on such a machine. */

#define PLUG "QEMU, hw/s390x/s390-pci-bus.c: s390_pcihost_plug (not run on s390x)"

static const HostdevStatement statements[] = {
  { HOSTDEV_SAYS_ZPCI_NOT_ASKED, "zpci-not-asked", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("Whether the functions of “{guest}” are interpreted is known to its QEMU alone, which was "
        "not asked."),
    N_ ("Ask it by libvirt's monitor command: virt-ppc64 status {guest} --monitor. libvirt then "
        "marks the guest as tainted (custom-monitor) until it ends, and some vendors give no "
        "support for such a guest."),
    "libvirt, src/qemu/qemu_driver.c: qemuDomainQemuMonitorCommandWithFiles (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_NOT_INTERPRETED, "zpci-not-interpreted", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("{device} is not interpreted in “{guest}”, as was asked for: QEMU carries out its PCI "
        "instructions and interrupts, which is slow."),
    N_ ("Take a z14 or later with Linux 6.0 or later, whose vfio-pci has VFIO_PCI_ZDEV_KVM, and do "
        "not plug it into a guest that runs protected; then detach it and attach it again."),
    PLUG },
  { HOSTDEV_SAYS_ZPCI_NOT_FORWARDED, "zpci-not-forwarded", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The host takes the interrupts of {device} and passes them on to “{guest}”, where the "
        "firmware was to do that."),
    N_ ("Look what else its XML tells QEMU (<qemu:override>, <qemu:commandline>): by itself QEMU "
        "leaves forwarding-assist on for what is interpreted."),
    PLUG },
  { HOSTDEV_SAYS_ZPCI_ID_DIFFERS, "zpci-id-differs", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_INVALID_DEVICE,
    N_ ("“{guest}” has {device} with uid {uid} and fid {fid}, and not with uid {wanted} and fid "
        "{other} as in its XML."),
    N_ ("Look what else its XML tells QEMU (<qemu:override>, <qemu:commandline>), or detach the "
        "device and attach it again."),
    "QEMU, hw/s390x/s390-pci-bus.c: s390_pci_device_realize (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_MISSING, "zpci-missing", HOSTDEV_WARN, FALSE, COMMON_ERROR_DEVICE_UNKNOWN,
    N_ ("“{guest}” has {device} in its XML, and its QEMU has no zPCI function with that device: "
        "the guest does not see it."),
    N_ ("Look again in a moment, as it may be on its way; then detach it and attach it again."),
    PLUG },
  { HOSTDEV_SAYS_ZPCI_HOST_DRIVER, "zpci-host-driver", HOSTDEV_WARN, FALSE,
    COMMON_ERROR_UNMANAGED_BOUND,
    N_ ("“{guest}” has {device} in its XML, and on the host it is on driver {driver} and not on "
        "vfio-pci."),
    N_ ("Look on the host what bound it (driver in its directory of /sys/bus/pci/devices); then "
        "detach it and attach it again."),
    "Linux, drivers/vfio/pci/vfio_pci_zdev.c: vfio_pci_zdev_open_device (not run on s390x)" },
  { HOSTDEV_SAYS_ZPCI_BY_HOST, "zpci-by-host", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_KVM_UNAVAILABLE,
    N_ ("The host's KVM passed on {count} interrupts to “{guest}” that the firmware did not "
        "forward. So at least one of its functions is interpreted."),
    N_ ("Ask again under load: nothing is wrong where this number grows slower than that of the "
        "interrupts in the guest."),
    "Linux, arch/s390/kvm/interrupt.c: aen_host_forward (not run on s390x)" },
};

const HostdevStatement *
hostdev_statements_of_running (gsize *count)
{
  *count = G_N_ELEMENTS (statements);
  return statements;
}
