/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"

/* Where in the guest a device goes. */

#define ON(bus, slot) "<address type='pci' bus='" #bus "' slot='" #slot "'/>"

static HostdevPlan *
attach (const char *top, const char *devices, const char *address, const char *more)
{
  return fixture_attach ("powernv.xml", top, devices, address, more);
}

static HostdevPlan *
start (const char *top, const char *devices)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain (top, devices);

  return hostdev_plan_start (domain, host);
}

static char *
with (const char *phbs, const char *address, const char *more)
{
  g_autofree char *hostdev = fixture_hostdev (address, more);

  return g_strconcat (phbs, hostdev, NULL);
}

static void
expect_phb (const HostdevPlan *plan, guint place, guint index)
{
  const HostdevPlanDevice *device = g_ptr_array_index (hostdev_plan_get_devices (plan), place);

  g_assert_true (device->has_phb);
  g_assert_cmpuint (device->phb_index, ==, index);
}

/* The lowest empty PHB that is not PHB 0. */
static void
test_choice (void)
{
  g_autoptr (HostdevPlan) plan
      = attach ("",
                FIXTURE_PHB (3) FIXTURE_PHB (2)
                    FIXTURE_PHB (1) "<interface type='network'>" ON (1, 1) "</interface>",
                "0000:01:00.0", "");

  fixture_expect_clean (plan);
  expect_phb (plan, 0, 2);
}

/* A device of an XML that libvirt never had has its PHB before another is plugged in. */
static void
test_unplaced (void)
{
  g_autofree char *two = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "0001:02:00.0", "");
  g_autofree char *one = with (FIXTURE_PHB (1), "0001:02:00.0", "");
  g_autoptr (HostdevPlan) room = attach ("", two, "0000:01:00.0", "");
  g_autoptr (HostdevPlan) full = attach ("", one, "0000:01:00.0", "");

  expect_phb (room, 0, 2);
  fixture_expect (full, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "0000:01:00.0");
}

static void
test_same_group (void)
{
  g_autofree char *devices
      = with (FIXTURE_PHB (1) FIXTURE_PHB (2) FIXTURE_PHB (3), "0001:02:00.0", ON (3, 1));
  g_autoptr (HostdevPlan) same = attach ("", devices, "0001:02:00.1", "");
  g_autoptr (HostdevPlan) other = attach ("", devices, "0000:01:00.0", "");

  fixture_expect_clean (same);
  expect_phb (same, 0, 3);
  fixture_expect_clean (other);
  expect_phb (other, 0, 1);
}

static void
test_none_free (void)
{
  g_autofree char *devices = with (FIXTURE_PHB (1), "0001:02:00.0", ON (1, 1));
  g_autoptr (HostdevPlan) full = attach ("", devices, "0000:01:00.0", "");
  g_autoptr (HostdevPlan) bare = attach ("", "", "0000:01:00.0", "");
  g_autoptr (HostdevPlan) gap = attach (
      "",
      "<controller type='pci' index='2' model='pci-root'><target index='1'/></controller>"
      "<controller type='pci' index='1' model='pci-bridge'/>"
      "<interface type='network'>" ON (1, 1) "</interface>"
                                             "<interface type='network'>" ON (2, 1) "</interface>",
      "0000:01:00.0", "");
  const HostdevReason *reason
      = fixture_expect (full, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "0000:01:00.0");

  g_assert_nonnull (strstr (
      reason->remedy,
      "<controller type='pci' index='2' model='pci-root'><model name='spapr-pci-host-bridge'/>"
      "<target index='2'/></controller>"));
  g_assert_nonnull (strstr (reason->remedy, "started next"));
  reason = fixture_expect (bare, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "“guest”");
  g_assert_nonnull (strstr (reason->remedy, "index='1' model='pci-root'"));
  /* the next free index and the next free target index are not the same thing */
  reason = fixture_expect (gap, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "“guest”");
  g_assert_nonnull (strstr (reason->remedy, "index='3' model='pci-root'"));
  g_assert_nonnull (strstr (reason->remedy, "<target index='2'/>"));
}

static void
test_all_used (void)
{
  g_autoptr (GString) devices = g_string_new (NULL);

  for (int i = 1; i <= HOSTDEV_PHB_TARGET_MAX; i++)
    g_string_append_printf (devices,
                            "<controller type='pci' index='%d' model='pci-root'/>"
                            "<interface type='network'><address type='pci' bus='%d' slot='1'/>"
                            "</interface>",
                            i, i);
  g_autoptr (HostdevPlan) plan = attach ("", devices->str, "0000:01:00.0", "");
  const HostdevReason *reason
      = fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "“guest”");

  g_assert_nonnull (strstr (reason->sentence, "all 31 PHBs"));
}

