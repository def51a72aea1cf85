/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-pipe.h"
#include "hostdev/hostdev-device.h"

enum
{
  /* Device XML, and beside it a domain's name and a few words. */
  CALL_MAX = HOSTDEV_DEVICE_XML_MAX + 16 * 1024,
  /* A reply to one is empty, or an error. A larger one passes unheld. */
  REPLY_MAX = 256 * 1024,
  /* Of one client; libvirt itself works on five at a time (max_client_requests). */
  HELD_MAX = 16,
  /* Reads before other connections have their turn. */
  BURST = 16,
  /* How long one side may take what is left for it after the other one went away. */
  LINGER_SECONDS = 30,
};

/* One of the two sockets, in the source. */
typedef struct
{
  int fd; /* -1: gone */
  gpointer tag;
  GIOCondition polled;
} Side;

typedef struct
{
  GSource source;
  DriverConnection *connection;
} Source;

struct _DriverConnection
{
  Side client, server;
  DriverPipe *up, *down; /* to libvirt, to the client */
  GSource *source;
  char *peer;
  gboolean opened; /* libvirt accepted CONNECT_OPEN: the client is who it should be */
  gboolean closing;
  gint64 linger; /* monotonic; 0 while both sides are there */
  GQueue calls;  /* DriverCall: held, or forwarded and not yet answered */
  DriverOfferFunc offer;
  gpointer offer_data;
  DriverClosedFunc closed;
  gpointer closed_data;
};

/* A call in the queue of its connection. */
typedef struct
{
  DriverCall *call;
  gboolean forwarded; /* libvirt has it */
} Entry;

static Entry *
find_entry (DriverConnection *self, const DriverCall *call)
{
  for (GList *link = self->calls.head; link != NULL; link = link->next)
    if (((Entry *) link->data)->call == call)
      return link->data;
  return NULL;
}

static void
entry_free (Entry *entry)
{
  driver_call_disconnect (entry->call);
  driver_call_unref (entry->call);
  g_free (entry);
}

static void
remove_entry (DriverConnection *self, Entry *entry)
{
  g_queue_remove (&self->calls, entry);
  entry_free (entry);
}

static gboolean
awaits_reply (const DriverConnection *self)
{
  for (const GList *link = self->calls.head; link != NULL; link = link->next)
    if (((const Entry *) link->data)->forwarded)
      return TRUE;
  return FALSE;
}

/* Something changed outside of dispatch: look at the connection once more. */
static void
wake (DriverConnection *self)
{
  g_source_set_ready_time (self->source, 0);
}

/* A worker has decided. */
static void
act (DriverCall *call, DriverCallAction action, gpointer data)
{
  DriverConnection *self = data;
  Entry *entry = find_entry (self, call);
  g_autoptr (GBytes) answer = driver_call_dup_answer (call);

  switch (action)
    {
    case DRIVER_CALL_FORWARD:
      entry->forwarded = TRUE;
      driver_pipe_inject (self->up, driver_call_get_frame (call));
      break;
    case DRIVER_CALL_PASS:
      driver_pipe_inject (self->up, driver_call_get_frame (call));
      remove_entry (self, entry);
      break;
    case DRIVER_CALL_ANSWER:
      /* None is there where it passed unheld, or comes late and then passes. */
      if (answer != NULL)
        driver_pipe_inject (self->down, answer);
      remove_entry (self, entry);
      break;
    default:
      g_assert_not_reached ();
    }
  wake (self);
}

static DriverPipeAction
header_from_client (const DriverFrameHeader *header, gpointer data)
{
  const DriverConnection *self = data;

  if (self->offer != NULL && self->opened && header->length <= CALL_MAX
      && driver_frame_is_device_call (header))
    return DRIVER_PIPE_GATHER;
  return DRIVER_PIPE_PASS;
}

static void
call_from_client (const DriverFrameHeader *header, GBytes *frame, gpointer data)
{
  DriverConnection *self = data;
  DriverDeviceCall *args = driver_device_call_decode (frame);
  Entry *entry;

  if (args == NULL)
    {
      driver_pipe_inject (self->up, frame);
      return;
    }

  entry = g_new0 (Entry, 1);
  entry->call = driver_call_new (frame, args, self->peer, NULL, act, self);
  if (self->calls.length >= HELD_MAX)
    {
      g_autoptr (GError) error = g_error_new_literal (
          COMMON_ERROR, COMMON_ERROR_BUSY,
          _ ("too many calls of this client wait already. Try again when they are done."));

      g_queue_push_tail (&self->calls, entry);
      driver_call_refuse (entry->call, error);
    }
  else if (self->offer (entry->call, self->offer_data))
    g_queue_push_tail (&self->calls, entry);
  else
    {
      driver_pipe_inject (self->up, frame);
      entry_free (entry);
    }
}

