/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-errand.h"
#include "driver/driver-peer.h"

/**
 * DriverAccess: the two questions about a client that may take long, for all connections: what its
 * user and group are called, which may come from a network, and whether polkit lets it in, where a
 * person may be asked. Nobody waits for another user's answers.
 */
typedef struct _DriverAccess DriverAccess;

/* polkit's answer, as ppc64-kvmhelper tells it (CheckClient). */
typedef enum
{
  DRIVER_VERDICT_YES,
  DRIVER_VERDICT_NO,
  DRIVER_VERDICT_DISMISSED, /* a person closed the question */
  DRIVER_VERDICT_CHALLENGE, /* there is nobody who could be asked */
} DriverVerdict;

/** DriverAskFunc: asks about the other end of @socket, until it is shut down; in a thread. */
typedef gboolean (*DriverAskFunc) (int socket, gboolean read_only, DriverVerdict *verdict,
                                   gpointer data, GError **error);

/** driver_access_new: @ask is called with @data for each client that has to be asked about. */
DriverAccess *driver_access_new (DriverAskFunc ask, gpointer data);
/** driver_access_free: what is still asked is not waited for; @data has to outlive it. */
void driver_access_free (DriverAccess *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverAccess, driver_access_free)

/** @peer has its names, or @error says why not; it is the callee's to free. */
typedef void (*DriverNamedFunc) (DriverPeer *peer, const GError *error, gpointer data);
/** driver_access_name: driver_peer_name; @peer is taken. */
DriverErrand *
driver_access_name (DriverAccess *access, DriverPeer *peer, DriverNamedFunc done, gpointer data);

/** @error: there is no verdict */
typedef void (*DriverAskedFunc) (DriverVerdict verdict, const GError *error, gpointer data);
/** driver_access_ask: about the client at the other end of @socket, which stays the caller's. */
DriverErrand *driver_access_ask (DriverAccess *access, const DriverPeer *peer, int socket,
                                 gboolean read_only, DriverAskedFunc done, gpointer data);

/** driver_access_cancel: nobody is told. */
void driver_access_cancel (DriverErrand *errand);
