/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-fake-helper.h"

/* Whether the program under test can be made to believe that the fake helper is root's. */
static gboolean can_be_root;

static gboolean
skip (void)
{
  if (!can_be_root)
    g_test_skip ("needs root, or a user namespace");
  return !can_be_root;
}

static CliRun
run_with (CliFakeMode mode, const char *arguments)
{
  g_autoptr (CliBus) bus = cli_bus_start (NULL);
  g_autoptr (CliFakeHelper) helper = cli_fake_helper_new (bus, mode);
  CliRun run = cli_run (bus, arguments);

  g_assert_cmpuint (cli_fake_helper_get_calls (helper), >, 0);
  return run;
}

typedef struct
{
  const char *arguments;
  const char *golden;
} Golden;

static void
test_golden (gconstpointer data)
{
  const Golden *golden = data;
  g_auto (CliRun) run = { 0 };

  if (skip ())
    return;
  run = run_with (CLI_FAKE_ANSWERS, golden->arguments);
  g_assert_cmpstr (run.err, ==, "");
  g_assert_cmpint (run.code, ==, 0);
  cli_assert_golden (run.out, golden->golden);
}

/* What --xml writes is the host that it was written from, for every command that takes a host. */
static void
test_description (void)
{
  g_autofree char *file = cli_data_file ("host.xml");
  const Golden golden[] = {
    { "host --json", "host.json" },
    { "host --xml", "host.xml" },
    { "groups --json", "groups.json" },
    { "validate --quiet", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (golden); i++)
    {
      g_autofree char *arguments = g_strdup_printf ("%s %s '%s'", golden[i].arguments,
                                                    golden[i].golden != NULL ? "--host" : "", file);
      g_auto (CliRun) run = cli_run (NULL, arguments);

      g_assert_cmpstr (run.err, ==, "");
      g_assert_cmpint (run.code, ==, 0);
      if (golden[i].golden != NULL)
        cli_assert_golden (run.out, golden[i].golden);
    }
}

static void
test_rehearse (void)
{
  g_auto (CliRun) passed = { 0 };
  g_auto (CliRun) failed = { 0 };
  g_auto (CliRun) refused = { 0 };
  g_auto (CliRun) quiet = { 0 };

  if (skip ())
    return;
  passed = run_with (CLI_FAKE_ANSWERS, "rehearse 0000:01:00.0");
  g_assert_cmpint (passed.code, ==, 0);
  /* Live: each step of this device once, in order, and none of another. */
  g_assert_cmpstr (passed.err, ==,
                   "Create a VM: ok\n"
                   "Another address space must be refused: ok\n"
                   "Enable EEH: skipped\n");
  cli_assert_golden (passed.out, "rehearse.txt");

  failed = run_with (CLI_FAKE_FAILS, "rehearse 0000:01:00.0");
  g_assert_cmpint (failed.code, ==, 3);
  g_assert_nonnull (strstr (failed.out, "EINVAL"));
  g_assert_nonnull (strstr (failed.out, "2.5 s"));
  g_assert_nonnull (strstr (failed.out, "did not pass"));

  refused = run_with (CLI_FAKE_ANSWERS, "rehearse 0001:01:00.0");
  g_assert_cmpint (refused.code, ==, 3);
  g_assert_cmpstr (refused.out, ==, "");
  g_assert_cmpstr (refused.err, ==,
                   "virt-ppc64: The host needs 0001:01:00.0: it has the root file system.\n");

  quiet = run_with (CLI_FAKE_FAILS, "rehearse --quiet 0000:01:00.0");
  g_assert_cmpint (quiet.code, ==, 3);
  g_assert_cmpstr (quiet.out, ==, "");
  g_assert_cmpstr (quiet.err, ==, "");
}

static void
test_status_selects (void)
{
  g_auto (CliRun) by_name = { 0 };
  g_auto (CliRun) by_member = { 0 };
  g_auto (CliRun) none = { 0 };
  g_auto (CliRun) unknown = { 0 };

  if (skip ())
    return;
  by_name = run_with (CLI_FAKE_ANSWERS, "status ps1");
  g_assert_cmpint (by_name.code, ==, 0);
  g_assert_nonnull (strstr (by_name.out, "ps1"));
  g_assert_null (strstr (by_name.out, "ps2"));

  by_member = run_with (CLI_FAKE_ANSWERS, "status 0001:01:00.1");
  g_assert_cmpint (by_member.code, ==, 0);
  g_assert_null (strstr (by_member.out, "ps1"));
  g_assert_nonnull (strstr (by_member.out, "did not take its driver igbvf back"));

  none = run_with (CLI_FAKE_ANSWERS, "status no-such-guest");
  g_assert_cmpint (none.code, ==, 0);
  g_assert_cmpstr (none.out, ==, "No device is leased to a guest.\n");

  unknown = run_with (CLI_FAKE_ANSWERS, "status 0009:01:00.0");
  g_assert_cmpint (unknown.code, ==, 1);
  g_assert_cmpstr (unknown.err, ==, "virt-ppc64: There is no function 0009:01:00.0.\n");
}

static void
test_release (void)
{
  g_auto (CliRun) done = { 0 };
  g_auto (CliRun) pending = { 0 };
  g_auto (CliRun) forgotten = { 0 };

  if (skip ())
    return;
  done = run_with (CLI_FAKE_ANSWERS, "release 0123");
  g_assert_cmpint (done.code, ==, 0);
  g_assert_cmpstr (done.out, ==, "0123 is given back.\n");

  pending = run_with (CLI_FAKE_ANSWERS, "release --json --timeout 3 9a8b7c6d");
  g_assert_cmpint (pending.code, ==, 3);
  g_assert_nonnull (strstr (pending.out, "\"state\" : \"pending\""));
  g_assert_nonnull (strstr (pending.out, "did not take its driver igbvf back"));
  g_assert_nonnull (strstr (pending.out, "\"command\" : \"virt-ppc64 release 9a8b7c6d\""));

  forgotten = run_with (CLI_FAKE_ANSWERS, "release --forget 9a8b7c6d");
  g_assert_cmpint (forgotten.code, ==, 0);
}

static void
test_denied (void)
{
  static const char *const asks[]
      = { "host", "groups", "status", "rehearse 0000:01:00.0", "release 0123" };

  if (skip ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (asks); i++)
    {
      g_auto (CliRun) run = run_with (CLI_FAKE_DENIES, asks[i]);

      g_assert_cmpint (run.code, ==, 4);
      g_assert_cmpstr (run.out, ==, "");
      g_assert_cmpstr (run.err, ==, "virt-ppc64: polkit does not allow this.\n");
    }
}

static void
test_dies (void)
{
  g_auto (CliRun) run = { 0 };

  if (skip ())
    return;
  run = run_with (CLI_FAKE_DIES, "rehearse 0000:01:00.0");
  g_assert_cmpint (run.code, ==, 5);
  g_assert_nonnull (strstr (run.err, "ended before it answered"));
}

static void
test_absent (void)
{
  g_autoptr (CliBus) bus = cli_bus_start (NULL);
  g_auto (CliRun) run = cli_run (bus, "host");

  g_assert_cmpint (run.code, ==, 5);
  g_assert_nonnull (strstr (run.err, "not installed"));
}

static void
test_does_not_start (void)
{
  g_autoptr (CliBus) bus = cli_bus_start ("/bin/false");
  g_auto (CliRun) run = cli_run (bus, "host");

  g_assert_cmpint (run.code, ==, 5);
  g_assert_nonnull (strstr (run.err, "could not be started"));
}

int
main (int argc, char **argv)
{
  static const Golden golden[] = {
    { "host --json", "host.json" },
    { "host", "host.txt" },
    { "host --xml", "host.xml" },
    { "groups --json", "groups.json" },
    { "groups", "groups.txt" },
    { "groups --verbose 0000:01:00.0", "group.txt" },
    { "groups --json 0001:01:00.1", "group.json" },
    { "status --json", "status.json" },
    { "status --verbose", "status.txt" },
    { "rehearse --json 0000:01:00.0", "rehearse.json" },
  };

  /* Before there are threads. */
  can_be_root = cli_bus_become_root ();
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (golden); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/helper/golden/%s", golden[i].golden);

      g_test_add_data_func (path, &golden[i], test_golden);
    }
  g_test_add_func ("/cli/helper/description", test_description);
  g_test_add_func ("/cli/helper/rehearse", test_rehearse);
  g_test_add_func ("/cli/helper/status-selects", test_status_selects);
  g_test_add_func ("/cli/helper/release", test_release);
  g_test_add_func ("/cli/helper/denied", test_denied);
  g_test_add_func ("/cli/helper/dies", test_dies);
  g_test_add_func ("/cli/helper/absent", test_absent);
  g_test_add_func ("/cli/helper/does-not-start", test_does_not_start);
  return g_test_run ();
}
