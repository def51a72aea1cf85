/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "driver/driver-connection-private.h"
#include "driver/driver-refusal.h"
#include "hostdev/hostdev-device.h"

enum
{
  /* Device XML, and beside it a domain's name and a few words. */
  CALL_MAX = HOSTDEV_DEVICE_XML_MAX + 16 * 1024,
  /* A reply to one is empty, or an error. A larger one passes unheld. */
  REPLY_MAX = 256 * 1024,
};

/* To libvirt, unheld. */
static void
pass_call (DriverConnection *self, const DriverFrameHeader *header, GBytes *frame, GUnixFDList *fds)
{
  driver_calls_passed (self->calls, header);
  driver_pipe_inject (self->up, frame, fds);
}

static void
send_own (DriverConnection *self, DriverCall *call)
{
  g_autoptr (GBytes) frame = driver_call_dup_own (call);
  DriverFrameHeader header;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  /* The answer to one of the client's own would be taken for that to ours. */
  while (driver_calls_is_known (self->calls, &header))
    {
      driver_call_renumber_own (call);
      g_bytes_unref (frame);
      frame = driver_call_dup_own (call);
      driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
    }
  driver_calls_sent_own (self->calls, call, &header);
  /* The client left in the middle of a frame: nothing comes to libvirt behind that. */
  if (self->cut || self->server.fd < 0)
    driver_call_lose_own (call);
  else
    driver_pipe_inject (self->up, frame, NULL);
}

void
driver_connection_never_sent (const DriverFrameHeader *header, gpointer data)
{
  DriverConnection *self = data;

  driver_calls_never_sent (self->calls, header);
}

/* A worker has decided. */
static void
act (DriverCall *call, DriverCallAction action, gpointer data)
{
  DriverConnection *self = data;
  g_autoptr (GBytes) answer = driver_call_dup_answer (call);
  g_autoptr (GBytes) frame = driver_call_dup_frame (call);
  /* Not where the client has gone, and something had been done for it. */
  gboolean wanted = driver_call_get_outcome (call) == DRIVER_OUTCOME_PENDING;

  switch (action)
    {
    case DRIVER_CALL_FORWARD:
      if (!wanted)
        break;
      driver_calls_forwarded (self->calls, call);
      driver_pipe_inject (self->up, frame, driver_call_get_fds (call));
      if (self->server.fd < 0)
        driver_call_settle (call, DRIVER_OUTCOME_LOST);
      break;
    case DRIVER_CALL_OWN:
      send_own (self, call);
      break;
    case DRIVER_CALL_PASS:
      if (wanted)
        pass_call (self, driver_call_get_header (call), frame, driver_call_get_fds (call));
      driver_calls_remove (self->calls, call);
      break;
    case DRIVER_CALL_ANSWER:
      /* None is there where it passed unheld, or comes late and then passes. */
      if (answer != NULL)
        driver_pipe_inject (self->down, answer, NULL);
      driver_calls_remove (self->calls, call);
      break;
    default:
      g_assert_not_reached ();
    }
  driver_connection_wake (self);
}

/* Descriptors are behind it, and too many of this user's connections have some: it ends. */
static gboolean
is_beyond_bounds (DriverConnection *self, const DriverFrameHeader *header, DriverFrameType with_fds)
{
  if (header->type != (guint32) with_fds || self->place == NULL || driver_place_carry (self->place))
    return FALSE;
  self->ending = TRUE;
  driver_connection_wake (self);
  return TRUE;
}

static DriverPipeAction
header_from_client (const DriverFrameHeader *header, gpointer data)
{
  DriverConnection *self = data;

  if (is_beyond_bounds (self, header, DRIVER_FRAME_CALL_WITH_FDS))
    return DRIVER_PIPE_HOLD;
  if (self->admission != NULL)
    {
      DriverPipeAction action = driver_admission_call (self->admission, header);

      self->is_admissions = action == DRIVER_PIPE_GATHER;
      if (action != DRIVER_PIPE_PASS || !driver_admission_is_open (self->admission))
        return action;
      self->opened = driver_admission_may_write (self->admission);
    }
  if (self->offer == NULL || !driver_frame_is_remote_call (header))
    return DRIVER_PIPE_PASS;
  if (header->procedure == DRIVER_PROC_CONNECT_OPEN)
    self->opening++;
  if (!driver_frame_is_device_procedure (header->procedure))
    return DRIVER_PIPE_PASS;
  if (driver_calls_is_known (self->calls, header))
    {
      if (header->length <= CALL_MAX)
        return DRIVER_PIPE_GATHER;
      /* It is to be refused, and too long to be kept for that: no client of libvirt's does it. */
      self->ending = TRUE;
      driver_connection_wake (self);
      return DRIVER_PIPE_HOLD;
    }
  /* A client need not wait for the answer to CONNECT_OPEN before it calls. */
  if ((self->opened || self->opening > 0) && header->length <= CALL_MAX
      && driver_frame_is_device_call (header))
    return DRIVER_PIPE_GATHER;
  driver_calls_passed (self->calls, header);
  return DRIVER_PIPE_PASS;
}

static void
offer_call (DriverConnection *self, DriverCall *call)
{
  g_autoptr (GBytes) frame = NULL;

  if (self->offer (call, self->offer_data))
    return;
  frame = driver_call_dup_frame (call);
  pass_call (self, driver_call_get_header (call), frame, driver_call_get_fds (call));
  driver_calls_remove (self->calls, call);
}

