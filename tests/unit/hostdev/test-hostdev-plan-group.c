/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"

/* The rules about the function and its group on the host. */

#define PHBS FIXTURE_PHB (1) FIXTURE_PHB (2)

static HostdevPlan *
attach (const char *address)
{
  return fixture_attach ("powernv.xml", "", PHBS, address, "");
}

static const HostdevPlanDevice *
only_device (const HostdevPlan *plan)
{
  g_assert_cmpuint (hostdev_plan_get_devices (plan)->len, ==, 1);
  return hostdev_plan_get_devices (plan)->pdata[0];
}

static void
expect_addresses (const GPtrArray *addresses, const char *expected)
{
  g_autofree char *text = fixture_join (addresses);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_clean (void)
{
  g_autoptr (HostdevPlan) plan = attach ("0000:01:00.0");
  const HostdevPlanDevice *device = only_device (plan);
  g_autoptr (GError) error = NULL;

  fixture_expect_clean (plan);
  g_assert_cmpint (hostdev_plan_get_operation (plan), ==, HOSTDEV_OPERATION_ATTACH);
  g_assert_null (hostdev_plan_get_refusal (plan));
  g_assert_false (hostdev_plan_set_error (plan, &error));
  g_assert_no_error (error);
  g_assert_true (device->has_group);
  g_assert_cmpuint (device->group, ==, 0);
  g_assert_cmpstr (device->group_name, ==, "domain0-pe1fd");
  expect_addresses (device->taken, "0000:01:00.0");
  expect_addresses (device->companions, "");
}

/* All endpoints of the group leave the host, the bridge stays. */
static void
test_companions (void)
{
  g_autoptr (HostdevPlan) plan = attach ("0001:02:00.1");
  const HostdevPlanDevice *device = only_device (plan);

  fixture_expect_clean (plan);
  expect_addresses (device->taken, "0001:02:00.0 0001:02:00.1");
  expect_addresses (device->companions, "0001:02:00.0");
}

static HostdevPlan *
attach_with (const char *attributes, const char *devices)
{
  g_autofree char *metadata = g_strdup_printf (FIXTURE_POLICY ("%s", ""), attributes);
  g_autofree char *all = g_strconcat (FIXTURE_PHB (1), devices, NULL);

  return fixture_attach ("powernv.xml", metadata, all, "0001:02:00.1", "");
}

/* They come with it, where the policy says so and the guest has them not yet. */
static void
test_along (void)
{
  g_autoptr (HostdevPlan) plan = attach_with ("companions='attach'", "");
  g_autoptr (HostdevPlan) left = attach_with ("companions='leave'", "");
  g_autoptr (HostdevPlan) had = attach_with (
      "companions='attach'", "<hostdev mode='subsystem' type='pci' managed='yes'><source><address "
                             "domain='1' bus='2' slot='0' function='0'/></source></hostdev>");

  expect_addresses (only_device (plan)->taken, "0001:02:00.0 0001:02:00.1");
  expect_addresses (only_device (plan)->along, "0001:02:00.0");
  expect_addresses (only_device (plan)->companions, "");
  expect_addresses (only_device (left)->along, "");
  expect_addresses (only_device (left)->companions, "0001:02:00.0");
  expect_addresses (only_device (had)->along, "");
  expect_addresses (only_device (had)->companions, "");
}

static void
test_unknown (void)
{
  g_autoptr (HostdevPlan) plan = attach ("0000:01:00.7");
  const HostdevReason *reason
      = fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_DEVICE_UNKNOWN, "0000:01:00.7");

  g_assert_true (reason->has_address);
  g_assert_cmpuint (reason->address.function, ==, 7);
  g_assert_false (only_device (plan)->has_group);
  g_assert_cmpuint (hostdev_plan_get_reasons (plan)->len, ==, 1);
}

static void
test_bridge (void)
{
  g_autoptr (HostdevPlan) ungrouped = attach ("0000:00:00.0");
  g_autoptr (HostdevPlan) grouped = attach ("0001:01:00.0");

  fixture_expect (ungrouped, HOSTDEV_REFUSE, COMMON_ERROR_NOT_ENDPOINT, "PCI bridge");
  fixture_expect (grouped, HOSTDEV_REFUSE, COMMON_ERROR_NOT_ENDPOINT, "0001:01:00.0");
}

static void
test_no_group (void)
{
  g_autoptr (HostdevPlan) plan = attach ("000c:01:00.0");

  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_IOMMU_GROUP, "000c:01:00.0");
}

