/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-users.h"

#include "common/common-log.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-leases-private.h"

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
  kvmhelper_grant_inherit (lease->grant, &process);
  return kvmhelper_leases_add_process (leases, lease->grant, &process, NULL)
         && kvmhelper_leases_store (leases, lease, NULL);
}

static void
release (KvmHelperLeases *leases, const KvmHelperLease *lease, const char *why)
{
  g_autoptr (GError) error = NULL;
  char name[PCI_ADDRESS_LEN];
  gboolean done;

  pci_address_format (&lease->address, name);
  common_log_lease (G_LOG_LEVEL_MESSAGE, name, lease->domain_uuid, lease->id,
                    "%s: lease %s of user %u is given back: %s", name, lease->id,
                    lease->grant->user, why);
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
  lease = kvmhelper_leases_begin_user (leases, seen->id, seen->grant->user, &group, &work, NULL);
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

static gboolean
is_in_force (const KvmHelperLease *lease)
{
  return lease->phase == KVMHELPER_PHASE_PREPARED || lease->phase == KVMHELPER_PHASE_ACTIVE;
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
      if (is_in_force (lease) && !goes_on (leases, lease, thorough))
        release (leases, lease, "every process that it was for has ended");
    }
  return any;
}

static gboolean
is_agreed (KvmHelperConsents *consents, const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];

      if (kvmhelper_consents_has (consents, lease->grant->user, &member->address))
        return TRUE;
    }
  return FALSE;
}

void
kvmhelper_leases_end_revoked (KvmHelperLeases *leases, KvmHelperConsents *consents)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (leases);

  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperLease *lease = list->pdata[i];

      if (lease->grant != NULL && is_in_force (lease) && !is_agreed (consents, lease))
        release (leases, lease, "nobody agrees to it any more");
    }
}
