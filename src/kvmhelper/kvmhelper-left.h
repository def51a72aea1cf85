/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-lease.h"

/**
 * What a lease that cannot come to its end says of it: what is left and why, for people, and the
 * command that brings it there. The helper tries again by itself all the same.
 */

/**
 * kvmhelper_left_note: @left is in the way, and not that somebody holds the group; "" is nothing.
 * The command is to load the driver of a member that has none to go back to, else to try at once.
 */
void kvmhelper_left_note (const KvmHelperKernel *kernel, KvmHelperLease *lease, const char *left);

/**
 * kvmhelper_left_note_held: somebody holds @group. Of the guest itself that is to be expected for
 * some seconds (QEMU closes the group after it said that the device is gone); when it goes on for
 * KVMHELPER_GUEST_SECONDS the guest does not let go, and the command is to reset it: QEMU then
 * completes what the guest was asked for (hw/ppc/spapr_drc.c: spapr_drc_reset).
 */
void
kvmhelper_left_note_held (KvmHelperLease *lease, const KvmHelperObstacle *obstacle, guint group);

/** kvmhelper_left_has_driver: whether the driver that @member had is there to take it back. */
gboolean kvmhelper_left_has_driver (const KvmHelperKernel *kernel, const KvmHelperMember *member);
