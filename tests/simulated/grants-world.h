/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-leases-grant.h"
#include "kvmhelper/kvmhelper-leases-users.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"
#include "simulated-helper.h"

/**
 * A simulated host (cycles-host.xml) with a helper, and QEMU of alice's session on it, which nobody
 * gives nodes, and which may lock little. All that is done here succeeds, or the test fails.
 */
#define GRANTS_CARD   "0000:01:00.0"
#define GRANTS_SECOND "0001:01:00.0"
#define GRANTS_ON_VFIO                                                                             \
  "0004:01:00.0" /* by the administrator's hand, before all: its node stays                        \
                  */

#define MIB (G_GUINT64_CONSTANT (1) << 20)

/* What a session gets by itself (systemd's default), and what the guest needs; in bytes. */
#define LITTLE (8 * MIB)
#define ENOUGH (256 * MIB)

#define ALICE 1000
#define BOB   1001

typedef struct
{
  char *state;
  KvmHelperSim *sim;
  KvmHelperSimProcess *helper;
  KvmHelperFaults *faults; /* NULL: none */
  KvmHelperKernel *faulty;
  const KvmHelperKernel *kernel;
  GCancellable *cancellable;
  KvmHelperLeases *leases;
  KvmHelperSimQemu *qemu;
  PciAddress card;
} GrantsWorld;

/** grants_world_init: the helper is under @rule of faults; NULL: none. */
void grants_world_init (GrantsWorld *world, const char *rule);
void grants_world_clear (GrantsWorld *world);

void grants_start_helper (GrantsWorld *world, const char *rule);
void grants_stop_helper (GrantsWorld *world);

KvmHelperSimQemu *grants_start_qemu (GrantsWorld *world, guint user, const char *uuid);
/** grants_start_process: that may lock little. */
KvmHelperSimProcess *
grants_start_process (const GrantsWorld *world, const char *command, guint user);
guint grants_pid_of (KvmHelperSimProcess *process);
/** grants_open_process: a handle of the helper's, as a descriptor that came in a message. */
int grants_open_process (const GrantsWorld *world, guint pid);

/** grants_give: Grant of world->card, as the service does it; may fail. The lease's id, or NULL. */
char *grants_give (GrantsWorld *world, guint user, const char *uuid, guint pid, guint64 memory,
                   GError **error);
/** grants_give_alice: to her QEMU, enough memory. */
char *grants_give_alice (GrantsWorld *world);

/* Of world->card: the number of its group; what its node says of a user, and its mode; its driver;
 * and the limit of a process, soft and hard. */
guint grants_group_of (const GrantsWorld *world);
void grants_expect_entry (const GrantsWorld *world, guint user, int expected);
void grants_expect_mode (const GrantsWorld *world, guint mode);
void grants_expect_driver (const GrantsWorld *world, const char *driver);
void grants_expect_limit (const GrantsWorld *world, guint pid, guint64 expected);
