/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-rehearsal.h"

/**
 * The rehearsal in a process of its own: this program again, with an internal option. It writes one
 * step a line to its standard output, as the text of a GVariant, and a line "end".
 */

/* The internal option, and what follows it: the group's number and the function's address. */
#define KVMHELPER_WORKER_OPTION "--rehearsal-worker"

/** kvmhelper_worker_main: the worker's side; returns the status to exit with. */
int kvmhelper_worker_main (const KvmHelperKernel *kernel, const char *group, const char *address);

/**
 * kvmhelper_worker_rehearse: a KvmHelperRehearse that starts a worker, and kills it when it is too
 * slow or the call is cancelled. When it returns the worker is gone: the kernel has undone what it
 * had not; a worker that cannot be killed makes a step that failed, "worker".
 */
GPtrArray *kvmhelper_worker_rehearse (const KvmHelperKernel *kernel, guint group,
                                      const PciAddress *address, KvmHelperStepFunc step,
                                      gpointer data, GCancellable *cancellable, GError **error);
