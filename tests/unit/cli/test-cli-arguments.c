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
    "release",
    "release a b",
    "release --timeout x a",
    "release --timeout=-1 a",
    "release --timeout 61 a",
    "explain --list --host x",
    "explain --simulate x no-free-phb",
    "validate --host x a",
    "validate a --simulate x",
    "fix --spare-phbs=-1 a",
    "fix --spare-phbs 31 a",
    "release --host x a",
    "status --simulate a --host b",
    "host --simulate a --host b",
    "host --simulate=",
    "host --capture --xml",
    "host --capture --host x",
    "validate",
    "plan",
    "plan a b",
    "plan a --domain b",
    "plan ./a --connect test:///default",
    "plan a --detach",
    "plan a --attach 0000:01:00.0 --device 0000:01:00.0",
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
  static const char *const words[] = { "host",    "groups",   "plan",      "rehearse", "status",
                                       "release", "validate", "--version", "--json" };
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

/* Wherever --json stands, and whatever is wrong beside it. */
static void
test_usage_json (void)
{
  static const char *const wrong[] = {
    "--json host --frobnicate",
    "host --json --frobnicate",
    "host --frobnicate -j",
    "--json --frobnicate",
    "plan --json",
    "host --json --xml",
    "host --json --capture",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, wrong[i]);
      g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
      JsonObject *error;

      g_test_message ("virt-ppc64 %s", wrong[i]);
      g_assert_cmpint (run.code, ==, 2);
      g_assert_nonnull (root);
      error = json_object_get_object_member (json_node_get_object (root), "error");
      g_assert_cmpstr (json_object_get_string_member (error, "code"), ==, "usage");
    }
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

/* A plan from files alone: what it says is the library's, that it says it is ours. */
static void
test_plan (void)
{
  g_autofree char *host = cli_data_file ("host.xml");
  g_autofree char *guest = cli_data_file ("guest.xml");
  g_autofree char *files = g_strdup_printf ("--host '%s' --domain-xml '%s'", host, guest);
  g_autofree char *refused = g_strdup_printf ("plan %s --device 0001:01:00.0", files);
  g_autofree char *start = g_strdup_printf ("plan %s --start", files);
  g_autofree char *json = g_strdup_printf ("%s --json", refused);
  g_autofree char *quiet = g_strdup_printf ("%s --quiet", refused);
  g_auto (CliRun) no = cli_run (NULL, refused);
  g_auto (CliRun) yes = cli_run (NULL, start);
  g_auto (CliRun) object = cli_run (NULL, json);
  g_auto (CliRun) silent = cli_run (NULL, quiet);
  g_autoptr (JsonNode) root = json_from_string (object.out, NULL);

  g_assert_cmpint (no.code, ==, 3);
  g_assert_cmpstr (no.err, ==, "");
  g_assert_nonnull (strstr (no.out, "Refused  member-mounted  0001:01:00.0\n"));
  g_assert_nonnull (strstr (no.out, "\n    <controller type='pci'"));
  g_assert_cmpint (yes.code, ==, 0);
  g_assert_nonnull (strstr (yes.out, "can be started"));
  g_assert_cmpint (object.code, ==, 3);
  g_assert_nonnull (root);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (root), "version"), ==, 1);
  g_assert_false (json_object_get_boolean_member (json_node_get_object (root), "allowed"));
  g_assert_cmpint (silent.code, ==, 3);
  g_assert_cmpstr (silent.out, ==, "");
}

