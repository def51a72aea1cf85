/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"

static void
expect_json (const HostdevPlan *plan, const char *expected)
{
  g_autoptr (JsonNode) node = hostdev_plan_to_json (plan);
  g_autofree char *text = json_to_string (node, FALSE);

  g_assert_cmpstr (text, ==, expected);
}

/* The form is a promise to programs: to the letter. */
static void
test_allowed (void)
{
  g_autoptr (HostdevPlan) plan = fixture_attach ("powernv.xml", "", FIXTURE_PHB (1), "0000:01:00.0",
                                                 "<alias name='ua-net0'/>");

  expect_json (plan,
               "{\"version\":1,\"operation\":\"attach\",\"allowed\":true,"
               "\"domain\":{\"uuid\":\"" FIXTURE_UUID "\",\"name\":\"guest\"},"
               "\"reasons\":[],"
               "\"devices\":[{\"address\":\"0000:01:00.0\",\"alias\":\"ua-net0\","
               "\"group\":{\"number\":0,\"name\":\"domain0-pe1fd\"},"
               "\"taken\":[\"0000:01:00.0\"],\"companions\":[],\"along\":[],"
               "\"phb\":1,\"seat\":\"0000:01:01.0\","
               "\"policy\":{\"xive\":\"preferred\",\"tce\":\"preferred\",\"eeh\":\"preferred\","
               "\"rehearse\":\"auto\",\"window64\":\"preferred\",\"page-sizes\":\"\","
               "\"companions\":\"leave\",\"lacking\":\"warn\"},"
               "\"expected\":{"
               "\"interrupts\":{\"value\":\"xive-native\",\"source\":\"KVM_CAP_PPC_IRQ_XIVE\"},"
               "\"dma\":{\"value\":\"in-kernel\",\"source\":\"KVM_CAP_SPAPR_TCE_VFIO\"},"
               "\"eeh\":{\"value\":\"enabled\",\"source\":\"VFIO_EEH\"}}}]}");
}

static void
test_refused (void)
{
  g_autoptr (HostdevPlan) plan = fixture_attach (
      "powernv.xml", FIXTURE_POLICY ("xive='required' tce='off' rehearse='never'", ""),
      FIXTURE_PHB (1), "00ff:01:00.0", "");
  const HostdevReason *reason = hostdev_plan_get_reasons (plan)->pdata[0];
  g_autofree char *expected = g_strdup_printf (
      "{\"version\":1,\"operation\":\"attach\",\"allowed\":false,"
      "\"domain\":{\"uuid\":\"" FIXTURE_UUID "\",\"name\":\"guest\"},"
      "\"reasons\":[{\"severity\":\"refuse\",\"code\":\"device-unknown\",\"reason\":\"device-"
      "unknown\",\"sentence\":\"%s\","
      "\"remedy\":\"%s\",\"address\":\"00ff:01:00.0\"}],"
      "\"devices\":[{\"address\":\"00ff:01:00.0\",\"alias\":null,\"group\":null,\"taken\":[],"
      "\"companions\":[],\"along\":[],\"phb\":null,\"seat\":null,"
      "\"policy\":{\"xive\":\"required\",\"tce\":\"off\",\"eeh\":\"preferred\","
      "\"rehearse\":\"never\",\"window64\":\"preferred\",\"page-sizes\":\"\",\"companions\":"
      "\"leave\",\"lacking\":\"warn\"},"
      "\"expected\":{"
      "\"interrupts\":{\"value\":\"xive-native\",\"source\":\"KVM_CAP_PPC_IRQ_XIVE\"},"
      "\"dma\":{\"value\":\"in-kernel\",\"source\":\"KVM_CAP_SPAPR_TCE_VFIO\"},"
      "\"eeh\":{\"value\":\"enabled\",\"source\":\"VFIO_EEH\"}}}]}",
      reason->sentence, reason->remedy);

  expect_json (plan, expected);
}

/* A reason about no function in particular has no address. */
static void
test_no_address (void)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain (FIXTURE_POLICY ("spare-phbs='1'", ""), "");
  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
  g_autoptr (JsonNode) node = hostdev_plan_to_json (plan);
  JsonObject *object = json_node_get_object (node);
  JsonObject *reason
      = json_array_get_object_element (json_object_get_array_member (object, "reasons"), 0);

  g_assert_cmpstr (json_object_get_string_member (object, "operation"), ==, "start");
  g_assert_true (json_object_get_boolean_member (object, "allowed"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "devices")), ==,
                    0);
  g_assert_cmpstr (json_object_get_string_member (reason, "severity"), ==, "warn");
  g_assert_cmpstr (json_object_get_string_member (reason, "code"), ==, "spare-phbs");
  g_assert_cmpstr (json_object_get_string_member (reason, "reason"), ==, "no-free-phb");
  g_assert_true (json_object_get_null_member (reason, "address"));
}

static void
test_names (void)
{
  g_assert_cmpstr (hostdev_operation_to_string (HOSTDEV_OPERATION_DETACH), ==, "detach");
  g_assert_cmpstr (hostdev_severity_to_string (HOSTDEV_ADVISE), ==, "advise");
  g_assert_cmpstr (hostdev_wish_to_string (HOSTDEV_WISH_OFF), ==, "off");
  g_assert_cmpstr (hostdev_rehearse_to_string (HOSTDEV_REHEARSE_ALWAYS), ==, "always");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/json/allowed", test_allowed);
  g_test_add_func ("/hostdev/plan/json/refused", test_refused);
  g_test_add_func ("/hostdev/plan/json/no-address", test_no_address);
  g_test_add_func ("/hostdev/plan/json/names", test_names);
  return g_test_run ();
}
