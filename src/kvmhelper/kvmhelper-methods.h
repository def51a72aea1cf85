/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-service.h"

/**
 * What the methods of the D-Bus interface have in common, whichever file they are in. A check is
 * FALSE with COMMON_ERROR_INVALID_ARGUMENT.
 */

/** kvmhelper_method_fail: the answer is @error, which is taken. TRUE, as a handler returns. */
gboolean kvmhelper_method_fail (GDBusMethodInvocation *invocation, GError *error);

/** kvmhelper_method_check_options: that every key of @options is among @known, NULL at its end. */
gboolean
kvmhelper_method_check_options (GVariant *options, const char *const *known, GError **error);

gboolean kvmhelper_method_check_domain (const char *uuid, const char *name, GError **error);

/** kvmhelper_method_get_mode: the option "rehearse". */
gboolean kvmhelper_method_get_mode (GVariant *options, KvmHelperRehearseMode *mode, GError **error);

/** kvmhelper_method_get_timeout: the option "timeout", of Release, in seconds. */
gboolean kvmhelper_method_get_timeout (GVariant *options, guint *seconds, GError **error);

/** kvmhelper_method_prepared: what Prepare tells of its lease; floating. */
GVariant *
kvmhelper_method_prepared (const KvmHelperService *service, const KvmHelperPrepared *prepared);
