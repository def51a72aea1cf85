/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

/* Each code about interrupts, DMA and EEH: a plan that says it, and one that does not. */

#define CAP(name, answer)  "name=\"" name "\" answer=\"" answer "\""
#define HOST(name, answer) .from = CAP (name, "yes"), .to = CAP (name, answer)
#define REQUIRED(what)     FIXTURE_POLICY (what "='required'", "")
#define XICS               FIXTURE_MACHINE_OPTIONS ("ic-mode=xics")
#define CPU(model)         "<cpu mode='host-model'><model>" model "</model></cpu>"
#define E1000E             "driver=\"e1000e\"/>"
#define FUNCTION(more)     .from = E1000E, .to = "driver=\"e1000e\" " more "/>"
#define NORMAL             "<pe-state value=\"normal\" source=\"eeh_pe_state\"/>"
#define WINDOWS(start, size, pages, count)                                                         \
  .from = NORMAL, .to = NORMAL "<dma-windows dma32-start=\"" start "\" dma32-size=\"" size         \
                               "\" page-sizes=\"" pages "\" windows=\"" count "\" levels=\"5\"/>"
#define GOOD_WINDOWS WINDOWS ("0", "0x80000000", "0x211000", "2")
#define MEMORY(gib)  "<memory unit='GiB'>" gib "</memory>"
#define DDW(value)                                                                                 \
  "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "           \
  "value='-global'/><qemu:arg value='spapr-pci-host-bridge.ddw=" value "'/></qemu:commandline>"
#define KVM_XIVE  "<capability name=\"xive-native\" answer=\"yes\" source=\"KVM_CAP_PPC_IRQ_XIVE\"/>"
#define HOST_XIVE "<capability name=\"host-xive\" answer=\"yes\" source=\"/proc/interrupts\"/>"
#define XIVE_OFF                                                                                   \
  "<capability name=\"host-xive\" answer=\"no\" source=\"/proc/interrupts\"/>\n  <capability "     \
  "name=\"xive-native\" answer=\"no\" source=\"KVM_CAP_PPC_IRQ_XIVE\"/>"
#define EEH_FROM      "<capability name=\"of-a-newer-helper\" answer=\"yes\" source=\"nowhere\"/>"
#define EEH_TO(value) "<eeh name=\"recovery\" value=\"" value "\" source=\"eeh_disable_recovery\"/>"

