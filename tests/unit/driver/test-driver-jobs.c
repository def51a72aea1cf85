/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "common/common-error.h"
#include "driver-held.h"
#include "driver/driver-jobs.h"
#include "driver/driver-shares.h"

/* Who waits for whom, and how much of what all need one user may have. */

enum
{
  ALICE = 1001,
  BOB,
  CAROL
};

/* --- shares ------------------------------------------------------------------------------------
 */

static guint
take_all (DriverShares *shares, guint32 user)
{
  guint count = 0;

  while (driver_shares_take (shares, user))
    count++;
  return count;
}

static void
test_shares (void)
{
  g_autoptr (DriverShares) shares = driver_shares_new (20, 4);

  g_assert_cmpuint (take_all (shares, ALICE), ==, 8);
  g_assert_cmpuint (take_all (shares, BOB), ==, 4);
  g_assert_cmpuint (take_all (shares, CAROL), ==, 2);
  g_assert_cmpuint (take_all (shares, 0), ==, 6);
  g_assert_cmpuint (driver_shares_get_taken (shares), ==, 20);
  g_assert_false (driver_shares_take (shares, CAROL + 1));
  driver_shares_give_back (shares, 0);
  /* What is root's alone stays so. */
  g_assert_false (driver_shares_take (shares, CAROL + 1));
  for (int i = 0; i < 5; i++)
    driver_shares_give_back (shares, 0);
  g_assert_true (driver_shares_take (shares, CAROL + 1));
  for (int i = 0; i < 8; i++)
    driver_shares_give_back (shares, ALICE);
  g_assert_cmpuint (take_all (shares, ALICE), ==, 5);
}

/* --- jobs --------------------------------------------------------------------------------------
 */

typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean stopped; /* no job comes to its end */
  guint begun;
  GString *order;
} Log;

typedef struct
{
  Log *log;
  char name;
} Task;

static void
run_task (gpointer data)
{
  const Task *task = data;
  Log *log = task->log;

  g_mutex_lock (&log->lock);
  log->begun++;
  g_string_append_c (log->order, task->name);
  while (log->stopped)
    g_cond_wait (&log->changed, &log->lock);
  g_mutex_unlock (&log->lock);
}

static gboolean
push (DriverJobs *jobs, Log *log, guint32 user, const char *domain, char name)
{
  g_autoptr (GError) error = NULL;
  Task *task = g_new (Task, 1);

  *task = (Task){ log, name };
  if (driver_jobs_push (jobs, user, domain, run_task, task, g_free, &error))
    return TRUE;
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BUSY);
  g_free (task);
  return FALSE;
}

static void
log_init (Log *log)
{
  *log = (Log){ .stopped = TRUE, .order = g_string_new (NULL) };
  g_mutex_init (&log->lock);
  g_cond_init (&log->changed);
}

static void
log_go (Log *log)
{
  g_mutex_lock (&log->lock);
  log->stopped = FALSE;
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
}

static void
log_clear (Log *log)
{
  g_string_free (log->order, TRUE);
  g_cond_clear (&log->changed);
  g_mutex_clear (&log->lock);
}

static gboolean
has_nothing (gpointer jobs)
{
  return driver_jobs_get_length (jobs) == 0;
}

static gboolean
has_begun (gpointer log)
{
  g_mutex_lock (&((Log *) log)->lock);
  gboolean begun = ((Log *) log)->begun > 0;
  g_mutex_unlock (&((Log *) log)->lock);
  return begun;
}

/* Whoever comes to a guest waits for one call of another user's, not for all of them; and each
   one's own stay in order. */
static void
test_turns (void)
{
  g_autoptr (DriverJobs) jobs = driver_jobs_new ();
  Log log;

  log_init (&log);
  for (int i = 0; i < 10; i++)
    g_assert_true (push (jobs, &log, ALICE, "guest", (char) ('a' + i)));
  g_assert_true (push (jobs, &log, BOB, "guest", 'B'));
  g_assert_true (push (jobs, &log, BOB, "guest", 'C'));
  g_assert_true (push (jobs, &log, 0, "guest", '0'));
  test_wait (has_begun, &log);
  log_go (&log);
  test_wait (has_nothing, jobs);
  g_assert_cmpstr (log.order->str, ==, "abB0cCdefghij");
  log_clear (&log);
}

/* However many guests one user has something waiting for, there is a thread for the next one, and
   room. */
