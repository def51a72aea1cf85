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
  /* What a socket has without being asked (net.core.wmem_default); who asks for it is given twice
     as much. Then a reader that is a little late does not stop who writes amid a large frame. */
  SEND_BUFFER = 208 * 1024,
};

void
driver_connection_wake (DriverConnection *self)
{
  driver_poll_wake (&self->member);
}

static gboolean
linger_over (gpointer data)
{
  DriverConnection *self = data;

  self->linger_timer = 0;
  driver_connection_wake (self);
  return G_SOURCE_REMOVE;
}

static void
drop_side (DriverConnection *self, DriverPollSocket *side)
{
  if (side->fd < 0)
    return;
  driver_poll_forget (side);
  /* Who asks about the client has another descriptor of it, and stops (driver-access.h). */
  shutdown (side->fd, SHUT_RDWR);
  close (side->fd);
  side->fd = -1;
  self->linger = g_get_monotonic_time () + LINGER_SECONDS * G_TIME_SPAN_SECOND;
  g_clear_handle_id (&self->linger_timer, g_source_remove);
  self->linger_timer = g_timeout_add (LINGER_SECONDS * 1000 + 1, linger_over, self);
}

static void
client_gone (DriverConnection *self)
{
  drop_side (self, &self->client);
  g_clear_pointer (&self->admission, driver_admission_free);
  self->cut = driver_pipe_is_amid (self->up);
  driver_pipe_drop_injected (self->up, driver_connection_never_sent, self);
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

/* One who listens no more may have said something before: that it is gone is for reading to find.
   Where only the writing failed, as for want of memory, a part of the stream is lost: then reading
   is made to find an end. */
static void
move_output (const DriverConnection *self, DriverPipe *pipe, const DriverPollSocket *to)
{
  g_autoptr (GError) error = NULL;

  if (to->fd < 0 || !driver_pipe_has_output (pipe)
      || driver_pipe_write (pipe, to->fd, &error) != DRIVER_PIPE_END)
    return;
  driver_pipe_discard (pipe);
  if (error == NULL)
    return;
  g_message (_ ("closing a connection (%s): %s"), self->peer, error->message);
  shutdown (to->fd, SHUT_RDWR);
}

/* Answers that are made here stop a client that does not read them, as libvirt's own stop it. */
static gboolean
may_read (const DriverConnection *self, const DriverPipe *pipe)
{
  return driver_pipe_wants_input (pipe) && (pipe != self->up || !driver_pipe_is_full (self->down));
}

/* Moves what one side has to say to the other. FALSE: who speaks is gone. */
static gboolean
move_input (DriverConnection *self, const DriverPollSocket *from, DriverPipe *pipe,
            const DriverPollSocket *to)
{
  for (int i = 0; i < BURST && may_read (self, pipe); i++)
    {
      g_autoptr (GError) error = NULL;
      DriverPipeResult result = driver_pipe_move (pipe, from->fd, to->fd, &error);

      if (result == DRIVER_PIPE_END)
        {
          if (error != NULL)
            g_message (_ ("closing a connection (%s): %s"), self->peer, error->message);
          return FALSE;
        }
      if (result == DRIVER_PIPE_AGAIN)
        break;
    }
  if (driver_pipe_is_amid (pipe) && to->fd >= 0 && may_read (self, pipe))
    driver_poll_expect (self->member.poll);
  return TRUE;
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

/* What was found of a side that is still there. */
static GIOCondition
take_ready (DriverPollSocket *side)
{
  GIOCondition ready = side->fd >= 0 ? side->ready : 0;

  side->ready = 0;
  return ready;
}

static void
step (DriverConnection *self)
{
  const GIOCondition end = G_IO_HUP | G_IO_ERR;
  const GIOCondition client = take_ready (&self->client);
  const GIOCondition server = take_ready (&self->server);

  /* What waits goes first: only then is more read. */
  move_output (self, self->up, &self->server);
  move_output (self, self->down, &self->client);
  if (((client & (G_IO_IN | end)) != 0
       || (self->client.fd >= 0 && driver_pipe_has_input (self->up)))
      /* Of one that is held nothing is read that would tell. */
      && (!move_input (self, &self->client, self->up, &self->server)
          || (driver_pipe_is_held (self->up) && (client & end) != 0)))
    client_gone (self);
  if ((server & (G_IO_IN | end)) != 0
      && !move_input (self, &self->server, self->down, &self->client))
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

/* A side that nothing is wanted of is not watched at all: a hang-up is told unasked, again and
   again. */
static void
watch_side (DriverConnection *self, DriverPollSocket *side, gboolean input, gboolean output,
            gboolean end)
{
  if (side->fd < 0)
    return;
  if (!input && !output && !end)
    {
      driver_poll_forget (side);
      return;
    }
  if (driver_poll_watch (side, (input ? G_IO_IN : 0) | (output ? G_IO_OUT : 0)))
    return;
  g_message (_ ("closing a connection (%s): %s"), self->peer, g_strerror (errno));
  if (side == &self->client)
    client_gone (self);
  else
    server_gone (self);
  driver_connection_wake (self);
}

static void
watch (DriverConnection *self)
{
  /* With libvirt gone, nothing more is taken from the client. */
  watch_side (self, &self->client, self->server.fd >= 0 && may_read (self, self->up),
              driver_pipe_has_output (self->down), driver_pipe_is_held (self->up));
  watch_side (self, &self->server, driver_pipe_wants_input (self->down),
              driver_pipe_has_output (self->up), FALSE);
}

static void
run (gpointer data)
{
  DriverConnection *self = data;

  step (self);
  if (is_over (self))
    {
      self->closed (self, self->closed_data);
      return;
    }
  watch (self);
  /* No event tells of what was read before, and waited for the output that has gone just now. */
  if (self->client.fd >= 0 && driver_pipe_has_input (self->up) && may_read (self, self->up))
    driver_connection_wake (self);
}

/* Where a larger one is given unasked, that stays. Without it, it is slower. */
static void
enlarge (int fd)
{
  const int size = SEND_BUFFER;
  int has;
  socklen_t length = sizeof has;

  if (getsockopt (fd, SOL_SOCKET, SO_SNDBUF, &has, &length) == 0 && has < 2 * size)
    setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

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
driver_connection_new (const DriverConnectionShared *shared, int client, int server,
                       DriverOfferFunc offer, gpointer offer_data, DriverClosedFunc closed,
                       gpointer closed_data)
{
  DriverConnection *self = g_new0 (DriverConnection, 1);

  enlarge (client);
  enlarge (server);
  driver_poll_join (shared->poll, &self->member, run, self);
  self->client = (DriverPollSocket){ .member = &self->member, .fd = client };
  self->server = (DriverPollSocket){ .member = &self->member, .fd = server };
  self->peer = describe_peer (client);
  self->up = driver_pipe_new (DRIVER_FRAME_CALL_WITH_FDS, &driver_connection_from_client, self);
  self->down = driver_pipe_new (DRIVER_FRAME_REPLY_WITH_FDS, &driver_connection_from_server, self);
  driver_pipe_set_splice (self->up, shared->splice);
  driver_pipe_set_splice (self->down, shared->splice);
  self->offer = offer;
  self->offer_data = offer_data;
  self->closed = closed;
  self->closed_data = closed_data;
  self->calls = driver_calls_new ();
  watch (self);
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

  if (self->place != NULL && self->admission != NULL && driver_admission_is_open (self->admission))
    driver_place_arrived (self->place);
  driver_pipe_resume (self->up);
  driver_connection_wake (self);
}

static gboolean
admission_told (guint32 user, gpointer data)
{
  DriverConnection *self = data;

  return self->place == NULL || driver_place_move (self->place, user);
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
  static const DriverAdmissionOwner owner = { admission_to_libvirt, admission_to_client,
                                              admission_proceed, admission_told, admission_end };

  self->admission = driver_admission_new (access, self->client.fd, read_only, &owner, self);
}

void
driver_connection_set_place (DriverConnection *self, DriverPlace *place)
{
  self->place = place;
}

void
driver_connection_free (DriverConnection *self)
{
  if (self->client.fd >= 0)
    client_gone (self);
  if (self->server.fd >= 0)
    server_gone (self);
  driver_calls_free (self->calls);
  g_clear_handle_id (&self->linger_timer, g_source_remove);
  driver_poll_leave (&self->member);
  driver_pipe_free (self->up);
  driver_pipe_free (self->down);
  driver_place_free (self->place);
  g_free (self->peer);
  g_free (self);
}
