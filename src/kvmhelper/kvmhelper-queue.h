/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * KvmHelperQueue: jobs for a bounded number of threads of its own. Jobs stand in lanes; the lanes
 * take turns, and each has a limit of how many of its jobs run at a time. So a lane that is full of
 * jobs, or whose jobs take long, keeps nobody out of another one. GTask's threads, which GDBus
 * takes for method calls by itself, are shared by all of the process and know no turns.
 *
 * From any thread. How many jobs wait is for the caller to bound.
 */
typedef struct _KvmHelperQueue KvmHelperQueue;

typedef void (*KvmHelperQueueRun) (gpointer job, gpointer data);

/** kvmhelper_queue_new: @run (job, @data) in one of at most @threads threads, for each job. */
KvmHelperQueue *kvmhelper_queue_new (guint threads, KvmHelperQueueRun run, gpointer data);

/** kvmhelper_queue_push: at the end of @lane, of whose jobs at most @limit run at a time; the limit
 * of a lane is the same with each push. */
void kvmhelper_queue_push (KvmHelperQueue *queue, guint64 lane, guint limit, gpointer job);

/** kvmhelper_queue_remove: TRUE where @job had not begun, and will not. */
gboolean kvmhelper_queue_remove (KvmHelperQueue *queue, guint64 lane, gpointer job);

/** kvmhelper_queue_free: no job waits or runs any more. */
void kvmhelper_queue_free (KvmHelperQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperQueue, kvmhelper_queue_free)
