/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"

/* The address in the guest that libvirt gives a device. What libvirt's own tests expect is held
 * against the plan in tests/schema/test-libvirt-seats.c; here is what those do not have. */

#define ON(bus, slot) "<address type='pci' bus='" #bus "' slot='" #slot "'/>"

#define BRIDGE(index)                                                                              \
  "<controller type='pci' index='" #index "' model='pci-bridge'>" ON (0, 9) "</controller>"

#define INTERFACE(function)                                                                        \
  "<interface type='hostdev' managed='yes'><source><address type='pci' " function                  \
  "/></source></interface>"

/* Two groups of the host, and one more function of the first. */
#define FIRST  "domain='1' bus='2' slot='0' function='0'"
#define FELLOW "domain='1' bus='2' slot='0' function='1'"
#define OTHER  "domain='0' bus='1' slot='0' function='0'"

static char *
hostdev (const char *function)
{
  return g_strdup_printf ("<hostdev type='pci'><source><address %s/></source></hostdev>", function);
}

static HostdevPlan *
start (const char *devices)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", devices);

  return hostdev_plan_start (domain, host);
}

static void
expect_seat (const HostdevPlan *plan, guint place, const char *expected)
{
  const HostdevPlanDevice *device = g_ptr_array_index (hostdev_plan_get_devices (plan), place);
  char seat[PCI_ADDRESS_LEN];

  g_assert_true (device->has_seat);
  g_assert_cmpstr (pci_address_format (&device->seat, seat), ==, expected);
}

/* libvirt seats interfaces before hostdevs, wherever they are in the XML. */
static void
test_order (void)
{
  g_autofree char *first = hostdev (FIRST);
  g_autofree char *fellow = hostdev (FELLOW);
  g_autofree char *devices = g_strconcat (first, INTERFACE (OTHER), fellow, NULL);
  g_autoptr (HostdevPlan) plan = start (devices);

  expect_seat (plan, 0, "0000:02:01.0");
  expect_seat (plan, 1, "0000:01:01.0");
  expect_seat (plan, 2, "0000:02:02.0");
}

/* The lowest slot that is free; an address of the XML as it is. */
static void
test_slots (void)
{
  g_autofree char *there = fixture_hostdev (
      "0001:02:00.1", "<address type='pci' bus='1' slot='1' function='0' multifunction='on'/>");
  g_autofree char *devices = g_strconcat (FIXTURE_PHB (1), there, NULL);
  g_autoptr (HostdevPlan) next = fixture_attach ("powernv.xml", "", devices, "0001:02:00.0", "");
  g_autoptr (HostdevPlan) own
      = fixture_attach ("powernv.xml", "", devices, "0001:02:00.0",
                        "<address type='pci' bus='1' slot='0x1f' function='3'/>");

  expect_seat (next, 0, "0000:01:02.0");
  expect_seat (own, 0, "0000:01:1f.3");
}

/* Of a PHB whose 31 slots are taken the group goes to the next one. */
static void
test_full_phb (void)
{
  g_autoptr (GString) devices = g_string_new (FIXTURE_PHB (1) FIXTURE_PHB (2) FIXTURE_PHB (3));
  g_autofree char *first = fixture_hostdev ("0001:02:00.0", ON (2, 31));

  for (int slot = 1; slot <= 30; slot++)
    g_string_append_printf (devices,
                            "<hostdev type='pci'><source><address domain='0xff' bus='1' slot='%d'/>"
                            "</source><address type='pci' bus='2' slot='%d'/></hostdev>",
                            slot, slot);
  g_string_append (devices, first);
  g_autoptr (HostdevPlan) plan
      = fixture_attach ("powernv.xml", "", devices->str, "0001:02:00.1", "");

  expect_seat (plan, 0, "0000:01:01.0");
}

/* A bridge that has nothing on it is as good as a PHB to libvirt, one with emulated devices is not,
 * and a port of PCI Express is none. */
static void
test_bridges (void)
{
  g_autoptr (HostdevPlan) empty
      = fixture_attach ("powernv.xml", "", BRIDGE (1) FIXTURE_PHB (2), "0001:02:00.0", "");
  g_autoptr (HostdevPlan) taken = fixture_attach (
      "powernv.xml", "", BRIDGE (1) FIXTURE_PHB (2) "<memballoon>" ON (1, 1) "</memballoon>",
      "0001:02:00.0", "");
  g_autoptr (HostdevPlan) port
      = fixture_attach ("powernv.xml", "",
                        "<controller type='pci' index='1' model='pcie-root-port'/>" FIXTURE_PHB (2),
                        "0001:02:00.0", "");
  const HostdevPlanDevice *device = hostdev_plan_get_devices (empty)->pdata[0];

  expect_seat (empty, 0, "0000:01:01.0");
  g_assert_cmpuint (device->phb_index, ==, 0);
  expect_seat (taken, 0, "0000:02:01.0");
  expect_seat (port, 0, "0000:02:01.0");
}

