/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-eeh-watch.h"

/* A lease whose PEs are known, and what they were at the last look. */
typedef struct
{
  KvmHelperPhase phase; /* in which its PEs were looked up */
  GArray *pes;          /* KvmHelperEehPe */
  const char **states;  /* of each */
  guint64 look;         /* the last one that found the lease */
} Watched;

struct _KvmHelperEehWatch
{
  const KvmHelperKernel *kernel;
  KvmHelperLeases *leases;
  guint seconds;
  KvmHelperEehChanged changed;
  gpointer data;
  GThread *thread;     /* NULL: it does not look by itself */
  GHashTable *watched; /* id of a lease -> Watched; of the one who looks */

  GMutex lock; /* of all below */
  GCond woken;
  gboolean awake; /* somebody woke it since it looked for leases */
  gboolean stopping;
  KvmHelperEehCost cost;
};

static void
watched_free (gpointer data)
{
  Watched *watched = data;

  g_array_unref (watched->pes);
  g_free (watched->states);
  g_free (watched);
}

/* What is being taken, or given back, is under the helper's own hands. */
static gboolean
is_lent (const KvmHelperLease *lease)
{
  return !kvmhelper_lease_is_rehearsal (lease)
         && (lease->phase == KVMHELPER_PHASE_PREPARED || lease->phase == KVMHELPER_PHASE_ACTIVE
             || lease->phase == KVMHELPER_PHASE_PENDING);
}

static gboolean
has_lent (KvmHelperEehWatch *self)
{
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (self->leases);

  for (guint i = 0; i < leases->len; i++)
    if (is_lent (leases->pdata[i]))
      return TRUE;
  return FALSE;
}

static const char *
state_before (const Watched *old, const KvmHelperEehPe *pe)
{
  for (guint i = 0; old != NULL && i < old->pes->len; i++)
    {
      const KvmHelperEehPe *other = &g_array_index (old->pes, KvmHelperEehPe, i);

      if (other->phb == pe->phb && other->number == pe->number)
        return old->states[i];
    }
  return KVMHELPER_EEH_UNKNOWN;
}

/* Which PEs a lease has is looked up once a phase, as that takes more reads than their states. */
static Watched *
find_watched (KvmHelperEehWatch *self, const KvmHelperLease *lease)
{
  Watched *old = g_hash_table_lookup (self->watched, lease->id);
  Watched *watched;

  if (old != NULL && old->phase == lease->phase)
    return old;
  watched = g_new0 (Watched, 1);
  watched->phase = lease->phase;
  watched->pes = kvmhelper_eeh_lease (self->kernel, lease);
  watched->states = g_new (const char *, watched->pes->len + 1);
  for (guint i = 0; i < watched->pes->len; i++)
    watched->states[i] = state_before (old, &g_array_index (watched->pes, KvmHelperEehPe, i));
  g_hash_table_replace (self->watched, g_strdup (lease->id), watched);
  return watched;
}

/* The first look finds most PEs normal, which is no news. */
static gboolean
is_news (const char *before, const char *after)
{
  return before != after
         && !(g_str_equal (before, KVMHELPER_EEH_UNKNOWN)
              && g_str_equal (after, KVMHELPER_EEH_NORMAL));
}

static void
look_at (KvmHelperEehWatch *self, const KvmHelperLease *lease, guint64 look, guint *reads)
{
  Watched *watched = find_watched (self, lease);

  watched->look = look;
  for (guint i = 0; i < watched->pes->len; i++)
    {
      const KvmHelperEehPe *pe = &g_array_index (watched->pes, KvmHelperEehPe, i);
      const char *before = watched->states[i];
      const char *after = kvmhelper_eeh_read (self->kernel, &pe->function).name;
      KvmHelperEehChange change = { lease, pe, before, after };

      watched->states[i] = after;
      *reads += 1;
      if (is_news (before, after))
        self->changed (&change, self->data);
    }
}

static gboolean
is_older (gpointer key, gpointer value, gpointer look)
{
  return ((const Watched *) value)->look != *(guint64 *) look;
}

void
kvmhelper_eeh_watch_look (KvmHelperEehWatch *self)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (self->leases);
  guint64 look = kvmhelper_eeh_watch_get_cost (self).looks + 1;
  guint64 usec;
  guint reads = 0;

  for (guint i = 0; i < leases->len; i++)
    if (is_lent (leases->pdata[i]))
      look_at (self, leases->pdata[i], look, &reads);
  g_hash_table_foreach_remove (self->watched, is_older, &look);
  usec = (guint64) (g_get_monotonic_time () - begin);
  g_debug ("EEH: looked at %u PEs in %" G_GUINT64_FORMAT " us", reads, usec);
  g_mutex_lock (&self->lock);
  self->cost.looks = look;
  self->cost.reads += reads;
  self->cost.usec += usec;
  g_mutex_unlock (&self->lock);
}

/* Until it is time to look: FALSE where it is to stop. With the lock held. */
static gboolean
wait_for_time (KvmHelperEehWatch *self)
{
  gint64 deadline = g_get_monotonic_time () + self->seconds * G_USEC_PER_SEC;

  while (!self->stopping && g_cond_wait_until (&self->woken, &self->lock, deadline))
    ;
  return !self->stopping;
}

static gpointer
run (gpointer data)
{
  KvmHelperEehWatch *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping)
    {
      gboolean lent;

      self->awake = FALSE;
      g_mutex_unlock (&self->lock);
      lent = has_lent (self);
      if (!lent)
        g_hash_table_remove_all (self->watched);
      g_mutex_lock (&self->lock);
      while (!lent && !self->awake && !self->stopping)
        g_cond_wait (&self->woken, &self->lock);
      if (!lent || !wait_for_time (self))
        continue;
      g_mutex_unlock (&self->lock);
      kvmhelper_eeh_watch_look (self);
      g_mutex_lock (&self->lock);
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

KvmHelperEehWatch *
kvmhelper_eeh_watch_new (const KvmHelperKernel *kernel, KvmHelperLeases *leases, guint seconds,
                         KvmHelperEehChanged changed, gpointer data)
{
  KvmHelperEehWatch *self = g_new0 (KvmHelperEehWatch, 1);

  self->kernel = kernel;
  self->leases = leases;
  self->seconds = seconds;
  self->changed = changed;
  self->data = data;
  self->watched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, watched_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->woken);
  if (seconds > 0)
    self->thread = g_thread_new ("eeh-watch", run, self);
  return self;
}

void
kvmhelper_eeh_watch_free (KvmHelperEehWatch *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->woken);
  g_mutex_unlock (&self->lock);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_hash_table_unref (self->watched);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->woken);
  g_free (self);
}

void
kvmhelper_eeh_watch_wake (KvmHelperEehWatch *self)
{
  g_mutex_lock (&self->lock);
  self->awake = TRUE;
  g_cond_broadcast (&self->woken);
  g_mutex_unlock (&self->lock);
}

KvmHelperEehCost
kvmhelper_eeh_watch_get_cost (KvmHelperEehWatch *self)
{
  KvmHelperEehCost cost;

  g_mutex_lock (&self->lock);
  cost = self->cost;
  g_mutex_unlock (&self->lock);
  return cost;
}
