/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"
#include "sim-host.h"

/**
 * A simulated host without hardware, for tests of its core: a directory of attributes behind a
 * link, links that lead everywhere and nowhere, and the device /dev/device. Attributes and device
 * do what is said here, and count what is done with them.
 */
typedef struct
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  const KvmHelperKernel *kernel;
  guint shown; /* how often the attribute was made */
  char *stored;
  gboolean hidden;
  guint released, hung_up;
  guint8 *page; /* of the device; NULL: SIGBUS */
} SimCoreHost;

void sim_core_host_new (SimCoreHost *host);
void sim_core_host_clear (SimCoreHost *host);

#define SIM_CORE_ATTRIBUTES "bus/pci/devices/0000:00:00.0/"
