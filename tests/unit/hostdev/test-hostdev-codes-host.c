/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

/* Each code about the host and its groups: a plan that says it, and one that does not. */

#define CAP(name, answer) "name=\"" name "\" answer=\"" answer "\""
#define BUSY_ROUTE        "kind=\"route\" detail=\"default route by way of enP3p1s0f1\""
#define HOLDER            "<holder kind=\"foreign\" pid=\"4711\"/>"
#define E1000E            "driver=\"e1000e\"/>"
#define KERNEL            "kernel=\"6.12.107\""
#define CARD_BEFORE                                                                                \
  "<function address=\"0008:01:00.2\" class=\"0x020000\" physfn=\"0008:01:00.0\"/>"
#define CARD_AFTER                                                                                 \
  "<function address=\"0008:01:00.2\" class=\"0x020000\"><companion address=\"0008:01:00.0\"/>"    \
  "</function>"
#define NUMA_FROM "driver=\"e1000e\"/>\n  </group>"
#define NUMA_TO                                                                                    \
  "driver=\"e1000e\" numa-node=\"8\"/>\n  </group><node number=\"0\" cpus=\"0-79\" "               \
  "distances=\"10 40\"/><node number=\"8\" cpus=\"80-159\" distances=\"40 10\"/>"
#define NUMATUNE(set) "<numatune><memory mode='strict' nodeset='" set "'/></numatune>"

