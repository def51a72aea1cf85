/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-access.h"
#include "driver/driver-bounds.h"
#include "driver/driver-call.h"
#include "driver/driver-poll.h"
#include "driver/driver-splice.h"

/**
 * DriverConnection: one client, and its own connection to libvirt. All frames pass in both
 * directions; the calls that attach or detach a device are offered first to who may hold them.
 *
 * A client that goes away takes its held calls with it. The side of libvirt stays until the replies
 * to the calls that libvirt has seen are there: it works on them whether or not anybody waits.
 */
typedef struct _DriverConnection DriverConnection;

/**
 * DriverOfferFunc: returns TRUE where the call is held from now on, and will be ended by one of
 * driver_call_pass, _refuse and _reply; FALSE where it is none of our business, and passes.
 */
typedef gboolean (*DriverOfferFunc) (DriverCall *call, gpointer data);

/** Called last: the connection is over and may be freed. */
typedef void (*DriverClosedFunc) (DriverConnection *connection, gpointer data);

/** What all connections share; it outlives them. */
typedef struct
{
  DriverPoll *poll;
  DriverSplice *splice; /* NULL: all is copied */
} DriverConnectionShared;

/**
 * driver_connection_new: @client and @server are taken; neither blocks.
 * @offer: NULL where every call passes, as on the read-only socket
 */
DriverConnection *driver_connection_new (const DriverConnectionShared *shared, int client,
                                         int server, DriverOfferFunc offer, gpointer offer_data,
                                         DriverClosedFunc closed, gpointer closed_data);

/** driver_connection_admit: right after its making: the client is let in as libvirt would let it
 * in, and libvirt told who it is (driver-admission.h). Without it whoever comes has what this
 * process has. */
void
driver_connection_admit (DriverConnection *connection, DriverAccess *access, gboolean read_only);

/** driver_connection_set_place: right after its making, and before driver_connection_admit: @place
 * (taken) has arrived when the client has come in. */
void driver_connection_set_place (DriverConnection *connection, DriverPlace *place);

void driver_connection_free (DriverConnection *connection);
