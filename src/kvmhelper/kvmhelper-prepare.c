/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"

#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-watch.h"

#include <glib/gi18n-lib.h>

void
kvmhelper_prepared_clear (KvmHelperPrepared *prepared)
{
  g_clear_pointer (&prepared->lease, kvmhelper_lease_free);
  g_clear_pointer (&prepared->steps, g_ptr_array_unref);
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

/* Whether the host can do without every function of @group, and nobody has it. */
static gboolean
check_group (const KvmHelperKernel *kernel, const KvmHelperGroup *group, GError **error)
{
  guint pid = kvmhelper_holder_find (kernel, group->number);
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autoptr (KvmHelperBusy) busy = NULL;
  KvmHelperFact state;
  char name[PCI_ADDRESS_LEN];

  if (pid != 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                   _ ("Process %u holds IOMMU group %u already"), pid, group->number);
      return FALSE;
    }
  /* What cannot be read may be a need. */
  kvmhelper_watch_init (&watch, kernel);
  busy = kvmhelper_busy_new (&watch.kernel);
  if (!kvmhelper_watch_check (&watch, error))
    return FALSE;
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      g_autoptr (GPtrArray) needs = NULL;
      const KvmHelperNeed *need;

      if (!member->endpoint)
        continue;
      needs = kvmhelper_busy_get (busy, member);
      if (needs->len == 0)
        continue;
      need = needs->pdata[0];
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                   _ ("The host needs %s, in IOMMU group %u: %s: %s"),
                   pci_address_format (&member->address, name), group->number, need->kind,
                   need->detail);
      return FALSE;
    }
  state = kvmhelper_group_pe_state (kernel, group);
  /* A frozen one is thawed when VFIO opens the device (arch/powerpc/kernel/eeh.c: eeh_dev_open),
   * and a plan warns of it; this one never comes back. */
  if (g_str_equal (state.value, "unavailable"))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_PE_FROZEN,
                   _ ("The partitionable endpoint of IOMMU group %u is %s (%s)"), group->number,
                   state.value, state.source);
      kvmhelper_fact_clear (&state);
      return FALSE;
    }
  kvmhelper_fact_clear (&state);
  return TRUE;
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

/* Takes @group for @lease, which is on disk before. On failure all is as it was, or pending. */
static gboolean
take (KvmHelperLeases *leases, KvmHelperLease *lease, GError **error)
{
  gboolean held;

  if (!kvmhelper_leases_store (leases, lease, error))
    return FALSE;
  if (kvmhelper_binding_take (leases->kernel, lease, error))
    return TRUE;
  kvmhelper_leases_finish (leases, lease, &held);
  return FALSE;
}

typedef struct
{
  KvmHelperLeases *leases;
  const PciAddress *address;
} StepTarget;

static void
pass_step (const KvmHelperStep *step, gpointer data)
{
  const StepTarget *target = data;
  const KvmHelperListener *listener = &target->leases->listener;
  char name[PCI_ADDRESS_LEN];

  common_log_lease (G_LOG_LEVEL_DEBUG, pci_address_format (target->address, name), NULL, NULL,
                    "rehearsal of %s: %s: %d %s %s", name, step->name, step->result,
                    kvmhelper_errno_name (step->errnum), step->detail);
  listener->step_done (target->address, step, listener->data);
}

/* Rehearses what @lease has taken, and remembers how it went. */
static GPtrArray *
rehearse (KvmHelperLeases *leases, const KvmHelperLease *lease, const KvmHelperGroup *group,
          GError **error)
{
  const KvmHelperMember *member = kvmhelper_lease_find_member (lease, &lease->address);
  StepTarget target = { leases, &lease->address };
  GPtrArray *steps = leases->rehearse (leases->kernel, group->number, &lease->address, pass_step,
                                       &target, leases->cancellable, error);

  if (steps == NULL)
    return NULL;
  g_mutex_lock (&leases->lock);
  if (kvmhelper_steps_passed (steps))
    kvmhelper_rehearsed_add (leases->rehearsed, &lease->address, &member->identity);
  else
    kvmhelper_rehearsed_remove (leases->rehearsed, &lease->address, &member->identity);
  g_mutex_unlock (&leases->lock);
  return steps;
}