static void
test_busy (void)
{
  g_autoptr (HostdevPlan) disk = attach ("0002:01:00.0");
  g_autoptr (HostdevPlan) sibling = attach ("0003:01:00.0");
  g_autoptr (HostdevPlan) itself = attach ("0003:01:00.1");
  g_autoptr (HostdevPlan) pf = attach ("0008:01:00.0");
  g_autoptr (HostdevPlan) vf = attach ("0008:01:00.2");

  const HostdevReason *reason = fixture_expect (
      disk, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
      "file systems on 0002:01:00.0 (NVMe SSD Controller, driver nvme), of IOMMU group 2 "
      "(domain2-pe1fd): /dev/nvme0n1p2 on /, /dev/nvme0n1p3");
  g_assert_nonnull (strstr (reason->remedy, "Unmount"));

  reason = fixture_expect (sibling, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                           "through 0003:01:00.1 (driver tg3), of IOMMU group 3 "
                           "(domain3-pe1fd): default route");
  g_assert_cmpuint (reason->address.function, ==, 1);
  g_assert_nonnull (strstr (reason->remedy, "route"));

  reason = fixture_expect (itself, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                           "0003:01:00.1 (driver tg3), of IOMMU group 3");
  reason = fixture_expect (pf, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, "virtual");
  g_assert_nonnull (strstr (reason->remedy, "sriov_numvfs"));
  fixture_expect_clean (vf);
}

/* A kind of use that a newer helper knows counts, and is shown. */
static void
test_busy_unknown_kind (void)
{
  g_autoptr (HostdevHost) host
      = fixture_host ("powernv.xml", "kind=\"route\" detail=\"default route by way of enP3p1s0f1\"",
                      "kind=\"crypto\" detail=\"\"");
  g_autoptr (HostdevDomain) domain = fixture_domain ("", PHBS);
  g_autoptr (HostdevDevice) device = fixture_device ("0003:01:00.0", "");
  g_autoptr (HostdevPlan) plan = hostdev_plan_attach (domain, device, host);

  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, ": crypto");
}

static void
test_in_use (void)
{
  g_autoptr (HostdevPlan) leased = attach ("0004:01:00.0");
  g_autoptr (HostdevPlan) held = attach ("0005:01:00.0");
  g_autoptr (HostdevPlan) ours = attach ("000a:01:00.0");

  const HostdevReason *reason
      = fixture_expect (leased, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, "“other”");
  g_assert_nonnull (strstr (reason->remedy, "other"));
  reason = fixture_expect (held, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, "process 4711");
  g_assert_nonnull (strstr (reason->remedy, "4711"));
  /* the guest's own lease, with all that was taken for it */
  fixture_expect_clean (ours);
}

/* A guest that was given a function before there was a lease holds its group itself. */
static void
test_in_use_by_itself (void)
{
  g_autofree char *there
      = fixture_hostdev ("0005:01:00.0", "<address type='pci' bus='1' slot='1'/>");
  g_autofree char *devices = g_strconcat (PHBS, there, NULL);
  g_autoptr (HostdevPlan) plan = fixture_attach ("powernv.xml", "", devices, "0005:01:00.1", "");
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autofree char *second
      = fixture_hostdev ("0005:01:00.1", "<address type='pci' bus='1' slot='2'/>");
  g_autofree char *both = g_strconcat (devices, second, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", both);
  g_autoptr (HostdevPlan) start = hostdev_plan_start (domain, host);

  fixture_expect_clean (plan);
  g_assert_cmpuint (only_device (plan)->phb_index, ==, 1);
  expect_addresses (only_device (plan)->companions, "");
  /* a guest that does not run yet holds nothing */
  fixture_expect (start, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, "4711");
}

static void
test_there_already (void)
{
  g_autofree char *there
      = fixture_hostdev ("0000:01:00.0", "<address type='pci' bus='1' slot='1'/>");
  g_autofree char *devices = g_strconcat (PHBS, there, NULL);
  g_autoptr (HostdevPlan) plan = fixture_attach ("powernv.xml", "", devices, "0000:01:00.0", "");

  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, "already");
}

static HostdevPlan *
attach_unmanaged (const char *xml)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", PHBS);
  HostdevDevice *device;

  g_assert_true (hostdev_device_new_from_xml (xml, -1, &device, NULL));
  HostdevPlan *plan = hostdev_plan_attach (domain, device, host);
  hostdev_device_free (device);
  return plan;
}

