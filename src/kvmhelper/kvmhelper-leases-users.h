/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-leases.h"

/**
 * Who the leases of users (kvmhelper-leases-grant.h) are for, and whether he is still there.
 */

/** kvmhelper_leases_count_user: how many leases @user has. */
guint kvmhelper_leases_count_user (KvmHelperLeases *leases, guint user);

/**
 * kvmhelper_leases_watch_users: looks once at the leases of users. One whose processes have all
 * ended goes on for the process that holds the group, where that is the user's own; else it is
 * released. Where @thorough one that is prepared, and held by a process of its user, becomes active
 * as by Commit. Returns whether there is any lease of a user.
 */
gboolean kvmhelper_leases_watch_users (KvmHelperLeases *leases, gboolean thorough);

/**
 * kvmhelper_leases_end_revoked: releases those that nobody agrees to any more. Revoke does so
 * itself; but it may have been cut off after the consent was gone, or another call had the group.
 */
void kvmhelper_leases_end_revoked (KvmHelperLeases *leases, KvmHelperConsents *consents);
