/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-connection.h"

/**
 * DriverRelay: listens where libvirt's clients connect, and gives each its own connection to
 * libvirt's real socket. Lives on the default main context.
 */
typedef struct _DriverRelay DriverRelay;

/**
 * driver_relay_new: @listener is a listening socket, taken.
 * @upstream: the path of the real socket
 * @offer: as for driver_connection_new; NULL for a read-only relay
 */
DriverRelay *
driver_relay_new (int listener, const char *upstream, DriverOfferFunc offer, gpointer offer_data);

/** driver_relay_admit: before any client comes: each is let in as libvirt would let it in, and told
 * of (driver_connection_admit). @access outlives the relay. */
void driver_relay_admit (DriverRelay *relay, DriverAccess *access, gboolean read_only);

/**
 * driver_relay_bound: before any client comes: no user has more of @bounds than his share. Who has
 * more connections than that is told so, in the answer to his first call, where not too many are to
 * be told; or his connection ends. @bounds outlives the relay, and may be another one's, too.
 */
void driver_relay_bound (DriverRelay *relay, DriverBounds *bounds);

/** driver_relay_free: closes the listener and every connection. */
void driver_relay_free (DriverRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverRelay, driver_relay_free)

/** driver_relay_get_n_connections: how many clients are connected now. */
guint driver_relay_get_n_connections (const DriverRelay *relay);
