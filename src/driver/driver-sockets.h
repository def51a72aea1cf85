/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/**
 * DriverSockets: what the daemon listens on. systemd hands the sockets over by name
 * (FileDescriptorName= in the units), or the daemon makes them in a directory.
 */
#define DRIVER_SOCKET_RW_NAME "libvirt-sock"

typedef enum
{
  DRIVER_SOCKET_RW,   /* DRIVER_SOCKET_RW_NAME */
  DRIVER_SOCKET_RO,   /* "libvirt-sock-ro" */
  DRIVER_SOCKET_HOOK, /* "hook" */
  DRIVER_SOCKET_LAST
} DriverSocket;

/** The name of the file, and of the descriptor. */
const char *driver_socket_name (DriverSocket socket);

/**
 * driver_sockets_listen: fills @fds, by DriverSocket; -1 for one that is not there.
 * @directory: NULL: from systemd. Else the sockets are made there, with @mode, the hook's with
 * 0600; one that is there already is replaced.
 *
 * Returns: FALSE with COMMON_ERROR_INVALID_ARGUMENT (systemd gave none) or
 * COMMON_ERROR_KERNEL_FAILED.
 */
gboolean driver_sockets_listen (const char *directory, mode_t mode, int fds[DRIVER_SOCKET_LAST],
                                GError **error);
