/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-rehearsed.h"

/**
 * kvmhelper_host_read: the host description, a floating a{sv} as GetHost of the D-Bus interface has
 * it. @leases: elements KvmHelperLease. @rehearsed: what rehearsals found, or NULL.
 */
GVariant *kvmhelper_host_read (const KvmHelperKernel *kernel, const GPtrArray *leases,
                               KvmHelperRehearsed *rehearsed);
