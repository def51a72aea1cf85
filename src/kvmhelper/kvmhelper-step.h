/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * A step of a rehearsal, as the D-Bus interface has it.
 */
typedef enum
{
  KVMHELPER_STEP_OK,
  KVMHELPER_STEP_FAILED,
  KVMHELPER_STEP_SKIPPED
} KvmHelperStepResult;

typedef struct
{
  char *name;  /* stable */
  char *title; /* for people */
  KvmHelperStepResult result;
  int errnum;    /* of a call that the kernel refused, 0: none */
  char *meaning; /* what that answer means here, "" */
  char *detail;  /* what was seen, or why it was skipped, "" */
  guint64 usec;  /* how long it took */
  /* a{sv}: what was seen, for programs; the keys are in the interface's XML. NULL: nothing. */
  GVariant *facts;
} KvmHelperStep;

typedef void (*KvmHelperStepFunc) (const KvmHelperStep *step, gpointer data);

void kvmhelper_step_free (KvmHelperStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperStep, kvmhelper_step_free)

/** kvmhelper_step_to_variant: a floating a{sv}, as Rehearse of the D-Bus interface has it. */
GVariant *kvmhelper_step_to_variant (const KvmHelperStep *step);

/** kvmhelper_step_from_variant: NULL where @variant is none. */
KvmHelperStep *kvmhelper_step_from_variant (GVariant *variant);

/** kvmhelper_step_from_line: of GVariant's text of such a dictionary, as a rehearsal's process says
 * it (kvmhelper-worker.h); NULL where it is none. */
KvmHelperStep *kvmhelper_step_from_line (const char *line);

/** kvmhelper_steps_to_variant: a floating aa{sv} of an array of steps. */
GVariant *kvmhelper_steps_to_variant (const GPtrArray *steps);

/** kvmhelper_steps_passed: whether no step failed. */
gboolean kvmhelper_steps_passed (const GPtrArray *steps);

/** kvmhelper_errno_name: "EINVAL"; "" for 0 and for what has no name. */
const char *kvmhelper_errno_name (int errnum);
