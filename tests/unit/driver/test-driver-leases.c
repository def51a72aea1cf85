/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>

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

/* --- many at once, and the end ---------------------------------------------------------------- */

static gboolean
has_forwarded (gpointer server)
{
  char byte;

  return recv (*(int *) server, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Whoever holds one guest's queue, by a call whose answer does not come, and has that guest stop
 * and start meanwhile, takes none of the room that all share. */
static void
test_many_events (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.client, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_wait (has_forwarded, &self->relay.server);
  for (int i = 0; i < 300; i++)
    driver_transactions_settle (self->transactions, TEST_UUID, 0);
  test_run_for (100);
  g_assert_cmpuint (driver_transactions_get_length (self->transactions), ==, 2);
  test_expect (self->relay.server, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  test_send (self->relay.server, test_error (DETACH, 2, "no"));
  test_expect (self->relay.client, test_error (DETACH, 2, "no"));
  test_wait (test_held_is_idle, self->transactions);
  /* One that comes later is not taken for one that was done. */
  test_held_set_guest (self, STOPPED, "");
  driver_transactions_settle (self->transactions, TEST_UUID, 0);
  test_wait (test_held_has_no_lease, self->fake);
}

static gboolean
once_more (gpointer count)
{
  (*(guint *) count)++;
  return G_SOURCE_CONTINUE;
}

/* However busy the relay is, a group is given back. */
static void
test_busy (TestHeld *self, gconstpointer data)
{
  guint count = 0;
  guint source = g_idle_add_full (G_PRIORITY_DEFAULT, once_more, &count, NULL);

  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  driver_transactions_settle (self->transactions, TEST_UUID, 0);
  test_wait (test_held_has_no_lease, self->fake);
  g_assert_cmpuint (count, >, 0);
  g_source_remove (source);
}

/* virtppc64d ends while the helper takes a group: what it took is given back. */
static void
test_end (TestHeld *self, gconstpointer data)
{
  test_helper_hold (self->fake);
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  test_wait (test_helper_is_holding, self->fake);
  g_clear_pointer (&self->relay.relay, driver_relay_free);
  driver_helper_give_up (self->helper);
  test_helper_go (self->fake);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==,
                   "GetHost Prepare(0001:01:00.0,auto) Release(L1)");
}

/* … and what was not begun is not begun any more. */
static void
test_end_before (TestHeld *self, gconstpointer data)
{
  driver_helper_give_up (self->helper);
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
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
  g_test_add ("/driver/leases/events/many", TestHeld, NULL, test_held_set_up, test_many_events,
              test_held_tear_down);
  g_test_add ("/driver/leases/busy", TestHeld, NULL, test_held_set_up, test_busy,
              test_held_tear_down);
  g_test_add ("/driver/leases/end", TestHeld, NULL, test_held_set_up, test_end,
              test_held_tear_down);
  g_test_add ("/driver/leases/end/before", TestHeld, NULL, test_held_set_up, test_end_before,
              test_held_tear_down);
  return g_test_run ();
}
