/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-relay.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver/driver-turned-away.h"

enum
{
  /* Where the queue of libvirt's socket is full, as after its restart. */
  RETRY_MILLISECONDS = 20,
  RETRIES = 500,
  /* Where this process has no descriptor left. */
  PAUSE_MILLISECONDS = 500,
};

struct _DriverRelay
{
  DriverPollMember member;
  DriverPollSocket listener;
  struct sockaddr_un upstream;
  guint pause; /* before the listener is watched again; 0: it is */
  DriverOfferFunc offer;
  gpointer offer_data;
  DriverAccess *access; /* NULL: whoever comes is let in */
  gboolean read_only;
  DriverBounds *bounds; /* NULL: there are none */
  DriverTurnedAway *turned_away;
  DriverConnectionShared shared;
  GHashTable *connections; /* DriverConnection */
  GHashTable *pending;     /* Pending */
};

/* A client whose connection to libvirt is not there yet. */
typedef struct
{
  DriverRelay *relay;
  int client;
  DriverPlace *place; /* NULL: there are no bounds */
  guint tries;
  guint timer;
  /* While it waits for others of its user's to come in. */
  DriverPollMember member;
  DriverPollSocket socket;
} Pending;

static void
stop_waiting (Pending *pending)
{
  driver_poll_forget (&pending->socket);
  driver_poll_leave (&pending->member);
}

static void
pending_free (Pending *pending)
{
  if (pending->timer != 0)
    g_source_remove (pending->timer);
  stop_waiting (pending);
  if (pending->client >= 0)
    close (pending->client);
  driver_place_free (pending->place);
  g_free (pending);
}

static void
closed (DriverConnection *connection, gpointer data)
{
  DriverRelay *self = data;

  g_hash_table_remove (self->connections, connection);
}

/* A descriptor, or -1 and errno. */
static int
connect_upstream (const DriverRelay *self)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int failed;

  if (fd < 0)
    return -1;
  if (connect (fd, (const struct sockaddr *) &self->upstream, sizeof self->upstream) == 0)
    return fd;
  failed = errno;
  close (fd);
  errno = failed;
  return -1;
}

static gboolean
try_upstream (gpointer data)
{
  Pending *pending = data;
  DriverRelay *self = pending->relay;
  int server = connect_upstream (self);

  if (server < 0 && errno == EAGAIN && ++pending->tries < RETRIES)
    {
      if (pending->timer == 0)
        pending->timer = g_timeout_add (RETRY_MILLISECONDS, try_upstream, pending);
      return G_SOURCE_CONTINUE;
    }
  if (server < 0)
    /* The client sees what it would see of a daemon that is not there: an end of the connection. */
    g_warning (_ ("cannot reach libvirt at %s: %s"), self->upstream.sun_path, g_strerror (errno));
  else
    {
      int client = pending->client;

      pending->client = -1;
      DriverConnection *connection = driver_connection_new (
          &self->shared, client, server, self->offer, self->offer_data, closed, self);

      driver_connection_set_place (connection, g_steal_pointer (&pending->place));
      if (self->access != NULL)
        driver_connection_admit (connection, self->access, self->read_only);
      g_hash_table_add (self->connections, connection);
    }
  pending->timer = 0;
  g_hash_table_remove (self->pending, pending);
  return G_SOURCE_REMOVE;
}

static void
may_arrive (gpointer data)
{
  Pending *pending = data;

  stop_waiting (pending);
  try_upstream (pending);
}

static void
left_waiting (gpointer data)
{
  Pending *pending = data;

  g_hash_table_remove (pending->relay->pending, pending);
}

/* Nothing but its end is looked for, with all the others: thousands may wait, and the main context
   would ask each of them every time. */
static void
start_waiting (Pending *pending)
{
  DriverRelay *self = pending->relay;

  driver_poll_join (self->shared.poll, &pending->member, left_waiting, pending);
  pending->socket = (DriverPollSocket){ .member = &pending->member, .fd = pending->client };
  if (!driver_poll_watch (&pending->socket, 0))
    g_hash_table_remove (self->pending, pending);
}

static guint32
user_of (int client)
{
  struct ucred peer;
  socklen_t length = sizeof peer;

  return getsockopt (client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.uid
                                                                           : DRIVER_USER_NOBODY;
}

static gboolean
listen_again (gpointer data)
{
  DriverRelay *self = data;

  if (!driver_poll_watch (&self->listener, G_IO_IN))
    return G_SOURCE_CONTINUE;
  self->pause = 0;
  return G_SOURCE_REMOVE;
}

static void
pause_listening (DriverRelay *self)
{
  self->pause = g_timeout_add (PAUSE_MILLISECONDS, listen_again, self);
}

static void
accept_client (gpointer data)
{
  DriverRelay *self = data;
  int client = accept4 (self->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  self->listener.ready = 0;
  if (client < 0)
    {
      if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
      g_warning (_ ("cannot take another client now: %s"), g_strerror (errno));
      /* It stays where it is: to be taken in again may fail for the same want. */
      driver_poll_watch (&self->listener, 0);
      pause_listening (self);
      return;
    }

  DriverPlace *place
      = self->bounds != NULL ? driver_bounds_enter (self->bounds, user_of (client)) : NULL;
  if (self->bounds != NULL && place == NULL)
    {
      driver_turned_away_add (self->turned_away, client);
      return;
    }
  Pending *pending = g_new0 (Pending, 1);
  *pending = (Pending){ .relay = self, .client = client, .place = place };
  g_hash_table_add (self->pending, pending);
  if (place == NULL || driver_place_arrive (place, may_arrive, pending))
    try_upstream (pending);
  else
    start_waiting (pending);
}

DriverRelay *
driver_relay_new (int listener, const char *upstream, DriverOfferFunc offer, gpointer offer_data)
{
  DriverRelay *self = g_new0 (DriverRelay, 1);

  self->upstream.sun_family = AF_UNIX;
  g_strlcpy (self->upstream.sun_path, upstream, sizeof self->upstream.sun_path);
  self->offer = offer;
  self->offer_data = offer_data;
  self->shared.poll = driver_poll_ref ();
  self->turned_away = driver_turned_away_new ();
  self->shared.splice = driver_splice_new ();
  self->connections
      = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) driver_connection_free, NULL);
  self->pending = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) pending_free, NULL);
  g_unix_set_fd_nonblocking (listener, TRUE, NULL);
  driver_poll_join (self->shared.poll, &self->member, accept_client, self);
  self->listener = (DriverPollSocket){ .member = &self->member, .fd = listener };
  if (!driver_poll_watch (&self->listener, G_IO_IN))
    pause_listening (self);
  return self;
}

void
driver_relay_admit (DriverRelay *self, DriverAccess *access, gboolean read_only)
{
  self->access = access;
  self->read_only = read_only;
}

void
driver_relay_bound (DriverRelay *self, DriverBounds *bounds)
{
  self->bounds = bounds;
}

void
driver_relay_free (DriverRelay *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->pause, g_source_remove);
  driver_poll_forget (&self->listener);
  driver_poll_leave (&self->member);
  close (self->listener.fd);
  g_hash_table_unref (self->pending);
  g_hash_table_unref (self->connections);
  driver_poll_unref (self->shared.poll);
  driver_turned_away_free (self->turned_away);
  driver_splice_free (self->shared.splice);
  g_free (self);
}

guint
driver_relay_get_n_connections (const DriverRelay *self)
{
  return g_hash_table_size (self->connections);
}
