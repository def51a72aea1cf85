/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-call.h"

/**
 * CheckClient: whether a client of libvirt may be one. virtppc64d stands where libvirt's clients
 * connect, and runs as a user to whom polkit says nothing about anybody else; libvirtd, which is
 * root, asks it itself (libvirt src/util/virpolkit.c: virPolkitCheckAuth). So it is asked here, in
 * the same words: the same action, the process that connected as the subject, a person may be
 * asked.
 *
 * Who is asked about is the one at the other end of the socket, and the kernel says who that is
 * (SO_PEERCRED, since it connected): a caller cannot name anybody. That the PID is that process's
 * still is seen by a descriptor of it, where the kernel has one for a socket's peer (SO_PEERPIDFD,
 * Linux 6.5).
 *
 * On the main loop, and without waiting there. The question is withdrawn when either end of the
 * socket is shut down, so by the caller when nobody waits for the answer any more.
 */

/** kvmhelper_check_action: libvirt's action for @right ("manage", "monitor"); NULL: there is none.
 */
const char *kvmhelper_check_action (const char *right);

/** kvmhelper_check_client: @call, which was authorized, is one of CheckClient. */
void kvmhelper_check_client (KvmHelperCall *call);
