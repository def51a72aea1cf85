/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"

/**
 * Drivers of a group's members: from the host's to vfio-pci, and back. What a write claims counts
 * for nothing: the driver link is read afterwards (drivers_probe answers with success also when no
 * driver took the function; drivers/base/bus.c: drivers_probe_store).
 */

/**
 * kvmhelper_binding_take: brings every member to vfio-pci; one that is on a VFIO driver already is
 * left alone. What the members had is in @lease. On failure those that were taken are given back,
 * in reverse; where that fails too the error says so and the member is not "returned".
 *
 * @holds has the functions since they were first looked at (KvmHelperHold): another one at the same
 * address is refused, whatever it is. NULL: what is there now and is the same by its identity.
 *
 * COMMON_ERROR_VFIO_UNAVAILABLE, COMMON_ERROR_DEVICE_CHANGED, COMMON_ERROR_BIND_FAILED,
 * COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_binding_take (const KvmHelperKernel *kernel, KvmHelperLease *lease,
                                 const GPtrArray *holds, GError **error);

/**
 * kvmhelper_binding_give_back: gives every member that is not "returned" the driver and the
 * override that it had, and marks it. The group is held open meanwhile, so that nobody can take it
 * up between the look and the write. A function that is gone, or that another one replaced, has
 * nothing to get back: the kernel forgot both with it.
 *
 * Returns: TRUE when every member is back. Else FALSE, *held tells whether that is because somebody
 * holds the group (then nothing was written), and lease->left what and why.
 */
gboolean
kvmhelper_binding_give_back (const KvmHelperKernel *kernel, KvmHelperLease *lease, gboolean *held);

/**
 * kvmhelper_binding_group: today's number of the group of the first member that is there; -1: none
 * is. FALSE with COMMON_ERROR_KERNEL_FAILED where that cannot be told.
 */
gboolean kvmhelper_binding_group (const KvmHelperKernel *kernel, const KvmHelperLease *lease,
                                  int *group, GError **error);
