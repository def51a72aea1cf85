/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-leases.h"

/**
 * Leases of users (kvmhelper-grant.h): what is given to a user besides the drivers, and taken away
 * again. That it will be is on disk before each step, so that a helper that was killed in the
 * middle finds all of it.
 */

/**
 * kvmhelper_leases_prepare_for: as kvmhelper_leases_prepare, for the user of @grant, whose process
 * it has. A lease that is there has to be his.
 */
gboolean kvmhelper_leases_prepare_for (KvmHelperLeases *leases, const char *domain_uuid,
                                       const char *domain_name, const PciAddress *address,
                                       KvmHelperRehearseMode mode, const KvmHelperGrant *grant,
                                       KvmHelperPrepared *prepared, GError **error);

/**
 * kvmhelper_leases_give: gives @user, whose lease @id is and was prepared, the node of its group,
 * and the process behind @handle at least @memory bytes of locked memory. May be done again, for
 * the same process or for another one, and does what is missing then. On failure what was given
 * before stays. The lease as it is then, or NULL.
 */
KvmHelperLease *kvmhelper_leases_give (KvmHelperLeases *leases, const char *id, guint user,
                                       int handle, guint64 memory, GError **error);