static void
test_unmanaged (void)
{
  g_autoptr (HostdevPlan) bound = attach_unmanaged (
      "<hostdev type='pci' managed='no'><source><address domain='1' bus='2'/></source></hostdev>");
  g_autoptr (HostdevPlan) unbound = attach_unmanaged (
      "<hostdev type='pci'><source><address domain='0xb' bus='1'/></source></hostdev>");
  const HostdevReason *reason
      = fixture_expect (bound, HOSTDEV_REFUSE, COMMON_ERROR_UNMANAGED_BOUND,
                        "0001:02:00.0 (NetXtreme BCM5719, driver tg3), 0001:02:00.1");

  g_assert_nonnull (strstr (reason->remedy, "nodedev-detach pci_0001_02_00_1"));
  /* the bridge's pcieport stands in nobody's way */
  g_assert_null (strstr (reason->sentence, "0001:01:00.0"));
  fixture_expect_clean (unbound);
}

static void
test_pe (void)
{
  g_autoptr (HostdevPlan) frozen = attach ("0006:01:00.0");
  g_autoptr (HostdevPlan) gone = attach ("0007:01:00.0");

  fixture_expect (frozen, HOSTDEV_WARN, COMMON_ERROR_PE_FROZEN, "frozen");
  g_assert_true (hostdev_plan_is_allowed (frozen));
  fixture_expect (gone, HOSTDEV_REFUSE, COMMON_ERROR_PE_FROZEN, "cannot tell");
}

static void
test_driver (void)
{
  static const struct
  {
    const char *more;
    const char *word; /* NULL: nothing against it */
  } cases[] = { { "<driver name='vfio'/>", NULL },
                { "<driver model='vfio-pci'/>", NULL },
                { "<driver model='mlx5_vfio_pci'/>", "mlx5_vfio_pci" },
                { "<driver name='kvm'/>", "kvm" },
                { "<driver name='xen'/>", "xen" },
                { "<driver iommufd='yes'/>", "iommufd" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HostdevPlan) plan
          = fixture_attach ("powernv.xml", "", PHBS, "0000:01:00.0", cases[i].more);

      if (cases[i].word == NULL)
        fixture_expect_clean (plan);
      else
        fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_DRIVER_UNSUPPORTED, cases[i].word);
    }
}

/* Everything that stands against it at once, refusals first, and all of them in the error. */
static void
test_all_reasons (void)
{
  g_autoptr (HostdevPlan) plan
      = fixture_attach ("powernv.xml", "", "", "0003:01:00.0", "<driver name='kvm'/>");
  g_autofree char *refusal = hostdev_plan_get_refusal (plan);
  g_autoptr (GError) error = NULL;

  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_DRIVER_UNSUPPORTED, "kvm");
  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, "route");
  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, "guest");
  g_assert_true (hostdev_plan_set_error (plan, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_DRIVER_UNSUPPORTED);
  g_assert_cmpstr (error->message, ==, refusal);
  for (guint i = 0; i < hostdev_plan_get_reasons (plan)->len; i++)
    {
      const HostdevReason *reason = hostdev_plan_get_reasons (plan)->pdata[i];

      /* what is only good to know is no part of an error */
      if (reason->severity != HOSTDEV_REFUSE)
        continue;
      g_assert_nonnull (strstr (refusal, reason->sentence));
      g_assert_nonnull (strstr (refusal, reason->remedy));
    }
}

/* Two functions of one group: what is to be said of the group is said once. */
static void
test_start_group (void)
{
  g_autofree char *first
      = fixture_hostdev ("0003:01:00.0", "<address type='pci' bus='1' slot='1'/>");
  g_autofree char *second
      = fixture_hostdev ("0003:01:00.1", "<address type='pci' bus='1' slot='2'/>");
  g_autofree char *devices = g_strconcat (PHBS, first, second, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", devices);
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autoptr (HostdevHost) idle
      = fixture_host ("powernv.xml",
                      "<busy kind=\"route\" detail=\"default route by way of "
                      "enP3p1s0f1\"/>",
                      "");
  g_autoptr (HostdevPlan) busy = hostdev_plan_start (domain, host);
  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, idle);

  g_assert_nonnull (fixture_find (busy, COMMON_ERROR_MEMBER_NOT_TAKEABLE));
  fixture_expect_clean (plan);
  g_assert_cmpint (hostdev_plan_get_operation (plan), ==, HOSTDEV_OPERATION_START);
  g_assert_cmpuint (hostdev_plan_get_devices (plan)->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const HostdevPlanDevice *device = hostdev_plan_get_devices (plan)->pdata[i];

      expect_addresses (device->taken, "0003:01:00.0 0003:01:00.1");
      expect_addresses (device->companions, "");
    }
}

