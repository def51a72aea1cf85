/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-eeh-watch.h"
#include "simulated-helper.h"

/**
 * What test-eeh-storm.c works with: a simulated host whose clock stands still, a helper on it whose
 * calls to the kernel are counted, and what its watch says. All of it succeeds, or the test fails.
 */

#define EEH_CARD   "0000:01:00.0" /* one group with a second function */
#define EEH_SECOND "0001:01:00.0"

typedef struct
{
  guint states; /* reads of a PE's state: each asks the firmware */
  guint writes;
  guint ioctls;
  guint enables; /* VFIO_EEH_PE_ENABLE: thaws */
  guint resets;  /* of a PE or of a device, by whatever call */
} EehCounts;

extern EehCounts eeh_counts;

typedef struct
{
  KvmHelperSim *sim;
  const KvmHelperKernel *kernel; /* not counted */
  KvmHelperKernelCalls calls;
  KvmHelperKernel counted;
  char *state;
  GCancellable *cancellable;
  KvmHelperLeases *leases;
  KvmHelperEehWatch *watch;
  GString *said; /* by the watch: "normal>frozen " */
  PciAddress card;
} EehWorld;

/** eeh_world_init: on @sim, which is taken. */
void eeh_world_init (EehWorld *world, KvmHelperSim *sim);
void eeh_world_clear (EehWorld *world);

/** eeh_world_state: of the card's PE, by a call that is not counted. */
const char *eeh_world_state (EehWorld *world);
void eeh_world_freeze (EehWorld *world);
/** eeh_world_set_recovery: whether the host recovers what is its own. */
void eeh_world_set_recovery (EehWorld *world, gboolean on);

/** eeh_world_prepare: the lease's id, to be freed. _fails: with @code and a message with @part, and
 * no lease is left. */
char *eeh_world_prepare (EehWorld *world);
void eeh_world_prepare_fails (EehWorld *world, CommonErrorCode code, const char *part);
void eeh_world_commit (EehWorld *world, const char *id);
/** eeh_world_release_pending: what is left, to be freed. */
char *eeh_world_release_pending (EehWorld *world, const char *id);

KvmHelperSimQemu *eeh_world_start_guest (EehWorld *world, gboolean one_phb);
void eeh_world_attach (KvmHelperSimQemu *qemu, const PciAddress *address);

/** eeh_world_look: one look of the watch at @pes PEs, which says @expected and does nothing else.
 */
void eeh_world_look (EehWorld *world, guint pes, const char *expected);
/** eeh_world_note: a KvmHelperEehChanged that adds to @world->said. */
void eeh_world_note (const KvmHelperEehChange *change, gpointer world);
