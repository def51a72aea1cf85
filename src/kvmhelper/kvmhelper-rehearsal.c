/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal-private.h"

#include <stdarg.h>
#include <string.h>

#include <glib/gi18n-lib.h>

void
kvmhelper_outcome_fail (KvmHelperOutcome *outcome, int answer)
{
  outcome->result = KVMHELPER_STEP_FAILED;
  outcome->errnum = -answer;
}

void
kvmhelper_outcome_skip (KvmHelperOutcome *outcome, const char *reason)
{
  outcome->result = KVMHELPER_STEP_SKIPPED;
  kvmhelper_outcome_detail (outcome, "%s", reason);
}

void
kvmhelper_outcome_detail (KvmHelperOutcome *outcome, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_free (outcome->detail);
  outcome->detail = g_strdup_vprintf (format, args);
  va_end (args);
}

void
kvmhelper_outcome_fact (KvmHelperOutcome *outcome, const char *key, GVariant *value)
{
  if (outcome->facts == NULL)
    outcome->facts = g_variant_dict_new (NULL);
  g_variant_dict_insert_value (outcome->facts, key, value);
}

int
kvmhelper_outcome_ioctl (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int handle,
                         gulong request, gulong argument)
{
  int answer = kvmhelper_kernel_ioctl (self->kernel, handle, request, argument);

  if (answer < 0)
    kvmhelper_outcome_fail (outcome, answer);
  return answer;
}

/* What became of the steps so far. */
typedef struct
{
  KvmHelperRehearsal rehearsal;
  GHashTable *done; /* name -> KvmHelperStep */
  KvmHelperStepFunc step;
  gpointer data;
} Run;

/* Why @kind cannot be made, or NULL; to be freed. */
static char *
find_reason (const Run *run, const KvmHelperStepKind *kind)
{
  g_auto (GStrv) needs = g_strsplit (kind->needs, " ", -1);

  for (guint i = 0; needs[i] != NULL; i++)
    {
      const KvmHelperStep *need = g_hash_table_lookup (run->done, needs[i]);

      if (need == NULL || need->result == KVMHELPER_STEP_OK)
        continue;
      if (need->result == KVMHELPER_STEP_SKIPPED)
        return g_strdup (need->detail);
      return g_strdup_printf (_ ("not made, as this failed: %s"), need->title);
    }
  return NULL;
}

static void
run_step (Run *run, const KvmHelperStepKind *kind)
{
  KvmHelperStep *step = g_new0 (KvmHelperStep, 1);
  KvmHelperOutcome outcome = { KVMHELPER_STEP_OK, 0, NULL, NULL };
  g_autofree char *reason = find_reason (run, kind);
  gint64 begin = g_get_monotonic_time ();

  if (reason != NULL)
    kvmhelper_outcome_skip (&outcome, reason);
  else
    kind->run (&run->rehearsal, &outcome);
  step->name = g_strdup (kind->name);
  step->title = g_strdup (_ (kind->title));
  step->result = outcome.result;
  step->errnum = outcome.errnum;
  step->meaning = g_strdup (outcome.result == KVMHELPER_STEP_FAILED
                                ? kvmhelper_rehearsal_meaning (kind->name, outcome.errnum)
                                : "");
  step->detail = outcome.detail == NULL ? g_strdup ("") : outcome.detail;
  if (outcome.facts != NULL)
    step->facts = g_variant_ref_sink (g_variant_dict_end (outcome.facts));
  g_clear_pointer (&outcome.facts, g_variant_dict_unref);
  step->usec = (guint64) (g_get_monotonic_time () - begin);
  g_hash_table_insert (run->done, step->name, step);
  run->step (step, run->data);
}

void
kvmhelper_rehearsal_run (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                         KvmHelperStepFunc step, gpointer data)
{
  const KvmHelperStepKind *const parts[]
      = { kvmhelper_rehearsal_kvm_steps, kvmhelper_rehearsal_vfio_steps,
          kvmhelper_rehearsal_device_steps, kvmhelper_rehearsal_undo_steps };
  Run run = {
    .rehearsal = {
      .kernel = kernel, .group = group, .address = *address,
      .kvm = -1, .vm = -1, .xive = -1, .vcpu = -1,
      .group_handle = -1, .container = -1, .table = -1, .kvm_vfio = -1, .device = -1, .event = -1,
    },
    .done = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                   (GDestroyNotify) kvmhelper_step_free),
    .step = step,
    .data = data,
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    for (const KvmHelperStepKind *kind = parts[i]; kind->name != NULL; kind++)
      run_step (&run, kind);
  g_hash_table_unref (run.done);
}

typedef struct
{
  GPtrArray *steps;
  KvmHelperStepFunc step;
  gpointer data;
} Collection;

static void
collect (const KvmHelperStep *step, gpointer data)
{
  Collection *collection = data;
  g_autoptr (GVariant) variant = g_variant_ref_sink (kvmhelper_step_to_variant (step));

  g_ptr_array_add (collection->steps, kvmhelper_step_from_variant (variant));
  collection->step (step, collection->data);
}

GPtrArray *
kvmhelper_rehearsal_here (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                          KvmHelperStepFunc step, gpointer data, GCancellable *cancellable,
                          GError **error)
{
  Collection collection
      = { g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_step_free), step, data };

  kvmhelper_rehearsal_run (kernel, group, address, collect, &collection);
  return collection.steps;
}
