/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * One descriptor on a socket, as libvirt passes it: a message of one byte, which is 0, with one
 * SCM_RIGHTS (libvirt src/util/virsocket.c: virSocketSendFD, virSocketRecvFD). Neither blocks.
 */

/**
 * driver_passing_receive: as recvmsg, up to @size bytes. The kernel ends a read behind a message
 * that has descriptors (net/unix/af_unix.c: unix_stream_read_generic), so that there is one such
 * message in what was read, or none, and it is the last. *@fd is its descriptor; -1 where it had
 * not exactly one, and none was taken.
 */
gssize driver_passing_receive (int socket, void *bytes, gsize size, int *fd);

/** driver_passing_send: as sendmsg; @fd stays the caller's. */
gssize driver_passing_send (int socket, int fd);
