/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-call.h"

/**
 * DriverCalls: the device calls of one connection that are under way, held or passed, and which
 * reply belongs to which. Lives on the main loop.
 *
 * A reply names its call by serial and procedure. libvirt's clients never use a serial twice; one
 * that did could have the outcome of one call taken for another's, so that such a call is known
 * here, and not let through.
 */
typedef struct _DriverCalls DriverCalls;

/* Of one client; libvirt itself works on five at a time (max_client_requests). */
#define DRIVER_CALLS_MAX 16
/* Descriptors behind all of them: libvirt takes none with these procedures. */
#define DRIVER_CALLS_FDS_MAX 32

DriverCalls *driver_calls_new (void);
/** driver_calls_free: whoever works on a held one asks its connection no more. */
void driver_calls_free (DriverCalls *calls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverCalls, driver_calls_free)

/** driver_calls_is_known: a device call with that serial and procedure is under way. */
gboolean driver_calls_is_known (const DriverCalls *calls, const DriverFrameHeader *header);

/** driver_calls_has_room: for one more that is held, with @fds (NULL: none). */
gboolean driver_calls_has_room (const DriverCalls *calls, GUnixFDList *fds);

/** driver_calls_add: @call is held from now on. @parked: it is not offered to anybody yet. */
void driver_calls_add (DriverCalls *calls, DriverCall *call, gboolean parked);
/** driver_calls_take_parked: one that was parked, in order; NULL: no more. */
DriverCall *driver_calls_take_parked (DriverCalls *calls);

/** driver_calls_forwarded: libvirt has it, and its reply is held. */
void driver_calls_forwarded (DriverCalls *calls, DriverCall *call);
/** driver_calls_sent_own: libvirt has a call of our own that was made for @call: it stays until who
 * works on it is done, even where the client has gone. */
void driver_calls_sent_own (DriverCalls *calls, DriverCall *call, const DriverFrameHeader *own);
/** driver_calls_remove: it is held no more: passed, or answered. Where its reply is still to come,
 * that passes. */
void driver_calls_remove (DriverCalls *calls, DriverCall *call);

/** driver_calls_passed: one that is not held goes to libvirt. */
void driver_calls_passed (DriverCalls *calls, const DriverFrameHeader *header);

typedef enum
{
  DRIVER_REPLY_PASSES, /* to the client */
  DRIVER_REPLY_HELD,   /* the call's that is given back, or to one of our own made for it */
  DRIVER_REPLY_OURS    /* to a call that the client does not know of, which waits no more */
} DriverReplyKind;

/** driver_calls_find_reply: whose a reply is; *@call is that of a held one. */
DriverReplyKind driver_calls_find_reply (const DriverCalls *calls, const DriverFrameHeader *reply,
                                         DriverCall **call);
/** driver_calls_replied: a reply has come. */
void driver_calls_replied (DriverCalls *calls, const DriverFrameHeader *reply);

/** driver_calls_await_reply: libvirt works on one that is held, or there is something of it to
 * clear up. */
gboolean driver_calls_await_reply (const DriverCalls *calls);

/** driver_calls_never_sent: a call that was forwarded, or one of our own, did not come to libvirt,
 * and never will: the client has gone, which is said next. */
void driver_calls_never_sent (DriverCalls *calls, const DriverFrameHeader *header);

/** driver_calls_client_gone: what libvirt has not seen is cancelled. */
void driver_calls_client_gone (DriverCalls *calls);
/** driver_calls_server_gone: nothing is answered any more. */
void driver_calls_server_gone (DriverCalls *calls);