/* libvirt has answered CONNECT_OPEN: what waited for that is offered, or was never ours. */
static void
offer_parked (DriverConnection *self)
{
  DriverCall *call;

  while ((call = driver_calls_take_parked (self->calls)) != NULL)
    if (self->opened)
      offer_call (self, call);
    else
      {
        g_autoptr (GBytes) frame = driver_call_dup_frame (call);

        pass_call (self, driver_call_get_header (call), frame, driver_call_get_fds (call));
        driver_calls_remove (self->calls, call);
      }
}

static void
refuse_call (DriverConnection *self, const DriverFrameHeader *header, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (COMMON_ERROR, COMMON_ERROR_BUSY, why);
  g_autoptr (GBytes) answer = driver_refusal_new_frame (header, error);

  driver_pipe_inject (self->down, answer, NULL);
}

static const char *
describe (const DriverConnection *self)
{
  return self->admission != NULL ? driver_admission_describe (self->admission) : self->peer;
}

static void
call_from_client (const DriverFrameHeader *header, GBytes *frame, GUnixFDList *fds, gpointer data)
{
  DriverConnection *self = data;
  DriverDeviceCall *args;

  if (self->is_admissions)
    {
      self->is_admissions = FALSE;
      driver_admission_take_call (self->admission, header, frame, fds);
      return;
    }
  if (driver_calls_is_known (self->calls, header))
    {
      refuse_call (self, header, _ ("a call with the same serial is under way already."));
      return;
    }
  args = driver_device_call_decode (frame);
  if (args == NULL)
    {
      pass_call (self, header, frame, fds);
      return;
    }
  if (!driver_calls_has_room (self->calls, fds))
    {
      driver_device_call_free (args);
      refuse_call (self, header,
                   _ ("too many calls of this client wait already. Try again when they are done."));
      return;
    }

  g_autoptr (DriverCall) call
      = driver_call_new (frame, fds, args, describe (self), NULL, act, self);
  if (self->admission != NULL)
    driver_call_set_user (call, driver_admission_get_user (self->admission),
                          !driver_admission_is_root (self->admission));
  driver_calls_add (self->calls, call, !self->opened);
  if (self->opened)
    offer_call (self, call);
}

static DriverPipeAction
reply_begins (DriverConnection *self, const DriverFrameHeader *header)
{
  DriverCall *call;
  DriverReplyKind kind = driver_calls_find_reply (self->calls, header, &call);

  if (kind != DRIVER_REPLY_PASSES && header->length <= REPLY_MAX)
    return DRIVER_PIPE_GATHER;
  if (kind == DRIVER_REPLY_HELD)
    driver_call_replied (call, header, NULL);
  driver_calls_replied (self->calls, header);
  return DRIVER_PIPE_PASS;
}

static DriverPipeAction
header_from_server (const DriverFrameHeader *header, gpointer data)
{
  DriverConnection *self = data;

  if (is_beyond_bounds (self, header, DRIVER_FRAME_REPLY_WITH_FDS))
    return DRIVER_PIPE_HOLD;
  /* With the client gone, nobody else tells libvirt that this connection lives. */
  if (self->client.fd < 0 && header->program == DRIVER_PROGRAM_KEEPALIVE
      && header->procedure == DRIVER_PROC_KEEPALIVE_PING)
    {
      g_autoptr (GBytes) pong = driver_frame_new_pong ();

      driver_pipe_inject (self->up, pong, NULL);
    }
  if (self->admission != NULL && !driver_admission_is_open (self->admission))
    {
      DriverPipeAction action = driver_admission_reply (self->admission, header);

      self->answers_admission = action == DRIVER_PIPE_GATHER;
      return action;
    }
  if (!driver_frame_is_remote (header, DRIVER_FRAME_REPLY))
    return DRIVER_PIPE_PASS;

  if (header->procedure == DRIVER_PROC_CONNECT_OPEN)
    {
      self->opened = self->opened || header->status == DRIVER_FRAME_OK;
      self->opening -= MIN (self->opening, 1);
      if (self->opened && self->place != NULL)
        driver_place_arrived (self->place);
      if (self->opened || self->opening == 0)
        offer_parked (self);
    }
  else if (header->procedure == DRIVER_PROC_CONNECT_CLOSE && header->status == DRIVER_FRAME_OK)
    self->opened = FALSE;
  if (!driver_frame_is_device_procedure (header->procedure))
    return DRIVER_PIPE_PASS;
  return reply_begins (self, header);
}

static void
reply_from_server (const DriverFrameHeader *header, GBytes *frame, GUnixFDList *fds, gpointer data)
{
  DriverConnection *self = data;
  DriverCall *call;

  if (self->answers_admission)
    {
      self->answers_admission = FALSE;
      if (self->admission != NULL)
        driver_admission_take_reply (self->admission, header, frame);
      return;
    }
  /* The worker may have given up since the header was seen. */
  switch (driver_calls_find_reply (self->calls, header, &call))
    {
    case DRIVER_REPLY_HELD:
      driver_call_replied (call, header, frame);
      driver_calls_replied (self->calls, header);
      break;
    case DRIVER_REPLY_OURS:
      driver_calls_replied (self->calls, header);
      break;
    case DRIVER_REPLY_PASSES:
    default:
      driver_calls_replied (self->calls, header);
      driver_pipe_inject (self->down, frame, fds);
    }
}

const DriverPipeOwner driver_connection_from_client = { header_from_client, call_from_client };
const DriverPipeOwner driver_connection_from_server = { header_from_server, reply_from_server };