/* Emulated devices that have no address take slots before the hostdevs: 31 of them fill PHB 0. */
static void
test_emulated (void)
{
  static const struct
  {
    guint disks;
    const char *seat;
  } cases[] = { { 30, "0000:01:01.0" },
                { 31, "0000:01:01.0" },
                { 32, "0000:02:01.0" },
                { 62, "0000:02:01.0" },
                { 63, "0000:03:01.0" } };
  g_autofree char *first = hostdev (FIRST);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) devices
          = g_string_new ("<controller type='usb' model='none'/><memballoon model='none'/>");

      for (guint disk = 0; disk < cases[i].disks; disk++)
        g_string_append (devices, "<disk type='file'><target dev='vda' bus='virtio'/></disk>");
      g_string_append (devices, first);
      g_test_message ("%u disks", cases[i].disks);
      g_autoptr (HostdevPlan) plan = start (devices->str);
      expect_seat (plan, 0, cases[i].seat);
    }
}

/* The parts of a USB 2 controller share a slot, which libvirt does not see while it counts: PHB 0
 * has room for all that is here, and there is another one for nothing. */
static void
test_companions (void)
{
  static const struct
  {
    const char *address; /* of the master */
    guint disks, spare;  /* how many PHBs are free then */
  } cases[] = { { "", 27, 0 }, { "", 28, 1 }, { "", 29, 1 }, { ON (0, 7), 29, 0 } };
  g_autofree char *first = hostdev (FIRST);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) devices = g_string_new ("<memballoon model='none'/>");
      g_autofree char *spare = NULL;

      g_string_append_printf (devices,
                              "<controller type='usb' index='0' model='ich9-ehci1'>%s</controller>"
                              "<controller type='usb' index='0' model='ich9-uhci1'/>"
                              "<controller type='usb' index='0' model='ich9-uhci2'/>",
                              cases[i].address);
      for (guint disk = 0; disk < cases[i].disks; disk++)
        g_string_append (devices, "<disk type='file'><target dev='vda' bus='virtio'/></disk>");
      g_string_append (devices, first);
      g_test_message ("%u disks", cases[i].disks);
      g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
      g_autoptr (HostdevDomain) domain
          = fixture_domain (FIXTURE_POLICY ("spare-phbs='2'", ""), devices->str);
      g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);

      expect_seat (plan, 0, "0000:01:01.0");
      spare = g_strdup_printf ("has %u", cases[i].spare);
      fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_NO_FREE_PHB, spare);
    }
}

/* Buses that only an address names are there, as are those below. */
static void
test_gaps (void)
{
  g_autofree char *first = hostdev (FIRST);
  g_autofree char *devices = g_strconcat (first, "<controller type='scsi' model='virtio-scsi'>",
                                          ON (3, 1), "</controller>", NULL);
  g_autofree char *fixed = fixture_hostdev ("0000:01:00.0", ON (4, 2));
  g_autofree char *more = g_strconcat (devices, fixed, NULL);
  g_autoptr (HostdevPlan) plan = start (more);

  expect_seat (plan, 0, "0000:01:01.0");
  expect_seat (plan, 1, "0000:04:02.0");
}

/* A PHB that libvirt would add is one too many: it finds no target index for it. */
static void
test_limit (void)
{
  g_autoptr (GString) devices = g_string_new (NULL);
  g_autofree char *first = hostdev (FIRST);

  for (int bus = 1; bus <= HOSTDEV_PHB_TARGET_MAX; bus++)
    g_string_append_printf (devices,
                            "<controller type='pci' index='%d' model='pci-root'/><disk type='file'>"
                            "<target dev='vda'/><address type='pci' bus='%d' slot='1'/></disk>",
                            bus, bus);
  g_string_append (devices, first);
  g_autoptr (HostdevPlan) plan = start (devices->str);

  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "all 31 PHBs");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/seat/order", test_order);
  g_test_add_func ("/hostdev/plan/seat/slots", test_slots);
  g_test_add_func ("/hostdev/plan/seat/full-phb", test_full_phb);
  g_test_add_func ("/hostdev/plan/seat/bridges", test_bridges);
  g_test_add_func ("/hostdev/plan/seat/emulated", test_emulated);
  g_test_add_func ("/hostdev/plan/seat/companions", test_companions);
  g_test_add_func ("/hostdev/plan/seat/gaps", test_gaps);
  g_test_add_func ("/hostdev/plan/seat/limit", test_limit);
  return g_test_run ();
}
