/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-turned-away.h"

#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-frame.h"
#include "driver/driver-refusal.h"

enum
{
  CLIENTS_MAX = 16,
  /* A client of libvirt's calls at once. */
  SECONDS = 5,
};

struct _DriverTurnedAway
{
  GHashTable *clients; /* Client */
};

typedef struct
{
  DriverTurnedAway *owner;
  int fd;
  guint watch, timer;
} Client;

static void
client_free (Client *client)
{
  g_clear_handle_id (&client->watch, g_source_remove);
  g_clear_handle_id (&client->timer, g_source_remove);
  close (client->fd);
  g_free (client);
}

static gboolean
is_late (gpointer data)
{
  Client *client = data;

  client->timer = 0;
  g_hash_table_remove (client->owner->clients, client);
  return G_SOURCE_REMOVE;
}

/* One who does not send the head of a call in one piece is none of libvirt's. */
static gboolean
answer (gint fd, GIOCondition condition, gpointer data)
{
  Client *client = data;
  guint8 bytes[DRIVER_FRAME_HEADER];

  if (recv (fd, bytes, sizeof bytes, 0) == sizeof bytes)
    {
      g_autoptr (GError) error = g_error_new_literal (
          COMMON_ERROR, COMMON_ERROR_BUSY,
          _ ("this user has too many connections already. Try again when some of them are "
             "closed."));
      g_autoptr (GBytes) frame = NULL;
      DriverFrameHeader header;
      gsize length;

      driver_frame_header_decode (bytes, &header);
      frame = driver_refusal_new_frame (&header, error);
      const guint8 *text = g_bytes_get_data (frame, &length);
      /* There is room for it, or nobody reads it. */
      if (send (fd, text, length, MSG_NOSIGNAL) < 0)
        g_debug ("a client did not hear that it is turned away");
    }
  client->watch = 0;
  g_hash_table_remove (client->owner->clients, client);
  return G_SOURCE_REMOVE;
}

DriverTurnedAway *
driver_turned_away_new (void)
{
  DriverTurnedAway *self = g_new (DriverTurnedAway, 1);

  self->clients = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) client_free, NULL);
  return self;
}

void
driver_turned_away_free (DriverTurnedAway *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->clients);
  g_free (self);
}

void
driver_turned_away_add (DriverTurnedAway *self, int fd)
{
  Client *client;

  if (g_hash_table_size (self->clients) >= CLIENTS_MAX)
    {
      close (fd);
      return;
    }
  client = g_new (Client, 1);
  *client = (Client){ .owner = self, .fd = fd };
  client->watch = g_unix_fd_add (fd, G_IO_IN, answer, client);
  client->timer = g_timeout_add_seconds (SECONDS, is_late, client);
  g_hash_table_add (self->clients, client);
}
