/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-description.h"

/**
 * The NUMA nodes of a simulated host, /sys/devices/system/node; none where its description has
 * none, as of a kernel without CONFIG_NUMA.
 */

/** kvmhelper_sim_nodes_load: <node> of the description. COMMON_ERROR_INVALID_HOST. */
gboolean kvmhelper_sim_nodes_load (KvmHelperSim *sim, const xmlNode *root, GError **error);
/** kvmhelper_sim_nodes_save: the same elements, as the first within the root. */
void kvmhelper_sim_nodes_save (const KvmHelperSim *sim, GString *text);
/** kvmhelper_sim_nodes_start: their files. */
void kvmhelper_sim_nodes_start (KvmHelperSim *sim);
