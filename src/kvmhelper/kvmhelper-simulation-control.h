/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "kvmhelper/kvmhelper-simulation.h"

/**
 * kvmhelper_simulation_control_new: org.libvirt.Ppc64.Simulation1 for a host, to be exported beside
 * its helper: guests, and what hardware does. The same callers may call it as the helper
 * (kvmhelper_simulation_authorize), each method in a thread of its own. Lives no longer than
 * @simulation.
 */
GDBusInterfaceSkeleton *kvmhelper_simulation_control_new (KvmHelperSimulation *simulation);
