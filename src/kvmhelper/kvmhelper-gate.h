/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * KvmHelperGate: what a connection lets come to the main loop. GDBus reads messages in a thread of
 * its own, as fast as they come, and hands them on without a bound. The gate stands in that thread,
 * and refuses there a method call
 *
 * - whose body the guard threw away (kvmhelper-guard.h);
 * - with more file descriptors than its method takes, which are closed on the spot;
 * - whose caller, or all callers, have too many without an answer already. It has its answer when
 * GDBus has come to writing it, so that what waits to be written is bounded, too.
 */
typedef struct _KvmHelperGate KvmHelperGate;

/** kvmhelper_gate_new: for calls that come by @connection, of any object; those of @interface may
 * take descriptors. */
KvmHelperGate *
kvmhelper_gate_new (GDBusConnection *connection, const GDBusInterfaceInfo *interface);

/** kvmhelper_gate_waiting: how many calls have come whose answer is not on its way. */
guint kvmhelper_gate_waiting (KvmHelperGate *gate);

void kvmhelper_gate_free (KvmHelperGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperGate, kvmhelper_gate_free)
