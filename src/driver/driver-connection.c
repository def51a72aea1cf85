/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-connection-private.h"

enum
{
  /* Reads before other connections have their turn. */
  BURST = 16,
  /* How long one side may take what is left for it after the other one went away. */
  LINGER_SECONDS = 30,
};

typedef struct
{
  GSource source;
  DriverConnection *connection;
} Source;

void
driver_connection_wake (DriverConnection *self)
{
  g_source_set_ready_time (self->source, 0);
}

static void
drop_side (DriverConnection *self, Side *side)
{
  if (side->fd < 0)
    return;
  if (side->tag != NULL)
    g_source_remove_unix_fd (self->source, side->tag);
  side->tag = NULL;
  /* Who asks about the client has another descriptor of it, and stops (driver-access.h). */
  shutdown (side->fd, SHUT_RDWR);
  close (side->fd);
  side->fd = -1;
  self->linger = g_get_monotonic_time () + LINGER_SECONDS * G_TIME_SPAN_SECOND;
  g_source_set_ready_time (self->source, self->linger);
}

static void
client_gone (DriverConnection *self)
{
  drop_side (self, &self->client);
  g_clear_pointer (&self->admission, driver_admission_free);
  driver_pipe_discard (self->down);
  driver_calls_client_gone (self->calls);
}

static void
server_gone (DriverConnection *self)
{
  drop_side (self, &self->server);
  driver_pipe_discard (self->up);
  driver_calls_server_gone (self->calls);
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
  return !driver_calls_await_reply (self->calls)
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

  /* Of one that is held nothing is read that would tell. */
  if ((ready (self, &self->client) & (G_IO_IN | end)) != 0
      && (!move_input (self, &self->client, self->up)
          || (driver_pipe_is_held (self->up) && (ready (self, &self->client) & end) != 0)))
    client_gone (self);
  if ((ready (self, &self->server) & (G_IO_IN | end)) != 0
      && !move_input (self, &self->server, self->down))
    {
      /* Its last words first. */
      move_output (self, self->down, &self->client);
      server_gone (self);
    }
  if (self->ending && self->server.fd >= 0)
    server_gone (self);
  move_output (self, self->up, &self->server);
  move_output (self, self->down, &self->client);
}

/* A side that nothing is wanted of is not polled at all: poll reports a hang-up unasked, again and
   again. */
static void
poll_side (DriverConnection *self, Side *side, gboolean input, gboolean output, gboolean end)
{
  GIOCondition wanted
      = (input ? G_IO_IN : 0) | (output ? G_IO_OUT : 0) | (end ? G_IO_HUP | G_IO_ERR : 0);

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
  poll_side (self, &self->client, wants_client (self), driver_pipe_has_output (self->down),
             driver_pipe_is_held (self->up));
  poll_side (self, &self->server, driver_pipe_wants_input (self->down),
             driver_pipe_has_output (self->up), FALSE);
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
  DriverConnection *self = g_new0 (DriverConnection, 1);

  self->source = g_source_new (&source_funcs, sizeof (Source));
  ((Source *) self->source)->connection = self;
  g_source_set_static_name (self->source, "connection");
  self->client = (Side){ client, g_source_add_unix_fd (self->source, client, G_IO_IN), G_IO_IN };
  self->server = (Side){ server, g_source_add_unix_fd (self->source, server, G_IO_IN), G_IO_IN };
  self->peer = describe_peer (client);
  self->up = driver_pipe_new (DRIVER_FRAME_CALL_WITH_FDS, &driver_connection_from_client, self);
  self->down = driver_pipe_new (DRIVER_FRAME_REPLY_WITH_FDS, &driver_connection_from_server, self);
  self->offer = offer;
  self->offer_data = offer_data;
  self->closed = closed;
  self->closed_data = closed_data;
  self->calls = driver_calls_new ();
  g_source_attach (self->source, NULL);
  return self;
}

static void
admission_to_libvirt (GBytes *frame, GUnixFDList *fds, gpointer data)
{
  DriverConnection *self = data;

  driver_pipe_inject (self->up, frame, fds);
  driver_connection_wake (self);
}

static void
admission_to_client (GBytes *frame, gpointer data)
{
  DriverConnection *self = data;

  driver_pipe_inject (self->down, frame, NULL);
  driver_connection_wake (self);
}

static void
admission_proceed (gpointer data)
{
  DriverConnection *self = data;

  driver_pipe_resume (self->up);
  driver_connection_wake (self);
}

static void
admission_end (gpointer data)
{
  DriverConnection *self = data;

  self->ending = TRUE;
  driver_connection_wake (self);
}

void
driver_connection_admit (DriverConnection *self, DriverAccess *access, gboolean read_only)
{
  static const DriverAdmissionOwner owner
      = { admission_to_libvirt, admission_to_client, admission_proceed, admission_end };

  self->admission = driver_admission_new (access, self->client.fd, read_only, &owner, self);
}

void
driver_connection_free (DriverConnection *self)
{
  if (self->client.fd >= 0)
    client_gone (self);
  if (self->server.fd >= 0)
    server_gone (self);
  driver_calls_free (self->calls);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  driver_pipe_free (self->up);
  driver_pipe_free (self->down);
  g_free (self->peer);
  g_free (self);
}
