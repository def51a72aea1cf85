/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"

#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-bypass.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-hold.h"
#include "kvmhelper/kvmhelper-leases-grant.h"
#include "kvmhelper/kvmhelper-leases-users.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-message.h"
#include "kvmhelper/kvmhelper-slot.h"
#include "kvmhelper/kvmhelper-takeable.h"

#include <glib/gi18n-lib.h>

void
kvmhelper_prepared_clear (KvmHelperPrepared *prepared)
{
  g_clear_pointer (&prepared->lease, kvmhelper_lease_free);
  g_clear_pointer (&prepared->steps, g_ptr_array_unref);
  g_clear_pointer (&prepared->rehearsed_why, g_free);
}

/* The lease on a member of @group, NULL: none. */
static KvmHelperLease *
find_lease (KvmHelperLeases *leases, const KvmHelperGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      KvmHelperLease *lease = kvmhelper_leases_find_function (leases, &member->address);

      if (lease != NULL)
        return lease;
    }
  return NULL;
}

static void
set_leased (GError **error, const KvmHelperGroup *group, const KvmHelperLease *lease)
{
  gboolean ending
      = lease->phase == KVMHELPER_PHASE_RELEASING || lease->phase == KVMHELPER_PHASE_PENDING;

  if (ending)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                 _ ("IOMMU group %u is still being given back to the host%s%s; try again later"),
                 group->number, *lease->left == '\0' ? "" : ": ", lease->left);
  else if (kvmhelper_lease_is_rehearsal (lease))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                 _ ("IOMMU group %u is being rehearsed"), group->number);
  else
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                 _ ("IOMMU group %u is leased to the guest %s (%s)"), group->number,
                 lease->domain_name, lease->domain_uuid);
}

/* The group of @address, for this call alone to work on. What was read before that may be what
 * another call was about to change: drivers on their way back to the host, which a lease would then
 * remember as what the functions had. So it is read again. */
static KvmHelperGroup *
begin_group (KvmHelperLeases *leases, const PciAddress *address, KvmHelperWork *work,
             GError **error)
{
  g_autoptr (KvmHelperGroup) before = kvmhelper_group_read (leases->kernel, address, error);
  g_autoptr (KvmHelperGroup) group = NULL;

  if (before == NULL || !kvmhelper_work_begin (leases, (int) before->number, NULL, 0, work, error))
    return NULL;
  group = kvmhelper_group_read (leases->kernel, address, error);
  if (group == NULL || group->number == before->number)
    return g_steal_pointer (&group);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
               _ ("IOMMU group %u has just become %u; try again"), before->number, group->number);
  return NULL;
}

/* What the host needed, and somebody who may decide that had it taken in spite of. */
static void
log_override (const KvmHelperLease *lease, const char *accepted)
{
  char name[PCI_ADDRESS_LEN];

  if (*accepted == '\0')
    return;
  pci_address_format (&lease->address, name);
  kvmhelper_message_log (G_LOG_LEVEL_WARNING, KVMHELPER_MESSAGE_OVERRIDE, lease,
                         "%s: taken by an override, though the host needs it: %s", name, accepted);
}

/* Takes @group for @lease, which is on disk before. On failure all is as it was, or pending. */
static gboolean
take (KvmHelperLeases *leases, const KvmHelperGroup *group, KvmHelperLease *lease,
      const GPtrArray *holds, GError **error)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_group (leases->kernel, group);
  gboolean held;

  if (!kvmhelper_slot_note (leases->kernel, lease, error)
      || !kvmhelper_leases_store (leases, lease, error))
    return FALSE;
  /* A driver whose device is frozen starts the host's recovery while it lets go, and that takes out
   * what is on vfio-pci (arch/powerpc/kernel/eeh_driver.c: eeh_rmv_device): so it is thawed first.
   */
  if (kvmhelper_eeh_thaw (leases->kernel, -1, pes, error)
      && kvmhelper_binding_take (leases->kernel, lease, holds, error)
      && kvmhelper_eeh_thaw_taken (leases->kernel, group->number, lease, error))
    return TRUE;
  kvmhelper_leases_finish (leases, lease, &held);
  return FALSE;
}

