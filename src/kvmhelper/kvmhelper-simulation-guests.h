/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper-dbus.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * KvmHelperGuests: the guests of a simulated host, by their names, and the methods of
 * org.libvirt.Ppc64.Simulation1 that are about them.
 */
typedef struct _KvmHelperGuests KvmHelperGuests;

/** kvmhelper_guests_connect: handles their methods of @skeleton, from any thread, until it goes. */
void kvmhelper_guests_connect (KvmHelperDBusSimulation1 *skeleton, KvmHelperSim *host);
