/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "cli-bus.h"
#include "cli-fake-helper.h"

#define UUID "7a3c0f2e-1b5d-4e6f-8a9b-0c1d2e3f4a5b"

static gboolean is_root;

static gboolean
skip (void)
{
  if (!is_root)
    g_test_skip ("nobody can be root here, and virt-ppc64 believes nobody else");
  return !is_root;
}

static CliRun
run_with (CliFakeMode mode, const char *arguments)
{
  g_autoptr (CliBus) bus = cli_bus_start (NULL);
  g_autoptr (CliFakeHelper) helper G_GNUC_UNUSED = cli_fake_helper_new (bus, mode);

  return cli_run (bus, arguments);
}

static void
test_list (void)
{
  g_auto (CliRun) mine = { 0 };
  g_auto (CliRun) all = { 0 };
  g_auto (CliRun) json = { 0 };

  if (skip ())
    return;
  mine = run_with (CLI_FAKE_ANSWERS, "grants");
  g_assert_cmpint (mine.code, ==, 0);
  g_assert_cmpstr (mine.out, ==,
                   "DEVICE        USER    MEMORY  GUEST  PHASE    NOTE\n"
                   "0000:01:00.0  alice  8.0 GiB  mine   active\n"
                   "0001:01:00.0  1500            old    pending  revoked\n");
  all = run_with (CLI_FAKE_ANSWERS, "grants --all");
  g_assert_nonnull (strstr (all.out, "0002:01:00.0"));
  json = run_with (CLI_FAKE_ANSWERS, "grants --json");
  g_assert_nonnull (strstr (json.out, "\"memory\" : 8589934592"));
  g_assert_nonnull (strstr (json.out, "\"lease\" : \"L2\""));
}

static void
test_decide (void)
{
  g_auto (CliRun) allow = { 0 };
  g_auto (CliRun) revoke = { 0 };
  g_auto (CliRun) pending = { 0 };
  g_auto (CliRun) nobody = { 0 };

  if (skip ())
    return;
  allow = run_with (CLI_FAKE_ANSWERS, "grants --allow 0000:01:00.0 --user 1500 --memory 64");
  g_assert_cmpint (allow.code, ==, 0);
  revoke = run_with (CLI_FAKE_ANSWERS, "grants --revoke 0000:01:00.0 --user root");
  g_assert_cmpstr (revoke.out, ==, "It is revoked.\n");
  pending = run_with (CLI_FAKE_ANSWERS, "grants --revoke 0000:01:00.0 --user 4711");
  g_assert_nonnull (strstr (pending.out, "still has the device"));
  nobody = run_with (CLI_FAKE_ANSWERS, "grants --revoke 0000:01:00.0 --user no-such-user");
  g_assert_cmpint (nobody.code, ==, 2);
}

/* What looks like QEMU: a process with -uuid, which waits for *@input to be closed. */
static GPid
start_qemu (int *input)
{
  char *words[]
      = { (char *) "sh", (char *) "-c", (char *) "read line; :", (char *) "qemu", (char *) "-uuid",
          (char *) UUID, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async_with_pipes (NULL, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                            NULL, NULL, &pid, input, NULL, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

/* Nobody has agreed: an administrator is asked to, and then it is asked again. */
static void
test_grant (void)
{
  g_auto (CliRun) run = { 0 };
  g_auto (CliRun) denied = { 0 };
  g_autofree char *words = NULL;
  GPid pid;
  int input;

  if (skip ())
    return;
  pid = start_qemu (&input);
  words = g_strdup_printf ("grant 0000:01:00.0 --json --domain mine --process %d --memory 64", pid);
  run = run_with (CLI_FAKE_ANSWERS, words);
  g_assert_cmpint (run.code, ==, 0);
  g_assert_nonnull (strstr (run.out, "\"lease\" : \"" UUID "\""));
  g_assert_nonnull (strstr (run.out, "\"memory\" : 67108864"));
  denied = run_with (CLI_FAKE_DENIES, words);
  g_assert_cmpint (denied.code, ==, 4);
  close (input);
  g_spawn_close_pid (pid);
}

static void
test_no_qemu (void)
{
  g_auto (CliRun) own = { 0 };

  if (skip ())
    return;
  own = run_with (CLI_FAKE_ANSWERS, "grant 0000:01:00.0 --domain x --process 1 --memory 64");
  g_assert_cmpint (own.code, ==, 1);
  g_assert_nonnull (strstr (own.err, "Process 1 is no QEMU"));
}

static void
test_give_back (void)
{
  g_auto (CliRun) done = { 0 };
  g_auto (CliRun) pending = { 0 };
  g_auto (CliRun) none = { 0 };

  if (skip ())
    return;
  done = run_with (CLI_FAKE_ANSWERS, "grant --give-back 0000:01:00.0");
  g_assert_cmpint (done.code, ==, 0);
  g_assert_cmpstr (done.out, ==, "0000:01:00.0 is given back.\n");
  pending = run_with (CLI_FAKE_ANSWERS, "grant --give-back 0001:01:00.0");
  g_assert_cmpint (pending.code, ==, 3);
  none = run_with (CLI_FAKE_ANSWERS, "grant --give-back 0003:01:00.0");
  g_assert_cmpint (none.code, ==, 1);
}

static void
test_usage (void)
{
  static const char *const wrong[] = {
    "grant",
    "grant 0000:01:00.0",
    "grant 01:00.0 --domain a",
    "grant 0000:01:00.0 --give-back --domain a",
    "grant 0000:01:00.0 --domain a --process 1",
    "grant 0000:01:00.0 --domain a --memory 1",
    "grant 0000:01:00.0 --domain a --process 1 --memory 1 --connect b",
    "grant 0000:01:00.0 --domain a --simulate b",
    "grants extra",
    "grants --user a",
    "grants --allow 0000:01:00.0 --user a",
    "grants --allow 0000:01:00.0 --memory 1",
    "grants --revoke 0000:01:00.0",
    "grants --revoke 0000:01:00.0 --user a --all",
    "grants --revoke 0000:01:00.0 --allow 0000:01:00.0 --user a --memory 1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, wrong[i]);

      g_test_message ("virt-ppc64 %s", wrong[i]);
      g_assert_cmpint (run.code, ==, 2);
      g_assert_cmpstr (run.out, ==, "");
    }
}

int
main (int argc, char **argv)
{
  is_root = cli_bus_become_root ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/grants/list", test_list);
  g_test_add_func ("/cli/grants/decide", test_decide);
  g_test_add_func ("/cli/grants/grant", test_grant);
  g_test_add_func ("/cli/grants/no-qemu", test_no_qemu);
  g_test_add_func ("/cli/grants/give-back", test_give_back);
  g_test_add_func ("/cli/grants/usage", test_usage);
  return g_test_run ();
}
