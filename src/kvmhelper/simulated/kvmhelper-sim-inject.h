/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * What hardware and people do to a simulated host, from outside of every process. Each is done at
 * once; what the host does about it takes its time on the host's clock. FALSE with
 * COMMON_ERROR_DEVICE_UNKNOWN where nothing is at the address.
 */

/** kvmhelper_sim_inject_freeze: the hardware finds an error of the function: its PE stops. */
gboolean kvmhelper_sim_inject_freeze (KvmHelperSim *sim, const PciAddress *address, GError **error);

/** kvmhelper_sim_inject_fence: the PHB above the function stops until it is reset; all of it is
 * frozen meanwhile. _fail: it stops for good. */
gboolean kvmhelper_sim_inject_fence (KvmHelperSim *sim, const PciAddress *address, GError **error);
gboolean kvmhelper_sim_inject_fail (KvmHelperSim *sim, const PciAddress *address, GError **error);

/**
 * kvmhelper_sim_inject_interrupt: the function raises one of its interrupts, @index as VFIO counts
 * them (VFIO_PCI_MSIX_IRQ_INDEX). One that nobody enabled, or that a freeze keeps from getting out,
 * is lost, as it is in hardware.
 */
gboolean kvmhelper_sim_inject_interrupt (KvmHelperSim *sim, const PciAddress *address, guint index,
                                         guint vector, GError **error);

/** kvmhelper_sim_inject_unplug: somebody pulls the card. _replace: and puts in another. */
gboolean kvmhelper_sim_inject_unplug (KvmHelperSim *sim, const PciAddress *address, GError **error);
gboolean kvmhelper_sim_inject_replace (KvmHelperSim *sim, const PciAddress *address, guint vendor,
                                       guint device, GError **error);

/** kvmhelper_sim_chown: a node is given to @uid, as libvirt does; nothing there: nothing is done.
 */
void kvmhelper_sim_chown (KvmHelperSim *sim, KvmHelperRoot root, const char *path, guint uid);
