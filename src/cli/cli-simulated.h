/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * Simulated hosts: how a helper on one is reached, and how it is said that a host is simulated.
 */

/**
 * CliSimulated: a helper on a simulated host: one of our own, which ends with this, or one that
 * runs already.
 */
typedef struct _CliSimulated CliSimulated;

/**
 * cli_simulated_open:
 * @what: a file that describes a host, for which a helper is started with nobody else at its other
 *   end; or the address of a bus that a helper is on ("unix:path=…"), which must be this user's own
 *
 * The program that is started is the one that belongs to this one: in a build directory the one
 * beside it, where both are the same user's; else the one that is installed. No variable of the
 * environment and no directory that this was called in has a say in it.
 *
 * Returns: NULL with COMMON_ERROR_HELPER_UNAVAILABLE, or an error of GDBus.
 */
CliSimulated *cli_simulated_open (const char *what, GError **error);
void cli_simulated_close (CliSimulated *simulated);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSimulated, cli_simulated_close)

/** cli_simulated_get_connection: to its helper, as long as @simulated is open. */
GDBusConnection *cli_simulated_get_connection (const CliSimulated *simulated);

/** cli_simulated_get_owner: its unique name on the bus; NULL: there is no bus. */
const char *cli_simulated_get_owner (const CliSimulated *simulated);

/** cli_simulated_get_description: the name of the host's description, as the helper has it. */
const char *cli_simulated_get_description (const CliSimulated *simulated);

/**
 * cli_simulated_note: the host that this run is about is simulated; says so on standard error,
 * once, and from then on in every JSON object. @name: of its description; NULL: it is real, nothing
 * is done.
 */
void cli_simulated_note (const char *name);

/** cli_simulated_get_name: as noted; NULL: as far as is known the host is real. */
const char *cli_simulated_get_name (void);
