/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-grant.h"

#include <linux/posix_acl.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-leases-private.h"
#include "kvmhelper/kvmhelper-left.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* What a user is given besides the drivers, and how it is taken away again. */

/* QEMU reads and writes. */
#define ENTRY (ACL_READ | ACL_WRITE)

/* --- the limit of a process, which leases may share --- */

/* What other leases than @id have of @process: the limit that it had before all of them, and the
 * highest that one of them needs; FALSE: nothing. */
static gboolean
find_shared (KvmHelperLeases *leases, const char *id, const KvmHelperGrantProcess *process,
             KvmHelperGrantProcess *shared)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  gboolean found = FALSE;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, leases->table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const KvmHelperLease *lease = value;
      const KvmHelperGrantProcess *other
          = lease->grant == NULL || g_str_equal (lease->id, id)
                ? NULL
                : kvmhelper_grant_find (lease->grant, process->pid, process->start);

      if (other == NULL || other->limit == 0)
        continue;
      if (!found || other->limit > shared->limit)
        *shared = *other;
      found = TRUE;
    }
  return found;
}

/* What @process had before a lease of its user's lifted its limit, or that of the process that
 * started it. */
static void
find_before (KvmHelperLeases *leases, guint user, KvmHelperGrantProcess *process)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  KvmHelperGrantProcess found = *process;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, leases->table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const KvmHelperGrant *grant = ((const KvmHelperLease *) value)->grant;

      if (grant == NULL || grant->user != user || !kvmhelper_grant_inherit (grant, &found))
        continue;
      process->before = found.before;
      return;
    }
}

/* One call at a time changes the limit of @process. */
static gboolean
begin_process (KvmHelperLeases *leases, guint pid, KvmHelperWork *work, GError **error)
{
  g_autofree char *key = g_strdup_printf ("process %u", pid);

  return kvmhelper_work_begin (leases, -1, key, KVMHELPER_RELEASE_SECONDS, work, error);
}

static gboolean
lower (KvmHelperLeases *leases, const char *id, const KvmHelperGrantProcess *process,
       GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  KvmHelperLimit target = process->before;
  KvmHelperGrantProcess shared;

  if (process->limit == 0)
    return TRUE;
  if (!begin_process (leases, process->pid, &work, error))
    return FALSE;
  if (find_shared (leases, id, process, &shared))
    target = (KvmHelperLimit){ MAX (target.soft, shared.limit), MAX (target.hard, shared.limit) };
  return kvmhelper_grant_process_lower (leases->kernel, process, &target, error);
}

/* --- giving --- */

/* The node: that it will be given is on disk before. */
static gboolean
give_node (KvmHelperLeases *leases, KvmHelperLease *lease, int group, GError **error)
{
  KvmHelperGrant *grant = lease->grant;
  int now;

  if (!grant->node)
    {
      if (!kvmhelper_grant_node_read (leases->kernel, (guint) group, grant->user,
                                      &grant->entry_before, error))
        return FALSE;
      grant->node = TRUE;
      if (!kvmhelper_leases_store (leases, lease, error))
        return FALSE;
    }
  if (!kvmhelper_grant_node_write (leases->kernel, (guint) group, grant->user, ENTRY, error))
    return FALSE;
  /* A number that has changed hands meanwhile: another group's node was opened to the user. */
  if (kvmhelper_binding_group (leases->kernel, lease, &now, error) && now == group)
    return TRUE;
  kvmhelper_grant_node_write (leases->kernel, (guint) group, grant->user, KVMHELPER_NO_ENTRY, NULL);
  if (*error == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
                 _ ("IOMMU group %d has just become %d; try again"), group, now);
  return FALSE;
}

/* Those that have ended need no place any more. */
static void
drop_ended (KvmHelperLeases *leases, KvmHelperGrant *grant)
{
  for (guint i = grant->processes->len; i > 0; i--)
    if (!kvmhelper_grant_process_lives (
            leases->kernel, &g_array_index (grant->processes, KvmHelperGrantProcess, i - 1)))
      g_array_remove_index (grant->processes, i - 1);
}

gboolean
kvmhelper_leases_add_process (KvmHelperLeases *leases, KvmHelperGrant *grant,
                              const KvmHelperGrantProcess *process, GError **error)
{
  drop_ended (leases, grant);
  return kvmhelper_grant_add (grant, process, error);
}

