/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * kvmhelper_nodes_read: the host's NUMA nodes, an aa{sv} by number, each with number (u), cpus (s:
 * "0-15", as the kernel lists them) and distances (s: "10 40", to each node in turn). Empty where
 * the kernel tells of none (drivers/base/node.c: CONFIG_NUMA).
 */
GVariant *kvmhelper_nodes_read (const KvmHelperKernel *kernel);
