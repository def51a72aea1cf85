/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-frame.h"
#include "driver/driver-peer.h"
#include "driver/driver-shares.h"

/**
 * The frames with which a connection of libvirt's RPC begins (src/remote/remote_protocol.x).
 */
enum
{
  DRIVER_PROC_CONNECT_SUPPORTS_FEATURE = 60,
  DRIVER_PROC_AUTH_LIST = 66,
  DRIVER_PROC_AUTH_POLKIT = 70,
  DRIVER_PROC_CONNECT_SET_IDENTITY = 419,
};

/** driver_opening_new_call: a call of a procedure without arguments. */
GBytes *driver_opening_new_call (gint32 procedure, guint32 serial);

/** driver_opening_new_look: a call of CONNECT_SUPPORTS_FEATURE, of one that libvirtd leaves to the
 * driver of the connection, which wants what CONNECT_OPEN wants: connect:getattr
 * (src/qemu/qemu_driver.c: qemuConnectSupportsFeature). It costs libvirt nothing. */
GBytes *driver_opening_new_look (guint32 serial);

/** driver_opening_has_polkit: whether the reply to AUTH_LIST asks for polkit. FALSE with
 * COMMON_ERROR_INVALID_ARGUMENT where it is none. */
gboolean driver_opening_has_polkit (GBytes *reply, gboolean *polkit, GError **error);

/** driver_opening_may_write: whether CONNECT_OPEN asks for all rights (no VIR_CONNECT_RO) over this
 * host's QEMU guests. FALSE also for what is no CONNECT_OPEN that is known here, and where libvirtd
 * would open another driver, or connect to somebody else: a guest of that one may have the UUID of
 * one here, and what it answers says nothing of whether the client may change that. */
gboolean driver_opening_may_write (GBytes *call);

/** driver_opening_new_identity: CONNECT_SET_IDENTITY with all that libvirtd itself would find of
 * @peer. */
GBytes *driver_opening_new_identity (const DriverPeer *peer, guint32 serial);

/** driver_opening_describe: who a CONNECT_SET_IDENTITY names: "alice, uid 1000, pid 4242"; "nobody
 * who is named" for an empty one; NULL for what is none. *@user is the uid; DRIVER_USER_NOBODY
 * where there is none. */
char *driver_opening_describe (GBytes *call, guint32 *user);

/** driver_opening_answer: @reply, to another call, as the one to @call: with its program, version,
 * procedure and serial. */
GBytes *driver_opening_answer (GBytes *reply, const DriverFrameHeader *call);
