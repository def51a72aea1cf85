/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-rehearsal.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * KvmHelperSimulation: a simulated host with the helper as a process on it, and what keeps it from
 * one start to the next.
 */
typedef struct _KvmHelperSimulation KvmHelperSimulation;

/* The host as it was left, in the state directory, beside the leases. */
#define KVMHELPER_SIMULATION_STATE "simulated-host.xml"

/**
 * kvmhelper_simulation_new: the host that @file describes; or, where one was saved in
 * @state_directory, that one as it was left: the same boot, with all processes gone. @rules are
 * those of faults (kvmhelper-fault.h), NULL: none. NULL with an error of
 * kvmhelper_sim_new_from_file or kvmhelper_faults_parse, or where the directory has the leases of a
 * real helper.
 */
KvmHelperSimulation *kvmhelper_simulation_new (const char *file, const char *state_directory,
                                               char **rules, GError **error);

/** kvmhelper_simulation_save: writes the host down, for the next start. */
gboolean kvmhelper_simulation_save (KvmHelperSimulation *simulation, GError **error);
void kvmhelper_simulation_free (KvmHelperSimulation *simulation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperSimulation, kvmhelper_simulation_free)

KvmHelperSim *kvmhelper_simulation_host (KvmHelperSimulation *simulation);

/** kvmhelper_simulation_kernel: the host as the helper sees it, with what goes wrong there. */
const KvmHelperKernel *kvmhelper_simulation_kernel (const KvmHelperSimulation *simulation);

/**
 * kvmhelper_simulation_rehearse: a KvmHelperRehearse for that kernel and no other: in a process of
 * its own on the simulated host, whose end undoes what it had not.
 */
GPtrArray *kvmhelper_simulation_rehearse (const KvmHelperKernel *kernel, guint group,
                                          const PciAddress *address, KvmHelperStepFunc step,
                                          gpointer data, GCancellable *cancellable, GError **error);
