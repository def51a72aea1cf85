/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-admission.h"
#include "driver/driver-calls.h"
#include "driver/driver-connection.h"
#include "driver/driver-pipe.h"
#include "driver/driver-poll.h"

/**
 * What the two halves of a connection share: driver-connection.c has its sockets,
 * driver-connection-frames.c what is looked at of the frames.
 */

struct _DriverConnection
{
  DriverPollMember member;
  DriverPollSocket client, server;
  DriverPipe *up, *down; /* to libvirt, to the client */
  char *peer;
  DriverPlace *place;         /* NULL: there are no bounds */
  gboolean opened;            /* libvirt accepted CONNECT_OPEN: the client is who it should be */
  guint opening;              /* calls of CONNECT_OPEN that libvirt has not answered */
  DriverAdmission *admission; /* NULL: whoever comes is let in, or has gone */
  gboolean is_admissions;     /* what is gathered of the client */
  gboolean answers_admission; /* … of libvirt */
  gboolean cut;               /* the client has gone amid a frame */
  gboolean ending;            /* no more is taken of libvirt; the client has what it was told */
  gint64 linger;              /* monotonic; 0 while both sides are there */
  guint linger_timer;
  DriverCalls *calls;
  DriverOfferFunc offer;
  gpointer offer_data;
  DriverClosedFunc closed;
  gpointer closed_data;
};

/** The owners of the two pipes; a DriverConnection is their data. */
extern const DriverPipeOwner driver_connection_from_client, driver_connection_from_server;

/** driver_connection_never_sent: a frame that was injected does not come to libvirt any more. */
void driver_connection_never_sent (const DriverFrameHeader *header, gpointer connection);

/** driver_connection_wake: something changed from outside: it is looked at once more. */
void driver_connection_wake (DriverConnection *connection);
