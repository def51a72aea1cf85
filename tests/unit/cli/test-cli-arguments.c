/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>

#include "cli-bus.h"

static void
test_usage (void)
{
  static const char *const wrong[] = {
    "",
    "frobnicate",
    "--frobnicate",
    "host --frobnicate",
    "host extra",
    "help frobnicate",
    "groups 0000:01:00.0 0000:02:00.0",
    "groups 01:00.0",
    "groups ../../etc/passwd",
    "rehearse",
    "rehearse 0000:01:00.8",
    "rehearse --host x 0000:01:00.0",
    "status --host x",
    "validate",
    "plan",
    "plan --domain a",
    "plan --domain a --domain-xml b --start",
    "plan --device 0000:01:00.0",
    "plan --domain-xml a --start --detach",
    "plan --domain-xml a --start --device 0000:01:00.0",
    "plan --domain-xml a --connect test:///default --start",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, wrong[i]);

      g_test_message ("virt-ppc64 %s", wrong[i]);
      g_assert_cmpint (run.code, ==, 2);
      g_assert_cmpstr (run.out, ==, "");
      g_assert_true (g_str_has_prefix (run.err, "virt-ppc64: "));
    }
}

static void
test_help (void)
{
  static const char *const asks[]
      = { "--help", "help", "host --help", "help host", "plan -h", "help rehearse", "--version" };

  for (gsize i = 0; i < G_N_ELEMENTS (asks); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, asks[i]);

      g_assert_cmpint (run.code, ==, 0);
      g_assert_cmpstr (run.err, ==, "");
      g_assert_nonnull (strstr (run.out, "virt-ppc64"));
    }
}

/* The help has every command, and the help of a command has its options. */
static void
test_help_is_whole (void)
{
  static const char *const words[]
      = { "host", "groups", "plan", "rehearse", "status", "validate", "--version", "--json" };
  g_auto (CliRun) all = cli_run (NULL, "help");
  g_auto (CliRun) plan = cli_run (NULL, "help plan");

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_nonnull (strstr (all.out, words[i]));
  g_assert_nonnull (strstr (plan.out, "--domain-xml"));
  g_assert_nonnull (strstr (plan.out, "--json"));
}

static void
test_no_helper (void)
{
  static const char *const asks[]
      = { "host", "groups", "status", "rehearse 0000:01:00.0", "groups 0000:01:00.0" };

  for (gsize i = 0; i < G_N_ELEMENTS (asks); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, asks[i]);

      g_assert_cmpint (run.code, ==, 5);
      g_assert_cmpstr (run.out, ==, "");
      g_assert_nonnull (strstr (run.err, "system bus cannot be reached"));
    }
}

static void
test_error_json (void)
{
  g_auto (CliRun) run = cli_run (NULL, "--json host");
  g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
  JsonObject *error;

  g_assert_cmpint (run.code, ==, 5);
  g_assert_nonnull (root);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (root), "version"), ==, 1);
  error = json_object_get_object_member (json_node_get_object (root), "error");
  g_assert_cmpstr (json_object_get_string_member (error, "code"), ==, "helper-unavailable");
}

static void
test_no_libvirt (void)
{
  g_auto (CliRun) away
      = cli_run (NULL, "plan --start -d x -c qemu+unix:///system?socket=/nonexistent/sock");
  g_auto (CliRun) unknown = cli_run (NULL, "plan --start -d no-such-guest -c test:///default");

  g_assert_cmpint (away.code, ==, 6);
  g_assert_nonnull (strstr (away.err, "libvirt cannot be reached"));
  g_assert_cmpint (unknown.code, ==, 1);
  g_assert_nonnull (strstr (unknown.err, "no-such-guest"));
}

static void
test_files (void)
{
  g_auto (CliRun) missing = cli_run (NULL, "host --host /nonexistent/host.xml");
  g_auto (CliRun) endless = cli_run (NULL, "validate /dev/zero");
  g_auto (CliRun) directory = cli_run (NULL, "validate /");

  g_assert_cmpint (missing.code, ==, 1);
  g_assert_nonnull (strstr (missing.err, "/nonexistent/host.xml"));
  g_assert_cmpint (endless.code, ==, 1);
  g_assert_nonnull (strstr (endless.err, "larger"));
  g_assert_cmpint (directory.code, ==, 1);
}

static void
test_output_fails (void)
{
  g_autofree char *command = g_strdup_printf ("%s --version > /dev/full", VIRT_PPC64);
  const char *argv[] = { "/bin/sh", "-c", command, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process
      = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);

  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/arguments/usage", test_usage);
  g_test_add_func ("/cli/arguments/help", test_help);
  g_test_add_func ("/cli/arguments/help-is-whole", test_help_is_whole);
  g_test_add_func ("/cli/arguments/no-helper", test_no_helper);
  g_test_add_func ("/cli/arguments/error-json", test_error_json);
  g_test_add_func ("/cli/arguments/no-libvirt", test_no_libvirt);
  g_test_add_func ("/cli/arguments/files", test_files);
  g_test_add_func ("/cli/arguments/output-fails", test_output_fails);
  return g_test_run ();
}
