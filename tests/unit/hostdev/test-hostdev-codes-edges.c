/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

/* Of rules with several conditions each one by itself: a plan in which all but that one hold. The
 * first pair of plans of each code is in the other tests of codes. */

#define SAID   TRUE
#define SILENT FALSE

#define CAP(name, answer)  "name=\"" name "\" answer=\"" answer "\""
#define HOST(name, answer) .from = CAP (name, "yes"), .to = CAP (name, answer)
#define E1000E             "driver=\"e1000e\"/>"
#define FUNCTION(more)     .from = E1000E, .to = "driver=\"e1000e\" " more "/>"
#define POLICY(attributes) .top = FIXTURE_POLICY (attributes, "")
#define OPTIONS(value)     FIXTURE_MACHINE_OPTIONS (value)
#define QEMU               "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
#define ARGUMENTS(a, b)                                                                            \
  "<qemu:commandline " QEMU "><qemu:arg value='" a "'/><qemu:arg value='" b "'/></"                \
  "qemu:commandline>"
#define OVERRIDE(name, value)                                                                      \
  "<qemu:override " QEMU "><qemu:device alias='a'><qemu:frontend><qemu:property name='" name       \
  "' type='bool' value='" value "'/></qemu:frontend></qemu:device></qemu:override>"
#define PARTITION .host = "powervm.xml", .address = "0001:00:00.0"

/* Two functions, of which one is the guest's already. */
#define TWO_CARDS(vectors, others)                                                                 \
  .from = "driver=\"e1000e\"/>\n  </group>",                                                       \
  .to = "driver=\"e1000e\" msix=\"" vectors "\"/>\n  </group><group number=\"77\"><function "      \
        "address=\"0077:01:00.0\" msix=\"" others "\"/></group>",                                  \
  .devices = "<hostdev type='pci' managed='yes'><source><address domain='0x77' bus='1'/></source>" \
             "<address type='pci' bus='2' slot='1'/></hostdev>"

#define EEH_FROM "<capability name=\"of-a-newer-helper\" answer=\"yes\" source=\"nowhere\"/>"
#define EEH_TO(name, value)                                                                        \
  "<eeh name=\"" name "\" value=\"" value "\" source=\"eeh_disable_recovery\"/>"
#define HOST_XIVE "<capability name=\"host-xive\" answer=\"yes\" source=\"/proc/interrupts\"/>"
#define KVM_XIVE  "<capability name=\"xive-native\" answer=\"yes\" source=\"KVM_CAP_PPC_IRQ_XIVE\"/>"
#define NO_XIVE(host)                                                                              \
  .from = HOST_XIVE "\n  " KVM_XIVE,                                                               \
  .to = "<capability name=\"host-xive\" answer=\"" host "\" source=\"/proc/interrupts\"/>"         \
        "<capability name=\"xive-native\" answer=\"no\" source=\"KVM_CAP_PPC_IRQ_XIVE\"/>"

#define BCM5719                                                                                    \
  "0001:02:00.0\" class=\"0x020000\" device-name=\"NetXtreme BCM5719\"\n"                          \
  "              driver=\"tg3\"/>"
#define BCM5719_CARD                                                                               \
  "0001:02:00.0\" driver=\"tg3\"><companion address=\"0001:02:00.1\"/></function>"

#define NORMAL "<pe-state value=\"normal\" source=\"eeh_pe_state\"/>"
#define WINDOW(start, size)                                                                        \
  .from = NORMAL, .to = NORMAL "<dma-windows dma32-start=\"" start "\" dma32-size=\"" size         \
                               "\" page-sizes=\"0x211000\" windows=\"2\" levels=\"5\"/>"
#define WINDOWS(pages, count)                                                                      \
  .from = NORMAL, .to = NORMAL "<dma-windows dma32-start=\"0\" dma32-size=\"0x80000000\" "         \
                               "page-sizes=\"" pages "\" windows=\"" count "\" levels=\"5\"/>"
#define PHB_OPTION(value) ARGUMENTS ("-global", "spapr-pci-host-bridge." value)

#define ON(slot, function, more)                                                                   \
  "<address type='pci' bus='1' slot='" slot "' function='" function "' " more "/>"
#define NIC(address)  "<interface type='bridge'>" address "</interface>"
#define MEMORY        "<memory unit='GiB'>4</memory>"
#define HPT(size)     "<features><hpt><maxpagesize " size "</maxpagesize></hpt></features>"
#define PAGES(within) "<memoryBacking><hugepages>" within "</hugepages></memoryBacking>"

