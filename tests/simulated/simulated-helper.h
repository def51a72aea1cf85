/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-leases.h"
#include "kvmhelper/simulated/kvmhelper-sim-qemu.h"

/**
 * What tests and benchmarks of a helper on a simulated host have in common: its process, the place
 * for its records, a guest, and what a function has.
 */

/** SIMULATED_UUID: of the guest that simulated_guest describes, where nothing is said. */
#define SIMULATED_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/** simulated_process: the helper, as systemd starts it. */
extern const KvmHelperSimProcessConfig simulated_process;

/** simulated_guest: a guest of 64 MiB, which QEMU may lock; @uuid outlives it. */
KvmHelperSimQemuConfig simulated_guest (const char *uuid);

/** simulated_address: of a text that is one. */
PciAddress simulated_address (const char *text);

/**
 * simulated_binding: driver and override of a function, as text to be freed; NULL: it is gone, or
 * of the vendor @other (0: no matter which).
 */
char *simulated_binding (const KvmHelperKernel *kernel, const char *function, guint other);

/** simulated_leases_open: nobody listens, and rehearsals are done in the same process. */
KvmHelperLeases *
simulated_leases_open (const KvmHelperKernel *kernel, const char *state, GCancellable *cancellable);

/** simulated_leases_release: gives a lease back, and nothing of it is left after @seconds. */
void simulated_leases_release (KvmHelperLeases *leases, const char *id, guint seconds);

/** simulated_ignore_step: a listener's step_done. */
void simulated_ignore_step (const PciAddress *address, const KvmHelperStep *step, gpointer data);

/**
 * simulated_directory_new: a new one, to be freed, on a RAM disk where there is one: records are
 * flushed to disk, and one that forgets nothing but costs no time is as good for a test. @name is a
 * part of its name. _remove: with all that is in it.
 */
char *simulated_directory_new (const char *name);
void simulated_directory_remove (const char *path);

/** simulated_write_log: a GLogWriterFunc: warnings, and worse. */
GLogWriterOutput
simulated_write_log (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data);