/* An address of the guest in the XML goes before all. */
static void
test_explicit (void)
{
  g_autoptr (HostdevPlan) chosen
      = attach ("", FIXTURE_PHB (1) FIXTURE_PHB (2), "0000:01:00.0", ON (2, 4));
  g_autoptr (HostdevPlan) zero = attach ("", "", "0000:01:00.0", ON (0, 4));
  g_autoptr (HostdevPlan) unknown = attach ("", FIXTURE_PHB (1), "0000:01:00.0", ON (5, 4));
  g_autoptr (HostdevPlan) unknown_full = attach ("", "", "0000:01:00.0", ON (5, 4));

  fixture_expect_clean (chosen);
  expect_phb (chosen, 0, 2);
  fixture_expect_clean (zero);
  expect_phb (zero, 0, 0);
  const HostdevReason *reason
      = fixture_expect (unknown, HOSTDEV_REFUSE, COMMON_ERROR_PHB_UNKNOWN, "PCI bus 5");
  g_assert_nonnull (strstr (reason->remedy, "libvirt chooses"));
  fixture_expect (unknown_full, HOSTDEV_REFUSE, COMMON_ERROR_PHB_UNKNOWN, "PCI bus 5");
  reason = fixture_expect (unknown_full, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "0000:01:00.0");
  g_assert_nonnull (strstr (reason->remedy, "index='1'"));
}

static void
test_shared (void)
{
  static const struct
  {
    const char *guest, *device; /* the wishes for EEH: of the guest, of the device there already */
    HostdevSeverity severity;   /* HOSTDEV_ADVISE: nothing is said */
  } cases[] = { { "preferred", "preferred", HOSTDEV_WARN },  { "required", "off", HOSTDEV_REFUSE },
                { "off", "required", HOSTDEV_REFUSE },       { "off", "preferred", HOSTDEV_WARN },
                { "preferred", "required", HOSTDEV_REFUSE }, { "off", "off", HOSTDEV_ADVISE } };
  g_autofree char *devices
      = with (FIXTURE_PHB (1), "0001:02:00.0", "<alias name='ua-there'/>" ON (1, 1));

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *top = g_strdup_printf (
          FIXTURE_POLICY ("eeh='%s'", "<ppc64:device alias='ua-there' eeh='%s'/>"), cases[i].guest,
          cases[i].device);
      g_autoptr (HostdevPlan) plan = attach (top, devices, "0000:01:00.0", ON (1, 2));
      const HostdevPlanDevice *device = hostdev_plan_get_devices (plan)->pdata[0];

      g_test_message ("%s", top);
      if (cases[i].severity == HOSTDEV_ADVISE)
        fixture_expect_clean (plan);
      else
        fixture_expect (plan, cases[i].severity, COMMON_ERROR_PHB_SHARED,
                        "PHB 1 of “guest” (0001:02:00.0, 0000:01:00.0)");
      g_assert_cmpstr (device->eeh.value, ==, "unavailable");
      g_assert_nonnull (strstr (device->eeh.source, "PHB 1"));
      g_assert_null (fixture_find (plan, COMMON_ERROR_EEH_UNAVAILABLE));
    }
}

/* What was shared before is not this attachment's to report. */
static void
test_shared_elsewhere (void)
{
  g_autofree char *first = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "0001:02:00.0", ON (1, 1));
  g_autofree char *second = with (first, "0008:01:00.2", ON (1, 2));
  g_autoptr (HostdevPlan) plan = attach ("", second, "0000:01:00.0", "");

  fixture_expect_clean (plan);
  expect_phb (plan, 0, 2);
}

/* Where there is no EEH anyway, sharing takes nothing away. */
static void
test_shared_without_eeh (void)
{
  g_autofree char *devices = with (FIXTURE_PHB (1), "0000:00:01.0", ON (1, 1));
  g_autoptr (HostdevPlan) plan = fixture_attach ("powervm.xml", FIXTURE_POLICY ("xive='off'", ""),
                                                 devices, "0001:00:00.0", ON (1, 2));

  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_EEH_UNAVAILABLE, "“guest” has no EEH");
  g_assert_null (fixture_find (plan, COMMON_ERROR_PHB_SHARED));
}

/* A group on two PHBs: QEMU refuses that. */
static void
test_split (void)
{
  g_autofree char *devices = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "0001:02:00.0", ON (1, 1));
  g_autofree char *shared = with (devices, "0000:01:00.0", ON (1, 2));
  g_autofree char *two = with (devices, "0001:02:00.1", ON (2, 2));
  g_autoptr (HostdevPlan) chosen = attach ("", devices, "0001:02:00.1", ON (2, 1));
  g_autoptr (HostdevPlan) same = attach ("", devices, "0001:02:00.1", ON (1, 2));
  g_autofree char *on_zero = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "0001:02:00.0", ON (0, 1));
  g_autofree char *emulated
      = g_strconcat (devices, "<interface type='network'>" ON (1, 9) "</interface>", NULL);
  /* neither PHB 0, nor one with emulated devices, nor a shared one is the group's to libvirt */
  g_autoptr (HostdevPlan) beside_zero = attach ("", on_zero, "0001:02:00.1", "");
  g_autoptr (HostdevPlan) beside_emulated = attach ("", emulated, "0001:02:00.1", "");
  g_autoptr (HostdevPlan) automatic = attach ("", shared, "0001:02:00.1", "");
  g_autoptr (HostdevPlan) cold = start ("", two);
  const HostdevReason *reason
      = fixture_expect (chosen, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, "PHB 2 of “guest”");

  g_assert_nonnull (strstr (reason->remedy, "bus='1'"));
  fixture_expect_clean (same);
  fixture_expect (automatic, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, "0001:02:00.1");
  fixture_expect (beside_zero, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, "0001:02:00.1");
  fixture_expect (beside_emulated, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, "0001:02:00.1");
  fixture_expect (cold, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, "0001:02:00.1");
}

