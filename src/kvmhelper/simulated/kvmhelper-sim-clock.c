/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/* What is to be done, and when. */
typedef struct
{
  gint64 when;
  void (*run) (gpointer data);
  gpointer data;
} Timer;

static int
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  const Timer *first = a, *second = b;

  return (first->when > second->when) - (first->when < second->when);
}

gint64
kvmhelper_sim_now (KvmHelperSim *sim)
{
  return sim->manual_clock ? sim->now : g_get_monotonic_time ();
}

void
kvmhelper_sim_at (KvmHelperSim *sim, gint64 when, void (*run) (gpointer data), gpointer data)
{
  Timer *timer = g_new0 (Timer, 1);

  *timer = (Timer){ when, run, data };
  /* Of those at one time the first planned is done first. */
  g_sequence_insert_sorted (sim->timers, timer, compare, NULL);
  g_cond_broadcast (&sim->changed);
}

void
kvmhelper_sim_forget (KvmHelperSim *sim, gpointer data)
{
  GSequenceIter *iter = g_sequence_get_begin_iter (sim->timers);

  while (!g_sequence_iter_is_end (iter))
    {
      GSequenceIter *next = g_sequence_iter_next (iter);
      const Timer *timer = g_sequence_get (iter);

      if (timer->data == data)
        g_sequence_remove (iter);
      iter = next;
    }
}

/* The first timer, if it is due by @now. */
static gboolean
take_due (KvmHelperSim *sim, gint64 now, Timer *timer)
{
  GSequenceIter *iter = g_sequence_get_begin_iter (sim->timers);

  if (g_sequence_iter_is_end (iter))
    return FALSE;
  *timer = *(const Timer *) g_sequence_get (iter);
  if (timer->when > now)
    return FALSE;
  g_sequence_remove (iter);
  return TRUE;
}

void
kvmhelper_sim_run_due (KvmHelperSim *sim)
{
  Timer timer;

  while (take_due (sim, kvmhelper_sim_now (sim), &timer))
    {
      timer.run (timer.data);
      g_cond_broadcast (&sim->changed);
    }
}

void
kvmhelper_sim_advance (KvmHelperSim *sim, gint64 usec)
{
  gint64 target;
  Timer timer;

  g_mutex_lock (&sim->lock);
  sim->now = kvmhelper_sim_now (sim);
  sim->manual_clock = TRUE;
  target = sim->now + usec;
  /* Each at its own time, with what it plans itself. */
  while (take_due (sim, target, &timer))
    {
      sim->now = MAX (sim->now, timer.when);
      timer.run (timer.data);
    }
  sim->now = target;
  g_cond_broadcast (&sim->changed);
  g_mutex_unlock (&sim->lock);
}

void
kvmhelper_sim_wait (KvmHelperSim *sim)
{
  GSequenceIter *iter = g_sequence_get_begin_iter (sim->timers);
  KvmHelperSimProcess *caller = sim->caller;

  if (sim->manual_clock || g_sequence_iter_is_end (iter))
    g_cond_wait (&sim->changed, &sim->lock);
  else
    g_cond_wait_until (&sim->changed, &sim->lock, ((const Timer *) g_sequence_get (iter))->when);
  kvmhelper_sim_run_due (sim);
  sim->caller = caller;
}
