/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-grant.h"

#include <linux/posix_acl.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-leases-private.h"
#include "kvmhelper/kvmhelper-left.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* QEMU reads and writes. */
#define ENTRY (ACL_READ | ACL_WRITE)

guint
kvmhelper_leases_count_user (KvmHelperLeases *leases, guint user)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  guint count = 0;
  GHashTableIter iter;
  gpointer lease;

  g_hash_table_iter_init (&iter, leases->table);
  while (g_hash_table_iter_next (&iter, NULL, &lease))
    {
      const KvmHelperGrant *grant = ((const KvmHelperLease *) lease)->grant;

      count += grant != NULL && grant->user == user;
    }
  return count;
}

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
      if (!kvmhelper_grant_add (grant, &process, error))
        return FALSE;
      known = kvmhelper_grant_find (grant, process.pid, process.start);
    }
  if (known->limit == 0 && find_shared (leases, lease->id, &process, &shared))
    known->before = shared.before;
  if (memory > known->limit)
    {
      known->limit = memory;
      if (!kvmhelper_leases_store (leases, lease, error))
        return FALSE;
    }
  return kvmhelper_grant_process_raise (leases->kernel, handle, grant->user, &process, known->limit,
                                        error);
}

/* The lease, once nobody else works on its group: a user's own, and not at its end. */
static KvmHelperLease *
begin (KvmHelperLeases *leases, const char *id, guint user, int *group, KvmHelperWork *work,
       GError **error)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, error);

  if (lease == NULL || !kvmhelper_binding_group (leases->kernel, lease, group, error)
      || !kvmhelper_work_begin (leases, *group, id, KVMHELPER_RELEASE_SECONDS, work, error))
    return NULL;
  kvmhelper_lease_free (g_steal_pointer (&lease));
  lease = kvmhelper_leases_find (leases, id, error);
  if (lease == NULL)
    return NULL;
  if (lease->grant != NULL && lease->grant->user == user && *group >= 0
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
  g_autoptr (KvmHelperLease) lease = begin (leases, id, user, &group, &work, error);
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

/* --- the watch --- */

static gboolean
has_process (KvmHelperLeases *leases, const KvmHelperLease *lease)
{
  const GArray *processes = lease->grant->processes;

  for (guint i = 0; i < processes->len; i++)
    if (kvmhelper_grant_process_lives (leases->kernel,
                                       &g_array_index (processes, KvmHelperGrantProcess, i)))
      return TRUE;
  return FALSE;
}

/* A child has its parent's limits: QEMU those of the daemon that started it. */
static void
inherit (const KvmHelperGrant *grant, KvmHelperGrantProcess *child)
{
  for (guint i = 0; i < grant->processes->len; i++)
    {
      const KvmHelperGrantProcess *parent
          = &g_array_index (grant->processes, KvmHelperGrantProcess, i);

      if (parent->limit == 0 || child->before.hard != MAX (parent->before.hard, parent->limit))
        continue;
      child->before = parent->before;
      child->limit = parent->limit;
      return;
    }
}

/* The process of the user that holds the group takes the place of those that ended: FALSE where
 * there is none. With the work begun. */
static gboolean
adopt (KvmHelperLeases *leases, KvmHelperLease *lease, guint group)
{
  guint pid = kvmhelper_holder_find (leases->kernel, group);
  int handle = pid == 0 ? -1 : leases->kernel->calls->pidfd (leases->kernel->data, pid);
  KvmHelperGrantProcess process;
  gboolean read;

  if (handle < 0)
    return FALSE;
  read = kvmhelper_grant_process_read (leases->kernel, handle, lease->grant->user, &process, NULL);
  kvmhelper_kernel_close (leases->kernel, handle);
  if (!read)
    return FALSE;
  if (kvmhelper_grant_find (lease->grant, process.pid, process.start) != NULL)
    return TRUE;
  inherit (lease->grant, &process);
  return kvmhelper_grant_add (lease->grant, &process, NULL)
         && kvmhelper_leases_store (leases, lease, NULL);
}

static void
release (KvmHelperLeases *leases, const KvmHelperLease *lease)
{
  g_autoptr (GError) error = NULL;
  char name[PCI_ADDRESS_LEN];
  gboolean done;

  pci_address_format (&lease->address, name);
  common_log_lease (G_LOG_LEVEL_MESSAGE, name, lease->domain_uuid, lease->id,
                    "%s: every process that user %u had lease %s for has ended; giving it back",
                    name, lease->grant->user, lease->id);
  if (!kvmhelper_leases_release (leases, lease->id, 0, &done, &error))
    common_log_lease (G_LOG_LEVEL_WARNING, name, lease->domain_uuid, lease->id, "%s: %s", name,
                      error->message);
}

/* Whether it is to go on. */
static gboolean
goes_on (KvmHelperLeases *leases, const KvmHelperLease *seen, gboolean thorough)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean lives = has_process (leases, seen);
  int group;

  if (lives && (!thorough || seen->phase == KVMHELPER_PHASE_ACTIVE))
    return TRUE;
  /* Somebody works on it, or has ended it: the next look will tell. */
  lease = begin (leases, seen->id, seen->grant->user, &group, &work, NULL);
  if (lease == NULL)
    return TRUE;
  if (!adopt (leases, lease, (guint) group))
    return has_process (leases, lease);
  kvmhelper_work_end (&work);
  if (lease->phase == KVMHELPER_PHASE_PREPARED)
    {
      g_autoptr (GVariant) got = kvmhelper_leases_commit (leases, lease->id, NULL);

      if (got != NULL)
        g_variant_ref_sink (got);
    }
  return TRUE;
}

gboolean
kvmhelper_leases_watch_users (KvmHelperLeases *leases, gboolean thorough)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (leases);
  gboolean any = FALSE;

  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperLease *lease = list->pdata[i];

      if (lease->grant == NULL)
        continue;
      any = TRUE;
      if ((lease->phase == KVMHELPER_PHASE_PREPARED || lease->phase == KVMHELPER_PHASE_ACTIVE)
          && !goes_on (leases, lease, thorough))
        release (leases, lease);
    }
  return any;
}
