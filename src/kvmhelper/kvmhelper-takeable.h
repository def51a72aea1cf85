/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-leases-private.h"

/**
 * kvmhelper_takeable_check: whether @group can be taken, as a whole: nobody has it, its PE is not
 * gone for good, and the host can do without every endpoint of it. Bridges are not taken, and not
 * asked.
 *
 * @override: kinds of needs that are accepted, NULL-terminated, or NULL. What cannot be read may be
 * a need of any kind, and is not accepted; neither is a PF whose VFs somebody has.
 *
 * Returns: TRUE and in *accepted (nullable) the needs that were overridden, for the log; "" for
 * none. FALSE with COMMON_ERROR_GROUP_IN_USE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, which names every
 * function that is in the way with its driver and its needs, COMMON_ERROR_PE_FROZEN,
 * COMMON_ERROR_PE_FAILED or COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_takeable_check (KvmHelperLeases *leases, const KvmHelperGroup *group,
                                   const char *const *override, char **accepted, GError **error);
