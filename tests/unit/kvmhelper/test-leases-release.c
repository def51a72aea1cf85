/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>

#include "leases-fixture.h"

static void
test_release_held (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  guint writes = fixture->host->writes;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (KvmHelperLease) lease = NULL;

  kvmhelper_double_hold (fixture->host, 1234, 3);
  g_assert_false (leases_fixture_release (fixture, id, 1));
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, G_USEC_PER_SEC * 9 / 10);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  leases_fixture_assert_taken (fixture);
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (lease->left, "1234"));

  /* it goes on by itself */
  kvmhelper_double_let_go (fixture->host, 1234);
  begin = g_get_monotonic_time ();
  while (leases_fixture_count (fixture) > 0
         && g_get_monotonic_time () - begin < 10 * G_USEC_PER_SEC)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  leases_fixture_assert_back (fixture);
  /* The thread that did it says so last; it has ended now. */
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  g_assert_cmpstr (fixture->heard->str, ==, "intent prepared releasing pending done ");
}

static gpointer
let_go_soon (gpointer host)
{
  g_usleep (G_USEC_PER_SEC / 2);
  kvmhelper_double_let_go (host, 1234);
  return NULL;
}

static void
test_release_waits (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  GThread *thread;

  kvmhelper_double_hold (fixture->host, 1234, 3);
  thread = g_thread_new ("let-go", let_go_soon, fixture->host);
  g_assert_true (leases_fixture_release (fixture, id, 10));
  g_thread_join (thread);
  leases_fixture_assert_back (fixture);
}

/* A driver that does not take its function back: the member stays in the record, the others are
 * done. */
static void
test_release_left (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = NULL;

  fixture->host->liar = "e1000e";
  g_assert_false (leases_fixture_release (fixture, id, 10));
  kvmhelper_double_assert (fixture->host, LEASES_SECOND, "tg3", "");
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_nonnull (strstr (lease->left, LEASES_FIRST));
  g_assert_null (strstr (lease->left, LEASES_SECOND));
  g_assert_false (((KvmHelperMember *) lease->members->pdata[0])->returned);
  g_assert_true (((KvmHelperMember *) lease->members->pdata[1])->returned);
  fixture->host->liar = NULL;
  g_assert_true (leases_fixture_release (fixture, id, 0));
  leases_fixture_assert_back (fixture);
}

/* The same address and the same kind of card, behind another bridge: not what was taken. */
static void
test_other_slot (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  const KvmHelperMember *member = lease->members->pdata[0];

  g_assert_cmpstr (member->slot, ==, "pci0003:00/" LEASES_FIRST);
  g_assert_cmpstr (member->slot_name, ==, "C4");
  g_assert_cmpstr (((const KvmHelperMember *) lease->members->pdata[1])->slot_name, ==, "C4");
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/0003:00:01.0/" LEASES_FIRST,
                         "../" LEASES_FIRST);
  kvmhelper_double_link (fixture->host, "sys/bus/pci/devices/" LEASES_FIRST,
                         "../../../devices/pci0003:00/0003:00:01.0/" LEASES_FIRST);
  g_assert_true (leases_fixture_release (fixture, id, 0));
  kvmhelper_double_assert (fixture->host, LEASES_FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, LEASES_SECOND, "tg3", "");
}

/* Somebody releases a lease that is just being made, at a moment when the kernel does not tell what
 * sits there. */
static void
release_unreadable (LeasesFixture *fixture)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (fixture->leases);
  g_autofree char *path = g_build_filename (fixture->host->directory,
                                            "sys/devices/pci0003:00/" LEASES_FIRST "/vendor", NULL);
  g_autofree char *vendor = NULL;
  const KvmHelperLease *lease = list->pdata[0];
  g_autoptr (KvmHelperLease) late = NULL;
  gboolean done;

  g_assert_true (g_file_get_contents (path, &vendor, NULL, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_true (kvmhelper_leases_release (fixture->leases, lease->id, 0, &done, NULL));
  g_assert_false (done);
  late = kvmhelper_leases_find (fixture->leases, lease->id, NULL);
  g_assert_cmpint (late->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_assert_true (g_file_set_contents (path, vendor, -1, NULL));
}

static gboolean
end_wait (gpointer waiting)
{
  *(gboolean *) waiting = FALSE;
  return G_SOURCE_REMOVE;
}

/* The try that was put off comes when the guest has the lease. */
static void
test_late_try (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean waiting = TRUE;
  GError *error = NULL;

  fixture->rehearsal_meanwhile = release_unreadable;
  id = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_ALWAYS, "now");
  g_timeout_add (2500, end_wait, &waiting);
  while (waiting)
    g_main_context_iteration (NULL, TRUE);
  lease = kvmhelper_leases_find (fixture->leases, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PREPARED);
  leases_fixture_assert_taken (fixture);
}

int
main (int argc, char **argv)
{
  static const LeasesTest tests[] = {
    { "/kvmhelper/leases/release-held", test_release_held },
    { "/kvmhelper/leases/release-waits", test_release_waits },
    { "/kvmhelper/leases/release-left", test_release_left },
    { "/kvmhelper/leases/other-slot", test_other_slot },
    { "/kvmhelper/leases/late-try", test_late_try },
  };

  g_test_init (&argc, &argv, NULL);
  leases_fixture_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
