/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-user-watch.h"

#include "kvmhelper/kvmhelper-leases-users.h"
#include "kvmhelper/kvmhelper-limits.h"

/* Who holds a group is asked of all processes: that takes longer than whether some of them live. */
#define THOROUGH 6

struct _KvmHelperUserWatch
{
  KvmHelperLeases *leases;
  KvmHelperConsents *consents;
  GMutex lock; /* of all below */
  GCond news;
  GThread *thread; /* NULL: nobody woke it yet */
  gboolean woken;
  gboolean ending;
};

/* Until there may be something to look at: FALSE at the end. */
static gboolean
sleep_until (KvmHelperUserWatch *watch, gboolean any)
{
  gint64 deadline = g_get_monotonic_time () + KVMHELPER_WATCH_USERS_SECONDS * G_USEC_PER_SEC;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->lock);

  while (!watch->ending && !watch->woken)
    if (!any)
      g_cond_wait (&watch->news, &watch->lock);
    else if (!g_cond_wait_until (&watch->news, &watch->lock, deadline))
      break;
  watch->woken = FALSE;
  return !watch->ending;
}

static gpointer
run (gpointer data)
{
  KvmHelperUserWatch *watch = data;
  gboolean any = FALSE;

  for (guint turn = 1; sleep_until (watch, any); turn++)
    {
      kvmhelper_leases_end_revoked (watch->leases, watch->consents);
      any = kvmhelper_leases_watch_users (watch->leases, turn % THOROUGH == 0);
    }
  return NULL;
}

KvmHelperUserWatch *
kvmhelper_user_watch_new (KvmHelperLeases *leases, KvmHelperConsents *consents)
{
  KvmHelperUserWatch *watch = g_new0 (KvmHelperUserWatch, 1);

  watch->leases = leases;
  watch->consents = consents;
  g_mutex_init (&watch->lock);
  g_cond_init (&watch->news);
  return watch;
}

void
kvmhelper_user_watch_wake (KvmHelperUserWatch *watch)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->lock);

  if (watch->thread == NULL)
    watch->thread = g_thread_new ("users", run, watch);
  watch->woken = TRUE;
  g_cond_signal (&watch->news);
}

void
kvmhelper_user_watch_free (KvmHelperUserWatch *watch)
{
  g_mutex_lock (&watch->lock);
  watch->ending = TRUE;
  g_cond_signal (&watch->news);
  g_mutex_unlock (&watch->lock);
  if (watch->thread != NULL)
    g_thread_join (watch->thread);
  g_mutex_clear (&watch->lock);
  g_cond_clear (&watch->news);
  g_free (watch);
}
