/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * KvmHelperCallers: who calls, by his unique name on the bus, which is never given to another. Of
 * each it is known whose he is (the uid with which he connected, as the bus has it: neither a
 * process id nor what a process is by now), and when he leaves the bus. A process that exits leaves
 * it, and so does one that executes another program, unless that one was given the connection.
 *
 * With the lock of the owner held, and from the main context it was made in, also the callbacks'
 * (which are called without the lock). Bounded: at most KVMHELPER_MAX_CALLERS.
 */
typedef struct _KvmHelperCallers KvmHelperCallers;

typedef struct
{
  char *name;     /* "" where there is no bus, but one caller */
  gboolean known; /* whether uid is */
  guint32 uid;
  gboolean left;      /* the bus, or nothing can be found out about him */
  GQueue calls;       /* the owner's, by whom he is kept while there are any */
  guint subscription; /* private, as is the next */
  GDBusConnection *connection;
} KvmHelperCaller;

/** KvmHelperCallerFunc: @caller's uid is known, or he has left. */
typedef void (*KvmHelperCallerFunc) (KvmHelperCaller *caller, gpointer data);

KvmHelperCallers *
kvmhelper_callers_new (GDBusConnection *connection, GMutex *lock, KvmHelperCallerFunc known,
                       KvmHelperCallerFunc left, gpointer data);

/** kvmhelper_callers_free: nothing is asked any more (kvmhelper_callers_asking). */
void kvmhelper_callers_free (KvmHelperCallers *callers);

/**
 * kvmhelper_callers_get: the caller @sender (NULL: the one where there is no bus). He may not be
 * known yet; then he will be, or have left. NULL where there are too many.
 */
KvmHelperCaller *kvmhelper_callers_get (KvmHelperCallers *callers, const char *sender);

/** kvmhelper_callers_asking: of how many it is still asked whose they are. */
guint kvmhelper_callers_asking (const KvmHelperCallers *callers);

KvmHelperCaller *kvmhelper_caller_ref (KvmHelperCaller *caller);
void kvmhelper_caller_unref (KvmHelperCaller *caller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperCaller, kvmhelper_caller_unref)
