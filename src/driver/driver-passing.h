/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * One descriptor on a socket, as libvirt passes it: a message of one byte, which is 0, with one
 * SCM_RIGHTS (libvirt src/util/virsocket.c: virSocketSendFD, virSocketRecvFD). Neither blocks.
 */

/** driver_passing_receive: as recvmsg; *@fd is -1 where the byte came without exactly one. */
gssize driver_passing_receive (int socket, int *fd);

/** driver_passing_send: as sendmsg; @fd stays the caller's. */
gssize driver_passing_send (int socket, int fd);