/* A start never lacks a PHB: libvirt adds them when it defines the domain. */
static void
test_start (void)
{
  g_autofree char *first = with ("", "0001:02:00.0", "");
  g_autofree char *second = with (first, "0000:01:00.0", "");
  g_autofree char *third = with (second, "0001:02:00.1", "");
  g_autofree char *fourth = with (third, "0008:01:00.2", ON (7, 1));
  g_autoptr (HostdevPlan) plan = start ("", fourth);

  fixture_expect_clean (plan);
  expect_phb (plan, 0, 1);
  expect_phb (plan, 1, 2);
  expect_phb (plan, 2, 1);
  expect_phb (plan, 3, 7);
}

static void
test_start_shared (void)
{
  g_autofree char *first = with (FIXTURE_PHB (1), "0001:02:00.0", ON (1, 1));
  g_autofree char *second = with (first, "0000:01:00.0", ON (1, 2));
  g_autoptr (HostdevPlan) preferred = start ("", second);
  g_autoptr (HostdevPlan) required = start (FIXTURE_POLICY ("eeh='required'", ""), second);

  fixture_expect (preferred, HOSTDEV_WARN, COMMON_ERROR_PHB_SHARED, "(0001:02:00.0, 0000:01:00.0)");
  g_assert_true (hostdev_plan_is_allowed (preferred));
  fixture_expect (required, HOSTDEV_REFUSE, COMMON_ERROR_PHB_SHARED, "0001:02:00.0");
}

/* A device that the host does not know takes its PHB all the same. */
static void
test_unknown_neighbour (void)
{
  g_autofree char *devices = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "00ff:01:00.0", ON (1, 1));
  g_autoptr (HostdevPlan) plan = attach ("", devices, "0000:01:00.0", "");

  fixture_expect_clean (plan);
  expect_phb (plan, 0, 2);
}

static void
test_spare (void)
{
  g_autofree char *devices = with (FIXTURE_PHB (1) FIXTURE_PHB (2), "0001:02:00.0", ON (1, 1));
  g_autoptr (HostdevPlan) enough = start (FIXTURE_POLICY ("spare-phbs='1'", ""), devices);
  g_autoptr (HostdevPlan) few = start (FIXTURE_POLICY ("spare-phbs='3'", ""), devices);
  g_autoptr (HostdevPlan) no_device = start (FIXTURE_POLICY ("spare-phbs='1'", ""), "");
  /* the spare ones are there to be used */
  g_autoptr (HostdevPlan) hot
      = attach (FIXTURE_POLICY ("spare-phbs='1'", ""), devices, "0000:01:00.0", "");

  fixture_expect_clean (enough);
  const HostdevReason *reason
      = fixture_expect (few, HOSTDEV_WARN, COMMON_ERROR_NO_FREE_PHB, "3 PHBs");
  g_assert_nonnull (strstr (reason->sentence, "has 1"));
  g_assert_nonnull (strstr (reason->remedy, "index='3' model='pci-root'"));
  g_assert_nonnull (strstr (reason->remedy, "index='4' model='pci-root'"));
  g_assert_null (strstr (reason->remedy, "index='5'"));
  g_assert_true (hostdev_plan_is_allowed (few));
  fixture_expect (no_device, HOSTDEV_WARN, COMMON_ERROR_NO_FREE_PHB, "has 0");
  fixture_expect_clean (hot);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/phb/choice", test_choice);
  g_test_add_func ("/hostdev/plan/phb/unplaced", test_unplaced);
  g_test_add_func ("/hostdev/plan/phb/same-group", test_same_group);
  g_test_add_func ("/hostdev/plan/phb/none-free", test_none_free);
  g_test_add_func ("/hostdev/plan/phb/all-used", test_all_used);
  g_test_add_func ("/hostdev/plan/phb/explicit", test_explicit);
  g_test_add_func ("/hostdev/plan/phb/shared", test_shared);
  g_test_add_func ("/hostdev/plan/phb/shared-elsewhere", test_shared_elsewhere);
  g_test_add_func ("/hostdev/plan/phb/shared-without-eeh", test_shared_without_eeh);
  g_test_add_func ("/hostdev/plan/phb/split", test_split);
  g_test_add_func ("/hostdev/plan/phb/start", test_start);
  g_test_add_func ("/hostdev/plan/phb/start-shared", test_start_shared);
  g_test_add_func ("/hostdev/plan/phb/unknown-neighbour", test_unknown_neighbour);
  g_test_add_func ("/hostdev/plan/phb/spare", test_spare);
  return g_test_run ();
}