/* A UUID is what a caller says of his guest; whose lease it is, is not. */
static gboolean
has_same_owner (const KvmHelperLease *lease, const KvmHelperGrant *grant)
{
  if (lease->grant == NULL || grant == NULL)
    return lease->grant == grant;
  return lease->grant->user == grant->user;
}

/* The same guest asks again: the same lease, with every member where it should be. */
static gboolean
prepare_again (KvmHelperLeases *leases, const char *domain_uuid, const KvmHelperGrant *grant,
               const KvmHelperGroup *group, KvmHelperLease *lease, GError **error)
{
  /* A user is not told of others' guests. */
  if (grant != NULL && !has_same_owner (lease, grant))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                   _ ("IOMMU group %u is leased to a guest of somebody else"), group->number);
      return FALSE;
    }
  if (!g_str_equal (lease->domain_uuid, domain_uuid) || !has_same_owner (lease, grant)
      || (lease->phase != KVMHELPER_PHASE_PREPARED && lease->phase != KVMHELPER_PHASE_ACTIVE))
    {
      set_leased (error, group, lease);
      return FALSE;
    }
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      char name[PCI_ADDRESS_LEN];

      if (!member->endpoint || common_driver_is_vfio (member->driver))
        continue;
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
                   _ ("%s is on no VFIO driver any more, though IOMMU group %u is leased; release "
                      "the lease %s first"),
                   pci_address_format (&member->address, name), group->number, lease->id);
      return FALSE;
    }
  return TRUE;
}

/* A user takes up no more than his share of what there may be. */
static gboolean
check_share (KvmHelperLeases *leases, const KvmHelperGrant *grant, GError **error)
{
  if (grant == NULL
      || kvmhelper_leases_count_user (leases, grant->user) < KVMHELPER_MAX_USER_LEASES)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BUSY,
               _ ("User %u has %d leases, and gets no more"), grant->user,
               KVMHELPER_MAX_USER_LEASES);
  return FALSE;
}

static gboolean
has_left (GError **error)
{
  if (!g_cancellable_is_cancelled (g_cancellable_get_current ()))
    return FALSE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_CANCELLED,
                       _ ("The caller has left, so that what he asked for was undone"));
  return TRUE;
}

static void
note_choice (KvmHelperPrepared *prepared, const KvmHelperRehearsalChoice *choice)
{
  prepared->rehearsed = choice->word;
  prepared->rehearsed_why = choice->why;
}

/* Rehearses what was taken, where that is due; FALSE where it did not pass. */
static gboolean
rehearse (KvmHelperLeases *leases, const KvmHelperLease *lease, const KvmHelperGroup *group,
          KvmHelperRehearseMode mode, const char *obstacle, KvmHelperPrepared *prepared,
          GError **error)
{
  KvmHelperRehearsalChoice choice
      = kvmhelper_leases_choose_rehearsal (leases, lease, mode, obstacle);

  note_choice (prepared, &choice);
  if (!g_str_equal (choice.word, "now"))
    return TRUE;
  prepared->steps = kvmhelper_leases_make_rehearsal (leases, lease, group, error);
  if (prepared->steps == NULL)
    return FALSE;
  if (kvmhelper_steps_passed (prepared->steps))
    return TRUE;
  kvmhelper_rehearsal_set_failed (error, prepared->steps);
  return FALSE;
}

/* What was taken is the guest's. */
static gboolean
set_prepared (KvmHelperLeases *leases, KvmHelperLease *lease, GError **error)
{
  lease->phase = KVMHELPER_PHASE_PREPARED;
  /* A caller who is there now hears of it, or the next one does: it is in the list of leases. */
  return !has_left (error) && kvmhelper_leases_store (leases, lease, error);
}

