/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-fault.h"
#include "simulated-helper.h"

/**
 * A simulated host with a helper and a guest on it, and the stations of a lease's life: what tests
 * of kills, of power losses and of faults all go through. The host is leases-host.xml.
 */
typedef struct
{
  KvmHelperSim *sim;
  char *directory;      /* of everything */
  char *state;          /* of the helper */
  char *records;        /* in it */
  GHashTable *bindings; /* address -> "driver override" at first */
  GCancellable *cancellable;

  KvmHelperSimProcess *process; /* the helper */
  KvmHelperFaults *faults;
  KvmHelperKernel *kernel;
  KvmHelperLeases *leases; /* NULL: it does not run, or could not start */
  KvmHelperSimQemu *qemu;  /* NULL: none runs */
  guint user;              /* the PID of a process of a user's; 0: none runs */
  char *lease;             /* the one that it works with, NULL: none */
} World;

/** world_new: the host as the file describes it, or @xml, which may be NULL. */
World *world_new (const char *xml);
void world_free (World *world);

/** world_start: starts a helper under @rules, which may be NULL. What it recovers it has recovered
 * when this returns; world->leases is NULL where it refuses to start. */
void world_start (World *world, const char *rules, const KvmHelperFaultHooks *hooks);
/** world_stop: ends it. world_kill: as SIGKILL does: its memory is not looked at any more. */
void world_stop (World *world);
void world_kill (World *world);

/** world_take_copy: the records of the helper are copied, and the world goes on with the copy, in
 * a directory of its own (world->state). For a child process. */
void world_take_copy (World *world);

/**
 * A life: a helper runs, and things are done, each of which may fail where the test wants it to.
 * Every station leaves all that it does not change as it is.
 */
typedef struct
{
  const char *name;
  void (*run) (World *world);
} WorldLife;

/** world_lives: with one lease each; NULL in the last one's name. */
extern const WorldLife world_lives[];

/** world_check_legal: every lease is prepared, active or pending with a reason and a command; every
 * function without a lease is as it was at first; what QEMU has is leased. */
void world_check_legal (World *world);

/** world_check_back: no lease is left, and everything is as it was at first. */
void world_check_back (World *world);

/** world_settle: QEMU is gone, nothing goes wrong, a new helper gives back what is left. */
void world_settle (World *world);

/** world_describe: leases and bindings, to compare; to be freed. */
char *world_describe (World *world);
