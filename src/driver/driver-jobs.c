/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-jobs.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"

enum
{
  THREADS_MAX = 32,
  JOBS_MAX = 128,
};

struct _DriverJobs
{
  GThreadPool *threads;
  GHashTable *domains; /* UUID to GQueue of Job; the head runs */
  guint length;
  GMutex lock;     /* of done */
  GPtrArray *done; /* Job: finished, for the main loop to clear away */
  GSource *wake;   /* is ready where done has something */
};

typedef struct
{
  char *domain_uuid;
  DriverJobFunc run;
  gpointer data;
  GDestroyNotify free_data;
} Job;

static void
job_free (Job *job)
{
  g_free (job->domain_uuid);
  job->free_data (job->data);
  g_free (job);
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

static void
finish (DriverJobs *self, Job *job)
{
  GQueue *queue = g_hash_table_lookup (self->domains, job->domain_uuid);

  g_queue_pop_head (queue);
  self->length--;
  if (g_queue_is_empty (queue))
    g_hash_table_remove (self->domains, job->domain_uuid);
  else
    g_thread_pool_push (self->threads, g_queue_peek_head (queue), NULL);
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
  self->domains
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_queue_free);
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
  GHashTableIter iter;
  gpointer queue;

  if (self == NULL)
    return;
  /* Every head is in the pool already, and nothing is pushed behind it from here on. */
  g_thread_pool_free (self->threads, FALSE, TRUE);
  g_source_destroy (self->wake);
  g_source_unref (self->wake);
  g_hash_table_iter_init (&iter, self->domains);
  while (g_hash_table_iter_next (&iter, NULL, &queue))
    g_queue_clear_full (queue, (GDestroyNotify) job_free);
  g_hash_table_unref (self->domains);
  g_ptr_array_unref (self->done);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
driver_jobs_push (DriverJobs *self, const char *domain_uuid, DriverJobFunc run, gpointer data,
                  GDestroyNotify free_data, GError **error)
{
  GQueue *queue = g_hash_table_lookup (self->domains, domain_uuid);
  Job *job;

  if (self->length >= JOBS_MAX)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                   _ ("%u changes to PCI devices wait already. Try again when they are done."),
                   self->length);
      return FALSE;
    }
  job = g_new (Job, 1);
  *job = (Job){ g_strdup (domain_uuid), run, data, free_data };
  self->length++;
  if (queue == NULL)
    {
      queue = g_queue_new ();
      g_hash_table_insert (self->domains, g_strdup (domain_uuid), queue);
    }
  g_queue_push_tail (queue, job);
  if (queue->length == 1)
    g_thread_pool_push (self->threads, job, NULL);
  return TRUE;
}

guint
driver_jobs_get_length (const DriverJobs *self)
{
  return self->length;
}
