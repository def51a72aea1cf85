/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"

#include "common/common-error.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-left.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* What is tried again: in the main context, with a pause that doubles. */
typedef struct
{
  guint source;  /* 0 while a thread has it */
  guint seconds; /* the pause */
} Retry;

typedef struct
{
  KvmHelperLeases *leases;
  char *id;
} Expiry;

static void
expiry_free (gpointer data)
{
  Expiry *expiry = data;

  g_free (expiry->id);
  g_free (expiry);
}

static gboolean
expired (gpointer data)
{
  const Expiry *expiry = data;
  KvmHelperLeases *leases = expiry->leases;
  Retry *retry;

  g_mutex_lock (&leases->lock);
  retry = g_hash_table_lookup (leases->timers, expiry->id);
  if (retry != NULL)
    {
      retry->source = 0;
      g_thread_pool_push (leases->retries, g_strdup (expiry->id), NULL);
    }
  g_mutex_unlock (&leases->lock);
  return G_SOURCE_REMOVE;
}

void
kvmhelper_leases_try_again (KvmHelperLeases *leases, const char *id)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  Retry *retry = g_hash_table_lookup (leases->timers, id);
  Expiry *expiry;

  if (retry == NULL)
    {
      retry = g_new0 (Retry, 1);
      retry->seconds = KVMHELPER_RETRY_FIRST_SECONDS;
      g_hash_table_insert (leases->timers, g_strdup (id), retry);
    }
  else if (retry->source != 0)
    return;
  expiry = g_new0 (Expiry, 1);
  expiry->leases = leases;
  expiry->id = g_strdup (id);
  retry->source = g_timeout_add_seconds_full (G_PRIORITY_DEFAULT, retry->seconds, expired, expiry,
                                              expiry_free);
  retry->seconds = MIN (retry->seconds * 2, KVMHELPER_RETRY_MAX_SECONDS);
}

void
kvmhelper_leases_stop_retry (KvmHelperLeases *leases, const char *id)
{
  const Retry *retry = g_hash_table_lookup (leases->timers, id);

  if (retry != NULL && retry->source != 0)
    g_source_remove (retry->source);
  g_hash_table_remove (leases->timers, id);
}

void
kvmhelper_leases_stop_retries (KvmHelperLeases *leases)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  g_autofree gpointer *ids = g_hash_table_get_keys_as_array (leases->timers, NULL);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autofree char *id = g_strdup (ids[i]);

      kvmhelper_leases_stop_retry (leases, id);
    }
}

/* From now on it is to be given back. */
static void
begin_end (KvmHelperLease *lease)
{
  if (lease->ending_since == 0)
    lease->ending_since = g_get_real_time () / G_USEC_PER_SEC;
}

gboolean
kvmhelper_leases_finish (KvmHelperLeases *leases, KvmHelperLease *lease, gboolean *held)
{
  g_autofree char *before = g_strdup (lease->left);
  KvmHelperPhase phase = lease->phase;

  begin_end (lease);
  if (kvmhelper_leases_give_back (leases, lease, held))
    return kvmhelper_leases_drop (leases, lease);
  lease->phase = KVMHELPER_PHASE_PENDING;
  /* Each try writes only what is news. */
  if (phase != lease->phase || !g_str_equal (before, lease->left))
    kvmhelper_leases_keep (leases, lease);
  kvmhelper_leases_try_again (leases, lease->id);
  return FALSE;
}

void
kvmhelper_leases_retry (gpointer id, gpointer data)
{
  KvmHelperLeases *leases = data;
  g_autofree char *name = id;
  g_autoptr (KvmHelperLease) lease = NULL;
  g_auto (KvmHelperWork) work = { NULL, NULL };
  gboolean held;
  int group;

  if (g_cancellable_is_cancelled (leases->cancellable))
    return;
  lease = kvmhelper_leases_find (leases, name, NULL);
  if (lease == NULL)
    return;
  if (!kvmhelper_binding_group (leases->kernel, lease, &group, NULL)
      || !kvmhelper_work_begin (leases, group, name, 0, &work, NULL))
    {
      kvmhelper_leases_try_again (leases, name);
      return;
    }
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, name, NULL);
  /* One that was put off while a call was taking it, and that the call has handed over since, is
   * its guest's. */
  if (lease != NULL && !lease->unreadable && lease->phase == KVMHELPER_PHASE_PENDING)
    kvmhelper_leases_finish (leases, lease, &held);
}