static const Code codes[] = {
  { HOSTDEV_SAYS_XIVE_PARTITION,
    { .host = "powervm.xml", .address = "0001:00:00.0" },
    { .host = "powervm.xml", .address = "0001:00:00.0", .top = XICS } },
  { HOSTDEV_SAYS_XIVE_HOST_LACKS,
    { HOST ("xive-native", "no") },
    { HOST ("xive-native", "no"), .top = FIXTURE_POLICY ("xive='off'", "") } },
  { HOSTDEV_SAYS_XIVE_UNKNOWN,
    { HOST ("xive-native", "unknown"), .top = REQUIRED ("xive") },
    { HOST ("xive-native", "unknown") } },
  { HOSTDEV_SAYS_IRQCHIP_OFF,
    { .top = FIXTURE_MACHINE_OPTIONS ("kernel-irqchip=off") },
    { .top = FIXTURE_MACHINE_OPTIONS ("kernel-irqchip=on") } },
  { HOSTDEV_SAYS_IC_MODE_XICS,
    { .top = XICS },
    { .top = FIXTURE_MACHINE_OPTIONS ("ic-mode=dual") } },
  { HOSTDEV_SAYS_XICS_HOST_LACKS, { HOST ("xics", "no"), .top = XICS }, { HOST ("xics", "no") } },
  { HOSTDEV_SAYS_ADVISE_XICS,
    { .host = "powervm.xml", .address = "0001:00:00.0" },
    { .host = "powervm.xml",
      .address = "0001:00:00.0",
      .from = CAP ("xics", "yes"),
      .to = CAP ("xics", "no") } },
  { HOSTDEV_SAYS_ADVISE_IRQ_BYPASS,
    { HOST ("irq-bypass", "no") },
    { HOST ("irq-bypass", "unknown") } },
  { HOSTDEV_SAYS_TCE_UNAVAILABLE,
    { HOST ("spapr-tce-vfio", "no") },
    { HOST ("spapr-tce-vfio", "no"), .top = FIXTURE_POLICY ("tce='off'", "") } },
  { HOSTDEV_SAYS_TCE_UNKNOWN,
    { HOST ("spapr-tce-vfio", "unknown"), .top = REQUIRED ("tce") },
    { HOST ("spapr-tce-vfio", "unknown") } },
  { HOSTDEV_SAYS_DMA_WINDOW,
    { WINDOWS ("0x10000000", "0x80000000", "0x211000", "2") },
    { GOOD_WINDOWS } },
  { HOSTDEV_SAYS_DMA_PAGE_SIZE,
    { WINDOWS ("0", "0x80000000", "0x210000", "2") },
    { GOOD_WINDOWS } },
  { HOSTDEV_SAYS_DMA_WINDOW_SMALL,
    { WINDOWS ("0", "0x20000000", "0x211000", "2") },
    { WINDOWS ("0", "0x40000000", "0x211000", "2") } },
  { HOSTDEV_SAYS_DMA_WINDOW_SINGLE,
    { WINDOWS ("0", "0x80000000", "0x211000", "1") },
    { GOOD_WINDOWS } },
  { HOSTDEV_SAYS_EEH_UNAVAILABLE, { HOST ("eeh", "no") }, { HOST ("eeh", "unknown") } },
  { HOSTDEV_SAYS_EEH_UNKNOWN,
    { HOST ("eeh", "unknown"), .top = REQUIRED ("eeh") },
    { HOST ("eeh", "unknown") } },

  { HOSTDEV_SAYS_XIVE_HOST_OFF,
    { .from = HOST_XIVE "\n  " KVM_XIVE, .to = XIVE_OFF },
    { HOST ("xive-native", "no") } },
  { HOSTDEV_SAYS_XIVE_HOST_PAGES,
    { .from = "page-size=\"65536\"", .to = "page-size=\"4096\"" },
    { .from = "page-size=\"65536\"", .to = "" } },
  { HOSTDEV_SAYS_CPU_BEFORE_XIVE, { .top = CPU ("POWER8") }, { .top = CPU ("power9") } },
  { HOSTDEV_SAYS_MACHINE_BEFORE_XIVE, { .machine = "pseries-4.0" }, { .machine = "pseries-4.1" } },
  { HOSTDEV_SAYS_IC_MODE_CPU,
    { .top = CPU ("power8") FIXTURE_MACHINE_OPTIONS ("ic-mode=xive") },
    { .top = CPU ("power10") FIXTURE_MACHINE_OPTIONS ("ic-mode=xive") } },
  { HOSTDEV_SAYS_MSI_LIMIT, { FUNCTION ("msix=\"3329\"") }, { FUNCTION ("msix=\"3328\"") } },
  { HOSTDEV_SAYS_BYPASS_LIMIT, { FUNCTION ("msix=\"1025\"") }, { FUNCTION ("msix=\"1024\"") } },
  { HOSTDEV_SAYS_INTX_ONLY,
    { FUNCTION ("intx=\"1\"") },
    { FUNCTION ("intx=\"1\" interrupts-in-use-only=\"yes\"") } },
  { HOSTDEV_SAYS_BYPASS_PARTITION,
    { .host = "powervm.xml", .address = "0001:00:00.0" },
    { HOST ("irq-bypass", "no") } },
  { HOSTDEV_SAYS_DMA_V1, { WINDOWS ("0", "0x80000000", "0x1000", "0") }, { GOOD_WINDOWS } },
  { HOSTDEV_SAYS_DMA_DDW_OFF, { .top = DDW ("off") }, { .top = DDW ("on") } },
  { HOSTDEV_SAYS_DMA_PAGES_REQUIRED,
    { GOOD_WINDOWS, .top = FIXTURE_POLICY ("page-sizes='64K 16M'", "") },
    { GOOD_WINDOWS, .top = FIXTURE_POLICY ("page-sizes='64K 2M'", "") } },
  { HOSTDEV_SAYS_DMA_NOT_REHEARSED,
    { .top = REQUIRED ("window64") },
    { GOOD_WINDOWS, .top = REQUIRED ("window64") } },
  { HOSTDEV_SAYS_DMA_32_BIT, { FUNCTION ("dma-bits=\"32\"") }, { FUNCTION ("dma-bits=\"64\"") } },
  { HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
    { GOOD_WINDOWS, .top = MEMORY ("64") },
    { GOOD_WINDOWS, .top = MEMORY ("64") "<memoryBacking><hugepages/></memoryBacking>" } },
  { HOSTDEV_SAYS_EEH_VFIO_LACKS, { HOST ("vfio-eeh", "no") }, { HOST ("eeh", "no") } },
  { HOSTDEV_SAYS_EEH_RECOVERY_OFF,
    { .from = EEH_FROM, .to = EEH_TO ("disabled") },
    { .from = EEH_FROM, .to = EEH_TO ("enabled") } },
  { HOSTDEV_SAYS_PE_SHARED, { .address = "0001:02:00.0" }, { .address = "0000:01:00.0" } },
  { HOSTDEV_SAYS_PE_BRIDGE, { .address = "0001:02:00.0" }, { .address = "000b:01:00.0" } },
};

int
main (int argc, char **argv)
{
  gsize count;
  const HostdevStatement *statements = hostdev_statements_of_kernel (&count);

  return codes_run (argc, argv, "kernel", codes, G_N_ELEMENTS (codes), statements, count);
}