#define KERNEL(release) .from = "kernel=\"6.12.107\"", .to = "kernel=\"" release "\""

/* The device goes where another group's is. */
#define SHARED                                                                                     \
  .more = ON ("1", "0", ""),                                                                       \
  .devices = "<hostdev type='pci' managed='yes'><source><address domain='0xb' bus='1'/></source>"  \
             "<address type='pci' bus='1' slot='2'/></hostdev>"

static const Edge edges[] = {
  /* interrupts */
  { HOSTDEV_SAYS_INTX_ONLY, SILENT, { FUNCTION ("intx=\"1\" msix=\"4\"") } },
  { HOSTDEV_SAYS_INTX_ONLY, SILENT, { FUNCTION ("intx=\"1\" msi=\"1\"") } },
  { HOSTDEV_SAYS_INTX_ONLY, SILENT, { FUNCTION ("intx=\"1\""), POLICY ("xive='off'") } },
  { HOSTDEV_SAYS_BYPASS_LIMIT, SAID, { TWO_CARDS ("1000", "25") } },
  { HOSTDEV_SAYS_BYPASS_LIMIT, SILENT, { TWO_CARDS ("1000", "24") } },
  { HOSTDEV_SAYS_BYPASS_LIMIT, SILENT, { FUNCTION ("msi=\"1000\" msix=\"1000\"") } },
  { HOSTDEV_SAYS_BYPASS_LIMIT,
    SILENT,
    { .address = "0077:01:00.0",
      .from = CAP ("irq-bypass", "yes"),
      .to = CAP ("irq-bypass", "no") " source=\"\"/><group number=\"77\"><function "
                                     "address=\"0077:01:00.0\" msix=\"2000\"/></group>"
                                     "<capability name=\"z\" answer=\"no\"" } },
  { HOSTDEV_SAYS_BYPASS_LIMIT,
    SAID,
    { .address = "0077:01:00.0",
      .from = CAP ("irq-bypass", "yes"),
      .to = CAP ("irq-bypass", "yes") " source=\"\"/><group number=\"77\"><function "
                                      "address=\"0077:01:00.0\" msix=\"2000\"/></group>"
                                      "<capability name=\"z\" answer=\"no\"" } },
  { HOSTDEV_SAYS_MSI_LIMIT, SAID, { FUNCTION ("msix=\"1025\""), .machine = "pseries-3.0" } },
  { HOSTDEV_SAYS_MSI_LIMIT, SAID, { FUNCTION ("msix=\"1025\""), .machine = "pseries-2.12" } },
  { HOSTDEV_SAYS_MSI_LIMIT, SILENT, { FUNCTION ("msix=\"1024\""), .machine = "pseries-3.0" } },
  { HOSTDEV_SAYS_MSI_LIMIT, SILENT, { FUNCTION ("msix=\"1025\""), .machine = "pseries-3.1" } },
  { HOSTDEV_SAYS_MSI_LIMIT, SILENT, { FUNCTION ("msix=\"1025\""), .machine = "pseries" } },
  { HOSTDEV_SAYS_ADVISE_XICS, SILENT, { PARTITION, .top = OPTIONS ("kernel-irqchip=off") } },
  { HOSTDEV_SAYS_ADVISE_XICS, SILENT, { PARTITION, .top = OPTIONS ("ic-mode=xive") } },
  { HOSTDEV_SAYS_ADVISE_XICS, SILENT, { PARTITION, POLICY ("xive='required'") } },
  { HOSTDEV_SAYS_XIVE_HOST_LACKS, SAID, { NO_XIVE ("unknown") } },
  { HOSTDEV_SAYS_XIVE_HOST_LACKS, SILENT, { NO_XIVE ("no") } },
  { HOSTDEV_SAYS_XIVE_HOST_LACKS, SILENT, { PARTITION } },
  { HOSTDEV_SAYS_XICS_HOST_LACKS,
    SILENT,
    { HOST ("xics", "unknown"),
      .top = FIXTURE_POLICY ("xive='required'", "") OPTIONS ("ic-mode=xics") } },
  { HOSTDEV_SAYS_MACHINE_BEFORE_XIVE,
    SILENT,
    { .machine = "pseries-4.0", .top = OPTIONS ("ic-mode=dual") } },
  { HOSTDEV_SAYS_MACHINE_BEFORE_XIVE, SILENT, { .machine = "pseries" } },
  { HOSTDEV_SAYS_MACHINE_BEFORE_XIVE, SAID, { .machine = "pseries-3.1" } },
  { HOSTDEV_SAYS_CPU_BEFORE_XIVE, SILENT, { .top = "<cpu mode='host-model'/>" } },

  /* EEH */
  { HOSTDEV_SAYS_PE_BRIDGE, SILENT, { .address = "0001:02:00.0", POLICY ("eeh='off'") } },
  { HOSTDEV_SAYS_PE_SHARED, SILENT, { .address = "0001:02:00.0", POLICY ("eeh='off'") } },
  { HOSTDEV_SAYS_PHB_SHARED, SAID, { HOST ("eeh", "unknown"), SHARED } },
  { HOSTDEV_SAYS_PHB_SHARED, SILENT, { HOST ("eeh", "no"), SHARED } },
  { HOSTDEV_SAYS_PHB_SHARED, SILENT, { HOST ("vfio-eeh", "no"), SHARED } },
  { HOSTDEV_SAYS_EEH_RECOVERY_OFF,
    SILENT,
    { .from = EEH_FROM, .to = EEH_TO ("recovery", "disabled"), POLICY ("eeh='off'") } },
  { HOSTDEV_SAYS_EEH_RECOVERY_OFF,
    SILENT,
    { .from = EEH_FROM, .to = EEH_TO ("injection", "disabled") } },

  /* DMA */
  { HOSTDEV_SAYS_DMA_WINDOW,
    SILENT,
    { WINDOW ("0x10000000", "0x80000000"), .top = PHB_OPTION ("dma_win_addr=0x10000000") } },
  { HOSTDEV_SAYS_DMA_WINDOW,
    SAID,
    { WINDOW ("0", "0x80000000"), .top = PHB_OPTION ("dma_win_addr=0x10000000") } },
  { HOSTDEV_SAYS_DMA_WINDOW_SMALL,
    SILENT,
    { WINDOW ("0", "0x20000000"), .top = PHB_OPTION ("dma_win_size=0x20000000") } },
  { HOSTDEV_SAYS_DMA_WINDOW_SMALL,
    SAID,
    { WINDOW ("0", "0x40000000"), .top = PHB_OPTION ("dma_win_size=0x80000000") } },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
    SAID,
    { WINDOWS ("0x211000", "2"), .top = "<memory unit='GiB'>16</memory>" } },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
    SILENT,
    { WINDOWS ("0x211000", "2"), .top = "<memory unit='MiB'>16383</memory>" } },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
    SILENT,
    { WINDOWS ("0x211000", "1"), .top = "<memory unit='GiB'>64</memory>" } },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
    SILENT,
    { WINDOWS ("0x11000", "2"), .top = "<memory unit='GiB'>64</memory>" } },
  { HOSTDEV_SAYS_DMA_32_BIT, SILENT, { FUNCTION ("dma-bits=\"40\"") } },
  { HOSTDEV_SAYS_DMA_DDW_OFF, SAID, { .top = OVERRIDE ("ddw", "false") } },
  { HOSTDEV_SAYS_DMA_DDW_OFF, SILENT, { .top = OVERRIDE ("ddw", "true") } },
  { HOSTDEV_SAYS_DMA_DDW_OFF, SAID, { .top = ARGUMENTS ("-set", "device.phb1.ddw=no") } },
  { HOSTDEV_SAYS_DMA_DDW_OFF, SILENT, { .top = ARGUMENTS ("-append", "ddw=off") } },
  { HOSTDEV_SAYS_DMA_DDW_OFF,
    SAID,
    { .top = ARGUMENTS ("-global", "driver=spapr-pci-host-bridge,property=ddw,value=off") } },

  /* QEMU's arguments */
  { HOSTDEV_SAYS_QEMU_ARGS_DEVICE, SILENT, { .top = ARGUMENTS ("-global", "vfio-pci.rombar=0") } },
  { HOSTDEV_SAYS_QEMU_ARGS_DEVICE,
    SAID,
    { .top = ARGUMENTS ("--device", "{\"driver\":\"vfio-pci\"}") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW, SAID, { .top = OVERRIDE ("x-no-mmap", "true") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW, SILENT, { .top = OVERRIDE ("x-no-mmap", "false") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW,
    SAID,
    { .top = ARGUMENTS ("-set", "device.hostdev0.x-no-kvm-msi=on") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW,
    SILENT,
    { .top = ARGUMENTS ("-global", "virtio-net-pci.x-no-mmap=on") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW,
    SILENT,
    { .operation = 's', .address = "", .top = ARGUMENTS ("-global", "vfio-pci.x-no-mmap=on") } },

  /* kernels of the host */
  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND, SILENT, { KERNEL ("5.18.19") } },
  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND, SAID, { KERNEL ("5.19.0-rc1") } },
  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND, SAID, { KERNEL ("6.3.13") } },
  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND, SILENT, { KERNEL ("7.0") } },

  /* slots of the guest, and groups */
  { HOSTDEV_SAYS_PHB_UNKNOWN, SILENT, { .no_phbs = TRUE } },
  { HOSTDEV_SAYS_MULTIFUNCTION_OFF,
    SAID,
    { .operation = 's',
      .more = ON ("3", "0", "multifunction='off'"),
      .devices = NIC (ON ("3", "1", "")) } },
  { HOSTDEV_SAYS_MULTIFUNCTION_OFF,
    SILENT,
    { .operation = 's', .more = ON ("3", "0", "multifunction='off'") } },
  { HOSTDEV_SAYS_MULTIFUNCTION_OFF,
    SILENT,
    { .operation = 's',
      .more = ON ("3", "0", "multifunction='on'"),
      .devices = NIC (ON ("3", "1", "multifunction='off'")) } },
  { HOSTDEV_SAYS_GROUP_HELD, SILENT, { .address = "000a:01:00.0" } },
  { HOSTDEV_SAYS_DEVICE_GONE, SILENT, { .operation = 'd', .address = "000c:01:00.0" } },

  /* Of the nodes that the guest has CPUs of, the nearest. */
  { HOSTDEV_SAYS_NUMA_VCPUS,
    SAID,
    { .from = "driver=\"e1000e\"/>\n  </group>",
      .to = "driver=\"e1000e\" numa-node=\"8\"/>\n  </group>"
            "<node number=\"0\" cpus=\"0-9\" distances=\"10 30 20\"/>"
            "<node number=\"4\" cpus=\"10-19\" distances=\"30 10 40\"/>"
            "<node number=\"8\" cpus=\"80-159\" distances=\"20 40 10\"/>",
      .top = "<vcpu cpuset='0-15'>8</vcpu>" },
    "distance 20" },

  { HOSTDEV_SAYS_NUMA_MEMORY,
    SILENT,
    { FUNCTION ("numa-node=\"8\""),
      .top = "<numatune><memory mode='preferred' nodeset='0'/></numatune>" } },
  { HOSTDEV_SAYS_PHB_NODE,
    SILENT,
    { FUNCTION ("numa-node=\"8\""),
      .top = "<cpu><numa><cell id='0' cpus='0' memory='1' unit='GiB'/></numa></cpu>" } },
  { HOSTDEV_SAYS_CARD_SHARED,
    SILENT,
    { .address = "0008:01:00.2",
      .from = "class=\"0x020000\" physfn=\"0008:01:00.0\"/>",
      .to = "class=\"0x020000\"><companion address=\"000b:01:00.0\"/></function>" } },
  { HOSTDEV_SAYS_CARD_SHARED,
    SILENT,
    { .address = "0001:02:00.0", .from = BCM5719, .to = BCM5719_CARD } },

  /* memory */
  { HOSTDEV_SAYS_MEMORY_HOTPLUG,
    SILENT,
    { .top = MEMORY "<maxMemory unit='GiB' slots='4'>16</maxMemory>"
                    "<memtune><hard_limit unit='KiB'>4300000</hard_limit></memtune>" } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE, SAID, { .operation = 's', .top = MEMORY HPT (">65") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE, SILENT, { .operation = 's', .top = MEMORY HPT (">64") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE, SILENT, { .top = MEMORY HPT ("unit='M'>16") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE,
    SILENT,
    { .operation = 's',
      .top = MEMORY HPT ("unit='M'>16"),
      .from = "page-size=\"65536\"",
      .to = "" } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE,
    SILENT,
    { .operation = 's', .top = MEMORY HPT ("unit='M'>16") PAGES ("") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE,
    SAID,
    { .operation = 's',
      .top = MEMORY HPT ("unit='M'>16") PAGES ("<page size='1' unit='G'/><page size='2048'/>") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE,
    SILENT,
    { .operation = 's',
      .top = MEMORY HPT ("unit='M'>16") PAGES ("<page size='2' unit='M' nodeset='0'/>") } },
};

int
main (int argc, char **argv)
{
  return codes_run_edges (argc, argv, edges, G_N_ELEMENTS (edges));
}