static const Code codes[] = {
  { HOSTDEV_SAYS_NOT_PSERIES_KVM, { .machine = "powernv9" }, { .machine = "pseries" } },
  { HOSTDEV_SAYS_KVM_UNAVAILABLE,
    { .from = CAP ("kvm-hv", "yes"), .to = CAP ("kvm-hv", "no") },
    { .from = CAP ("kvm-hv", "yes"), .to = CAP ("kvm-hv", "unknown") } },
  { HOSTDEV_SAYS_VFIO_UNAVAILABLE,
    { .from = CAP ("vfio-spapr-v2", "yes"), .to = CAP ("vfio-spapr-v2", "no") },
    { .from = CAP ("vfio-spapr-v2", "yes"), .to = CAP ("vfio-spapr-v2", "unknown") } },
  { HOSTDEV_SAYS_DEVICE_UNKNOWN, { .address = "0000:01:00.1" }, { .address = "0000:01:00.0" } },
  { HOSTDEV_SAYS_DEVICE_GONE,
    { .operation = 'd', .address = "00aa:01:00.0" },
    { .operation = 'd', .address = "000a:01:00.0" } },
  { HOSTDEV_SAYS_DEVICE_THERE_ALREADY, { .is_there = TRUE }, { .is_there = FALSE } },
  { HOSTDEV_SAYS_DEVICE_NOT_THERE,
    { .operation = 'd', .address = "000a:01:00.0", .absent = TRUE },
    { .operation = 'd', .address = "000a:01:00.0" } },
  { HOSTDEV_SAYS_NOT_ENDPOINT, { .address = "0000:00:00.0" }, { .address = "0000:01:00.0" } },
  { HOSTDEV_SAYS_NO_IOMMU_GROUP, { .address = "000c:01:00.0" }, { .address = "000b:01:00.0" } },
  { HOSTDEV_SAYS_GROUP_IN_USE, { .address = "0004:01:00.0" }, { .address = "000a:01:00.0" } },
  { HOSTDEV_SAYS_GROUP_HELD,
    { .address = "0005:01:00.0" },
    { .address = "0005:01:00.0", .from = HOLDER, .to = "" } },
  { HOSTDEV_SAYS_GROUP_HELD_UNKNOWN,
    { .address = "0005:01:00.0", .from = HOLDER, .to = "<holder kind=\"foreign\"/>" },
    { .address = "0005:01:00.0" } },
  { HOSTDEV_SAYS_GROUP_KEPT,
    { .operation = 'd',
      .address = "000a:01:00.0",
      .devices = "<hostdev type='pci'><source><address domain='0xa' bus='1' function='1'/></source>"
                 "</hostdev>" },
    { .operation = 'd', .address = "000a:01:00.0" } },
  { HOSTDEV_SAYS_MEMBER_MOUNTED,
    { .address = "0002:01:00.0" },
    { .address = "0002:01:00.0", .from = "kind=\"mounted\"", .to = "kind=\"swap\"" } },
  { HOSTDEV_SAYS_MEMBER_SWAP,
    { .address = "0003:01:00.0", .from = BUSY_ROUTE, .to = "kind=\"swap\" detail=\"/dev/sda2\"" },
    { .address = "0003:01:00.0" } },
  { HOSTDEV_SAYS_MEMBER_STORAGE,
    { .address = "0003:01:00.0", .from = BUSY_ROUTE, .to = "kind=\"storage\" detail=\"md0\"" },
    { .address = "0003:01:00.0" } },
  { HOSTDEV_SAYS_MEMBER_ROUTE,
    { .address = "0003:01:00.0" },
    { .address = "0003:01:00.0", .from = "<busy " BUSY_ROUTE "/>", .to = "" } },
  { HOSTDEV_SAYS_MEMBER_CONSOLE,
    { .address = "0003:01:00.0", .from = BUSY_ROUTE, .to = "kind=\"console\" detail=\"tty0\"" },
    { .address = "0003:01:00.0" } },
  { HOSTDEV_SAYS_MEMBER_VFS, { .address = "0008:01:00.0" }, { .address = "0008:01:00.2" } },
  { HOSTDEV_SAYS_MEMBER_UNREADABLE,
    { .address = "0003:01:00.0", .from = BUSY_ROUTE, .to = "kind=\"unknown\" detail=\"swaps\"" },
    { .address = "0003:01:00.0" } },
  { HOSTDEV_SAYS_MEMBER_NOT_TAKEABLE,
    { .address = "0003:01:00.0", .from = BUSY_ROUTE, .to = "kind=\"crypto\" detail=\"\"" },
    { .address = "0003:01:00.0" } },
  { HOSTDEV_SAYS_UNMANAGED_BOUND,
    { .address = "0001:02:00.0", .unmanaged = TRUE },
    { .address = "000b:01:00.0", .unmanaged = TRUE } },
  { HOSTDEV_SAYS_PE_FAILED,
    { .address = "0006:01:00.0", .from = "value=\"frozen\"", .to = "value=\"failed\"" },
    { .address = "0006:01:00.0" } },
  { HOSTDEV_SAYS_PE_UNAVAILABLE, { .address = "0007:01:00.0" }, { .address = "0006:01:00.0" } },
  { HOSTDEV_SAYS_PE_FROZEN, { .address = "0006:01:00.0" }, { .address = "0000:01:00.0" } },
  { HOSTDEV_SAYS_RETURN_PE_FAILED,
    { .operation = 'd',
      .address = "0006:01:00.0",
      .from = "value=\"frozen\"",
      .to = "value=\"failed\"" },
    { .operation = 'd', .address = "0006:01:00.0" } },
  { HOSTDEV_SAYS_RETURN_PE_UNAVAILABLE,
    { .operation = 'd', .address = "0007:01:00.0" },
    { .address = "0007:01:00.0" } },

  { HOSTDEV_SAYS_KERNEL_CANNOT_BIND,
    { .from = KERNEL, .to = "kernel=\"6.1.0-18-powerpc64le\"" },
    { .from = KERNEL, .to = "kernel=\"6.4.0\"" } },
  { HOSTDEV_SAYS_COMPANIONS_LEAVE,
    { .address = "0001:02:00.0" },
    { .address = "0001:02:00.0",
      .devices = "<hostdev type='pci' managed='yes'><source><address domain='1' bus='2' "
                 "function='1'/></source></hostdev>" } },
  { HOSTDEV_SAYS_COMPANIONS_REFUSED,
    { .address = "0001:02:00.0", .top = FIXTURE_POLICY ("companions='refuse'", "") },
    { .address = "0000:01:00.0", .top = FIXTURE_POLICY ("companions='refuse'", "") } },
  { HOSTDEV_SAYS_CARD_SHARED,
    { .address = "0008:01:00.2", .from = CARD_BEFORE, .to = CARD_AFTER },
    { .address = "0008:01:00.2" } },
  { HOSTDEV_SAYS_NO_RESET,
    { .from = E1000E, .to = "driver=\"e1000e\" reset-methods=\"\"/>" },
    { .from = E1000E, .to = "driver=\"e1000e\" reset-methods=\"pm bus\"/>" } },
  { HOSTDEV_SAYS_VF_PARENT, { .address = "0008:01:00.2" }, { .address = "0000:01:00.0" } },
  { HOSTDEV_SAYS_NUMA_MEMORY,
    { .from = NUMA_FROM, .to = NUMA_TO, .top = NUMATUNE ("0") },
    { .from = NUMA_FROM, .to = NUMA_TO, .top = NUMATUNE ("0-3,8") } },
  { HOSTDEV_SAYS_NUMA_VCPUS,
    { .from = NUMA_FROM, .to = NUMA_TO, .top = "<vcpu cpuset='0-15,^3'>8</vcpu>" },
    { .from = NUMA_FROM, .to = NUMA_TO, .top = "<vcpu cpuset='0-15,88'>8</vcpu>" } },
  { HOSTDEV_SAYS_GUEST_RUNS_WITH_IT, { .claim = "running" }, { .claim = "defined" } },
  { HOSTDEV_SAYS_GUEST_DEFINED_WITH_IT, { .claim = "defined" }, { .claim = "running" } },
};

int
main (int argc, char **argv)
{
  gsize count;
  const HostdevStatement *statements = hostdev_statements_of_host (&count);

  return codes_run (argc, argv, "host", codes, G_N_ELEMENTS (codes), statements, count);
}
