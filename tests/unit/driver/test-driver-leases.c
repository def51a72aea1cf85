/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-held.h"

static void
test_detach (TestHeld *self, gconstpointer data)
{
  static const guint32 procedures[] = { DETACH, DETACH_ALIAS };

  for (guint32 i = 0; i < G_N_ELEMENTS (procedures); i++)
    {
      const char *what = i == 0 ? TEST_HOSTDEV : "hostdev0";

      test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
      test_held_set_guest (self, RUNNING, GIVEN);
      test_helper_clear_log (self->fake);
      test_send (self->relay.client, test_device_call (procedures[i], i, what, LIVE));
      test_held_expect_forwarded (self, test_device_call (procedures[i], i, what, LIVE), "");
      test_held_set_guest (self, RUNNING, "");
      test_send (self->relay.server, test_reply (procedures[i], i));
      test_expect (self->relay.client, test_reply (procedures[i], i));
      /* It was back before the client heard of it. */
      g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
    }
}

/* The guest takes its time, or all of it: the reply does not wait, and the helper knows that the
 * device is to come back. DEVICE_REMOVED comes. */
static void
test_detach_slow (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.client, test_device_call (13, 2, TEST_HOSTDEV, 0));
  test_expect (self->relay.server, test_device_call (13, 2, TEST_HOSTDEV, 0));
  test_send (self->relay.server, test_reply (13, 2));
  test_expect (self->relay.client, test_reply (13, 2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Release(L1)");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);

  test_helper_clear_log (self->fake);
  test_send (self->relay.client, test_device_call (DETACH_ALIAS, 3, "hostdev0", LIVE));
  test_expect (self->relay.server, test_device_call (DETACH_ALIAS, 3, "hostdev0", LIVE));
  test_send (self->relay.server, test_reply (DETACH_ALIAS, 3));
  test_expect (self->relay.client, test_reply (DETACH_ALIAS, 3));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Release(L1)");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);

  test_held_set_guest (self, RUNNING, "");
  driver_transactions_settle (self->transactions, TEST_UUID, 0);
  test_wait (test_held_has_no_lease, self->fake);
}

/* Of two functions one goes: the group stays. */
static void
test_detach_sibling (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN_SIBLING);
  test_send (self->relay.client, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_send (self->relay.server, test_reply (DETACH, 2));
  test_expect (self->relay.client, test_reply (DETACH, 2));
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* A detach is never refused, with the helper or without. */
static void
test_detach_alone (TestHeld *self, gconstpointer data)
{
  test_helper_leave (self->fake);
  test_send (self->relay.client, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_send (self->relay.server, test_reply (DETACH, 2));
  test_expect (self->relay.client, test_reply (DETACH, 2));
}

static void
test_resync (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "prepared", 100);
  test_helper_add_lease (self->fake, TEST_UUID, "0002:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN);
  driver_transactions_resync (self->transactions);
  test_wait (test_held_is_committed, self->fake);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1) Release(L2)");
  g_assert_cmpstr (test_helper_get_addresses (self->fake), ==,
                   "L1 [{'address': <'0001:01:00.0'>, 'guest-buid': <uint64 576460752840294401>, "
                   "'guest-address': <'0001:00:01.0'>, 'guest-pe': <uint32 1>}]\n");

  /* libvirt is away: nothing is touched. */
  test_helper_clear_log (self->fake);
  test_held_set_unavailable (self, TRUE);
  driver_transactions_resync (self->transactions);
  test_run_for (200);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  test_held_set_unavailable (self, FALSE);

  test_held_set_guest (self, STOPPED, GIVEN);
  driver_transactions_resync (self->transactions);
  test_wait (test_held_has_no_lease, self->fake);
}

/* A lease that was just made may be one of a domain that libvirt does not show running yet. */
static void
test_resync_young (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "prepared", 0);
  test_held_set_guest (self, STOPPED, GIVEN);
  driver_transactions_resync (self->transactions);
  test_run_for (150);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  test_wait (test_held_has_no_lease, self->fake);
}

/* A user's own guest is none of libvirt's here, though it may have the UUID of one: its lease is
 * the user's to give back. */
static void
test_resync_of_user (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_helper_set_user (self->fake, 1500);
  test_held_set_guest (self, STOPPED, "");
  driver_transactions_resync (self->transactions);
  test_run_for (200);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  test_helper_set_user (self->fake, 0);
  driver_transactions_resync (self->transactions);
  test_wait (test_held_has_no_lease, self->fake);
}

/* What was to be given back while the helper was away is given back when it is there again. */
static void
test_retry (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_helper_leave (self->fake);
  driver_transactions_settle (self->transactions, TEST_UUID, 0);
  test_run_for (200);
  test_wait (test_held_is_idle, self->transactions);
  test_helper_come (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
}

int
main (int argc, char **argv)
{
#define ADD(name, function)                                                                        \
  g_test_add ("/driver/leases/" name, TestHeld, NULL, test_held_set_up, function,                  \
              test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("detach", test_detach);
  ADD ("detach/slow", test_detach_slow);
  ADD ("detach/sibling", test_detach_sibling);
  ADD ("detach/alone", test_detach_alone);
  ADD ("resync", test_resync);
  ADD ("resync/young", test_resync_young);
  ADD ("resync/of-user", test_resync_of_user);
  ADD ("retry", test_retry);
  return g_test_run ();
}