static HostdevPlan *
detach (const char *host_name, const char *devices, const char *address)
{
  g_autoptr (HostdevHost) host = fixture_host (host_name, NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", devices);
  g_autoptr (HostdevDevice) device = fixture_device (address, "");

  return hostdev_plan_detach (domain, device, host);
}

static void
test_detach (void)
{
  g_autofree char *first = fixture_hostdev (
      "000a:01:00.0", "<alias name='hostdev0'/><address type='pci' bus='2' slot='1'/>");
  g_autofree char *second = fixture_hostdev ("000a:01:00.1", "");
  g_autofree char *alone = g_strconcat (PHBS, first, NULL);
  g_autofree char *both = g_strconcat (PHBS, first, second, NULL);
  g_autoptr (HostdevPlan) whole = detach ("powernv.xml", alone, "000a:01:00.0");
  g_autoptr (HostdevPlan) half = detach ("powernv.xml", both, "000a:01:00.0");
  g_autoptr (HostdevPlan) none = detach ("powernv.xml", PHBS, "000a:01:00.0");
  g_autoptr (HostdevPlan) vanished = detach ("powervm.xml", alone, "000a:01:00.0");

  fixture_expect_clean (whole);
  g_assert_cmpint (hostdev_plan_get_operation (whole), ==, HOSTDEV_OPERATION_DETACH);
  g_assert_cmpstr (only_device (whole)->alias, ==, "hostdev0");
  g_assert_true (only_device (whole)->has_phb);
  g_assert_cmpuint (only_device (whole)->phb_index, ==, 2);
  expect_addresses (only_device (whole)->taken, "000a:01:00.0 000a:01:00.1");

  fixture_expect (half, HOSTDEV_ADVISE, COMMON_ERROR_GROUP_IN_USE, "keeps");
  g_assert_true (hostdev_plan_is_allowed (half));
  fixture_expect (none, HOSTDEV_WARN, COMMON_ERROR_DEVICE_UNKNOWN, "“guest” has no");
  g_assert_true (hostdev_plan_is_allowed (none));
  fixture_expect (vanished, HOSTDEV_WARN, COMMON_ERROR_DEVICE_UNKNOWN, "the host has no");
  g_assert_true (hostdev_plan_is_allowed (vanished));
}

/* What is broken is given back all the same. */
static void
test_detach_gone (void)
{
  g_autofree char *there = fixture_hostdev ("0007:01:00.0", "");
  g_autoptr (HostdevPlan) plan = detach ("powernv.xml", there, "0007:01:00.0");

  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_PE_FROZEN, "cannot tell");
  g_assert_true (hostdev_plan_is_allowed (plan));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/group/clean", test_clean);
  g_test_add_func ("/hostdev/plan/group/companions", test_companions);
  g_test_add_func ("/hostdev/plan/group/along", test_along);
  g_test_add_func ("/hostdev/plan/group/unknown", test_unknown);
  g_test_add_func ("/hostdev/plan/group/bridge", test_bridge);
  g_test_add_func ("/hostdev/plan/group/no-group", test_no_group);
  g_test_add_func ("/hostdev/plan/group/busy", test_busy);
  g_test_add_func ("/hostdev/plan/group/busy-unknown-kind", test_busy_unknown_kind);
  g_test_add_func ("/hostdev/plan/group/in-use", test_in_use);
  g_test_add_func ("/hostdev/plan/group/in-use-by-itself", test_in_use_by_itself);
  g_test_add_func ("/hostdev/plan/group/there-already", test_there_already);
  g_test_add_func ("/hostdev/plan/group/unmanaged", test_unmanaged);
  g_test_add_func ("/hostdev/plan/group/pe", test_pe);
  g_test_add_func ("/hostdev/plan/group/driver", test_driver);
  g_test_add_func ("/hostdev/plan/group/all-reasons", test_all_reasons);
  g_test_add_func ("/hostdev/plan/group/start", test_start_group);
  g_test_add_func ("/hostdev/plan/group/detach", test_detach);
  g_test_add_func ("/hostdev/plan/group/detach-gone", test_detach_gone);
  return g_test_run ();
}
