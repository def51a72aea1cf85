/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

/* Each code about the guest: a plan that says it, and one that does not. */

#define ON(bus, slot, function)                                                                    \
  "<address type='pci' bus='" bus "' slot='" slot "' function='" function "'/>"
#define NIC(address)    "<interface type='bridge'>" address "</interface>"
#define MEMORY(kib)     "<memory unit='KiB'>" kib "</memory>"
#define HARD_LIMIT(kib) "<memtune><hard_limit unit='KiB'>" kib "</hard_limit></memtune>"
#define QEMU            "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
#define ARGUMENT(value)                                                                            \
  "<qemu:commandline " QEMU "><qemu:arg value='-device'/><qemu:arg value='" value                  \
  "'/></qemu:commandline>"
#define OVERRIDE(name)                                                                             \
  "<qemu:override " QEMU "><qemu:device alias='ua-net'><qemu:frontend><qemu:property name='" name  \
  "' type='string' value='0000:02:00.0'/></qemu:frontend></qemu:device></qemu:override>"
#define PHB(n) "<controller type='pci' index='" n "' model='pci-root'/>" NIC (ON (n, "1", "0"))
#define TEN(d)                                                                                     \
  PHB (d "0")                                                                                      \
  PHB (d "1")                                                                                      \
  PHB (d "2") PHB (d "3") PHB (d "4") PHB (d "5") PHB (d "6") PHB (d "7") PHB (d "8") PHB (d "9")
#define ALL_PHBS                                                                                   \
  PHB ("1")                                                                                        \
  PHB ("2")                                                                                        \
  PHB ("3")                                                                                        \
  PHB ("4") PHB ("5") PHB ("6") PHB ("7") PHB ("8") PHB ("9") TEN ("1") TEN ("2") PHB ("30")
#define HOSTDEV(domain, function, address)                                                         \
  "<hostdev type='pci' managed='yes'><source><address domain='" domain                             \
  "' bus='2' function='" function "'/></source>" address "</hostdev>"
#define GLOBAL(value)                                                                              \
  "<qemu:commandline " QEMU "><qemu:arg value='-global'/><qemu:arg value='" value                  \
  "'/></qemu:commandline>"
#define FIRST(more)                                                                                \
  "<interface type='bridge'><address type='pci' bus='1' slot='3' " more "/></interface>"
#define HPT(mib) "<features><hpt><maxpagesize unit='MiB'>" mib "</maxpagesize></hpt></features>"
#define CELLS                                                                                      \
  "<cpu><numa><cell id='0' cpus='0' memory='1' unit='GiB'/><cell id='1' cpus='1' memory='1' "      \
  "unit='GiB'/></numa></cpu>"
#define NODE_FROM "driver=\"e1000e\"/>"
#define NODE_TO   "driver=\"e1000e\" numa-node=\"8\"/>"

