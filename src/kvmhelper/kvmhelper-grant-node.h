/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-grant.h"

/**
 * The right to open a group: an entry for one user in the POSIX ACL of /dev/vfio/N. Mode and owner
 * of the node stay as they are, and so do the entries of others: nobody gets or loses anything by
 * it but that user. The node goes, with all entries, when the last function of the group leaves
 * VFIO (drivers/vfio/group.c: vfio_device_remove_group); the next one begins without.
 */

/**
 * kvmhelper_grant_node_read: what @user has in the node of @group: permissions as of
 * linux/posix_acl.h, or KVMHELPER_NO_ENTRY; also where there is no node. FALSE with
 * COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_grant_node_read (const KvmHelperKernel *kernel, guint group, guint user,
                                    int *entry, GError **error);

/**
 * kvmhelper_grant_node_write: gives him @entry there; KVMHELPER_NO_ENTRY: takes away what he has,
 * which is done where there is no node. What was set is read back, as it counts: under the mask.
 * FALSE with COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_grant_node_write (const KvmHelperKernel *kernel, guint group, guint user,
                                     int entry, GError **error);