static void
set_rehearsal_failed (GError **error, const GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++)
    {
      const KvmHelperStep *step = steps->pdata[i];

      if (step->result != KVMHELPER_STEP_FAILED)
        continue;
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_REHEARSAL_FAILED,
                   _ ("The rehearsal failed: %s%s%s%s%s%s%s"), step->title,
                   step->errnum == 0 ? "" : ": ", kvmhelper_errno_name (step->errnum),
                   *step->meaning == '\0' ? "" : ": ", step->meaning,
                   *step->detail == '\0' ? "" : "; ", step->detail);
      return;
    }
}

/* The same guest asks again: the same lease, with every member where it should be. */
static gboolean
prepare_again (KvmHelperLeases *leases, const char *domain_uuid, const KvmHelperGroup *group,
               KvmHelperLease *lease, GError **error)
{
  if (!g_str_equal (lease->domain_uuid, domain_uuid)
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

/* A rehearsal is wanted for @lease now, was made before, or not. */
static const char *
choose_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease, KvmHelperRehearseMode mode)
{
  const KvmHelperMember *member = kvmhelper_lease_find_member (lease, &lease->address);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leases->lock);
  gboolean before = kvmhelper_rehearsed_has (leases->rehearsed, &lease->address, &member->identity);

  if (mode == KVMHELPER_REHEARSE_ALWAYS || (mode == KVMHELPER_REHEARSE_AUTO && !before))
    return "now";
  return before ? "before" : "no";
}

gboolean
kvmhelper_leases_prepare (KvmHelperLeases *leases, const char *domain_uuid, const char *domain_name,
                          const PciAddress *address, KvmHelperRehearseMode mode,
                          KvmHelperPrepared *prepared, GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  g_autoptr (KvmHelperGroup) group = begin_group (leases, address, &work, error);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *boot_id = NULL;
  const char *rehearsed;
  gboolean held;

  if (group == NULL)
    return FALSE;
  lease = find_lease (leases, group);
  if (lease != NULL)
    {
      if (!prepare_again (leases, domain_uuid, group, lease, error))
        return FALSE;
      prepared->rehearsed = choose_rehearsal (leases, lease, KVMHELPER_REHEARSE_NEVER);
      prepared->lease = g_steal_pointer (&lease);
      return TRUE;
    }
  boot_id = kvmhelper_leases_boot_id (leases, error);
  if (boot_id == NULL || !check_group (leases->kernel, group, error))
    return FALSE;

  lease = kvmhelper_lease_new (boot_id, domain_uuid, domain_name, address, group->members);
  if (!take (leases, lease, error))
    return FALSE;
  rehearsed = choose_rehearsal (leases, lease, mode);
  if (g_str_equal (rehearsed, "now"))
    {
      steps = rehearse (leases, lease, group, error);
      if (steps != NULL && !kvmhelper_steps_passed (steps))
        set_rehearsal_failed (error, steps);
      if (steps == NULL || !kvmhelper_steps_passed (steps))
        {
          kvmhelper_leases_finish (leases, lease, &held);
          return FALSE;
        }
    }
  lease->phase = KVMHELPER_PHASE_PREPARED;
  if (!kvmhelper_leases_store (leases, lease, error))
    {
      kvmhelper_leases_finish (leases, lease, &held);
      return FALSE;
    }
  prepared->lease = g_steal_pointer (&lease);
  prepared->rehearsed = rehearsed;
  prepared->steps = g_steal_pointer (&steps);
  return TRUE;
}

GPtrArray *
kvmhelper_leases_rehearse (KvmHelperLeases *leases, const PciAddress *address, GError **error)
{
  g_auto (KvmHelperWork) work = { NULL, NULL };
  g_autoptr (KvmHelperGroup) group = begin_group (leases, address, &work, error);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *boot_id = NULL;
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
  if (boot_id == NULL || !check_group (leases->kernel, group, error))
    return NULL;
  lease = kvmhelper_lease_new (boot_id, "", "", address, group->members);
  if (!take (leases, lease, error))
    return NULL;
  steps = rehearse (leases, lease, group, error);
  if (!kvmhelper_leases_finish (leases, lease, &held) && steps != NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("It was rehearsed, but not everything could be given back yet: %s"),
                   lease->left);
      return NULL;
    }
  return g_steal_pointer (&steps);
}
