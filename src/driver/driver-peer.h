/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverPeer: who connected to a local socket, as libvirtd would find out of it (libvirt
 * src/rpc/virnetserverclient.c: virNetServerClientCreateIdentity; src/rpc/virnetsocket.c:
 * virNetSocketGetUNIXIdentity, virNetSocketGetSELinuxContext).
 */
typedef struct
{
  guint32 uid, gid; /* effective, when it connected */
  gint32 pid;
  guint64 start; /* of that process, in ticks since the host's (/proc/PID/stat) */
  char *user;    /* NULL until driver_peer_name */
  char *group;
  char *selinux; /* its label; NULL: there is no LSM that has one */
} DriverPeer;

/**
 * driver_peer_new: all that the kernel says of the other end of @socket; does not block. NULL with
 * COMMON_ERROR_INVALID_ARGUMENT where @socket is no local socket, or the process is gone.
 */
DriverPeer *driver_peer_new (int socket, GError **error);
void driver_peer_free (DriverPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverPeer, driver_peer_free)

/**
 * driver_peer_name: the names of its user and group. May block for long, where names come from a
 * network. FALSE with COMMON_ERROR_NOT_AUTHORIZED where there is none: libvirt refuses such a
 * client, too.
 */
gboolean driver_peer_name (DriverPeer *peer, GError **error);