/* The highest that it was for stays noted; what is set is no more than what was asked for now. */
static gboolean
give_memory (KvmHelperLeases *leases, KvmHelperLease *lease, int handle, guint64 memory,
             GError **error)
{
  KvmHelperGrant *grant = lease->grant;
  g_auto (KvmHelperWork) work = { NULL, NULL };
  KvmHelperGrantProcess process, shared, *known;

  if (!kvmhelper_grant_process_read (leases->kernel, handle, grant->user, &process, error)
      || !begin_process (leases, process.pid, &work, error)
      || !kvmhelper_grant_process_read (leases->kernel, handle, grant->user, &process, error))
    return FALSE;
  known = kvmhelper_grant_find (grant, process.pid, process.start);
  if (known == NULL)
    {
      if (!kvmhelper_leases_add_process (leases, grant, &process, error))
        return FALSE;
      known = kvmhelper_grant_find (grant, process.pid, process.start);
    }
  if (known->limit == 0 && find_shared (leases, lease->id, &process, &shared))
    known->before = shared.before;
  else if (known->limit == 0)
    find_before (leases, grant->user, known);
  if (memory > known->limit)
    {
      known->limit = memory;
      if (!kvmhelper_leases_store (leases, lease, error))
        return FALSE;
    }
  return kvmhelper_grant_process_raise (leases->kernel, handle, grant->user, &process, memory,
                                        error);
}

KvmHelperLease *
kvmhelper_leases_begin_user (KvmHelperLeases *leases, const char *id, guint user, int *group,
                             KvmHelperWork *work, GError **error)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, error);
  int now;

  if (lease == NULL || !kvmhelper_binding_group (leases->kernel, lease, group, error)
      || !kvmhelper_work_begin (leases, *group, id, KVMHELPER_RELEASE_SECONDS, work, error))
    return NULL;
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, error);
  /* The number may have changed hands while this waited. */
  if (lease == NULL || !kvmhelper_binding_group (leases->kernel, lease, &now, error))
    return NULL;
  if (lease->grant != NULL && lease->grant->user == user && *group >= 0 && now == *group
      && (lease->phase == KVMHELPER_PHASE_PREPARED || lease->phase == KVMHELPER_PHASE_ACTIVE))
    return g_steal_pointer (&lease);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                       _ ("There is no such lease; it may have been given back"));
  return NULL;
}

KvmHelperLease *
kvmhelper_leases_give (KvmHelperLeases *leases, const char *id, guint user, int handle,
                       guint64 memory, GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  int group;
  g_autoptr (KvmHelperLease) lease
      = kvmhelper_leases_begin_user (leases, id, user, &group, &work, error);
  GError *local = NULL;

  if (lease == NULL)
    return NULL;
  if (give_node (leases, lease, group, &local)
      && give_memory (leases, lease, handle, memory, &local))
    return g_steal_pointer (&lease);
  g_propagate_error (error, local);
  return NULL;
}

/* --- taking away --- */

/* By today's number of the group; where it has none, or no node, nothing is left to take. */
static gboolean
take_node (KvmHelperLeases *leases, KvmHelperLease *lease, GError **error)
{
  KvmHelperGrant *grant = lease->grant;
  int group, now;

  if (!grant->node)
    return TRUE;
  if (!kvmhelper_binding_group (leases->kernel, lease, &group, error))
    return FALSE;
  if (group >= 0)
    {
      if (!kvmhelper_grant_node_read (leases->kernel, (guint) group, grant->user, &now, error))
        return FALSE;
      /* A node that was made anew has nothing of ours, and gets nothing back. */
      if (now != KVMHELPER_NO_ENTRY
          && !kvmhelper_grant_node_write (leases->kernel, (guint) group, grant->user,
                                          grant->entry_before, error))
        return FALSE;
    }
  grant->node = FALSE;
  return TRUE;
}

static gboolean
take_memory (KvmHelperLeases *leases, KvmHelperLease *lease, GError **error)
{
  GArray *processes = lease->grant->processes;

  while (processes->len > 0)
    {
      const KvmHelperGrantProcess *process
          = &g_array_index (processes, KvmHelperGrantProcess, processes->len - 1);

      if (!lower (leases, lease->id, process, error))
        return FALSE;
      g_array_set_size (processes, processes->len - 1);
    }
  return TRUE;
}

gboolean
kvmhelper_leases_give_back (KvmHelperLeases *leases, KvmHelperLease *lease, gboolean *held)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *left = NULL;

  if (lease->grant == NULL)
    return kvmhelper_binding_give_back (leases->kernel, lease, held);
  /* The node at once: what the user has open he keeps, but he opens it no more. The memory when
   * nothing of it can be pinned by the device. */
  take_node (leases, lease, NULL);
  if (!kvmhelper_binding_give_back (leases->kernel, lease, held))
    return FALSE;
  if (take_node (leases, lease, &error) && take_memory (leases, lease, &error))
    return TRUE;
  *held = FALSE;
  left = g_strdup_printf (_ ("user %u still has what was granted: %s"), lease->grant->user,
                          error->message);
  kvmhelper_left_note (leases->kernel, lease, left);
  return FALSE;
}
