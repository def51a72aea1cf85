/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>

#include "common/common-error.h"
#include "journal-calls.h"
#include "leases-world.h"

/*
 * A disk that takes its time keeps waiting who writes to it, and nobody else: the main loop looks
 * leases up by their id before polkit is asked, counts them, and starts their tries, and a main
 * loop that does not go round is killed by the watchdog, with every call that is under way.
 */
#define FUNCTION "0000:01:00.0"

typedef struct
{
  GMutex lock;
  GCond news;
  JournalCallKind kind; /* that is slow */
  gboolean slow;        /* one of them waits now */
  gboolean looked;      /* somebody has looked at the leases */
  gboolean in_time;     /* … while it waited */
} Disk;

/* Waits for the other thread, and, so that a failure ends, not for ever. */
static int
wait_for_look (const JournalCall *call, gpointer data)
{
  Disk *disk = data;
  gint64 deadline = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&disk->lock);

  if (call->kind != disk->kind || disk->slow)
    return 0;
  disk->slow = TRUE;
  g_cond_broadcast (&disk->news);
  while (!disk->looked && g_cond_wait_until (&disk->news, &disk->lock, deadline))
    ;
  disk->in_time = disk->looked;
  return 0;
}

static gpointer
look (gpointer data)
{
  Disk *disk = ((gpointer *) data)[0];
  const World *world = ((gpointer *) data)[1];
  PciAddress address = simulated_address (FUNCTION);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (KvmHelperLease) known = NULL;

  g_mutex_lock (&disk->lock);
  while (!disk->slow)
    g_cond_wait (&disk->news, &disk->lock);
  g_mutex_unlock (&disk->lock);
  list = kvmhelper_leases_list (world->leases);
  lease = kvmhelper_leases_find_function (world->leases, &address);
  known = kvmhelper_leases_find (world->leases, SIMULATED_UUID, NULL);
  g_assert_null (known);
  g_mutex_lock (&disk->lock);
  disk->looked = TRUE;
  g_cond_broadcast (&disk->news);
  g_mutex_unlock (&disk->lock);
  return NULL;
}

static void
test_slow (gconstpointer data)
{
  World *world = world_new (NULL);
  PciAddress address = simulated_address (FUNCTION);
  Disk disk = { .kind = (JournalCallKind) GPOINTER_TO_INT (data) };
  const JournalHooks hooks = { wait_for_look, NULL, &disk };
  gpointer both[] = { &disk, world };
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_mutex_init (&disk.lock);
  g_cond_init (&disk.news);
  journal_calls_watch (world->records, &hooks);
  world_start (world, NULL, NULL);
  thread = g_thread_new ("main loop", look, both);
  kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &address,
                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error);
  g_assert_no_error (error);
  simulated_leases_release (world->leases, prepared.lease->id, 5);
  g_thread_join (thread);
  g_assert_true (disk.slow && disk.in_time);
  journal_calls_watch (NULL, NULL);
  world_check_back (world);
  world_free (world);
  g_mutex_clear (&disk.lock);
  g_cond_clear (&disk.news);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/simulated/slow-disk/write", GINT_TO_POINTER (JOURNAL_FSYNC), test_slow);
  g_test_add_data_func ("/simulated/slow-disk/remove", GINT_TO_POINTER (JOURNAL_UNLINK), test_slow);
  return g_test_run ();
}
