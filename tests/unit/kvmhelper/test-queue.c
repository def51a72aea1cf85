/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-queue.h"

/* A job is a gint that becomes its place in the order in which they begin; each waits until the
 * gate is open. */
typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean open;
  gint begun;
  guint running, most, done;
} Gate;

static void
run (gpointer job, gpointer data)
{
  Gate *gate = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  *(gint *) job = ++gate->begun;
  gate->running++;
  gate->most = MAX (gate->most, gate->running);
  g_cond_broadcast (&gate->changed);
  while (!gate->open)
    g_cond_wait (&gate->changed, &gate->lock);
  gate->running--;
  gate->done++;
  g_cond_broadcast (&gate->changed);
}

static gboolean
wait_running (Gate *gate, guint running)
{
  gint64 deadline = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  while (gate->running < running)
    if (!g_cond_wait_until (&gate->changed, &gate->lock, deadline))
      return FALSE;
  return TRUE;
}

static void
open_gate (Gate *gate, guint done)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  gate->open = TRUE;
  g_cond_broadcast (&gate->changed);
  while (gate->done < done)
    g_cond_wait (&gate->changed, &gate->lock);
}

/* A lane with a hundred jobs that never end has its limit of threads, and another lane the rest. */
static void
test_fair (void)
{
  Gate gate = { 0 };
  gint jobs[100] = { 0 }, other[3] = { 0 };
  g_autoptr (KvmHelperQueue) queue = kvmhelper_queue_new (6, run, &gate);

  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    kvmhelper_queue_push (queue, 1, 4, &jobs[i]);
  g_assert_true (wait_running (&gate, 4));
  for (guint i = 0; i < G_N_ELEMENTS (other); i++)
    kvmhelper_queue_push (queue, 2, 4, &other[i]);
  g_assert_true (wait_running (&gate, 6));
  g_assert_true (other[0] && other[1] && !other[2]);
  g_assert_true (jobs[3] && !jobs[4]);
  open_gate (&gate, G_N_ELEMENTS (jobs) + G_N_ELEMENTS (other));
  g_assert_cmpuint (gate.most, ==, 6);
}

/* Where there is one thread, lanes take turns: who came last is next but one, and not behind all of
 * another lane. */
static void
test_turns (void)
{
  Gate gate = { 0 };
  gint first = 0, jobs[50] = { 0 }, other = 0;
  g_autoptr (KvmHelperQueue) queue = kvmhelper_queue_new (1, run, &gate);

  kvmhelper_queue_push (queue, 3, 1, &first);
  g_assert_true (wait_running (&gate, 1));
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    kvmhelper_queue_push (queue, 1, 1, &jobs[i]);
  kvmhelper_queue_push (queue, 2, 1, &other);
  open_gate (&gate, 2 + G_N_ELEMENTS (jobs));
  g_assert_cmpint (first, ==, 1);
  g_assert_cmpint (jobs[0], ==, 2);
  g_assert_cmpint (other, ==, 3);
  g_assert_cmpint (jobs[1], ==, 4);
}

static void
test_remove (void)
{
  Gate gate = { 0 };
  gint jobs[4] = { 0 };
  g_autoptr (KvmHelperQueue) queue = kvmhelper_queue_new (1, run, &gate);

  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    kvmhelper_queue_push (queue, i / 2, 1, &jobs[i]);
  g_assert_true (wait_running (&gate, 1));
  g_assert_false (kvmhelper_queue_remove (queue, 0, &jobs[0]));
  g_assert_true (kvmhelper_queue_remove (queue, 0, &jobs[1]));
  g_assert_false (kvmhelper_queue_remove (queue, 0, &jobs[1]));
  g_assert_true (kvmhelper_queue_remove (queue, 1, &jobs[2]));
  g_assert_false (kvmhelper_queue_remove (queue, 7, &jobs[3]));
  open_gate (&gate, 2);
  g_assert_true (jobs[0] && !jobs[1] && !jobs[2] && jobs[3]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/queue/fair", test_fair);
  g_test_add_func ("/kvmhelper/queue/turns", test_turns);
  g_test_add_func ("/kvmhelper/queue/remove", test_remove);
  return g_test_run ();
}