/* The forwarded call that a reply belongs to. */
static Entry *
find_replied (const DriverConnection *self, const DriverFrameHeader *reply)
{
  for (GList *link = self->calls.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;
      const DriverFrameHeader *call = driver_call_get_header (entry->call);

      if (entry->forwarded && call->serial == reply->serial && call->procedure == reply->procedure
          && driver_call_get_outcome (entry->call) == DRIVER_OUTCOME_PENDING)
        return entry;
    }
  return NULL;
}

static DriverOutcome
outcome_of (const DriverFrameHeader *reply)
{
  return reply->status == DRIVER_FRAME_OK ? DRIVER_OUTCOME_OK : DRIVER_OUTCOME_ERROR;
}

static DriverPipeAction
header_from_server (const DriverFrameHeader *header, gpointer data)
{
  DriverConnection *self = data;

  /* With the client gone, nobody else tells libvirt that this connection lives. */
  if (self->client.fd < 0 && header->program == DRIVER_PROGRAM_KEEPALIVE
      && header->procedure == DRIVER_PROC_KEEPALIVE_PING)
    {
      g_autoptr (GBytes) pong = driver_frame_new_pong ();

      driver_pipe_inject (self->up, pong);
    }
  if (!driver_frame_is_remote (header, DRIVER_FRAME_REPLY))
    return DRIVER_PIPE_PASS;

  if (header->procedure == DRIVER_PROC_CONNECT_OPEN && header->status == DRIVER_FRAME_OK)
    self->opened = TRUE;
  else if (header->procedure == DRIVER_PROC_CONNECT_CLOSE)
    self->opened = FALSE;

  Entry *entry = find_replied (self, header);
  if (entry == NULL)
    return DRIVER_PIPE_PASS;
  if (header->length <= REPLY_MAX)
    return DRIVER_PIPE_GATHER;
  driver_call_settle (entry->call, outcome_of (header), NULL);
  return DRIVER_PIPE_PASS;
}

static void
reply_from_server (const DriverFrameHeader *header, GBytes *frame, gpointer data)
{
  DriverConnection *self = data;
  Entry *entry = find_replied (self, header);

  /* The worker may have given up since the header was seen. */
  if (entry == NULL)
    driver_pipe_inject (self->down, frame);
  else
    driver_call_settle (entry->call, outcome_of (header), frame);
}

static void
drop_side (DriverConnection *self, Side *side)
{
  if (side->fd < 0)
    return;
  if (side->tag != NULL)
    g_source_remove_unix_fd (self->source, side->tag);
  side->tag = NULL;
  close (side->fd);
  side->fd = -1;
  self->linger = g_get_monotonic_time () + LINGER_SECONDS * G_TIME_SPAN_SECOND;
  g_source_set_ready_time (self->source, self->linger);
}

static void
client_gone (DriverConnection *self)
{
  drop_side (self, &self->client);
  driver_pipe_discard (self->down);
  for (GList *link = self->calls.head, *next; link != NULL; link = next)
    {
      Entry *entry = link->data;

      next = link->next;
      if (!entry->forwarded)
        {
          driver_call_settle (entry->call, DRIVER_OUTCOME_NOT_FORWARDED, NULL);
          remove_entry (self, entry);
        }
    }
}

static void
server_gone (DriverConnection *self)
{
  drop_side (self, &self->server);
  driver_pipe_discard (self->up);
  for (GList *link = self->calls.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;

      driver_call_settle (
          entry->call, entry->forwarded ? DRIVER_OUTCOME_LOST : DRIVER_OUTCOME_NOT_FORWARDED, NULL);
    }
}

/* Moves what one side has to say to the other. FALSE: who speaks is gone. */
static gboolean
move_input (DriverConnection *self, Side *from, DriverPipe *pipe)
{
  for (int i = 0; i < BURST && driver_pipe_wants_input (pipe); i++)
    {
      g_autoptr (GError) error = NULL;
      DriverPipeResult result = driver_pipe_read (pipe, from->fd, &error);

      if (result == DRIVER_PIPE_END)
        {
          if (error != NULL)
            g_message (_ ("closing a connection (%s): %s"), self->peer, error->message);
          return FALSE;
        }
      if (result == DRIVER_PIPE_AGAIN)
        break;
    }
  return TRUE;
}

/* One who listens no more may have said something before: that it is gone is for reading to find.
   Where only the writing failed, as for want of memory, a part of the stream is lost: then reading
   is made to find an end. */
static void
move_output (const DriverConnection *self, DriverPipe *pipe, const Side *to)
{
  g_autoptr (GError) error = NULL;

  if (to->fd < 0 || driver_pipe_write (pipe, to->fd, &error) != DRIVER_PIPE_END)
    return;
  driver_pipe_discard (pipe);
  if (error == NULL)
    return;
  g_message (_ ("closing a connection (%s): %s"), self->peer, error->message);
  shutdown (to->fd, SHUT_RDWR);
}

/* Answers that are made here stop a client that does not read them, as libvirt's own stop it. */
static gboolean
wants_client (const DriverConnection *self)
{
  return self->server.fd >= 0 && driver_pipe_wants_input (self->up)
         && driver_pipe_wants_input (self->down);
}

