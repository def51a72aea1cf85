/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-config.h"
#include "kvmhelper/kvmhelper-lease.h"
#include "kvmhelper/kvmhelper-rehearsal.h"
#include "kvmhelper/kvmhelper-rehearsed.h"

/**
 * KvmHelperLeases: takes groups from the host and gives them back. Each record is on disk before
 * the first write that it announces, and gone from it only when every member is back; whatever the
 * moment a helper is killed at, the next one that opens the same directory brings every lease to a
 * legal state.
 *
 * From any thread; one call works on a group at a time. Where the thread has a current GCancellable
 * (g_cancellable_push_current), it tells whether the caller is still there: see
 * kvmhelper_leases_prepare and kvmhelper_leases_rehearse.
 */
typedef struct _KvmHelperLeases KvmHelperLeases;

/* What is told of it, from the thread that did it. @phase is a phase's name, or "done". */
typedef struct
{
  void (*lease_changed) (const KvmHelperLease *lease, const char *phase, gpointer data);
  void (*step_done) (const PciAddress *address, const KvmHelperStep *step, gpointer data);
  gpointer data;
} KvmHelperListener;

/**
 * kvmhelper_leases_open: reads the records in @state_directory and brings them to a legal state
 * (kvmhelper-recovery.c says which). @kernel outlives it. What is left to do it tries again, from
 * the default main context. @cancellable, when cancelled, ends what is under way early.
 */
KvmHelperLeases *
kvmhelper_leases_open (const KvmHelperKernel *kernel, const char *state_directory,
                       KvmHelperRehearse rehearse, const KvmHelperListener *listener,
                       GCancellable *cancellable, GError **error);

/** kvmhelper_leases_configure: what the administrator says, before the first call; it outlives
 * @leases. The defaults without. */
void kvmhelper_leases_configure (KvmHelperLeases *leases, const KvmHelperConfig *config);

/** kvmhelper_leases_get_rehearsed: what rehearsals found; @leases has it. */
KvmHelperRehearsed *kvmhelper_leases_get_rehearsed (KvmHelperLeases *leases);

/**
 * kvmhelper_leases_abandon: the process ends though a call hangs in the kernel, which would keep
 * the records from the next helper.
 */
void kvmhelper_leases_abandon (KvmHelperLeases *leases);

/** kvmhelper_leases_free: no call is under way any more. */
void kvmhelper_leases_free (KvmHelperLeases *leases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperLeases, kvmhelper_leases_free)

/* What Prepare did. */
typedef struct
{
  KvmHelperLease *lease;
  const char *rehearsed; /* "now", "before", "no" */
  char *rehearsed_why;   /* of "no", for people; NULL */
  const char *bypass;    /* as kvmhelper_bypass_ensure */
  GPtrArray *steps;      /* of a rehearsal now; NULL */
} KvmHelperPrepared;

void kvmhelper_prepared_clear (KvmHelperPrepared *prepared);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperPrepared, kvmhelper_prepared_clear)

/**
 * kvmhelper_leases_prepare: as Prepare of the D-Bus interface. @domain_uuid and @domain_name have
 * been checked. @override: kinds of needs of the host's that it is taken in spite of
 * (kvmhelper_busy_kinds), NULL-terminated, or NULL; polkit has been asked for it. Where the caller
 * has left, a lease that this call made is undone, with COMMON_ERROR_CANCELLED, since nobody knows
 * of it; one that was there before is not.
 */
gboolean
kvmhelper_leases_prepare (KvmHelperLeases *leases, const char *domain_uuid, const char *domain_name,
                          const PciAddress *address, KvmHelperRehearseMode mode,
                          const char *const *override, KvmHelperPrepared *prepared, GError **error);

/** kvmhelper_leases_rehearse: as Rehearse; the steps, or NULL. Broken off where the caller leaves.
 * Nobody overrides a need of the host's here. */
GPtrArray *
kvmhelper_leases_rehearse (KvmHelperLeases *leases, const PciAddress *address, GError **error);

/**
 * kvmhelper_leases_commit: as Commit; a floating a{sv}, or NULL with COMMON_ERROR_GROUP_NOT_HELD
 * while nobody has the group.
 */
GVariant *kvmhelper_leases_commit (KvmHelperLeases *leases, const char *id, GError **error);

/** kvmhelper_leases_release: as Release: *done, else it is pending. @seconds: how long to wait. */
gboolean kvmhelper_leases_release (KvmHelperLeases *leases, const char *id, guint seconds,
                                   gboolean *done, GError **error);

/**
 * kvmhelper_leases_forget: tries to give back once more, and drops the lease with whatever is left
 * of it then, which stays as it is: for a driver that never takes its function back, or a record
 * that cannot be read. FALSE with COMMON_ERROR_GROUP_IN_USE while somebody holds the group.
 */
gboolean kvmhelper_leases_forget (KvmHelperLeases *leases, const char *id, GError **error);

/** kvmhelper_leases_list: every lease, by id, as it is now. Elements KvmHelperLease, copies. */
GPtrArray *kvmhelper_leases_list (KvmHelperLeases *leases);

/** kvmhelper_leases_find: a copy of a lease, by its id; NULL with COMMON_ERROR_LEASE_UNKNOWN. */
KvmHelperLease *kvmhelper_leases_find (KvmHelperLeases *leases, const char *id, GError **error);

/**
 * kvmhelper_leases_find_function: a copy of the lease that has the function at @address; NULL:
 * none.
 */
KvmHelperLease *kvmhelper_leases_find_function (KvmHelperLeases *leases, const PciAddress *address);
