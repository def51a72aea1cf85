/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leases-fixture.h"

static void
test_rehearsal (LeasesFixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (LEASES_FIRST);
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  g_autofree char *fourth = NULL;

  steps = kvmhelper_leases_rehearse (fixture->leases, &address, NULL);
  g_assert_nonnull (steps);
  g_assert_cmpuint (steps->len, ==, 1);
  leases_fixture_assert_back (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  g_assert_cmpstr (fixture->heard->str, ==, "intent attach done ");

  /* It is remembered, over a restart too; for this device and in this boot. */
  first = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_AUTO, "before");
  g_assert_true (leases_fixture_release (fixture, first, 0));
  leases_fixture_restart (fixture);
  second = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_AUTO, "before");
  g_assert_true (leases_fixture_release (fixture, second, 0));
  third = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_ALWAYS, "now");
  g_assert_true (leases_fixture_release (fixture, third, 0));
  kvmhelper_double_file (fixture->host, "proc/sys/kernel/osrelease", "6.18\n");
  leases_fixture_restart (fixture);
  fourth = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_AUTO, "now");
  g_assert_cmpuint (fixture->rehearsals, ==, 3);
}

static void
test_rehearsal_fails (LeasesFixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (LEASES_FIRST);
  g_autoptr (GPtrArray) steps = NULL;

  fixture->rehearsal_fails = TRUE;
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_REHEARSAL_FAILED,
                                "No window");
  leases_fixture_assert_back (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  /* by itself it is an answer, no error; and it is not remembered as passed */
  steps = kvmhelper_leases_rehearse (fixture->leases, &address, NULL);
  g_assert_false (kvmhelper_steps_passed (steps));
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_REHEARSAL_FAILED,
                                "EINVAL");
  g_assert_cmpuint (fixture->rehearsals, ==, 3);
}

/* A rehearsal that leaves the group held: nothing is rebound, and it goes on later. */
static void
test_rehearsal_hangs (LeasesFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *id = NULL;

  fixture->rehearsal_fails = TRUE;
  fixture->rehearsal_leaves_held = 555;
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_REHEARSAL_FAILED,
                                "Attach");
  leases_fixture_assert_taken (fixture);
  list = kvmhelper_leases_list (fixture->leases);
  g_assert_cmpuint (list->len, ==, 1);
  id = g_strdup (((KvmHelperLease *) list->pdata[0])->id);
  g_assert_cmpint (((KvmHelperLease *) list->pdata[0])->phase, ==, KVMHELPER_PHASE_PENDING);
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_GROUP_IN_USE,
                                "555");
  kvmhelper_double_let_go (fixture->host, 555);
  g_assert_true (leases_fixture_release (fixture, id, 0));
  leases_fixture_assert_back (fixture);
}

int
main (int argc, char **argv)
{
  static const LeasesTest tests[] = {
    { "/kvmhelper/leases/rehearsal", test_rehearsal },
    { "/kvmhelper/leases/rehearsal-fails", test_rehearsal_fails },
    { "/kvmhelper/leases/rehearsal-hangs", test_rehearsal_hangs },
  };

  g_test_init (&argc, &argv, NULL);
  leases_fixture_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
