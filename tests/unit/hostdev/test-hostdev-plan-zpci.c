/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-fixture.h"

/* Where a device goes in an s390x guest, and what is expected of it there. What libvirt makes of
 * its own test data is in the schema suite (test-libvirt-seats.c). */

#define GLOBAL(value)                                                                              \
  "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "           \
  "value='-global'/><qemu:arg value='" value "'/></qemu:commandline>"
#define HOSTDEV(domain, address)                                                                   \
  "<hostdev type='pci' managed='yes'><source><address domain='" domain "'/></source>" address      \
  "</hostdev>"

static HostdevDomain *
read_domain (const char *machine, const char *top, const char *devices)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = g_strdup_printf (
      "<domain type='kvm'><name>guest</name><uuid>" FIXTURE_UUID "</uuid>%s"
      "<os><type arch='s390x' machine='%s'>hvm</type></os><devices>%s</devices></domain>",
      top, machine, devices);
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  return domain;
}

static HostdevPlan *
start (const char *top, const char *devices)
{
  g_autoptr (HostdevDomain) domain = read_domain ("s390-ccw-virtio-8.2", top, devices);
  g_autoptr (HostdevHost) host = fixture_host ("s390x.xml", NULL, NULL);

  return hostdev_plan_start (domain, host);
}

static void
expect_place (const HostdevPlan *plan, guint which, const char *seat, guint uid, guint fid)
{
  const HostdevPlanDevice *device = hostdev_plan_get_devices (plan)->pdata[which];
  g_autofree char *address = pci_address_to_string (&device->seat);

  g_assert_true (device->has_seat && device->has_zpci);
  g_assert_false (device->has_phb);
  g_assert_cmpstr (address, ==, seat);
  g_assert_cmphex (device->uid, ==, uid);
  g_assert_cmphex (device->fid, ==, fid);
}

static void
test_machine (void)
{
  static const struct
  {
    const char *machine;
    gboolean expected;
  } cases[] = { { "s390-ccw-virtio", TRUE },
                { "s390-ccw-virtio-rhel9.4.0", TRUE },
                { "s390-ccw", FALSE },
                { "pseries", FALSE } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HostdevDomain) domain = read_domain (cases[i].machine, "", "");

      g_assert_cmpint (hostdev_domain_is_s390x_kvm (domain), ==, cases[i].expected);
      g_assert_false (hostdev_domain_is_pseries_kvm (domain));
    }
}

/* An emulated device's numbers count, and an address that is given stays. */
static void
test_places (void)
{
  g_autoptr (HostdevPlan) plan = start (
      "", "<disk type='block'><address type='pci' slot='2'><zpci uid='1' "
          "fid='1'/></address></disk>" HOSTDEV ("0", "")
              HOSTDEV ("1", "<address type='pci' bus='0' slot='9'><zpci uid='0x10'/></address>")
                  HOSTDEV ("2", "<address type='pci'/>"));

  g_assert_true (hostdev_plan_is_allowed (plan));
  expect_place (plan, 0, "0000:00:01.0", 2, 2);
  expect_place (plan, 1, "0000:00:09.0", 0x10, 0);
  expect_place (plan, 2, "0000:00:03.0", 3, 3);
}

/* Where libvirt adds a bridge, or seats other devices as well, no seat is told; the numbers are. */
static void
test_unknown (void)
{
  g_autoptr (HostdevPlan) plan
      = start ("", "<disk type='block'><address type='pci'/></disk>" HOSTDEV ("0", ""));
  const HostdevPlanDevice *device = hostdev_plan_get_devices (plan)->pdata[0];

  g_assert_true (hostdev_plan_is_allowed (plan));
  g_assert_false (device->has_seat);
  g_assert_true (device->has_zpci);
  g_assert_cmpuint (device->uid, ==, 2);
}

static void
expect_interrupts (const char *host_answer, const char *machine, const char *top, const char *value)
{
  g_autofree char *to = g_strdup_printf ("answer=\"%s\"", host_answer);
  g_autoptr (HostdevHost) host = fixture_host ("s390x.xml", "answer=\"yes\"", to);
  g_autoptr (HostdevDomain) domain = read_domain (machine, top, HOSTDEV ("0", ""));
  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
  const HostdevPlanDevice *device = hostdev_plan_get_devices (plan)->pdata[0];

  g_assert_true (hostdev_plan_is_allowed (plan));
  g_assert_cmpstr (device->interrupts.value, ==, value);
  g_assert_cmpstr (device->dma.value, ==, "user-space");
  g_assert_cmpstr (device->eeh.value, ==, "unavailable");
}

