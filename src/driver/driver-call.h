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
  DRIVER_CALL_OWN,     /* a call of our own to libvirt, whose reply the client does not see */
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

/**
 * driver_call_set_user: whose it is, before the call is offered; else root's, and not limited.
 * @user: a uid, for who waits for whom (driver-jobs.h)
 * @limited: libvirt knows the client by name, and may refuse to it what it allows to others: access
 * control can matter
 */
void driver_call_set_user (DriverCall *call, guint32 user, gboolean limited);
guint32 driver_call_get_user (const DriverCall *call);
gboolean driver_call_is_limited (const DriverCall *call);

/* For the worker; none of them fails: a client that is gone needs no answer. Each call ends with
   one of pass, refuse, reply or reply_own. */

/** driver_call_forward: waits for the reply, at most @timeout seconds; never PENDING. */
DriverOutcome driver_call_forward (DriverCall *call, guint timeout);
/**
 * driver_call_own: asks libvirt something else meanwhile, before the call is forwarded or while its
 * reply is held: on the client's own connection, and so with the client's rights. The client does
 * not see it. Waits as driver_call_forward does. Also where the client has gone, if libvirt had
 * seen anything for this call before: then there is something to clear up.
 * Not for a definition.
 * @operation: ATTACH or DETACH; in the call's own form (with flags, and its flags, or without)
 * @device: device XML; NULL: that of the call
 * @code: (out) (optional): virErrorNumber of an ERROR, else 0
 * @message: (out) (optional): libvirt's words of an ERROR, else NULL
 */
DriverOutcome driver_call_own (DriverCall *call, DriverDeviceOperation operation,
                               const char *device, guint timeout, int *code, char **message);
void driver_call_pass (DriverCall *call);
void driver_call_reply (DriverCall *call);
/** driver_call_refuse: the client gets @error as libvirt would word it. */
void driver_call_refuse (DriverCall *call, const GError *error);
/** driver_call_reply_own: the client gets the reply to our last own call as the one to its own. */
void driver_call_reply_own (DriverCall *call);
/** driver_call_dup_message: libvirt's words, where the outcome is an error; else NULL. */
char *driver_call_dup_message (DriverCall *call);

/* For the connection, on the main loop. */

/** driver_call_dup_frame: the client's; driver_call_dup_own: the last one of our own. */
GBytes *driver_call_dup_frame (DriverCall *call);
GBytes *driver_call_dup_own (DriverCall *call);
/** driver_call_renumber_own: it gets another serial, which none of our own had before. */
void driver_call_renumber_own (DriverCall *call);
/** driver_call_get_fds: what goes behind the client's frame; NULL: none. */
GUnixFDList *driver_call_get_fds (const DriverCall *call);
/** driver_call_awaits: TRUE where @reply is one that is waited for: to the client's call, or to the
 * last one of our own. */
gboolean driver_call_awaits (DriverCall *call, const DriverFrameHeader *reply);
/** driver_call_replied: that reply is there; @frame: NULL where it was too long to be held. */
void driver_call_replied (DriverCall *call, const DriverFrameHeader *reply, GBytes *frame);

/** driver_call_settle: says how it went with the client's call, where no reply did; the first that
 * is said holds. */
void driver_call_settle (DriverCall *call, DriverOutcome outcome);
/** driver_call_lose_own: our own call will have no reply. */
void driver_call_lose_own (DriverCall *call);
DriverOutcome driver_call_get_outcome (DriverCall *call);
/** driver_call_dup_answer: the reply, or the refusal; NULL where there is none (yet). */
GBytes *driver_call_dup_answer (DriverCall *call);
/** driver_call_disconnect: the connection is gone; it is not asked again. */
void driver_call_disconnect (DriverCall *call);
