/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper-dbus.h"

/**
 * The methods of a helper that are for users' own guests, as the test plays them: nobody has agreed
 * to anything before Allow is called for the user that runs the test.
 */

/** CliFakeInterfere: TRUE where the call is over already. */
typedef gboolean (*CliFakeInterfere) (gpointer helper, GDBusMethodInvocation *invocation);

/** cli_fake_grants_connect: @helper outlives @skeleton. */
void cli_fake_grants_connect (KvmHelperDBusKvmHelper1 *skeleton, CliFakeInterfere interfere,
                              gpointer helper);
