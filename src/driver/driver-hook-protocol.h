/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * What the hook program and virtppc64d say to each other, on the hook socket: one request, one
 * reply, each a length of four bytes (big endian) and a GVariant.
 */

/* Operation of libvirt's ("prepare"), and the domain's XML as the hook was given it. */
#define DRIVER_HOOK_REQUEST "(ss)"
/* Whether libvirt may go on, and if not, why and what to do. */
#define DRIVER_HOOK_REPLY "(bs)"

/* Where the hook program finds the socket instead of DRIVER_RUN_DIR/hook. libvirt passes none of
   its environment on to hooks but PATH, HOME and the like. */
#define DRIVER_HOOK_SOCKET_ENV "VIRTPPC64D_HOOK_SOCKET"

/* Seconds that the hook program waits. libvirt waits for it without an end, and holds the domain
   meanwhile. Shorter in virtppc64d, so that it is the one to clear up. */
enum
{
  DRIVER_HOOK_PREPARE_TIMEOUT = 300,
  DRIVER_HOOK_PREPARE_LIMIT = 270,
  DRIVER_HOOK_OTHER_TIMEOUT = 60,
  /* For a guest that has no device: nothing is to be done but to note it. */
  DRIVER_HOOK_NOTE_TIMEOUT = 5,
};

/** driver_hook_send: FALSE with an error of GIO's. Takes @message if it is floating. */
gboolean driver_hook_send (GSocketConnection *connection, GVariant *message, GError **error);

/** driver_hook_receive: a message of @type; NULL with an error of GIO's, or
 * COMMON_ERROR_INVALID_ARGUMENT for anything else than such a message. */
GVariant *driver_hook_receive (GSocketConnection *connection, const char *type, GError **error);