static const Code codes[] = {
  { HOSTDEV_SAYS_DRIVER_UNSUPPORTED,
    { .more = "<driver name='kvm'/>" },
    { .more = "<driver name='vfio'/>" } },
  { HOSTDEV_SAYS_DRIVER_IOMMUFD,
    { .more = "<driver iommufd='yes'/>" },
    { .more = "<driver iommufd='no'/>" } },
  { HOSTDEV_SAYS_NO_FREE_PHB, { .no_phbs = TRUE }, { .no_phbs = FALSE } },
  { HOSTDEV_SAYS_PHB_LIMIT,
    { .no_phbs = TRUE, .devices = ALL_PHBS },
    { .no_phbs = TRUE, .devices = PHB ("1") } },
  { HOSTDEV_SAYS_PHB_UNKNOWN, { .more = ON ("5", "1", "0") }, { .more = ON ("1", "1", "0") } },
  { HOSTDEV_SAYS_PHB_SHARED,
    { .more = ON ("1", "1", "0"), .devices = HOSTDEV ("1", "0", ON ("1", "2", "0")) },
    { .more = ON ("1", "1", "0"), .devices = HOSTDEV ("1", "0", ON ("2", "2", "0")) } },
  { HOSTDEV_SAYS_GROUP_SPLIT,
    { .address = "0001:02:00.1",
      .more = ON ("2", "1", "0"),
      .devices = HOSTDEV ("1", "0", ON ("1", "1", "0")) },
    { .address = "0001:02:00.1",
      .more = ON ("1", "2", "0"),
      .devices = HOSTDEV ("1", "0", ON ("1", "1", "0")) } },
  { HOSTDEV_SAYS_SPARE_PHBS,
    { .operation = 's', .top = FIXTURE_POLICY ("spare-phbs='3'", "") },
    { .operation = 's', .top = FIXTURE_POLICY ("spare-phbs='1'", "") } },
  { HOSTDEV_SAYS_SPARE_PHBS_LIMIT,
    { .operation = 's',
      .address = "",
      .no_phbs = TRUE,
      .devices = ALL_PHBS,
      .top = FIXTURE_POLICY ("spare-phbs='1'", "") },
    { .operation = 's', .address = "", .top = FIXTURE_POLICY ("spare-phbs='3'", "") } },
  { HOSTDEV_SAYS_MEMORY_LIMIT,
    { .top = MEMORY ("4194304") HARD_LIMIT ("4194303") },
    { .top = MEMORY ("4194304") HARD_LIMIT ("4194304") } },
  { HOSTDEV_SAYS_MEMORY_LIMIT_CLOSE,
    { .top = MEMORY ("4194304") HARD_LIMIT ("4300000") },
    { .top = MEMORY ("4194304") HARD_LIMIT ("16777216") } },
  { HOSTDEV_SAYS_MEMORY_HOST_SHORT,
    { .operation = 's',
      .from = "page-size=\"65536\"",
      .to = "page-size=\"65536\" memory-available=\"4000\"",
      .top = MEMORY ("4194304") },
    { .operation = 's',
      .from = "page-size=\"65536\"",
      .to = "page-size=\"65536\" memory-available=\"5000\"",
      .top = MEMORY ("4194304") } },
  { HOSTDEV_SAYS_POLICY_REQUIRES,
    { .top = FIXTURE_POLICY ("xive='required'", "") FIXTURE_MACHINE_OPTIONS ("ic-mode=xics") },
    { .top = FIXTURE_POLICY ("xive='preferred'", "") FIXTURE_MACHINE_OPTIONS ("ic-mode=xics") } },

  { HOSTDEV_SAYS_DRIVER_MODEL,
    { .more = "<driver model='mlx5_vfio_pci'/>" },
    { .more = "<driver model='vfio-pci'/>" } },
  { HOSTDEV_SAYS_TEAMING,
    { .more = "<teaming type='transient' persistent='ua-net0'/>" },
    { .more = "<teaming type='persistent'/>" } },
  { HOSTDEV_SAYS_MDEV,
    { .operation = 's', .devices = "<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>" },
    { .operation = 's', .devices = "<hostdev mode='subsystem' type='usb'/>" } },
  { HOSTDEV_SAYS_NVME_DISK,
    { .operation = 's',
      .devices = "<disk type='nvme'><source type='pci' namespace='1'><address domain='2' bus='1'/>"
                 "</source></disk>" },
    { .operation = 's', .devices = "<disk type='block'><source dev='/dev/nvme0n1'/></disk>" } },
  { HOSTDEV_SAYS_QEMU_ARGS_DEVICE,
    { .top = ARGUMENT ("vfio-pci,host=0000:02:00.0") },
    { .top = ARGUMENT ("virtio-rng-pci") } },
  { HOSTDEV_SAYS_QEMU_OVERRIDE, { .top = OVERRIDE ("host") }, { .top = OVERRIDE ("x-no-mmap") } },
  { HOSTDEV_SAYS_ADDRESS_TWICE,
    { .operation = 's', .more = ON ("1", "3", "0"), .devices = NIC (ON ("1", "3", "0")) },
    { .operation = 's', .more = ON ("1", "3", "0"), .devices = NIC (ON ("1", "3", "1")) } },
  { HOSTDEV_SAYS_ADDRESS_TAKEN,
    { .more = ON ("1", "3", "0"), .devices = NIC (ON ("1", "3", "0")) },
    { .more = ON ("1", "3", "0"), .devices = NIC (ON ("1", "4", "0")) } },
  { HOSTDEV_SAYS_SLOT_ZERO, { .more = ON ("1", "0", "0") }, { .more = ON ("1", "31", "0") } },
  { HOSTDEV_SAYS_FUNCTION_HOTPLUG,
    { .more = ON ("1", "1", "1") },
    { .operation = 's', .more = ON ("1", "1", "1") } },
  { HOSTDEV_SAYS_FUNCTION_LONE,
    { .operation = 's', .more = ON ("1", "1", "1") },
    { .operation = 's', .more = ON ("1", "1", "1"), .devices = NIC (ON ("1", "1", "0")) } },
  { HOSTDEV_SAYS_FUNCTION_DETACH,
    { .operation = 'd', .more = ON ("1", "1", "0"), .devices = NIC (ON ("1", "1", "1")) },
    { .operation = 'd', .more = ON ("1", "1", "0"), .devices = NIC (ON ("1", "2", "1")) } },
  { HOSTDEV_SAYS_PHB_DEFAULT, { .more = ON ("0", "5", "0") }, { .more = ON ("1", "5", "0") } },
  { HOSTDEV_SAYS_PHB_NODE,
    { .from = NODE_FROM, .to = NODE_TO, .top = CELLS, .more = ON ("1", "1", "0") },
    { .from = NODE_FROM,
      .to = NODE_TO,
      .top = CELLS,
      .more = ON ("1", "1", "0"),
      .no_phbs = TRUE,
      .devices
      = "<controller type='pci' index='1' model='pci-root'><target index='1'><node>1</node>"
        "</target></controller>" } },
  { HOSTDEV_SAYS_MEMORY_HOTPLUG,
    { .top = MEMORY ("4194304") "<maxMemory unit='KiB' slots='4'>16777216</maxMemory>" HARD_LIMIT (
          "12582912") },
    { .top = MEMORY ("4194304") HARD_LIMIT ("12582912") } },
  { HOSTDEV_SAYS_MEMORY_UNLIMITED,
    { .top = MEMORY ("4194304") "<memoryBacking><locked/></memoryBacking>" },
    { .top
      = MEMORY ("4194304") "<memoryBacking><locked/></memoryBacking>" HARD_LIMIT ("16777216") } },
  { HOSTDEV_SAYS_MEMORY_BALLOON,
    { .top = MEMORY ("4194304") "<currentMemory unit='KiB'>2097152</currentMemory>" },
    { .top = MEMORY ("4194304") "<currentMemory unit='KiB'>2097152</currentMemory>",
      .devices = "<memballoon model='none'/>" } },
  { HOSTDEV_SAYS_POLICY_STRAY,
    { .operation = 's',
      .more = "<alias name='ua-net'/>",
      .top = FIXTURE_POLICY ("", "<ppc64:device alias='ua-nett' eeh='off'/>") },
    { .operation = 's',
      .more = "<alias name='ua-net'/>",
      .top = FIXTURE_POLICY ("", "<ppc64:device alias='ua-net' eeh='off'/>") } },
  { HOSTDEV_SAYS_QEMU_VFIO_SLOW,
    { .top = GLOBAL ("vfio-pci.x-no-kvm-msix=on") },
    { .top = GLOBAL ("vfio-pci.x-no-kvm-msix=off") } },
  { HOSTDEV_SAYS_MULTIFUNCTION_OFF,
    { .operation = 's', .more = ON ("1", "3", "1"), .devices = FIRST ("multifunction='off'") },
    { .operation = 's', .more = ON ("1", "3", "1"), .devices = FIRST ("") } },
  { HOSTDEV_SAYS_HPT_PAGE_SIZE,
    { .operation = 's', .top = MEMORY ("4194304") HPT ("16") },
    { .operation = 's',
      .top = MEMORY ("4194304") HPT ("16") "<memoryBacking><hugepages><page size='16' "
                                           "unit='M'/></hugepages></memoryBacking>" } },
  { HOSTDEV_SAYS_GUEST_DOMAIN,
    { .more = "<address type='pci' domain='1' bus='1' slot='1'/>" },
    { .more = "<address type='pci' domain='0x0000' bus='1' slot='1'/>" } },
};

int
main (int argc, char **argv)
{
  gsize count;
  const HostdevStatement *statements = hostdev_statements_of_guest (&count);

  return codes_run (argc, argv, "guest", codes, G_N_ELEMENTS (codes), statements, count);
}
