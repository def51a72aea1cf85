/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"

#include <errno.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/kvmhelper-left.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-message.h"
#include "kvmhelper/kvmhelper-watch.h"

#include <glib/gi18n-lib.h>

#define RETRY_THREADS 4

KvmHelperLeases *
kvmhelper_leases_open (const KvmHelperKernel *kernel, const char *state_directory,
                       KvmHelperRehearse rehearse, const KvmHelperListener *listener,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (KvmHelperJournal) journal = kvmhelper_journal_open (state_directory, error);
  g_autoptr (KvmHelperLeases) leases = NULL;

  if (journal == NULL)
    return NULL;
  leases = g_new0 (KvmHelperLeases, 1);
  leases->kernel = kernel;
  leases->rehearse = rehearse;
  leases->config = kvmhelper_config_defaults ();
  leases->listener = *listener;
  leases->cancellable = g_object_ref (cancellable);
  leases->journal = g_steal_pointer (&journal);
  leases->rehearsed = kvmhelper_rehearsed_open (kernel, state_directory);
  leases->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                         (GDestroyNotify) kvmhelper_lease_free);
  leases->working = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  leases->timers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  leases->retries = g_thread_pool_new (kvmhelper_leases_retry, leases, RETRY_THREADS, FALSE, NULL);
  g_mutex_init (&leases->writing);
  g_mutex_init (&leases->lock);
  g_cond_init (&leases->freed);
  if (!kvmhelper_leases_recover (leases, error))
    return NULL;
  return g_steal_pointer (&leases);
}

void
kvmhelper_leases_configure (KvmHelperLeases *leases, const KvmHelperConfig *config)
{
  leases->config = config;
}

KvmHelperRehearsed *
kvmhelper_leases_get_rehearsed (KvmHelperLeases *leases)
{
  return leases->rehearsed;
}

void
kvmhelper_leases_abandon (KvmHelperLeases *leases)
{
  kvmhelper_journal_abandon (leases->journal);
}

void
kvmhelper_leases_free (KvmHelperLeases *leases)
{
  kvmhelper_leases_stop_retries (leases);
  g_thread_pool_free (leases->retries, FALSE, TRUE);
  kvmhelper_leases_stop_retries (leases);
  g_hash_table_unref (leases->timers);
  g_hash_table_unref (leases->working);
  g_hash_table_unref (leases->table);
  kvmhelper_rehearsed_free (leases->rehearsed);
  kvmhelper_journal_free (leases->journal);
  g_object_unref (leases->cancellable);
  g_mutex_clear (&leases->writing);
  g_mutex_clear (&leases->lock);
  g_cond_clear (&leases->freed);
  g_free (leases);
}

char *
kvmhelper_leases_boot_id (const KvmHelperLeases *leases, GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autofree char *boot_id = NULL;

  kvmhelper_watch_init (&watch, leases->kernel);
  boot_id = kvmhelper_kernel_boot_id (&watch.kernel);
  if (!kvmhelper_watch_check (&watch, error))
    return NULL;
  /* None is no other boot: every lease would be dropped, and what it took with it. */
  if (*boot_id != '\0')
    return g_steal_pointer (&boot_id);
  common_error_set_errno (error, ENODATA, "/proc/sys/kernel/random/boot_id");
  return NULL;
}

gboolean
kvmhelper_work_begin (KvmHelperLeases *leases, int group, const char *id, guint seconds,
                      KvmHelperWork *work, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  g_autofree char *key
      = group >= 0 ? g_strdup_printf ("group %d", group) : g_strdup_printf ("lease %s", id);

  while (g_hash_table_contains (leases->working, key))
    if (!g_cond_wait_until (&leases->freed, &leases->lock, deadline))
      {
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                     _ ("Another call works on this device's group (%s); try again later"), key);
        return FALSE;
      }
  g_hash_table_add (leases->working, g_strdup (key));
  work->leases = leases;
  work->key = g_steal_pointer (&key);
  return TRUE;
}

void
kvmhelper_work_end (KvmHelperWork *work)
{
  if (work->key == NULL)
    return;
  g_mutex_lock (&work->leases->lock);
  g_hash_table_remove (work->leases->working, work->key);
  g_cond_broadcast (&work->leases->freed);
  g_mutex_unlock (&work->leases->lock);
  g_clear_pointer (&work->key, g_free);
}

static void
tell (KvmHelperLeases *leases, const KvmHelperLease *lease, const char *phase)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&lease->address, name);
  kvmhelper_message_log (G_LOG_LEVEL_INFO, kvmhelper_message_of_phase (phase), lease,
                         "%s: lease %s is %s%s%s", name, lease->id, phase,
                         *lease->left == '\0' ? "" : ": ", lease->left);
  leases->listener.lease_changed (lease, phase, leases->listener.data);
}

/* With the writers' lock: so it stays so. */
static gboolean
is_known (KvmHelperLeases *leases, const KvmHelperLease *lease, guint *count)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);

  *count = g_hash_table_size (leases->table);
  return g_hash_table_contains (leases->table, lease->id);
}

static void
put (KvmHelperLeases *leases, const KvmHelperLease *lease)
{
  KvmHelperLease *copy = kvmhelper_lease_copy (lease);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);

  g_hash_table_replace (leases->table, copy->id, copy);
}

