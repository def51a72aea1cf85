/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

/**
 * Inside the core: between the calls, the processes and their part of /proc.
 */

/* The other side of the seam; its data is a KvmHelperSimProcess. */
extern const KvmHelperKernelCalls kvmhelper_sim_calls;

/** kvmhelper_sim_proc_start: /proc/self and what every process has. _add, _remove: /proc/PID. */
void kvmhelper_sim_proc_start (KvmHelperSim *sim);
void kvmhelper_sim_proc_add (KvmHelperSimProcess *process);
void kvmhelper_sim_proc_remove (KvmHelperSimProcess *process);

/** kvmhelper_sim_null_start: /dev/null. */
void kvmhelper_sim_null_start (KvmHelperSim *sim);

/** kvmhelper_sim_stop_parts: all that kvmhelper_sim_new_from_xml started beside the core. */
void kvmhelper_sim_stop_parts (KvmHelperSim *sim);
