/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverJobs: work that blocks, in a bounded number of threads. What concerns one domain runs one
 * after the other: of one user in the order in which it came, of several users by turns. Different
 * domains run side by side. No user takes all threads, or all of the room to wait
 * (driver-shares.h), so that whoever comes after him waits for one piece of his work, not for all.
 * Lives on the main loop, except for the work itself.
 */
typedef struct _DriverJobs DriverJobs;

typedef void (*DriverJobFunc) (gpointer data);

DriverJobs *driver_jobs_new (void);

/** driver_jobs_free: what was not begun is dropped; waits for what was. */
void driver_jobs_free (DriverJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverJobs, driver_jobs_free)

/**
 * driver_jobs_push: @run (@data) in a thread, after all that was pushed for @user (a uid; 0 for our
 * own work) and @domain_uuid before; then @free_data, on the main loop.
 *
 * Returns: FALSE with COMMON_ERROR_BUSY where too much waits; @data is still the caller's.
 */
gboolean
driver_jobs_push (DriverJobs *jobs, guint32 user, const char *domain_uuid, DriverJobFunc run,
                  gpointer data, GDestroyNotify free_data, GError **error);

/** How many jobs wait or run. */
guint driver_jobs_get_length (const DriverJobs *jobs);
