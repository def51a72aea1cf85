/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

#include "driver/driver-access.h"
#include "driver/driver-pipe.h"

/**
 * DriverAdmission: how a client comes to the rights that it would have on libvirt's own socket, and
 * to no others.
 *
 * libvirtd sees virtppc64d's user at its socket, who is let in by polkit's rules. So:
 *
 * - libvirtd is asked what it demands of that user (AUTH_LIST). Where that is polkit, a client may
 *   be let in where libvirtd would do so: it is root, or polkit, asked by ppc64-kvmhelper in
 *   libvirtd's words, says yes of it. Only then does its AUTH_POLKIT pass. Until then libvirtd has
 *   nobody authenticated on this connection, and refuses by itself what needs that.
 * - When CONNECT_OPEN succeeded, libvirtd is told who the client is (CONNECT_SET_IDENTITY), with
 *   what it would have found at its own socket, and is asked something that this client needs the
 *   same right for as for CONNECT_OPEN (driver_opening_new_look). Only then does the
 *   client see the reply.
 * - Up to there a client has one call under way at a time, so that libvirtd works at none of them
 *   with the identity of virtppc64d when the connection opens.
 *
 * A client of root's may be virtproxyd, which tells libvirtd by itself for whom it is there: that
 * comes after ours, and is in its place.
 *
 * On the main loop; nothing in it blocks.
 */
typedef struct _DriverAdmission DriverAdmission;

typedef struct
{
  /* As driver_pipe_inject. */
  void (*to_libvirt) (GBytes *frame, GUnixFDList *fds, gpointer data);
  void (*to_client) (GBytes *frame, gpointer data);
  /* A call that was held may be looked at again, and it may have come in. */
  void (*proceed) (gpointer data);
  /* It says for whom it is there (a uid, or DRIVER_USER_NOBODY). FALSE: there is no more room for
     that one. */
  gboolean (*told) (guint32 user, gpointer data);
  /* The connection ends; what the client was told comes to it before. */
  void (*end) (gpointer data);
} DriverAdmissionOwner;

/** driver_admission_new: asks libvirt its first question. @client stays the caller's, and outlives
 * it. */
DriverAdmission *driver_admission_new (DriverAccess *access, int client, gboolean read_only,
                                       const DriverAdmissionOwner *owner, gpointer data);
void driver_admission_free (DriverAdmission *admission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverAdmission, driver_admission_free)

/** driver_admission_call: a frame of the client's begins. One that is gathered comes to
 * driver_admission_take_call, and is the admission's. */
DriverPipeAction
driver_admission_call (DriverAdmission *admission, const DriverFrameHeader *header);
void driver_admission_take_call (DriverAdmission *admission, const DriverFrameHeader *header,
                                 GBytes *frame, GUnixFDList *fds);

/** driver_admission_reply: a frame of libvirt's begins; as above. */
DriverPipeAction
driver_admission_reply (DriverAdmission *admission, const DriverFrameHeader *header);
void driver_admission_take_reply (DriverAdmission *admission, const DriverFrameHeader *header,
                                  GBytes *frame);

/** driver_admission_is_open: libvirt knows the client, and its calls pass. Until then all frames
 * are shown to the admission, and afterwards the calls; see driver_admission_call. */
gboolean driver_admission_is_open (const DriverAdmission *admission);

/** driver_admission_may_write: it is open, and not by a read-only socket or flag. */
gboolean driver_admission_may_write (const DriverAdmission *admission);

/** driver_admission_is_root: libvirt knows the client as root, to whom polkit refuses nothing. Not
 * of one that told libvirt for whom it is there, as virtproxyd does. */
gboolean driver_admission_is_root (const DriverAdmission *admission);

/** driver_admission_get_user: its uid, or of whom it told that it is there for him;
 * DRIVER_USER_NOBODY where that is not known. */
guint32 driver_admission_get_user (const DriverAdmission *admission);

/** driver_admission_describe: for the log: "uid 1000, pid 4242"; of virtproxyd also for whom. */
const char *driver_admission_describe (const DriverAdmission *admission);
