/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverErrands: what may block, for users who must not wait for each other: each piece of work
 * runs in one of a bounded number of threads, its end is told on the main loop. One user has so
 * many threads at a time; what he has more waits, and keeps nobody else waiting.
 *
 * For the main loop alone, which is the default one.
 */
typedef struct _DriverErrands DriverErrands;
typedef struct _DriverErrand DriverErrand;

/** DriverErrandRun: in a thread. */
typedef void (*DriverErrandRun) (gpointer work);
/** DriverErrandDone: on the main loop, after it ran; @work is freed afterwards. */
typedef void (*DriverErrandDone) (gpointer work, gpointer data);

/** driver_errands_new: at most @threads, and of one user @each. */
DriverErrands *
driver_errands_new (guint threads, guint each, DriverErrandRun run, GDestroyNotify free_work);

/** driver_errands_free: does not wait: what runs comes to its end, and nobody is told. */
void driver_errands_free (DriverErrands *errands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverErrands, driver_errands_free)

/** driver_errands_push: @work is taken. The errand is valid until @done was called, or cancelled.
 */
DriverErrand *driver_errands_push (DriverErrands *errands, guint32 user, gpointer work,
                                   DriverErrandDone done, gpointer data);

/** driver_errand_cancel: nobody is told; what runs comes to its end. */
void driver_errand_cancel (DriverErrand *errand);