static void
test_threads (void)
{
  g_autoptr (DriverJobs) jobs = driver_jobs_new ();
  g_autoptr (GString) expected = g_string_new (NULL);
  guint pushed = 0;
  Log held, free;

  log_init (&held);
  log_init (&free);
  log_go (&free);
  for (int i = 0; i < 128; i++)
    {
      g_autofree char *domain = g_strdup_printf ("guest%d", i);

      pushed += push (jobs, &held, ALICE, domain, 'a');
    }
  g_assert_cmpuint (pushed, >=, 32);
  g_assert_cmpuint (pushed, <=, 64);
  test_wait (has_begun, &held);
  g_assert_true (push (jobs, &free, BOB, "guest of bob's", 'b'));
  test_wait (has_begun, &free);
  for (int i = 0; i < 40; i++)
    {
      g_autofree char *domain = g_strdup_printf ("guest of root's %d", i);

      g_assert_true (push (jobs, &free, 0, domain, 'r'));
    }
  while (free.order->len < 41)
    g_main_context_iteration (NULL, FALSE);
  log_go (&held);
  test_wait (has_nothing, jobs);
  g_assert_cmpuint (held.begun, ==, pushed);
  log_clear (&held);
  log_clear (&free);
}

/* What waits for ever is dropped with all else. */
static void
test_dropped (void)
{
  DriverJobs *jobs = driver_jobs_new ();
  Log log;

  log_init (&log);
  for (int i = 0; i < 5; i++)
    push (jobs, &log, (guint32) (ALICE + i % 2), "guest", 'x');
  test_wait (has_begun, &log);
  log_go (&log);
  driver_jobs_free (jobs);
  g_assert_cmpuint (log.begun, ==, 1);
  log_clear (&log);
}

/* --- the same, by the relay --------------------------------------------------------------------
 */

static guint32 calls_user;

static gboolean
offer (DriverCall *call, gpointer transactions)
{
  driver_call_set_user (call, calls_user, FALSE);
  return driver_transactions_offer (call, transactions);
}

static void
set_up_held (TestHeld *self, gconstpointer data)
{
  self->offer = offer;
  test_held_set_up (self, data);
}

/* Two clients have calls for one guest: the other one's turn comes after one call of the first. */
static void
test_two_users (TestHeld *self, gconstpointer data)
{
  int client, server;

  test_relay_connect (&self->relay, &client, &server);
  test_send (client, test_open (1));
  test_expect (server, test_open (1));
  test_send (server, test_reply (1, 1));
  test_expect (client, test_reply (1, 1));

  calls_user = ALICE;
  for (guint32 serial = 2; serial < 6; serial++)
    test_send (self->relay.client, test_device_call (DETACH, serial, TEST_HOSTDEV, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 2, TEST_HOSTDEV, LIVE));
  calls_user = BOB;
  test_send (client, test_device_call (DETACH, 2, TEST_HOSTDEV2, LIVE));
  test_expect_none (server);
  test_send (self->relay.server, test_error (DETACH, 2, "no"));
  test_expect (self->relay.client, test_error (DETACH, 2, "no"));
  /* One that was next before bob came. */
  test_expect (self->relay.server, test_device_call (DETACH, 3, TEST_HOSTDEV, LIVE));
  test_send (self->relay.server, test_error (DETACH, 3, "no"));
  test_expect (self->relay.client, test_error (DETACH, 3, "no"));
  test_expect (server, test_device_call (DETACH, 2, TEST_HOSTDEV2, LIVE));
  test_send (server, test_error (DETACH, 2, "no"));
  test_expect (client, test_error (DETACH, 2, "no"));
  for (guint32 serial = 4; serial < 6; serial++)
    {
      test_expect (self->relay.server, test_device_call (DETACH, serial, TEST_HOSTDEV, LIVE));
      test_send (self->relay.server, test_error (DETACH, serial, "no"));
      test_expect (self->relay.client, test_error (DETACH, serial, "no"));
    }
  close (client);
  close (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/driver/jobs/shares", test_shares);
  g_test_add_func ("/driver/jobs/turns", test_turns);
  g_test_add_func ("/driver/jobs/threads", test_threads);
  g_test_add_func ("/driver/jobs/dropped", test_dropped);
  g_test_add ("/driver/jobs/two-users", TestHeld, NULL, set_up_held, test_two_users,
              test_held_tear_down);
  return g_test_run ();
}
