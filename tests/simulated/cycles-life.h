/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-fault.h"
#include "simulated-helper.h"

/**
 * One life of the helper on a simulated host where things go wrong (cycles-life.c), and what many
 * of them have in common (test-cycles.c). It goes by its random numbers alone.
 */

/* How a child says that its life was ended; 0: it came to its own end. */
#define CYCLES_KILLED 99

/* What is on a driver that knows nothing of EEH, and that the kernel would not choose: after a
 * freeze the kernel takes the device out and looks for a driver anew (arch/powerpc/kernel/
 * eeh_driver.c: eeh_rmv_device). */
#define CYCLES_BY_HAND "0006:01:00.0"

/* What the host needs. */
#define CYCLES_NEEDED "0007:01:00.0"

/* The others; NULL at the end. */
extern const char *const cycles_addresses[];

typedef struct
{
  KvmHelperSim *sim;
  char *directory;      /* of everything */
  char *state;          /* of the helper */
  char *saved;          /* a host that a child left */
  char *original;       /* description of the host */
  GHashTable *bindings; /* address -> "driver override" at first */
  GCancellable *cancellable;
  guint failures; /* of calls, as they have to be now and then */
  guint successes;
  guint kills;
  guint strikes;
} Cycles;

/* One life of the helper. */
typedef struct
{
  Cycles *cycles;
  GRand *random;
  guint number;
  char *rules;
  gboolean changes;   /* a function may vanish, or its PE be frozen */
  gboolean freezes;   /* PEs do */
  gboolean processes; /* rehearsals have a process of their own */
  gboolean child;     /* may be killed */
  guint kill_at;      /* change of a lease; 0: none */
  KvmHelperFaults *faults;
  KvmHelperSimProcess *process;
  KvmHelperKernel *kernel;
  KvmHelperLeases *leases;
  KvmHelperSimQemu *qemu;
} CyclesLife;

/** cycles_life_plan: what goes wrong in it, and whether it is killed. */
void cycles_life_plan (CyclesLife *life);

/** cycles_life_run: the life; it does not return where it is killed. */
void cycles_life_run (CyclesLife *life);

/** cycles_open_leases: @life may be NULL: then nothing goes wrong. NULL where it may. */
KvmHelperLeases *
cycles_open_leases (const Cycles *cycles, const KvmHelperKernel *kernel, CyclesLife *life);

/** cycles_binding: driver and override of a function; to be freed. NULL: it is gone, or another
 * one is there. */
char *cycles_binding (const KvmHelperKernel *kernel, const char *function);
