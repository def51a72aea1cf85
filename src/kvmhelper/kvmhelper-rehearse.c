/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"
#include "kvmhelper/kvmhelper-message.h"

#include "common/common-error.h"
#include "common/common-log.h"

#include <glib/gi18n-lib.h>

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

static void
pass_on (GCancellable *cancelled, gpointer either)
{
  g_cancellable_cancel (either);
}

/* Rehearses what @lease has taken, until the helper stops or the caller has left. */
static GPtrArray *
run_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease, guint group, GError **error)
{
  GCancellable *caller = g_cancellable_get_current ();
  g_autoptr (GCancellable) either = g_cancellable_new ();
  gulong stops = g_cancellable_connect (leases->cancellable, G_CALLBACK (pass_on), either, NULL);
  gulong leaves
      = caller == NULL ? 0 : g_cancellable_connect (caller, G_CALLBACK (pass_on), either, NULL);
  StepTarget target = { leases, &lease->address };
  GPtrArray *steps = leases->rehearse (leases->kernel, group, &lease->address, pass_step, &target,
                                       either, error);

  g_cancellable_disconnect (caller, leaves);
  g_cancellable_disconnect (leases->cancellable, stops);
  return steps;
}

GPtrArray *
kvmhelper_leases_make_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease,
                                 const KvmHelperGroup *group, GError **error)
{
  const KvmHelperMember *member = kvmhelper_lease_find_member (lease, &lease->address);
  GPtrArray *steps = run_rehearsal (leases, lease, group->number, error);
  g_autoptr (GError) failed = NULL;
  char name[PCI_ADDRESS_LEN];
  KvmHelperFound found;

  if (steps == NULL)
    return NULL;
  kvmhelper_found_read (steps, &found);
  kvmhelper_rehearsal_set_failed (&failed, steps);
  if (failed != NULL)
    kvmhelper_message_log (G_LOG_LEVEL_MESSAGE, KVMHELPER_MESSAGE_REHEARSAL_FAILED, lease, "%s: %s",
                           pci_address_format (&lease->address, name), failed->message);
  kvmhelper_rehearsed_note (leases->rehearsed, &lease->address, &member->identity, &found);
  return steps;
}

void
kvmhelper_rehearsal_set_failed (GError **error, const GPtrArray *steps)
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

/* Every function of the group is reset: VFIO resets the PE's bus where a function has no reset of
 * its own, so that one that must not be speaks for all. */
char *
kvmhelper_leases_rehearsal_obstacle (const KvmHelperLeases *leases, const KvmHelperGroup *group,
                                     const char *used)
{
  char name[PCI_ADDRESS_LEN];

  if (used != NULL && *used != '\0')
    return g_strdup_printf (_ ("it was in use: %s"), used);
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];

      if (!member->endpoint)
        continue;
      pci_address_format (&member->address, name);
      if (member->numvfs > 0)
        return g_strdup_printf (_ ("%s has %u virtual functions, which a reset would take away"),
                                name, member->numvfs);
      if (kvmhelper_config_no_reset (leases->config, &member->address, member->identity.vendor,
                                     member->identity.device))
        return g_strdup_printf (
            _ ("%s is said to be unsafe to reset, in no-reset of the helper's configuration"),
            name);
    }
  return NULL;
}

KvmHelperRehearsalChoice
kvmhelper_leases_choose_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease,
                                   KvmHelperRehearseMode wish, const char *obstacle)
{
  const KvmHelperMember *member = kvmhelper_lease_find_member (lease, &lease->address);
  KvmHelperRehearseMode rule = leases->config->rehearse;
  KvmHelperRehearseMode mode = rule == KVMHELPER_REHEARSE_AUTO ? wish : rule;
  KvmHelperFound found;

  kvmhelper_rehearsed_recall (leases->rehearsed, &lease->address, &member->identity, &found);
  if (obstacle == NULL
      && (mode == KVMHELPER_REHEARSE_ALWAYS || (mode == KVMHELPER_REHEARSE_AUTO && !found.passed)))
    return (KvmHelperRehearsalChoice){ "now", NULL };
  if (found.passed)
    return (KvmHelperRehearsalChoice){ "before", NULL };
  if (obstacle != NULL)
    return (KvmHelperRehearsalChoice){ "no", g_strdup (obstacle) };
  return (KvmHelperRehearsalChoice){
    "no",
    g_strdup (rule == KVMHELPER_REHEARSE_NEVER ? _ ("the helper's configuration has rehearse=never")
                                               : _ ("the caller asked for none")),
  };
}
