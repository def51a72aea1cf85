/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-queue.h"

typedef struct
{
  guint64 id;
  guint limit;
  guint running;
  GQueue waiting; /* jobs */
} Lane;

typedef struct
{
  Lane *lane;
  gpointer job;
} Turn;

struct _KvmHelperQueue
{
  KvmHelperQueueRun run;
  gpointer data;
  guint threads;
  GThreadPool *pool;

  GMutex lock; /* of all below */
  guint running;
  GHashTable *lanes; /* id -> Lane, of those with jobs */
  GQueue turns;      /* lanes with jobs that wait and may run, the next one first */
};

/* Whether @lane, which is not among the turns, is to be. */
static void
give_turn (KvmHelperQueue *queue, Lane *lane)
{
  if (lane->waiting.length > 0 && lane->running < lane->limit)
    g_queue_push_tail (&queue->turns, lane);
}

/* As many jobs as there are threads for. The pool has a thread for each that is pushed. */
static void
begin_jobs (KvmHelperQueue *queue)
{
  while (queue->running < queue->threads && queue->turns.length > 0)
    {
      Turn *turn = g_new (Turn, 1);

      turn->lane = g_queue_pop_head (&queue->turns);
      turn->job = g_queue_pop_head (&turn->lane->waiting);
      turn->lane->running++;
      queue->running++;
      give_turn (queue, turn->lane);
      g_thread_pool_push (queue->pool, turn, NULL);
    }
}

static void
end_job (KvmHelperQueue *queue, Lane *lane)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);

  queue->running--;
  if (lane->running-- == lane->limit)
    give_turn (queue, lane);
  if (lane->running == 0 && lane->waiting.length == 0)
    g_hash_table_remove (queue->lanes, &lane->id);
  begin_jobs (queue);
}

static void
run_turn (gpointer data, gpointer user_data)
{
  g_autofree Turn *turn = data;
  KvmHelperQueue *queue = user_data;

  queue->run (turn->job, queue->data);
  end_job (queue, turn->lane);
}

KvmHelperQueue *
kvmhelper_queue_new (guint threads, KvmHelperQueueRun run, gpointer data)
{
  KvmHelperQueue *queue = g_new0 (KvmHelperQueue, 1);

  queue->run = run;
  queue->data = data;
  queue->threads = threads;
  queue->pool = g_thread_pool_new (run_turn, queue, (int) threads, FALSE, NULL);
  queue->lanes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_queue_init (&queue->turns);
  g_mutex_init (&queue->lock);
  return queue;
}

void
kvmhelper_queue_push (KvmHelperQueue *queue, guint64 lane_id, guint limit, gpointer job)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);
  Lane *lane = g_hash_table_lookup (queue->lanes, &lane_id);

  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      lane->id = lane_id;
      lane->limit = limit;
      g_queue_init (&lane->waiting);
      g_hash_table_insert (queue->lanes, &lane->id, lane);
    }
  g_queue_push_tail (&lane->waiting, job);
  if (lane->waiting.length == 1)
    give_turn (queue, lane);
  begin_jobs (queue);
}

gboolean
kvmhelper_queue_remove (KvmHelperQueue *queue, guint64 lane_id, gpointer job)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);
  Lane *lane = g_hash_table_lookup (queue->lanes, &lane_id);

  if (lane == NULL || !g_queue_remove (&lane->waiting, job))
    return FALSE;
  if (lane->waiting.length == 0)
    {
      g_queue_remove (&queue->turns, lane);
      if (lane->running == 0)
        g_hash_table_remove (queue->lanes, &lane->id);
    }
  return TRUE;
}

void
kvmhelper_queue_free (KvmHelperQueue *queue)
{
  g_thread_pool_free (queue->pool, FALSE, TRUE);
  g_hash_table_unref (queue->lanes);
  g_mutex_clear (&queue->lock);
  g_free (queue);
}
