/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-leases.h"

#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-journal.h"
#include "kvmhelper/kvmhelper-rehearsed.h"

/**
 * Shared by the parts of KvmHelperLeases: the table (kvmhelper-leases.c), taking
 * (kvmhelper-prepare.c), giving back and trying again (kvmhelper-release.c), and what is done at
 * start (kvmhelper-recovery.c).
 */
struct _KvmHelperLeases
{
  const KvmHelperKernel *kernel;
  KvmHelperRehearse rehearse;
  const KvmHelperConfig *config;
  KvmHelperListener listener;
  GCancellable *cancellable;
  GThreadPool *retries;
  KvmHelperRehearsed *rehearsed; /* has a lock of its own */

  /* One change at a time, on disk and then in the table; taken before @lock, and by no thread that
   * must not wait for a disk, as the main loop. */
  GMutex writing;
  KvmHelperJournal *journal; /* what is in it, changed with @writing */

  GMutex lock;         /* of all below; never held while the disk is written to */
  GCond freed;         /* a key left @working */
  GHashTable *table;   /* id -> KvmHelperLease */
  GHashTable *working; /* keys of groups that a call works on */
  GHashTable *timers;  /* id -> Retry, of those that are tried again */
};

/* A group, or a lease without one, that this call works on. */
typedef struct
{
  KvmHelperLeases *leases;
  char *key;
} KvmHelperWork;

/**
 * kvmhelper_work_begin: nobody else works on @group (-1: on lease @id) until the end. Waits up to
 * @seconds; FALSE with COMMON_ERROR_BUSY.
 */
gboolean kvmhelper_work_begin (KvmHelperLeases *leases, int group, const char *id, guint seconds,
                               KvmHelperWork *work, GError **error);
void kvmhelper_work_end (KvmHelperWork *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperWork, kvmhelper_work_end)

/**
 * kvmhelper_leases_store: @lease as it is now, on disk first, then in the table; then its listener
 * hears of it.
 */
gboolean
kvmhelper_leases_store (KvmHelperLeases *leases, const KvmHelperLease *lease, GError **error);

/** kvmhelper_leases_keep: the same for a lease that is there, and also where the disk does not take
 * it, which the log says: a later start looks at the kernel, and comes to the same. One that has
 * come to its end meanwhile stays ended. */
void kvmhelper_leases_keep (KvmHelperLeases *leases, const KvmHelperLease *lease);

/** kvmhelper_leases_drop: @lease has come to its end: TRUE. FALSE where its record cannot be
 * removed: it has nothing, is pending, and is tried again. */
gboolean kvmhelper_leases_drop (KvmHelperLeases *leases, const KvmHelperLease *lease);

/**
 * kvmhelper_leases_finish: gives back what @lease has, once, and drops it: TRUE. Else it is
 * pending, will be tried again, and *held tells whether somebody holds the group.
 */
gboolean kvmhelper_leases_finish (KvmHelperLeases *leases, KvmHelperLease *lease, gboolean *held);

/**
 * kvmhelper_leases_give_back: kvmhelper_binding_give_back, and what a user was given besides is
 * taken away from him (kvmhelper-leases-grant.c).
 */
gboolean
kvmhelper_leases_give_back (KvmHelperLeases *leases, KvmHelperLease *lease, gboolean *held);

/* Leases of users, kvmhelper-leases-grant.c. */

/** kvmhelper_leases_begin_user: lease @id, once nobody else works on its group: @user's own, and
 * not at its end. NULL with COMMON_ERROR_LEASE_UNKNOWN, COMMON_ERROR_BUSY. */
KvmHelperLease *kvmhelper_leases_begin_user (KvmHelperLeases *leases, const char *id, guint user,
                                             int *group, KvmHelperWork *work, GError **error);

/** kvmhelper_leases_add_process: kvmhelper_grant_add, in the place of those that have ended. */
gboolean kvmhelper_leases_add_process (KvmHelperLeases *leases, KvmHelperGrant *grant,
                                       const KvmHelperGrantProcess *process, GError **error);

/** kvmhelper_leases_try_again: later, in the background, until @id is back. */
void kvmhelper_leases_try_again (KvmHelperLeases *leases, const char *id);

/** kvmhelper_leases_retry: the work of the thread pool; @id is freed. */
void kvmhelper_leases_retry (gpointer id, gpointer leases);

/** kvmhelper_leases_stop_retry: no timer is left for @id. With the lock held. */
void kvmhelper_leases_stop_retry (KvmHelperLeases *leases, const char *id);

/** kvmhelper_leases_stop_retries: no timer is left. */
void kvmhelper_leases_stop_retries (KvmHelperLeases *leases);

/* Rehearsals, kvmhelper-rehearse.c. */

/** kvmhelper_leases_rehearsal_obstacle: why no function of @group may be reset for a rehearsal, for
 * people; NULL: nothing speaks against it. @used: what the host used of it, where somebody
 * overrode that; NULL or "": nothing. */
char *kvmhelper_leases_rehearsal_obstacle (const KvmHelperLeases *leases,
                                           const KvmHelperGroup *group, const char *used);

/* What becomes of the wish for a rehearsal in Prepare. */
typedef struct
{
  const char *word; /* "now", "before" or "no" */
  char *why;        /* of "no" */
} KvmHelperRehearsalChoice;

/** kvmhelper_leases_choose_rehearsal: a wish that the helper's configuration may overrule, and that
 * @obstacle (NULL: none) stands in the way of. */
KvmHelperRehearsalChoice
kvmhelper_leases_choose_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease,
                                   KvmHelperRehearseMode wish, const char *obstacle);

/** kvmhelper_leases_make_rehearsal: of what @lease has taken; how it went is remembered. */
GPtrArray *kvmhelper_leases_make_rehearsal (KvmHelperLeases *leases, const KvmHelperLease *lease,
                                            const KvmHelperGroup *group, GError **error);

/** kvmhelper_rehearsal_set_failed: the first of @steps that failed, as an error. */
void kvmhelper_rehearsal_set_failed (GError **error, const GPtrArray *steps);

/** kvmhelper_leases_boot_id: of the boot that this is; records of another are dropped. NULL with
 * COMMON_ERROR_KERNEL_FAILED. */
char *kvmhelper_leases_boot_id (const KvmHelperLeases *leases, GError **error);

/** kvmhelper_leases_recover: what is done at start. */
gboolean kvmhelper_leases_recover (KvmHelperLeases *leases, GError **error);
