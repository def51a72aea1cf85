/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-jobs.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "driver/driver-shares.h"

enum
{
  THREADS_MAX = 32,
  THREADS_ROOT = 4,
  JOBS_MAX = 128,
  JOBS_ROOT = 16,
};

struct _DriverJobs
{
  GThreadPool *threads;
  GHashTable *lines; /* UUID to Line */
  GQueue ready;      /* Line: something waits, and nothing runs */
  DriverShares *room, *running;
  GMutex lock;     /* of done */
  GPtrArray *done; /* Job: finished, for the main loop to clear away */
  GSource *wake;   /* is ready where done has something */
};

typedef struct
{
  guint32 user;
  DriverJobFunc run;
  gpointer data;
  GDestroyNotify free_data;
  struct Line *line;
} Job;

/* What waits of one user for one domain, in order; never empty. */
typedef struct
{
  guint32 user;
  GQueue jobs; /* Job */
} Turn;

/* What concerns one domain. */
typedef struct Line
{
  char *domain_uuid;
  GQueue turns; /* Turn: who is next comes first */
  Job *running; /* NULL: none */
} Line;

static void
job_free (Job *job)
{
  job->free_data (job->data);
  g_free (job);
}

static void
turn_free (Turn *turn)
{
  g_queue_clear_full (&turn->jobs, (GDestroyNotify) job_free);
  g_free (turn);
}

static void
line_free (Line *line)
{
  g_queue_clear_full (&line->turns, (GDestroyNotify) turn_free);
  if (line->running != NULL)
    job_free (line->running);
  g_free (line->domain_uuid);
  g_free (line);
}

/* In a thread. */
static void
run_job (gpointer data, gpointer user_data)
{
  DriverJobs *self = user_data;
  Job *job = data;

  job->run (job->data);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->done, job);
  g_source_set_ready_time (self->wake, 0);
  g_mutex_unlock (&self->lock);
}

/* The first one whose user has a thread left. His next one comes after the others'. */
static Job *
take_next (DriverJobs *self, Line *line)
{
  for (GList *link = line->turns.head; link != NULL; link = link->next)
    {
      Turn *turn = link->data;

      if (!driver_shares_take (self->running, turn->user))
        continue;

      Job *job = g_queue_pop_head (&turn->jobs);
      g_queue_unlink (&line->turns, link);
      if (g_queue_is_empty (&turn->jobs))
        {
          g_list_free (link);
          turn_free (turn);
        }
      else
        g_queue_push_tail_link (&line->turns, link);
      return job;
    }
  return NULL;
}

static void
run_ready (DriverJobs *self)
{
  for (GList *link = self->ready.head, *next; link != NULL; link = next)
    {
      Line *line = link->data;

      next = link->next;
      line->running = take_next (self, line);
      if (line->running == NULL)
        continue;
      g_queue_delete_link (&self->ready, link);
      g_thread_pool_push (self->threads, line->running, NULL);
    }
}

static void
finish (DriverJobs *self, Job *job)
{
  Line *line = job->line;

  driver_shares_give_back (self->running, job->user);
  driver_shares_give_back (self->room, job->user);
  line->running = NULL;
  if (g_queue_is_empty (&line->turns))
    g_hash_table_remove (self->lines, line->domain_uuid);
  else
    g_queue_push_tail (&self->ready, line);
  job_free (job);
}

static gboolean
clear_done (gpointer data)
{
  DriverJobs *self = data;
  g_autoptr (GPtrArray) done = NULL;

  g_mutex_lock (&self->lock);
  g_source_set_ready_time (self->wake, -1);
  done = g_steal_pointer (&self->done);
  self->done = g_ptr_array_new ();
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < done->len; i++)
    finish (self, done->pdata[i]);
  run_ready (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

DriverJobs *
driver_jobs_new (void)
{
  static GSourceFuncs funcs = { NULL, NULL, dispatch, NULL };
  DriverJobs *self = g_new0 (DriverJobs, 1);

  self->threads = g_thread_pool_new (run_job, self, THREADS_MAX, FALSE, NULL);
  self->lines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) line_free);
  g_queue_init (&self->ready);
  self->room = driver_shares_new (JOBS_MAX, JOBS_ROOT);
  self->running = driver_shares_new (THREADS_MAX, THREADS_ROOT);
  self->done = g_ptr_array_new ();
  g_mutex_init (&self->lock);
  self->wake = g_source_new (&funcs, sizeof (GSource));
  g_source_set_callback (self->wake, clear_done, self, NULL);
  g_source_attach (self->wake, NULL);
  return self;
}

void
driver_jobs_free (DriverJobs *self)
{
  if (self == NULL)
    return;
  /* What is in the pool has a thread, and nothing is pushed behind it from here on. */
  g_thread_pool_free (self->threads, FALSE, TRUE);
  g_source_destroy (self->wake);
  g_source_unref (self->wake);
  g_queue_clear (&self->ready);
  g_hash_table_unref (self->lines);
  driver_shares_free (self->room);
  driver_shares_free (self->running);
  g_ptr_array_unref (self->done);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static Line *
get_line (DriverJobs *self, const char *domain_uuid)
{
  Line *line = g_hash_table_lookup (self->lines, domain_uuid);

  if (line != NULL)
    return line;
  line = g_new0 (Line, 1);
  line->domain_uuid = g_strdup (domain_uuid);
  g_hash_table_insert (self->lines, line->domain_uuid, line);
  return line;
}

static Turn *
get_turn (Line *line, guint32 user)
{
  Turn *turn;

  for (GList *link = line->turns.head; link != NULL; link = link->next)
    {
      turn = link->data;
      if (turn->user == user)
        return turn;
    }
  turn = g_new0 (Turn, 1);
  turn->user = user;
  g_queue_push_tail (&line->turns, turn);
  return turn;
}

gboolean
driver_jobs_push (DriverJobs *self, guint32 user, const char *domain_uuid, DriverJobFunc run,
                  gpointer data, GDestroyNotify free_data, GError **error)
{
  Line *line;
  Job *job;

  if (!driver_shares_take (self->room, user))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                   _ ("%u changes to PCI devices wait already, too many of them this user's. Try "
                      "again when they are done."),
                   driver_jobs_get_length (self));
      return FALSE;
    }
  line = get_line (self, domain_uuid);
  job = g_new (Job, 1);
  *job = (Job){ user, run, data, free_data, line };
  if (line->running == NULL && g_queue_is_empty (&line->turns))
    g_queue_push_tail (&self->ready, line);
  g_queue_push_tail (&get_turn (line, user)->jobs, job);
  run_ready (self);
  return TRUE;
}

guint
driver_jobs_get_length (const DriverJobs *self)
{
  return driver_shares_get_taken (self->room);
}
