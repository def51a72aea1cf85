/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

/* Each code about s390x guests: a plan that says it, and one that does not. */

#define ON(what) .arch = "s390x", .machine = what, .host = "s390x.xml"
#define S390X    ON ("s390-ccw-virtio-8.2")
#define HERE     S390X, .address = "0000:00:00.0"
#define IDS(ids) .more = "<address type='pci'><zpci " ids "/></address>"
#define NEIGHBOUR(ids)                                                                             \
  .devices = "<hostdev type='pci'><source><address domain='2'/></source><address type='pci' "      \
             "slot='1'><zpci " ids "/></address></hostdev>"
#define GLOBAL(value)                                                                              \
  .top = "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "    \
         "value='-global'/><qemu:arg value='" value "'/></qemu:commandline>"
#define POLICY(attributes)     .top = FIXTURE_POLICY (attributes, "")
#define PROTECTED              .top = "<launchSecurity type='s390-pv'/>"
#define DISK(slot)             "<disk type='block'><address type='pci' slot='" #slot "'/></disk>"
#define FIVE(from, b, c, d, e) DISK (from) DISK (b) DISK (c) DISK (d) DISK (e)
#define THIRTY                                                                                     \
  FIVE (1, 2, 3, 4, 5)                                                                             \
  FIVE (6, 7, 8, 9, 10)                                                                            \
  FIVE (11, 12, 13, 14, 15)                                                                        \
  FIVE (16, 17, 18, 19, 20) FIVE (21, 22, 23, 24, 25) FIVE (26, 27, 28, 29, 30)

static const Code codes[] = {
  { HOSTDEV_SAYS_HOST_ARCHITECTURE, { .arch = "s390x", .machine = "s390-ccw-virtio" }, { HERE } },
  { HOSTDEV_SAYS_ZPCI_UNTESTED, { HERE }, { .machine = "pseries" } },
  { HOSTDEV_SAYS_ZPCI_STANDBY, { S390X, .address = "0009:00:00.0" }, { HERE } },
  { HOSTDEV_SAYS_ZPCI_ID_RANGE, { HERE, IDS ("uid='0x0000'") }, { HERE, IDS ("uid='0xffff'") } },
  { HOSTDEV_SAYS_ZPCI_UID_TWICE,
    { HERE, NEIGHBOUR ("uid='5' fid='5'"), IDS ("uid='5' fid='6'") },
    { HERE, NEIGHBOUR ("uid='5' fid='5'"), IDS ("uid='6' fid='6'") } },
  /* The neighbour's fid is given and the first's is not: it gets 0, and has it before. */
  { HOSTDEV_SAYS_ZPCI_FID_TWICE,
    { HERE, .operation = 's', NEIGHBOUR ("uid='5'"), IDS ("fid='0'") },
    { HERE, .operation = 's', NEIGHBOUR ("uid='5'"), IDS ("fid='1'") } },
  { HOSTDEV_SAYS_ZPCI_NO_SLOT, { HERE, .devices = THIRTY DISK (31) }, { HERE, .devices = THIRTY } },
  { HOSTDEV_SAYS_ZPCI_HOST_LACKS,
    { HERE, .from = "answer=\"yes\"", .to = "answer=\"no\"" },
    { HERE, .from = "answer=\"yes\"", .to = "answer=\"unknown\"" } },
  { HOSTDEV_SAYS_ZPCI_INTERPRET_OFF,
    { HERE, GLOBAL ("zpci.interpret=off") },
    { HERE, GLOBAL ("zpci.interpret=on") } },
  { HOSTDEV_SAYS_ZPCI_MACHINE,
    { ON ("s390-ccw-virtio-7.1"), .address = "0000:00:00.0" },
    { ON ("s390-ccw-virtio-7.2"), .address = "0000:00:00.0" } },
  { HOSTDEV_SAYS_ZPCI_PROTECTED, { HERE, PROTECTED }, { HERE, PROTECTED, .operation = 's' } },
  { HOSTDEV_SAYS_ZPCI_FORWARDING_OFF,
    { HERE, GLOBAL ("zpci.forwarding-assist=off") },
    { HERE, GLOBAL ("zpci.forwarding-assist=on") } },
  { HOSTDEV_SAYS_ZPCI_MSIX,
    { S390X, .address = "0001:00:00.0", GLOBAL ("zpci.interpret=off") },
    { S390X, .address = "0001:00:00.0" } },
  { HOSTDEV_SAYS_ZPCI_ERROR_STOPS, { HERE }, { HERE, POLICY ("eeh='off'") } },
  { HOSTDEV_SAYS_ZPCI_NOT_REHEARSED,
    { HERE, POLICY ("rehearse='always'") },
    { HERE, POLICY ("rehearse='auto'") } },
  { HOSTDEV_SAYS_ZPCI_WISH,
    { HERE, POLICY ("xive='required'") },
    { HERE, POLICY ("xive='preferred'") } },
  { HOSTDEV_SAYS_ZPCI_SPARE_PHBS,
    { HERE, POLICY ("spare-phbs='2'") },
    { HERE, POLICY ("spare-phbs='0'") } },
};

int
main (int argc, char **argv)
{
  gsize count;
  const HostdevStatement *statements = hostdev_statements_of_zpci (&count);

  return codes_run (argc, argv, "zpci", codes, G_N_ELEMENTS (codes), statements, count);
}
