/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-shares.h"

/**
 * DriverBounds: what the clients of one user may have of that which all clients need
 * (driver-shares.h), so that none keeps the others out:
 *
 * - connections, of which libvirtd takes 5000 (max_clients in libvirtd.conf), and each of which
 *   needs descriptors here;
 * - those of them that have not come in yet, of which libvirtd takes 20 (max_anonymous_clients):
 *   whoever has his share waits, as everybody does at libvirtd's own socket;
 * - those that pass descriptors.
 *
 * For the main loop.
 */
typedef struct _DriverBounds DriverBounds;

/** DriverPlace: what one client has of them. */
typedef struct _DriverPlace DriverPlace;

/* A place's turn has come. */
typedef void (*DriverPlaceFunc) (gpointer data);

/** driver_bounds_new: @descriptors is how many this process may have. */
DriverBounds *driver_bounds_new (guint descriptors);
/** driver_bounds_free: after all its places. */
void driver_bounds_free (DriverBounds *bounds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverBounds, driver_bounds_free)

/** driver_bounds_enter: a client of @user's (a uid) is there. NULL, and logged: he has too many. */
DriverPlace *driver_bounds_enter (DriverBounds *bounds, guint32 user);
void driver_place_free (DriverPlace *place);

/** driver_place_arrive: TRUE where it may come in now; else @ready (@data) is called when it may.
 */
gboolean driver_place_arrive (DriverPlace *place, DriverPlaceFunc ready, gpointer data);
/** driver_place_arrived: it has come in: somebody else may. */
void driver_place_arrived (DriverPlace *place);

/** driver_place_carry: it has descriptors to pass, now or later. FALSE, and logged: too many of
 * that user's do. */
gboolean driver_place_carry (DriverPlace *place);

/** driver_place_move: it is there for that user, as it says. FALSE, and logged: he has too many,
 * and nothing is changed. */
gboolean driver_place_move (DriverPlace *place, guint32 user);
