/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The helper's connection to a bus, with a guard before it: a thread between the bus and GDBus that
 * lets through no message larger than KVMHELPER_MAX_MESSAGE. GDBus takes a message to pieces before
 * anybody can look at it, and needs memory for that of forty times its size; a bus passes on tens
 * of MiB from whoever may call. The body of a larger message is thrown away as it comes, and what
 * is left of it arrives without one, marked (KVMHELPER_FRAME_BLANKED), to be answered. One whose
 * header alone is that large is dropped; no caller that means well has one.
 */

/** kvmhelper_guard_connect: to the bus at @address; NULL: the system's. */
GDBusConnection *kvmhelper_guard_connect (const char *address, GError **error);

/** kvmhelper_guard_close: closes the connection, when what was said is with the bus. One that has
 * no guard is flushed. */
void kvmhelper_guard_close (GDBusConnection *connection);
