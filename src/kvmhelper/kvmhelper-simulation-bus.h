/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * How a helper on a simulated host is reached, and by whom: by the user that runs it, over a bus
 * that is not the system's, or over a socket that somebody who started it has the other end of.
 * polkit has no part in it, as there is nothing to protect but the user's own process.
 */

/**
 * kvmhelper_simulation_connect_bus: on the bus at @address, NULL: the session's. Refused with
 * COMMON_ERROR_INVALID_ARGUMENT where that is the system bus.
 */
GDBusConnection *kvmhelper_simulation_connect_bus (const char *address, GError **error);

/** kvmhelper_simulation_connect_socket: to the one caller at the other end of @socket. Takes it. */
GDBusConnection *kvmhelper_simulation_connect_socket (int socket, GError **error);

/** kvmhelper_simulation_find_user: whose call it is: by the bus, which is asked, or where there is
 * none, by the credentials of the other end. */
gboolean
kvmhelper_simulation_find_user (GDBusMethodInvocation *invocation, guint32 *user, GError **error);

/** kvmhelper_simulation_authorize: a KvmHelperAuthorize: the same user may, nobody else. */
gboolean
kvmhelper_simulation_authorize (GDBusMethodInvocation *invocation, guint32 uid, GError **error);