gboolean
kvmhelper_leases_store (KvmHelperLeases *leases, const KvmHelperLease *lease, GError **error)
{
  gboolean known, written;
  guint count;

  g_mutex_lock (&leases->writing);
  known = is_known (leases, lease, &count);
  if (!known && count >= KVMHELPER_MAX_LEASES)
    {
      g_mutex_unlock (&leases->writing);
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_BUSY, _ ("There are too many leases"));
      return FALSE;
    }
  written = kvmhelper_journal_write (leases->journal, lease, error);
  if (written)
    put (leases, lease);
  g_mutex_unlock (&leases->writing);
  if (written)
    tell (leases, lease, kvmhelper_phase_name (lease->phase));
  /* It may be there all the same, and a later start would take it for one that is in force. */
  else if (!known)
    kvmhelper_leases_drop (leases, lease);
  return written;
}

void
kvmhelper_leases_keep (KvmHelperLeases *leases, const KvmHelperLease *lease)
{
  g_autoptr (GError) error = NULL;
  gboolean known;
  guint count;

  g_mutex_lock (&leases->writing);
  known = is_known (leases, lease, &count);
  if (known && !kvmhelper_journal_write (leases->journal, lease, &error))
    g_warning ("%s", error->message);
  if (known)
    put (leases, lease);
  g_mutex_unlock (&leases->writing);
  if (known)
    tell (leases, lease, kvmhelper_phase_name (lease->phase));
}

/* The record of @lease, which has nothing any more, cannot be removed. At the next start it would
 * give back what another lease may have by then: so it stays in the way of one, and is tried
 * again. */
static void
keep_done (KvmHelperLeases *leases, const KvmHelperLease *lease, const char *left)
{
  g_autoptr (KvmHelperLease) copy = kvmhelper_lease_copy (lease);

  for (guint i = 0; i < copy->members->len; i++)
    ((KvmHelperMember *) copy->members->pdata[i])->returned = TRUE;
  copy->phase = KVMHELPER_PHASE_PENDING;
  kvmhelper_left_note (leases->kernel, copy, left);
  put (leases, copy);
  kvmhelper_leases_try_again (leases, copy->id);
}

gboolean
kvmhelper_leases_drop (KvmHelperLeases *leases, const KvmHelperLease *lease)
{
  g_autoptr (GError) error = NULL;
  gboolean known, removed;
  guint count;

  g_mutex_lock (&leases->writing);
  known = is_known (leases, lease, &count);
  removed = kvmhelper_journal_remove (leases->journal, lease->id, &error);
  if (removed)
    {
      G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);

      g_hash_table_remove (leases->table, lease->id);
      kvmhelper_leases_stop_retry (leases, lease->id);
    }
  g_mutex_unlock (&leases->writing);
  if (!removed)
    {
      g_warning ("%s", error->message);
      keep_done (leases, lease, error->message);
    }
  else if (known)
    tell (leases, lease, "done");
  return removed;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(const KvmHelperLease *const *) a)->id,
                    (*(const KvmHelperLease *const *) b)->id);
}

GPtrArray *
kvmhelper_leases_list (KvmHelperLeases *leases)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_lease_free);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  GHashTableIter iter;
  gpointer lease;

  g_hash_table_iter_init (&iter, leases->table);
  while (g_hash_table_iter_next (&iter, NULL, &lease))
    g_ptr_array_add (list, kvmhelper_lease_copy (lease));
  g_ptr_array_sort (list, compare_ids);
  return list;
}

KvmHelperLease *
kvmhelper_leases_find (KvmHelperLeases *leases, const char *id, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  const KvmHelperLease *lease = g_hash_table_lookup (leases->table, id);

  if (lease != NULL)
    return kvmhelper_lease_copy (lease);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                       _ ("There is no such lease; it may have been given back"));
  return NULL;
}

KvmHelperLease *
kvmhelper_leases_find_function (KvmHelperLeases *leases, const PciAddress *address)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  GHashTableIter iter;
  gpointer lease;

  g_hash_table_iter_init (&iter, leases->table);
  while (g_hash_table_iter_next (&iter, NULL, &lease))
    if (kvmhelper_lease_find_member (lease, address) != NULL)
      return kvmhelper_lease_copy (lease);
  return NULL;
}

GVariant *
kvmhelper_leases_commit (KvmHelperLeases *leases, const char *id, GError **error)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, error);
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_auto (KvmHelperWork) work = { NULL, NULL };
  char name[PCI_ADDRESS_LEN];
  int group;

  if (lease == NULL || !kvmhelper_binding_group (leases->kernel, lease, &group, error)
      || !kvmhelper_work_begin (leases, group, id, 0, &work, error))
    return NULL;
  /* It may have come to its end before we had the group. */
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, error);
  if (lease == NULL)
    return NULL;
  pci_address_format (&lease->address, name);
  if (lease->phase != KVMHELPER_PHASE_PREPARED && lease->phase != KVMHELPER_PHASE_ACTIVE)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                   _ ("The lease on %s is being given back"), name);
      return NULL;
    }
  inspection = kvmhelper_inspection_new (leases->kernel, &lease->address, leases->rehearsed, error);
  if (inspection == NULL)
    return NULL;
  if (inspection->holder_pid == 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_NOT_HELD,
                   _ ("Nobody holds IOMMU group %u, so no guest has %s"), inspection->group, name);
      return NULL;
    }
  lease->phase = KVMHELPER_PHASE_ACTIVE;
  lease->holder_pid = inspection->holder_pid;
  g_free (lease->granted);
  lease->granted = kvmhelper_inspection_summary (inspection);
  if (!kvmhelper_leases_store (leases, lease, error))
    return NULL;
  return kvmhelper_inspection_to_variant (inspection, lease);
}
