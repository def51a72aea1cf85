/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

#include "driver/driver-frame.h"

/**
 * DriverCall: a call of a client that is held back. It has two sides: the connection, which lives
 * on the main loop and moves frames, and a worker thread, which decides and may block. A call
 * outlives its connection; reference counted, safe in both.
 */
typedef struct _DriverCall DriverCall;

typedef enum
{
  DRIVER_OUTCOME_PENDING,
  DRIVER_OUTCOME_OK,            /* libvirt's reply is there, and held: success */
  DRIVER_OUTCOME_ERROR,         /* libvirt's reply is there, and held: an error */
  DRIVER_OUTCOME_NOT_FORWARDED, /* the client went away before libvirt saw the call */
  DRIVER_OUTCOME_LOST,          /* libvirt went away before its reply */
  DRIVER_OUTCOME_LATE           /* no reply in time; it is passed on when it comes */
} DriverOutcome;

/* What a worker asks of the connection. */
typedef enum
{
  DRIVER_CALL_FORWARD, /* to libvirt, and hold the reply */
  DRIVER_CALL_PASS,    /* to libvirt, and think no more of it */
  DRIVER_CALL_ANSWER,  /* the client gets the reply that is held, or the call's own answer */
} DriverCallAction;

/* The connection: runs on the main loop, with the data that driver_call_new was given. */
typedef void (*DriverCallActFunc) (DriverCall *call, DriverCallAction action, gpointer data);

/**
 * driver_call_new: @frame is the whole frame, @fds the descriptors behind it (NULL: none), @args
 * what it says (taken), @peer the client for the log.
 * @context: the main loop's, NULL for the default one
 */
DriverCall *
driver_call_new (GBytes *frame, GUnixFDList *fds, DriverDeviceCall *args, const char *peer,
                 GMainContext *context, DriverCallActFunc act, gpointer data);
DriverCall *driver_call_ref (DriverCall *call);
void driver_call_unref (DriverCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverCall, driver_call_unref)

const DriverFrameHeader *driver_call_get_header (const DriverCall *call);
const DriverDeviceCall *driver_call_get_args (const DriverCall *call);
/** "uid 1000, pid 4242" */
const char *driver_call_get_peer (const DriverCall *call);

/* For the worker; none of them fails: a client that is gone needs no answer. Each call ends with
   one of pass, refuse or reply. */

/** driver_call_forward: waits for the reply, at most @timeout seconds; never PENDING. */
DriverOutcome driver_call_forward (DriverCall *call, guint timeout);
/** driver_call_undo: after a success of driver_call_forward: asks libvirt, on the client's own
 * connection and so with the client's rights, to detach what the call attached. The client does not
 * see it. Waits as driver_call_forward does. */
DriverOutcome driver_call_undo (DriverCall *call, guint timeout);
void driver_call_pass (DriverCall *call);
void driver_call_reply (DriverCall *call);
/** driver_call_refuse: the client gets @error as libvirt would word it. */
void driver_call_refuse (DriverCall *call, const GError *error);
/** driver_call_dup_message: libvirt's words, where the outcome is an error; else NULL. */
char *driver_call_dup_message (DriverCall *call);

/* For the connection, on the main loop. */

/** driver_call_dup_frame: what libvirt is to get: the frame, or what undoes it. */
GBytes *driver_call_dup_frame (DriverCall *call);
/** driver_call_get_fds: what goes behind the frame; NULL: none. */
GUnixFDList *driver_call_get_fds (const DriverCall *call);
/** driver_call_awaits: TRUE where @reply is the one that is waited for. */
gboolean driver_call_awaits (DriverCall *call, const DriverFrameHeader *reply);
/** driver_call_get_undo: FALSE where it was not undone; else the header of what undoes it. */
gboolean driver_call_get_undo (DriverCall *call, DriverFrameHeader *header);

/** driver_call_settle: says how it went; the first that is said holds. @reply may be NULL. */
void driver_call_settle (DriverCall *call, DriverOutcome outcome, GBytes *reply);
DriverOutcome driver_call_get_outcome (DriverCall *call);
/** driver_call_dup_answer: the reply, or the refusal; NULL where there is none (yet). */
GBytes *driver_call_dup_answer (DriverCall *call);
/** driver_call_disconnect: the connection is gone; it is not asked again. */
void driver_call_disconnect (DriverCall *call);
