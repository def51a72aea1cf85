/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"
#include "kvmhelper/kvmhelper-rehearsal.h"

/**
 * KvmHelperLeases: takes groups from the host and gives them back. Each record is on disk before
 * the first write that it announces, and gone from it only when every member is back; whatever the
 * moment a helper is killed at, the next one that opens the same directory brings every lease to a
 * legal state.
 *
 * From any thread; one call works on a group at a time.
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

/**
 * kvmhelper_leases_abandon: the process ends though a call hangs in the kernel, which would keep
 * the records from the next helper.
 */
void kvmhelper_leases_abandon (KvmHelperLeases *leases);

/** kvmhelper_leases_free: no call is under way any more. */
void kvmhelper_leases_free (KvmHelperLeases *leases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperLeases, kvmhelper_leases_free)

typedef enum
{
  KVMHELPER_REHEARSE_AUTO, /* when it was not yet, under this kernel and in this boot */
  KVMHELPER_REHEARSE_ALWAYS,
  KVMHELPER_REHEARSE_NEVER
} KvmHelperRehearseMode;

/* What Prepare did. */
typedef struct
{
  KvmHelperLease *lease;
  const char *rehearsed; /* "now", "before", "no" */
  GPtrArray *steps;      /* of a rehearsal now; NULL */
} KvmHelperPrepared;

void kvmhelper_prepared_clear (KvmHelperPrepared *prepared);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperPrepared, kvmhelper_prepared_clear)

/**
 * kvmhelper_leases_prepare: as Prepare of the D-Bus interface. @domain_uuid and @domain_name have
 * been checked.
 */
gboolean
kvmhelper_leases_prepare (KvmHelperLeases *leases, const char *domain_uuid, const char *domain_name,
                          const PciAddress *address, KvmHelperRehearseMode mode,
                          KvmHelperPrepared *prepared, GError **error);

/** kvmhelper_leases_rehearse: as Rehearse; the steps, or NULL. */
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

/** kvmhelper_leases_list: every lease, by id, as it is now. Elements KvmHelperLease, copies. */
GPtrArray *kvmhelper_leases_list (KvmHelperLeases *leases);

/** kvmhelper_leases_find: a copy of a lease, by its id; NULL with COMMON_ERROR_LEASE_UNKNOWN. */
KvmHelperLease *kvmhelper_leases_find (KvmHelperLeases *leases, const char *id, GError **error);

/**
 * kvmhelper_leases_find_function: a copy of the lease that has the function at @address; NULL:
 * none.
 */
KvmHelperLease *kvmhelper_leases_find_function (KvmHelperLeases *leases, const PciAddress *address);
