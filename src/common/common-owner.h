/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * common_owner_find: who has ppc64-kvmhelper's name on @bus; the bus starts it where nobody has.
 *
 * Nothing that comes from there is to be believed before it is known to be a process of root's, and
 * then only that process is to be talked to, by its unique name: so nobody who takes the name later
 * can answer in its place.
 *
 * @also: another user who may have it, as on a bus of one's own; 0: none
 * @cancellable: (nullable): ends the waiting, in another thread
 *
 * Returns: the unique name, to be freed. NULL with COMMON_ERROR_HELPER_UNAVAILABLE where it is
 * another user's, else with an error of D-Bus.
 */
char *
common_owner_find (GDBusConnection *bus, guint32 also, GCancellable *cancellable, GError **error);

/** common_owner_find_running: the same of a helper that is there already, without a start: @error
 * is also G_DBUS_ERROR_NAME_HAS_NO_OWNER. @milliseconds is how long each answer of the bus may
 * take.
 */
char *
common_owner_find_running (GDBusConnection *bus, guint32 also, guint milliseconds, GError **error);
