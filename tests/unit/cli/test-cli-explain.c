/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <string.h>

#include "cli-bus.h"
#include "hostdev/hostdev-statement.h"

/* What a plan can say, as the program itself tells. */

static void
test_list (void)
{
  g_auto (CliRun) run = cli_run (NULL, "explain --list");
  g_auto (GStrv) lines = g_strsplit (run.out, "\n", -1);

  g_assert_cmpint (run.code, ==, 0);
  g_assert_cmpstr (run.err, ==, "");
  g_assert_cmpuint (g_strv_length (lines), ==, HOSTDEV_SAYS_LAST + 1);
  for (guint i = 0; i < HOSTDEV_SAYS_LAST; i++)
    g_assert_nonnull (hostdev_statement_find (lines[i]));
  g_assert_cmpstr (lines[HOSTDEV_SAYS_LAST], ==, "");
}

static void
test_code (void)
{
  g_auto (CliRun) one = cli_run (NULL, "explain no-free-phb");
  g_auto (CliRun) two = cli_run (NULL, "explain phb-shared irqchip-off");
  g_auto (CliRun) quiet = cli_run (NULL, "explain --quiet no-free-phb");

  g_assert_cmpint (one.code, ==, 0);
  g_assert_true (g_str_has_prefix (one.out, "no-free-phb\n  “GUEST” has no PCI host bridge (PHB) "
                                            "free for DEVICE"));
  g_assert_nonnull (strstr (one.out, "ELEMENTS"));
  g_assert_nonnull (strstr (one.out, "the plan says  no\n"));
  g_assert_nonnull (strstr (one.out, "qemuDomainFillDeviceIsolationGroup"));
  g_assert_cmpint (two.code, ==, 0);
  g_assert_nonnull (strstr (two.out, "phb-shared\n"));
  g_assert_nonnull (strstr (two.out, "\n\nirqchip-off\n"));
  g_assert_nonnull (strstr (two.out, "yes, but; no where the guest's metadata requires it"));
  g_assert_cmpint (quiet.code, ==, 0);
  g_assert_cmpstr (quiet.out, ==, "");
}

static void
test_json (void)
{
  g_auto (CliRun) run = cli_run (NULL, "explain --json dma-v1");
  g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
  JsonArray *statements = json_object_get_array_member (json_node_get_object (root), "statements");
  JsonObject *statement = json_array_get_object_element (statements, 0);

  g_assert_cmpint (run.code, ==, 0);
  g_assert_cmpuint (json_array_get_length (statements), ==, 1);
  g_assert_cmpstr (json_object_get_string_member (statement, "code"), ==, "dma-v1");
  g_assert_cmpstr (json_object_get_string_member (statement, "severity"), ==, "warn");
  g_assert_cmpstr (json_object_get_string_member (statement, "reason"), ==, "tce-unavailable");
  g_assert_true (json_object_get_boolean_member (statement, "policy"));
  g_assert_cmpuint (strlen (json_object_get_string_member (statement, "sentence")), >, 0);
  g_assert_cmpuint (strlen (json_object_get_string_member (statement, "remedy")), >, 0);
  g_assert_cmpuint (strlen (json_object_get_string_member (statement, "source")), >, 0);
}

static void
test_wrong (void)
{
  g_auto (CliRun) none = cli_run (NULL, "explain");
  g_auto (CliRun) both = cli_run (NULL, "explain --list no-free-phb");
  g_auto (CliRun) unknown = cli_run (NULL, "explain no-free-phbs");

  g_assert_cmpint (none.code, ==, 2);
  g_assert_cmpint (both.code, ==, 2);
  g_assert_cmpint (unknown.code, ==, 1);
  g_assert_cmpstr (unknown.out, ==, "");
  g_assert_nonnull (strstr (unknown.err, "“no-free-phbs”"));
  g_assert_nonnull (strstr (unknown.err, "explain --list"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/explain/list", test_list);
  g_test_add_func ("/cli/explain/code", test_code);
  g_test_add_func ("/cli/explain/json", test_json);
  g_test_add_func ("/cli/explain/wrong", test_wrong);
  return g_test_run ();
}
