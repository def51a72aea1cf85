/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leases-fixture.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"

/* A record that makes no sense is shown and left alone, until somebody says to forget it. */
static void
test_unreadable (LeasesFixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  kvmhelper_double_file (fixture->host, "state/leases/" LEASES_UUID ".lease",
                         "[lease]\nversion=99\n");
  for (guint round = 0; round < 2; round++)
    {
      leases_fixture_restart (fixture);
      g_assert_cmpuint (leases_fixture_count (fixture), ==, 1);
      g_assert_false (leases_fixture_release (fixture, LEASES_UUID, 0));
    }
  lease = kvmhelper_leases_find (fixture->leases, LEASES_UUID, NULL);
  g_assert_true (lease->unreadable);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (lease->left, LEASES_UUID));
  kvmhelper_leases_forget (fixture->leases, LEASES_UUID, &error);
  g_assert_no_error (error);
  leases_fixture_restart (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
}

/* Prepared and active leases stay over a restart; those of another boot are forgotten. */
static void
test_restart (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autofree char *again = NULL;
  guint writes = fixture->host->writes;

  leases_fixture_restart (fixture);
  again = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_assert_cmpstr (id, ==, again);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  kvmhelper_double_file (fixture->host, BOOT_ID, "another\n");
  leases_fixture_restart (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
}

/* A boot that does not tell its name is not another one: nothing is begun, and no lease is lost. */
static void
test_restart_nameless (LeasesFixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "", "\n" };
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autofree char *path = g_build_filename (fixture->host->directory, BOOT_ID, NULL);
  g_autofree char *boot_id = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  GError *error = NULL;

  g_assert_true (g_file_get_contents (path, &boot_id, NULL, NULL));
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  for (guint i = 0; i <= G_N_ELEMENTS (names); i++)
    {
      if (i < G_N_ELEMENTS (names))
        kvmhelper_double_file (fixture->host, BOOT_ID, names[i]);
      else
        g_assert_cmpint (g_unlink (path), ==, 0);
      g_assert_null (leases_fixture_open (fixture, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
      g_clear_error (&error);
    }
  kvmhelper_double_file (fixture->host, BOOT_ID, boot_id);
  leases_fixture_start (fixture);
  lease = kvmhelper_leases_find (fixture->leases, id, &error);
  g_assert_no_error (error);
  leases_fixture_assert_taken (fixture);
}

/* While the helper was away somebody gave a member back: the rest follows. */
static void
test_restart_broken (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");

  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" LEASES_FIRST "/driver_override",
                         "(null)\n");
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/" LEASES_FIRST "/driver",
                         "../../../bus/pci/drivers/e1000e");
  leases_fixture_restart (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  leases_fixture_assert_back (fixture);
}

/* The helper is killed after the write number @crash_at of what it does. */
static void
crash_here (LeasesFixture *fixture, gboolean releasing, gboolean rehearsing, guint crash_at)
{
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  PciAddress address = kvmhelper_double_address (LEASES_FIRST);
  gboolean done;

  fixture->host = kvmhelper_double_attach (fixture->host->directory);
  leases_fixture_start (fixture);
  if (!releasing)
    fixture->host->crash_at = crash_at;
  if (rehearsing)
    kvmhelper_leases_rehearse (fixture->leases, &address, NULL);
  else
    kvmhelper_leases_prepare (fixture->leases, LEASES_UUID, "guest", &address,
                              KVMHELPER_REHEARSE_NEVER, NULL, &prepared, NULL);
  if (!releasing)
    _exit (1); /* there are no more writes than that */
  fixture->host->writes = 0;
  fixture->host->crash_at = crash_at;
  kvmhelper_leases_release (fixture->leases, prepared.lease->id, 0, &done, NULL);
  _exit (1);
}

/* The helper is killed after each write to sysfs in turn; the next one makes it good, and so does
 * the one after. */
static void
crash_points (gboolean releasing, gboolean rehearsing, guint at_least)
{
  for (guint i = 1;; i++)
    {
      LeasesFixture fixture;
      pid_t child;
      int status;

      leases_fixture_set_up (&fixture);
      child = fork ();
      if (child == 0)
        crash_here (&fixture, releasing, rehearsing, i);
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_true (WIFEXITED (status));
      for (guint round = 0; round < 2; round++)
        {
          leases_fixture_restart (&fixture);
          /* Without a crash Prepare ends with a lease, which stays. */
          if (WEXITSTATUS (status) == 0 || releasing || rehearsing)
            {
              leases_fixture_assert_back (&fixture);
              g_assert_cmpuint (leases_fixture_count (&fixture), ==, 0);
            }
          else
            g_assert_cmpuint (leases_fixture_count (&fixture), ==, 1);
        }
      leases_fixture_tear_down (&fixture);
      if (WEXITSTATUS (status) != 0)
        {
          g_assert_cmpuint (i, >, at_least);
          return;
        }
    }
}

static void
test_crash_prepare (void)
{
  crash_points (FALSE, FALSE, 6);
}

static void
test_crash_release (void)
{
  crash_points (TRUE, FALSE, 6);
}

static void
test_crash_rehearse (void)
{
  crash_points (FALSE, TRUE, 12);
}

int
main (int argc, char **argv)
{
  static const LeasesTest tests[] = {
    { "/kvmhelper/leases/unreadable", test_unreadable },
    { "/kvmhelper/leases/restart", test_restart },
    { "/kvmhelper/leases/restart-nameless", test_restart_nameless },
    { "/kvmhelper/leases/restart-broken", test_restart_broken },
  };

  g_test_init (&argc, &argv, NULL);
  leases_fixture_add (tests, G_N_ELEMENTS (tests));
  g_test_add_func ("/kvmhelper/leases/crash/prepare", test_crash_prepare);
  g_test_add_func ("/kvmhelper/leases/crash/release", test_crash_release);
  g_test_add_func ("/kvmhelper/leases/crash/rehearse", test_crash_rehearse);
  return g_test_run ();
}