static void
test_interrupts (void)
{
  const char *pv = "<launchSecurity type='s390-pv'/>";

  expect_interrupts ("yes", "s390-ccw-virtio", "", "forwarded");
  expect_interrupts ("yes", "s390-ccw-virtio-7.2", "", "forwarded");
  expect_interrupts ("yes", "s390-ccw-virtio-7.1", "", "intercepted");
  expect_interrupts ("yes", "s390-ccw-virtio-6.2", "", "intercepted");
  expect_interrupts ("no", "s390-ccw-virtio", "", "intercepted");
  expect_interrupts ("unknown", "s390-ccw-virtio", "", "unknown");
  expect_interrupts ("yes", "s390-ccw-virtio", GLOBAL ("zpci.interpret=off"), "intercepted");
  expect_interrupts ("yes", "s390-ccw-virtio", GLOBAL ("zpci.forwarding-assist=off"), "by-host");
  /* Not protected yet when it starts. */
  expect_interrupts ("yes", "s390-ccw-virtio", pv, "forwarded");
}

/* What is not of this architecture is refused where it is required, and named. */
static void
test_wishes (void)
{
  static const char *const wishes[]
      = { "xive='required'", "tce='required'", "eeh='required'", "window64='required'" };

  for (gsize i = 0; i < G_N_ELEMENTS (wishes); i++)
    {
      g_autofree char *top = g_strdup_printf (FIXTURE_POLICY ("%s", ""), wishes[i]);
      g_autoptr (HostdevPlan) plan = start (top, HOSTDEV ("0", ""));

      fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_POLICY_REQUIRES, wishes[i]);
    }
  g_autoptr (HostdevPlan) lacking
      = start (FIXTURE_POLICY ("lacking='refuse'", ""), HOSTDEV ("0", ""));
  fixture_expect (lacking, HOSTDEV_REFUSE, COMMON_ERROR_POLICY_REQUIRES, "lacking='refuse'");
}

/* Nothing that is said of pSeries alone; and a pSeries guest is not for such a host. */
static void
test_apart (void)
{
  g_autoptr (HostdevPlan) plan = start ("<cpu><model>POWER8</model></cpu>",
                                        HOSTDEV ("0", "<driver iommufd='yes'/>") HOSTDEV ("1", ""));
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    g_assert_true (
        g_str_has_prefix (((const HostdevReason *) reasons->pdata[i])->statement->code, "zpci-"));
  g_autoptr (HostdevPlan) other = fixture_attach ("s390x.xml", "", "", "0000:00:00.0", "");
  fixture_expect (other, HOSTDEV_REFUSE, COMMON_ERROR_NOT_PSERIES_KVM, "s390x");
}

/* A root bus that is no root, and more devices than there are slots: no seat, and an end. */
static void
test_odd (void)
{
  g_autoptr (GString) devices
      = g_string_new ("<controller type='pci' index='0' model='pci-bridge'/>");

  for (guint i = 0; i < 40; i++)
    g_string_append_printf (
        devices, "<hostdev type='pci'><source><address domain='0x%x'/></source></hostdev>", i);
  g_autoptr (HostdevPlan) plan = start ("", devices->str);
  const HostdevPlanDevice *last = hostdev_plan_get_devices (plan)->pdata[39];

  g_assert_false (last->has_seat);
  g_assert_true (last->has_zpci);
  g_assert_cmpuint (last->uid, ==, 40);
  g_assert_cmpuint (last->fid, ==, 39);
}

/* That it is given back is marked as well; nothing else is said. */
static void
test_detach (void)
{
  g_autoptr (HostdevDomain) domain = read_domain (
      "s390-ccw-virtio", "", HOSTDEV ("0", "<address type='pci' bus='0' slot='1'/>"));
  g_autoptr (HostdevHost) host = fixture_host ("s390x.xml", NULL, NULL);
  const HostdevDevice *device = hostdev_domain_get_devices (domain)->pdata[0];
  g_autoptr (HostdevPlan) plan = hostdev_plan_detach (domain, device, host);
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  g_assert_false (((const HostdevPlanDevice *) hostdev_plan_get_devices (plan)->pdata[0])->has_phb);
  g_assert_cmpuint (reasons->len, ==, 1);
  g_assert_cmpint (((const HostdevReason *) reasons->pdata[0])->statement->id, ==,
                   HOSTDEV_SAYS_ZPCI_UNTESTED);
}

static void
test_json (void)
{
  g_autoptr (HostdevPlan) plan = start ("", HOSTDEV ("0", ""));
  g_autoptr (JsonNode) node = hostdev_plan_to_json (plan);
  JsonArray *devices = json_object_get_array_member (json_node_get_object (node), "devices");
  JsonObject *zpci
      = json_object_get_object_member (json_array_get_object_element (devices, 0), "zpci");

  g_assert_cmpint (json_object_get_int_member (zpci, "uid"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (zpci, "fid"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/zpci/machine", test_machine);
  g_test_add_func ("/hostdev/plan/zpci/places", test_places);
  g_test_add_func ("/hostdev/plan/zpci/unknown", test_unknown);
  g_test_add_func ("/hostdev/plan/zpci/interrupts", test_interrupts);
  g_test_add_func ("/hostdev/plan/zpci/wishes", test_wishes);
  g_test_add_func ("/hostdev/plan/zpci/apart", test_apart);
  g_test_add_func ("/hostdev/plan/zpci/odd", test_odd);
  g_test_add_func ("/hostdev/plan/zpci/detach", test_detach);
  g_test_add_func ("/hostdev/plan/zpci/json", test_json);
  return g_test_run ();
}
