/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <glib/gi18n-lib.h>

/* What is said of interrupts, DMA and EEH. */

/* Of three statements. */
static const char ask_again[]
    = N_ ("See why it could not be read (journalctl -u ppc64-kvmhelper); where the host comes from "
          "a description, have it written anew (virt-ppc64 host --xml).");

static const HostdevStatement statements[] = {
  { HOSTDEV_SAYS_XIVE_PARTITION, "xive-partition", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” can have no native XIVE interrupts, as the host is a partition ({source}): "
        "without ic-mode=xics they are emulated in QEMU, which is slow."),
    N_ ("Only a host whose kernel runs on the bare machine with XIVE has it."),
    "Linux, arch/powerpc/kvm/book3s_xive_native.c: kvmppc_xive_native_supported" },
  { HOSTDEV_SAYS_XIVE_HOST_LACKS, "xive-host-lacks", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” can have no native XIVE interrupts, as the host's KVM has no native XIVE "
        "({source}): without ic-mode=xics they are emulated in QEMU, which is slow."),
    N_ ("Take a host with POWER9 or later whose firmware (OPAL) can save the state of queues."),
    "Linux, arch/powerpc/kvm/book3s_xive_native.c: kvmppc_xive_native_supported" },
  { HOSTDEV_SAYS_XIVE_UNKNOWN, "xive-unknown", HOSTDEV_REFUSE, TRUE, COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("It is not known whether the host's KVM has native XIVE for “{guest}” ({source})."),
    ask_again, "this project: no claim without evidence" },
  { HOSTDEV_SAYS_IRQCHIP_OFF, "irqchip-off", HOSTDEV_WARN, TRUE, COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("The interrupts of “{guest}” are emulated in QEMU, which is slow: its <qemu:commandline> "
        "says kernel-irqchip=off."),
    N_ ("Remove kernel-irqchip=off from it and start the guest again."),
    "QEMU, hw/ppc/spapr_irq.c: spapr_irq_init_kvm" },
  { HOSTDEV_SAYS_IC_MODE_XICS, "ic-mode-xics", HOSTDEV_ADVISE, TRUE, COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” has no native XIVE interrupts: its <qemu:commandline> says ic-mode=xics."),
    N_ ("Remove ic-mode=xics from it and start the guest again."),
    "QEMU, hw/ppc/spapr_irq.c: spapr_irq_xics" },
  { HOSTDEV_SAYS_XICS_HOST_LACKS, "xics-host-lacks", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("The interrupts of “{guest}” are emulated in QEMU, which is slow: its <qemu:commandline> "
        "says ic-mode=xics, and the host's KVM has no XICS ({source})."),
    N_ ("Remove ic-mode=xics from it and start the guest again, or take a kernel with "
        "CONFIG_KVM_XICS."),
    "Linux, arch/powerpc/kvm/powerpc.c: KVM_CAP_IRQ_XICS" },
  { HOSTDEV_SAYS_ADVISE_XICS, "advise-xics", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_ADVISE_XICS,
    N_ ("With ic-mode=xics the interrupts of “{guest}” would stay in the kernel on this host."),
    N_ ("Add to the domain (virsh edit {guest}): <qemu:commandline "
        "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "
        "value='-machine'/><qemu:arg value='ic-mode=xics'/></qemu:commandline>. It takes effect "
        "when the guest is started next."),
    "QEMU, docs/specs/ppc-spapr-xive.rst: table of ic-mode and kernel_irqchip" },
  { HOSTDEV_SAYS_ADVISE_IRQ_BYPASS, "advise-irq-bypass", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_ADVISE_IRQ_BYPASS,
    N_ ("Device interrupts go through the host: their bypass is switched off ({source})."),
    N_ ("Write 1 into /sys/module/kvm_hv/parameters/kvm_irq_bypass, or load kvm_hv with "
        "kvm_irq_bypass=1."),
    "Linux, arch/powerpc/kvm/book3s_hv.c: kvmppc_set_passthru_irq" },

  { HOSTDEV_SAYS_TCE_UNAVAILABLE, "tce-unavailable", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_TCE_UNAVAILABLE,
    N_ ("The host's KVM has no TCE tables in the kernel: each DMA mapping of “{guest}” goes "
        "through QEMU, which is slow ({source})."),
    N_ ("Take a kernel with SPAPR TCE in KVM and VFIO (CONFIG_SPAPR_TCE_IOMMU, CONFIG_KVM_VFIO)."),
    "Linux, arch/powerpc/kvm/book3s_64_vio.c: kvmppc_h_put_tce" },
  { HOSTDEV_SAYS_TCE_UNKNOWN, "tce-unknown", HOSTDEV_REFUSE, TRUE, COMMON_ERROR_TCE_UNAVAILABLE,
    N_ ("It is not known whether the host's KVM has TCE tables in the kernel for “{guest}” "
        "({source})."),
    ask_again, "this project: no claim without evidence" },
  { HOSTDEV_SAYS_DMA_WINDOW, "dma-window", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_DMA_WINDOW,
    N_ ("{group} has its DMA window at {start}, and the PHBs of “{guest}” have theirs at {own}: "
        "QEMU would fail with “Host doesn't support DMA window”."),
    N_ ("Take another device, or have the guest's PHBs made so (virsh edit {guest}): "
        "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "
        "value='-global'/><qemu:arg value='spapr-pci-host-bridge.dma_win_addr={start}'/>"
        "</qemu:commandline>. It takes effect when the guest is started next."),
    "QEMU, hw/vfio/spapr.c: vfio_spapr_create_window" },
  { HOSTDEV_SAYS_DMA_PAGE_SIZE, "dma-page-size", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_DMA_WINDOW,
    N_ ("{group} has no DMA pages of 4 KiB (of its sizes the mask is {pages}): QEMU would fail "
        "with “Host doesn't support page size”."),
    N_ ("Take another device, or a host whose firmware offers 4 KiB pages."),
    "QEMU, hw/vfio/spapr.c: vfio_spapr_create_window" },
  { HOSTDEV_SAYS_DMA_WINDOW_SMALL, "dma-window-small", HOSTDEV_WARN, FALSE, COMMON_ERROR_DMA_WINDOW,
    N_ ("{group} has a 32-bit DMA window of {size}, and the PHBs of “{guest}” ask for {own}."),
    N_ ("Have the guest's PHBs made so (virsh edit {guest}): <qemu:commandline "
        "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='-global'/>"
        "<qemu:arg value='spapr-pci-host-bridge.dma_win_size={bytes}'/></qemu:commandline>. It "
        "takes effect when the guest is started next."),
    "QEMU, hw/ppc/spapr_pci.c: dma_win_size" },
  { HOSTDEV_SAYS_DMA_WINDOW_SINGLE, "dma-window-single", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_DMA_WINDOW,
    N_ ("{group} has {windows} DMA windows at a time: the guest cannot have the 64-bit one that "
        "maps all of its memory, and maps each buffer by itself in 32 bits, which is slow."),
    N_ ("Take a host whose firmware has dynamic DMA windows (ibm,ddw-applicable) for the adapter's "
        "slot."),
    "PAPR, ibm,create-pe-dma-window; Linux, drivers/vfio/vfio_iommu_spapr_tce.c: "
    "max_dynamic_windows_supported" },

  { HOSTDEV_SAYS_EEH_UNAVAILABLE, "eeh-unavailable", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_EEH_UNAVAILABLE,
    N_ ("“{guest}” has no EEH: the host does not have it ({source})."),
    N_ ("See /proc/powerpc/eeh; the host must not be started with eeh=off."),
    "Linux, arch/powerpc/kernel/eeh.c: eeh_enabled" },
  { HOSTDEV_SAYS_EEH_UNKNOWN, "eeh-unknown", HOSTDEV_REFUSE, TRUE, COMMON_ERROR_EEH_UNAVAILABLE,
    N_ ("It is not known whether the host has EEH for “{guest}” ({source})."), ask_again,
    "this project: no claim without evidence" },
  { HOSTDEV_SAYS_XIVE_HOST_OFF, "xive-host-off", HOSTDEV_WARN, TRUE, COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” can have no native XIVE interrupts: the host's own interrupts are not on XIVE "
        "({source})."),
    N_ ("Start the host without xive=off on the kernel's command line."),
    "Linux, arch/powerpc/sysdev/xive/common.c: xive_cmdline_disabled" },
  { HOSTDEV_SAYS_XIVE_HOST_PAGES, "xive-host-pages", HOSTDEV_WARN, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("The host has pages of {size}, and native XIVE for guests takes 64 KiB: QEMU emulates the "
        "interrupts of “{guest}”."),
    N_ ("Take a kernel with CONFIG_PPC_64K_PAGES."),
    "Linux, arch/powerpc/kvm/book3s_xive_native.c: kvmppc_xive_native_mmap; QEMU, "
    "hw/intc/spapr_xive_kvm.c: kvmppc_xive_mmap" },
  { HOSTDEV_SAYS_CPU_BEFORE_XIVE, "cpu-before-xive", HOSTDEV_ADVISE, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” has no native XIVE interrupts: its CPU is a POWER{power}, which is older than "
        "XIVE."),
    N_ ("Write <model>POWER9</model> or a later one into its <cpu>."),
    "QEMU, hw/ppc/spapr_irq.c: spapr_irq_check" },
  { HOSTDEV_SAYS_MACHINE_BEFORE_XIVE, "machine-before-xive", HOSTDEV_ADVISE, TRUE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” has no native XIVE interrupts: with its machine type, pseries-{version}, QEMU "
        "offers XICS alone."),
    N_ ("Write a machine type from pseries-4.1 on into its <os>, or ic-mode=dual into its "
        "<qemu:commandline>."),
    "QEMU, hw/ppc/spapr.c: spapr_machine_4_0_class_options" },
  { HOSTDEV_SAYS_IC_MODE_CPU, "ic-mode-cpu", HOSTDEV_REFUSE, FALSE, COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("“{guest}” cannot start: its <qemu:commandline> says ic-mode=xive, and its CPU is a "
        "POWER{power}."),
    N_ ("Remove ic-mode=xive from it, or write <model>POWER9</model> or a later one into its "
        "<cpu>."),
    "QEMU, hw/ppc/spapr_irq.c: “XIVE-only machines require a POWER9 CPU”" },
  { HOSTDEV_SAYS_MSI_LIMIT, "msi-limit", HOSTDEV_WARN, FALSE, COMMON_ERROR_INTERRUPT_LIMIT,
    N_ ("The devices of “{guest}” can ask for {vectors} MSIs, and QEMU has {limit} for a guest: "
        "the last to ask would get fewer, or “Can't allocate MSIs”."),
    N_ ("Give the guest fewer devices, or let its drivers take fewer queues."),
    "QEMU, include/hw/ppc/spapr_irq.h: SPAPR_NR_XIRQS" },
  { HOSTDEV_SAYS_BYPASS_LIMIT, "bypass-limit", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_INTERRUPT_LIMIT,
    N_ ("The devices of “{guest}” can ask for {vectors} MSIs, and KVM passes {limit} of a guest "
        "on: the others go through the host."),
    N_ ("Give the guest fewer devices, or let its drivers take fewer queues."),
    "Linux, arch/powerpc/include/asm/kvm_host.h: KVMPPC_PIRQ_MAPPED" },
  { HOSTDEV_SAYS_INTX_ONLY, "intx-only", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_INTERRUPT_LIMIT,
    N_ ("{function} has a pin (INTx) for its interrupts, and no MSI: each goes through the host "
        "and QEMU."),
    N_ ("Give a device with MSI or MSI-X where interrupts have to be fast."),
    "Linux, arch/powerpc/kvm/powerpc.c: KVM_CAP_IRQFD_RESAMPLE; "
    "drivers/vfio/pci/vfio_pci_intrs.c" },
  { HOSTDEV_SAYS_BYPASS_PARTITION, "bypass-partition", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_XIVE_UNAVAILABLE,
    N_ ("Interrupts of the devices of “{guest}” go through the host: in a partition KVM passes "
        "none "
        "of them on ({source})."),
    N_ ("Only a host whose kernel runs on the bare machine passes them on."),
    "Linux, arch/powerpc/kvm/book3s_hv.c: kvmppc_set_passthru_irq (is_pnv_opal_msi)" },
  { HOSTDEV_SAYS_DMA_V1, "dma-v1", HOSTDEV_WARN, TRUE, COMMON_ERROR_TCE_UNAVAILABLE,
    N_ ("{group} has no dynamic DMA windows: QEMU falls back to the first version of the VFIO "
        "container, in which each DMA mapping of “{guest}” goes through QEMU."),
    N_ ("Take a host whose firmware has dynamic DMA windows (ibm,ddw-applicable) for the adapter's "
        "slot."),
    "Linux, drivers/vfio/vfio_iommu_spapr_tce.c: tce_iommu_attach_group; QEMU, hw/vfio/spapr.c" },
  { HOSTDEV_SAYS_DMA_DDW_OFF, "dma-ddw-off", HOSTDEV_WARN, TRUE, COMMON_ERROR_DMA_WINDOW,
    N_ ("The <{element}> of “{guest}” says ddw=off: without the 64-bit DMA window it maps "
        "each buffer by itself in 32 bits, which is slow."),
    N_ ("Remove ddw=off from it and start the guest again."),
    "QEMU, hw/ppc/spapr_pci.c: ddw; PAPR, ibm,create-pe-dma-window" },
  { HOSTDEV_SAYS_DMA_PAGES_REQUIRED, "dma-pages-required", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DMA_WINDOW,
    N_ ("The metadata of “{guest}” says page-sizes='{wanted}', and {group} has not all of those: "
        "its DMA windows have {found}."),
    N_ ("Correct page-sizes in the metadata, or give a device that has them."),
    "Linux, arch/powerpc/platforms/powernv/pci-ioda-tce.c; PAPR, ibm,query-pe-dma-window" },
  { HOSTDEV_SAYS_DMA_NOT_REHEARSED, "dma-not-rehearsed", HOSTDEV_REFUSE, FALSE,
    COMMON_ERROR_DMA_WINDOW,
    N_ ("It is not known yet which DMA windows {group} offers, and the guest's metadata requires "
        "of them {setting}."),
    N_ ("Rehearse it once, which finds them out: virt-ppc64 rehearse {device}."),
    "Linux, VFIO_IOMMU_SPAPR_TCE_GET_INFO; this project: a rehearsal" },
  { HOSTDEV_SAYS_DMA_32_BIT, "dma-32-bit", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_DMA_WINDOW,
    N_ ("{function} addresses {bits} bits, by its driver on the host: it cannot use the guest's "
        "64-bit DMA window, and each of its buffers is mapped by itself."),
    N_ ("Give a device that addresses 64 bits where it has to be fast."),
    "Linux, /sys/bus/pci/devices/*/dma_mask_bits" },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES, "advise-huge-pages", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_DMA_WINDOW,
    N_ ("The 64-bit DMA window of {group} can have pages of {pages}, and the {memory} of “{guest}” "
        "are in small ones: its table has {entries} entries."),
    N_ ("Write <memoryBacking><hugepages/></memoryBacking> into the domain, and have such pages "
        "ready on the host (virsh allocpages)."),
    "QEMU, hw/vfio/spapr.c: vfio_spapr_create_window" },
  { HOSTDEV_SAYS_EEH_VFIO_LACKS, "eeh-vfio-lacks", HOSTDEV_WARN, TRUE, COMMON_ERROR_EEH_UNAVAILABLE,
    N_ ("“{guest}” has no EEH: the host has it, and VFIO does not pass it on ({source})."),
    N_ ("Load the kernel module vfio_iommu_spapr_tce, of older kernels vfio_spapr_eeh as well."),
    "Linux, drivers/vfio/vfio_iommu_spapr_tce.c: vfio_spapr_ioctl_eeh_pe_op" },
  { HOSTDEV_SAYS_EEH_RECOVERY_OFF, "eeh-recovery-off", HOSTDEV_ADVISE, FALSE,
    COMMON_ERROR_EEH_UNAVAILABLE,
    N_ ("The host's own recovery by EEH is switched off ({source}): what freezes when the guest "
        "has given it back stays frozen."),
    N_ ("Write 0 into /sys/kernel/debug/powerpc/eeh_disable_recovery."),
    "Linux, arch/powerpc/kernel/eeh.c: eeh_debugfs_no_recover" },
  { HOSTDEV_SAYS_PE_SHARED, "pe-shared", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_PE_FROZEN,
    N_ ("The functions of {group} are one PE: an error of one freezes all of them, and a recovery "
        "resets all of them: {functions}."),
    N_ ("See that the drivers of all of them know error recovery, in the guest as well."),
    "PAPR, partitionable endpoint; Linux, arch/powerpc/platforms/powernv/pci-ioda.c" },
  { HOSTDEV_SAYS_PE_BRIDGE, "pe-bridge", HOSTDEV_ADVISE, FALSE, COMMON_ERROR_PE_FROZEN,
    N_ ("{group} has a bridge in it, {function}: all behind it is one PE, and an error of one "
        "freezes all of it."),
    N_ ("Put the card into a slot of its own where that is too much."),
    "Linux, arch/powerpc/platforms/powernv/pci-ioda.c: pnv_ioda_setup_bus_PE "
    "(PNV_IODA_PE_BUS_ALL)" },
};

const HostdevStatement *
hostdev_statements_of_kernel (gsize *count)
{
  *count = G_N_ELEMENTS (statements);
  return statements;
}
