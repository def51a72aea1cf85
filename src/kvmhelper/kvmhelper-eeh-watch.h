/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-leases.h"

/**
 * KvmHelperEehWatch: looks at the PEs that are lent, and tells when the state of one changes. The
 * kernel tells nobody: what a guest has it leaves to the guest (arch/powerpc/kernel/eeh.c:
 * eeh_dev_check_failure), and sysfs cannot be polled.
 *
 * Each look reads one file a PE, which asks the firmware once, and no more than that; a freeze that
 * the guest mends between two looks is not seen. Without a lease nothing is looked at and nothing
 * wakes up. The looks are made in a thread of their own, so that a firmware that hangs keeps
 * nobody else waiting, and one look is over before the next one begins.
 *
 * Nothing is written: a PE of a running guest is the guest's to mend.
 */
typedef struct _KvmHelperEehWatch KvmHelperEehWatch;

/* That a PE of @lease is not what it was. */
typedef struct
{
  const KvmHelperLease *lease;
  const KvmHelperEehPe *pe;
  const char *before; /* KVMHELPER_EEH_UNKNOWN at the first look */
  const char *after;
} KvmHelperEehChange;

/* From the watch's thread. */
typedef void (*KvmHelperEehChanged) (const KvmHelperEehChange *change, gpointer data);

/* What it cost so far. */
typedef struct
{
  guint64 looks;
  guint64 reads; /* each a question to the firmware */
  guint64 usec;
} KvmHelperEehCost;

/**
 * kvmhelper_eeh_watch_new: looks every @seconds while there are leases; @seconds 0: never by
 * itself. @kernel and @leases outlive it.
 */
KvmHelperEehWatch *
kvmhelper_eeh_watch_new (const KvmHelperKernel *kernel, KvmHelperLeases *leases, guint seconds,
                         KvmHelperEehChanged changed, gpointer data);

/** kvmhelper_eeh_watch_free: waits for a look that is under way. */
void kvmhelper_eeh_watch_free (KvmHelperEehWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperEehWatch, kvmhelper_eeh_watch_free)

/** kvmhelper_eeh_watch_wake: there may be leases now. Cheap, and from any thread. */
void kvmhelper_eeh_watch_wake (KvmHelperEehWatch *watch);

/** kvmhelper_eeh_watch_look: looks now, in this thread; not with one that looks by itself. */
void kvmhelper_eeh_watch_look (KvmHelperEehWatch *watch);

KvmHelperEehCost kvmhelper_eeh_watch_get_cost (KvmHelperEehWatch *watch);