static gboolean
prepare (KvmHelperLeases *leases, const char *domain_uuid, const char *domain_name,
         const PciAddress *address, KvmHelperRehearseMode mode, const char *const *override,
         const KvmHelperGrant *grant, KvmHelperPrepared *prepared, GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  g_autoptr (KvmHelperGroup) group = begin_group (leases, address, &work, error);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GPtrArray) holds = NULL;
  g_autofree char *accepted = NULL;
  g_autofree char *boot_id = NULL;
  g_autofree char *obstacle = NULL;
  gboolean held;

  if (group == NULL)
    return FALSE;
  lease = find_lease (leases, group);
  if (lease != NULL)
    {
      if (!prepare_again (leases, domain_uuid, grant, group, lease, error))
        return FALSE;
      KvmHelperRehearsalChoice choice = kvmhelper_leases_choose_rehearsal (
          leases, lease, KVMHELPER_REHEARSE_NEVER,
          _ ("the guest has the lease already, and may have the device"));
      note_choice (prepared, &choice);
      prepared->lease = g_steal_pointer (&lease);
      return TRUE;
    }
  boot_id = check_share (leases, grant, error) ? kvmhelper_leases_boot_id (leases, error) : NULL;
  holds = boot_id == NULL ? NULL : kvmhelper_hold_group (leases->kernel, group->members, error);
  if (holds == NULL || !kvmhelper_takeable_check (leases, group, override, &accepted, error))
    return FALSE;

  obstacle = kvmhelper_leases_rehearsal_obstacle (leases, group, accepted);
  prepared->bypass = kvmhelper_bypass_ensure (leases->kernel, leases->config->irq_bypass_set);
  lease = kvmhelper_lease_new (boot_id, domain_uuid, domain_name, address, group->members);
  lease->grant = kvmhelper_grant_copy (grant);
  log_override (lease, accepted);
  if (!take (leases, group, lease, holds, error))
    return FALSE;
  if (!rehearse (leases, lease, group, mode, obstacle, prepared, error)
      || !set_prepared (leases, lease, error))
    {
      kvmhelper_leases_finish (leases, lease, &held);
      return FALSE;
    }
  prepared->lease = g_steal_pointer (&lease);
  return TRUE;
}

gboolean
kvmhelper_leases_prepare (KvmHelperLeases *leases, const char *domain_uuid, const char *domain_name,
                          const PciAddress *address, KvmHelperRehearseMode mode,
                          const char *const *override, KvmHelperPrepared *prepared, GError **error)
{
  return prepare (leases, domain_uuid, domain_name, address, mode, override, NULL, prepared, error);
}

gboolean
kvmhelper_leases_prepare_for (KvmHelperLeases *leases, const char *domain_uuid,
                              const char *domain_name, const PciAddress *address,
                              KvmHelperRehearseMode mode, const KvmHelperGrant *grant,
                              KvmHelperPrepared *prepared, GError **error)
{
  return prepare (leases, domain_uuid, domain_name, address, mode, NULL, grant, prepared, error);
}

/* What the host needs is never rehearsed, whoever would accept that it breaks: a rehearsal only
 * asks. */
GPtrArray *
kvmhelper_leases_rehearse (KvmHelperLeases *leases, const PciAddress *address, GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  g_autoptr (KvmHelperGroup) group = begin_group (leases, address, &work, error);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GPtrArray) holds = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *boot_id = NULL;
  g_autofree char *obstacle = NULL;
  gboolean held;

  if (group == NULL)
    return NULL;
  lease = find_lease (leases, group);
  if (lease != NULL)
    {
      set_leased (error, group, lease);
      return NULL;
    }
  boot_id = kvmhelper_leases_boot_id (leases, error);
  holds = boot_id == NULL ? NULL : kvmhelper_hold_group (leases->kernel, group->members, error);
  if (holds == NULL || !kvmhelper_takeable_check (leases, group, NULL, NULL, error))
    return NULL;
  obstacle = kvmhelper_leases_rehearsal_obstacle (leases, group, NULL);
  if (obstacle != NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_RESET_UNSAFE,
                   _ ("A rehearsal would reset IOMMU group %u: %s"), group->number, obstacle);
      return NULL;
    }
  lease = kvmhelper_lease_new (boot_id, "", "", address, group->members);
  if (!take (leases, group, lease, holds, error))
    return NULL;
  steps = kvmhelper_leases_make_rehearsal (leases, lease, group, error);
  if (!kvmhelper_leases_finish (leases, lease, &held) && steps != NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("It was rehearsed, but not everything could be given back yet: %s"),
                   lease->left);
      return NULL;
    }
  return g_steal_pointer (&steps);
}