static void
test_plan_device_xml (void)
{
  g_autofree char *host = cli_data_file ("host.xml");
  g_autofree char *guest = cli_data_file ("guest.xml");
  g_autofree char *disk = cli_data_file ("disk.xml");
  g_autofree char *card = cli_data_file ("card.xml");
  g_autofree char *with_disk
      = g_strdup_printf ("plan --host '%s' --domain-xml '%s' --device '%s'", host, guest, disk);
  g_autofree char *with_card
      = g_strdup_printf ("plan --host '%s' --domain-xml '%s' --device '%s'", host, guest, card);
  g_autofree char *with_short
      = g_strdup_printf ("plan --host '%s' --domain-xml '%s' --device 01:00.0", host, guest);
  g_auto (CliRun) other = cli_run (NULL, with_disk);
  g_auto (CliRun) unmanaged = cli_run (NULL, with_card);
  g_auto (CliRun) neither = cli_run (NULL, with_short);

  g_assert_cmpint (other.code, ==, 1);
  g_assert_nonnull (strstr (other.err, "no PCI device"));
  g_assert_cmpint (unmanaged.code, ==, 3);
  g_assert_nonnull (strstr (unmanaged.out, "unmanaged-bound"));
  g_assert_cmpint (neither.code, ==, 1);
  g_assert_nonnull (strstr (neither.err, "is not a PCI address"));
}

static void
test_validate (void)
{
  g_autofree char *guest = cli_data_file ("guest.xml");
  g_autofree char *host = cli_data_file ("host.xml");
  g_autofree char *bad = cli_data_file ("guest-invalid.xml");
  g_autofree char *all = g_strdup_printf ("validate --json '%s' '%s' '%s'", guest, host, bad);
  g_autofree char *first = g_strdup_printf ("validate '%s' '%s'", guest, host);
  g_auto (CliRun) mixed = cli_run (NULL, all);
  g_auto (CliRun) good = cli_run (NULL, first);
  g_autoptr (JsonNode) root = json_from_string (mixed.out, NULL);
  JsonArray *files;

  g_assert_cmpint (good.code, ==, 0);
  g_assert_cmpint (mixed.code, ==, 1);
  g_assert_nonnull (root);
  files = json_object_get_array_member (json_node_get_object (root), "files");
  g_assert_cmpuint (json_array_get_length (files), ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      JsonObject *file = json_array_get_object_element (files, i);
      JsonArray *errors = json_object_get_array_member (file, "errors");

      g_assert_cmpint (json_object_get_boolean_member (file, "valid"), ==, i < 2);
      g_assert_cmpuint (json_array_get_length (errors), ==, i < 2 ? 0 : 1);
      if (i == 2)
        g_assert_nonnull (strstr (json_array_get_string_element (errors, 0), "ine 5"));
    }
}

static void
test_validate_libvirt (void)
{
  g_autofree char *guest = cli_data_file ("guest.xml");
  g_autofree char *bad = cli_data_file ("guest-invalid.xml");
  g_autofree char *with_good = g_strdup_printf ("validate --libvirt '%s'", guest);
  g_autofree char *with_bad = g_strdup_printf ("validate --libvirt '%s'", bad);
  g_auto (CliRun) good = { 0 };
  g_auto (CliRun) both = { 0 };

  if (!g_file_test (LIBVIRT_SCHEMA_DIR "/domain.rng", G_FILE_TEST_EXISTS))
    {
      g_test_skip ("libvirt's schemas are not installed");
      return;
    }
  good = cli_run (NULL, with_good);
  both = cli_run (NULL, with_bad);
  g_assert_cmpint (good.code, ==, 0);
  g_assert_cmpint (both.code, ==, 1);
  g_assert_nonnull (strstr (both.out, "eeh"));
  g_assert_nonnull (strstr (both.out, "vcpu"));
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
  g_test_add_func ("/cli/arguments/usage-json", test_usage_json);
  g_test_add_func ("/cli/arguments/no-libvirt", test_no_libvirt);
  g_test_add_func ("/cli/arguments/files", test_files);
  g_test_add_func ("/cli/arguments/plan", test_plan);
  g_test_add_func ("/cli/arguments/plan-device-xml", test_plan_device_xml);
  g_test_add_func ("/cli/arguments/validate", test_validate);
  g_test_add_func ("/cli/arguments/validate-libvirt", test_validate_libvirt);
  g_test_add_func ("/cli/arguments/output-fails", test_output_fails);
  return g_test_run ();
}