static gboolean
is_over (const DriverConnection *self)
{
  if (self->client.fd >= 0 && self->server.fd >= 0)
    return FALSE;
  if (self->client.fd < 0 && self->server.fd < 0)
    return TRUE;
  if (self->server.fd < 0)
    return !driver_pipe_has_output (self->down) || g_get_monotonic_time () >= self->linger;
  return !awaits_reply (self)
         && (!driver_pipe_has_output (self->up) || g_get_monotonic_time () >= self->linger);
}

static GIOCondition
ready (const DriverConnection *self, const Side *side)
{
  return side->tag != NULL ? g_source_query_unix_fd (self->source, side->tag) : 0;
}

static void
step (DriverConnection *self)
{
  const GIOCondition end = G_IO_HUP | G_IO_ERR;

  if ((ready (self, &self->client) & (G_IO_IN | end)) != 0
      && !move_input (self, &self->client, self->up))
    client_gone (self);
  if ((ready (self, &self->server) & (G_IO_IN | end)) != 0
      && !move_input (self, &self->server, self->down))
    {
      /* Its last words first. */
      move_output (self, self->down, &self->client);
      server_gone (self);
    }
  move_output (self, self->up, &self->server);
  move_output (self, self->down, &self->client);
}

/* A side that nothing is wanted of is not polled at all: poll reports a hang-up unasked, again and
   again. */
static void
poll_side (DriverConnection *self, Side *side, gboolean input, gboolean output)
{
  GIOCondition wanted = (input ? G_IO_IN : 0) | (output ? G_IO_OUT : 0);

  if (side->fd < 0 || wanted == side->polled)
    return;
  if (wanted == 0)
    {
      g_source_remove_unix_fd (self->source, side->tag);
      side->tag = NULL;
    }
  else if (side->tag == NULL)
    side->tag = g_source_add_unix_fd (self->source, side->fd, wanted);
  else
    g_source_modify_unix_fd (self->source, side->tag, wanted);
  side->polled = wanted;
}

static gboolean
source_prepare (GSource *source, gint *timeout)
{
  DriverConnection *self = ((Source *) source)->connection;

  *timeout = -1;
  /* With libvirt gone, nothing more is taken from the client. */
  poll_side (self, &self->client, wants_client (self), driver_pipe_has_output (self->down));
  poll_side (self, &self->server, driver_pipe_wants_input (self->down),
             driver_pipe_has_output (self->up));
  return FALSE;
}

static gboolean
source_check (GSource *source)
{
  DriverConnection *self = ((Source *) source)->connection;

  return ready (self, &self->client) != 0 || ready (self, &self->server) != 0;
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  DriverConnection *self = ((Source *) source)->connection;

  g_source_set_ready_time (source, self->linger > g_get_monotonic_time () ? self->linger : -1);
  step (self);
  if (is_over (self))
    {
      self->closed (self, self->closed_data);
      return G_SOURCE_REMOVE;
    }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { source_prepare, source_check, source_dispatch, NULL };

static char *
describe_peer (int fd)
{
  struct ucred peer;
  socklen_t length = sizeof peer;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return g_strdup ("unknown");
  return g_strdup_printf ("uid %u, pid %d", peer.uid, peer.pid);
}

DriverConnection *
driver_connection_new (int client, int server, DriverOfferFunc offer, gpointer offer_data,
                       DriverClosedFunc closed, gpointer closed_data)
{
  static const DriverPipeOwner from_client = { header_from_client, call_from_client };
  static const DriverPipeOwner from_server = { header_from_server, reply_from_server };
  DriverConnection *self = g_new0 (DriverConnection, 1);

  self->source = g_source_new (&source_funcs, sizeof (Source));
  ((Source *) self->source)->connection = self;
  g_source_set_static_name (self->source, "connection");
  self->client = (Side){ client, g_source_add_unix_fd (self->source, client, G_IO_IN), G_IO_IN };
  self->server = (Side){ server, g_source_add_unix_fd (self->source, server, G_IO_IN), G_IO_IN };
  self->peer = describe_peer (client);
  self->up = driver_pipe_new (DRIVER_FRAME_CALL_WITH_FDS, &from_client, self);
  self->down = driver_pipe_new (DRIVER_FRAME_REPLY_WITH_FDS, &from_server, self);
  self->offer = offer;
  self->offer_data = offer_data;
  self->closed = closed;
  self->closed_data = closed_data;
  g_queue_init (&self->calls);
  g_source_attach (self->source, NULL);
  return self;
}

void
driver_connection_free (DriverConnection *self)
{
  if (self->client.fd >= 0)
    client_gone (self);
  if (self->server.fd >= 0)
    server_gone (self);
  g_queue_clear_full (&self->calls, (GDestroyNotify) entry_free);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  driver_pipe_free (self->up);
  driver_pipe_free (self->down);
  g_free (self->peer);
  g_free (self);
}