/* A pause, or FALSE where the helper is to stop. */
static gboolean
wait_a_little (KvmHelperLeases *leases)
{
  GPollFD fd;
  gboolean watched = g_cancellable_make_pollfd (leases->cancellable, &fd);

  g_poll (&fd, watched ? 1 : 0, KVMHELPER_RELEASE_POLL_MS);
  if (watched)
    g_cancellable_release_fd (leases->cancellable);
  return !g_cancellable_is_cancelled (leases->cancellable);
}

static void
set_pending (KvmHelperLeases *leases, KvmHelperLease *lease)
{
  lease->phase = KVMHELPER_PHASE_PENDING;
  begin_end (lease);
  kvmhelper_leases_keep (leases, lease);
  kvmhelper_leases_try_again (leases, lease->id);
}

gboolean
kvmhelper_leases_release (KvmHelperLeases *leases, const char *id, guint seconds, gboolean *done,
                          GError **error)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, error);
  g_auto (KvmHelperWork) work = { NULL, NULL };
  gboolean held = FALSE;
  g_autoptr (GError) local = NULL;
  int group;

  *done = FALSE;
  if (lease == NULL)
    return FALSE;
  if (!kvmhelper_binding_group (leases->kernel, lease, &group, &local))
    {
      /* Nothing can be begun, for a reason that passes. */
      kvmhelper_left_note (leases->kernel, lease, local->message);
      set_pending (leases, lease);
      return TRUE;
    }
  if (!kvmhelper_work_begin (leases, group, id, seconds, &work, error))
    return FALSE;
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, NULL);
  if (lease == NULL)
    {
      *done = TRUE; /* by somebody who was before us */
      return TRUE;
    }
  if (lease->unreadable)
    return TRUE;
  begin_end (lease);
  if (lease->phase != KVMHELPER_PHASE_PENDING)
    {
      lease->phase = KVMHELPER_PHASE_RELEASING;
      kvmhelper_left_note (leases->kernel, lease, "");
      if (!kvmhelper_leases_store (leases, lease, error))
        return FALSE;
    }
  do
    {
      if (kvmhelper_leases_give_back (leases, lease, &held))
        {
          *done = kvmhelper_leases_drop (leases, lease);
          return TRUE;
        }
    }
  while (held && g_get_monotonic_time () < deadline && wait_a_little (leases));
  set_pending (leases, lease);
  return TRUE;
}

/* Whether there is nobody who would lose something with the lease: FALSE where the group is held,
 * with @lease as it is then. */
static gboolean
try_once (KvmHelperLeases *leases, KvmHelperLease *lease, GError **error)
{
  gboolean held;

  if (lease->unreadable)
    return TRUE;
  if (kvmhelper_leases_finish (leases, lease, &held) || !held)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
               _ ("The lease cannot be forgotten now: %s"), lease->left);
  return FALSE;
}

gboolean
kvmhelper_leases_forget (KvmHelperLeases *leases, const char *id, GError **error)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, error);
  g_auto (KvmHelperWork) work = { NULL, NULL };
  char name[PCI_ADDRESS_LEN];
  int group;

  if (lease == NULL || !kvmhelper_binding_group (leases->kernel, lease, &group, error)
      || !kvmhelper_work_begin (leases, group, id, 0, &work, error))
    return FALSE;
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, NULL);
  if (lease == NULL)
    return TRUE;
  if (!try_once (leases, lease, error))
    return FALSE;
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, NULL);
  if (lease == NULL)
    return TRUE;
  pci_address_format (&lease->address, name);
  common_log_lease (G_LOG_LEVEL_WARNING, lease->unreadable ? NULL : name, NULL, lease->id,
                    "lease %s was forgotten with this left: %s", lease->id, lease->left);
  if (kvmhelper_leases_drop (leases, lease))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
               _ ("The record of lease %s cannot be removed"), id);
  return FALSE;
}
