/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-load.h"

typedef struct
{
  BenchLoad *load;
  BenchClient ways[BENCH_WAYS_MAX];
  GArray *times; /* gint64: of this turn */
  GThread *thread;
} Worker;

struct _BenchLoad
{
  const BenchKind *kind;
  guint n_ways, n_workers;
  Worker *workers;

  GMutex lock;
  GCond changed;
  guint turn;    /* how many have begun */
  guint working; /* workers that have not ended theirs */
  BenchWay way;  /* of the turn */
  gint64 until;
  gboolean over;
};

static void
work (Worker *self, BenchWay way, gint64 until)
{
  gint64 now = g_get_monotonic_time ();

  while (now < until)
    {
      gint64 start = now;

      self->load->kind->run (&self->ways[way]);
      now = g_get_monotonic_time ();
      gint64 took = now - start;
      g_array_append_val (self->times, took);
    }
}

static gpointer
run_worker (gpointer data)
{
  Worker *self = data;
  BenchLoad *load = self->load;
  guint turn = 0;

  g_mutex_lock (&load->lock);
  while (TRUE)
    {
      while (load->turn == turn && !load->over)
        g_cond_wait (&load->changed, &load->lock);
      if (load->over)
        break;
      turn = load->turn;
      BenchWay way = load->way;
      gint64 until = load->until;
      g_mutex_unlock (&load->lock);
      work (self, way, until);
      g_mutex_lock (&load->lock);
      load->working--;
      g_cond_broadcast (&load->changed);
    }
  g_mutex_unlock (&load->lock);
  return NULL;
}

static void
open_client (BenchClient *self, const BenchWays *ways, BenchWay way, const BenchWorld *world,
             const BenchKind *kind, guint number, virConnectPtr shared)
{
  if (shared != NULL)
    virConnectRef (shared);
  self->connection = shared != NULL ? shared : bench_connect (ways, way, kind->scheme, kind->path);
  self->buffer = g_malloc0 (BENCH_CHUNK);
  if (kind->domain != NULL)
    {
      self->domain = virDomainLookupByName (self->connection, kind->domain);
      g_assert_nonnull (self->domain);
    }
  if (kind->own_volume || kind->shared_volume)
    {
      g_autofree char *pool
          = kind->own_volume ? g_strdup_printf ("own-%u", number) : g_strdup ("shared");
      g_autofree char *path = g_build_filename (world->directory, pool, "volume", NULL);

      self->volume = virStorageVolLookupByPath (self->connection, path);
      g_assert_nonnull (self->volume);
    }
}

static void
close_client (BenchClient *self)
{
  g_clear_pointer (&self->domain, virDomainFree);
  g_clear_pointer (&self->volume, virStorageVolFree);
  virConnectClose (self->connection);
  g_free (self->buffer);
}

BenchLoad *
bench_load_new (const BenchWays *ways, const BenchWorld *world, const BenchKind *kind,
                guint clients, gboolean shared)
{
  BenchLoad *self = g_new0 (BenchLoad, 1);

  self->kind = kind;
  self->n_ways = ways->n;
  self->n_workers = clients;
  self->workers = g_new0 (Worker, clients);
  for (guint i = 0; i < clients; i++)
    {
      Worker *worker = &self->workers[i];

      worker->load = self;
      worker->times = g_array_new (FALSE, FALSE, sizeof (gint64));
      for (guint w = 0; w < ways->n; w++)
        open_client (&worker->ways[w], ways, w, world, kind, i,
                     shared && i > 0 ? self->workers[0].ways[w].connection : NULL);
      worker->thread = g_thread_new ("client", run_worker, worker);
    }
  return self;
}

void
bench_load_free (BenchLoad *self)
{
  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < self->n_workers; i++)
    {
      Worker *worker = &self->workers[i];

      g_thread_join (worker->thread);
      g_array_unref (worker->times);
      for (guint w = 0; w < self->n_ways; w++)
        close_client (&worker->ways[w]);
    }
  g_free (self->workers);
  g_free (self);
}

double
bench_load_run (BenchLoad *self, BenchWay way, gint64 usec, GArray *times)
{
  gint64 start, took;
  guint done = 0;

  g_mutex_lock (&self->lock);
  start = g_get_monotonic_time ();
  self->way = way;
  self->until = start + usec;
  self->working = self->n_workers;
  self->turn++;
  g_cond_broadcast (&self->changed);
  while (self->working > 0)
    g_cond_wait (&self->changed, &self->lock);
  took = g_get_monotonic_time () - start;
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < self->n_workers; i++)
    {
      GArray *own = self->workers[i].times;

      done += own->len;
      g_array_append_vals (times, own->data, own->len);
      g_array_set_size (own, 0);
    }
  return done * (double) G_USEC_PER_SEC / (double) MAX (took, 1);
}
