/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <unistd.h>

#include "driver/driver-connection.h"

/**
 * One connection, with whatever either side says, in any order, and with whatever is done about the
 * calls that are held: nobody's reply is taken for another's so that it is freed twice or never,
 * and whoever leaves leaves nothing behind. A deed is a byte; 0 and 1 have a length and that many
 * bytes after them, for the client's side and for libvirt's.
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

enum
{
  CLIENT_SAYS,
  SERVER_SAYS,
  PASS,
  REFUSE,
  REPLY,
  OWN,
  CLIENT_GOES,
  SERVER_GOES,
  DEEDS
};

static gboolean
hold (DriverCall *call, gpointer held)
{
  g_queue_push_tail (held, driver_call_ref (call));
  return TRUE;
}

static void
on_closed (DriverConnection *connection, gpointer data)
{
  *(gboolean *) data = TRUE;
}

static void
run (void)
{
  for (int i = 0; i < 16 && g_main_context_iteration (NULL, FALSE); i++)
    ;
}

static void
drain (int fd)
{
  guint8 buffer[65536];

  while (fd >= 0 && recv (fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
    ;
}

static void
go (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
decide (GQueue *held, guint8 deed)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  DriverCall *call = g_queue_peek_head (held);

  if (call == NULL)
    return;
  if (deed == OWN)
    {
      /* Nobody waits for it. None is made for a definition, which names no guest. */
      if (driver_call_get_args (call)->operation != DRIVER_DEVICE_DEFINE)
        driver_call_own (call, DRIVER_DEVICE_ATTACH, "<device/>", 0, NULL, NULL);
      return;
    }
  if (deed == PASS)
    driver_call_pass (call);
  else if (deed == REFUSE)
    driver_call_refuse (call, error);
  else
    driver_call_reply (call);
  g_queue_pop_head (held);
  driver_call_unref (call);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static DriverConnectionShared shared;
  int client[2], server[2];
  GQueue held = G_QUEUE_INIT;
  gboolean closed = FALSE;
  DriverConnection *connection;

  if (size > 16384)
    return 0;
  if (shared.poll == NULL)
    shared.poll = driver_poll_ref ();
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server), ==, 0);
  connection
      = driver_connection_new (&shared, client[1], server[1], hold, &held, on_closed, &closed);
  for (gsize at = 0; at < size && !closed;)
    {
      guint8 deed = data[at++] % DEEDS;

      if (deed == CLIENT_SAYS || deed == SERVER_SAYS)
        {
          gsize length = at < size ? MIN (data[at], size - at - 1) : 0;
          int fd = deed == CLIENT_SAYS ? client[0] : server[0];

          if (fd >= 0 && length > 0)
            send (fd, data + at + 1, length, MSG_NOSIGNAL | MSG_DONTWAIT);
          at += length + 1;
        }
      else if (deed == CLIENT_GOES)
        go (&client[0]);
      else if (deed == SERVER_GOES)
        go (&server[0]);
      else
        decide (&held, deed);
      run ();
      drain (client[0]);
      drain (server[0]);
    }
  driver_connection_free (connection);
  /* Whoever works on them hears that it is over. */
  run ();
  while (!g_queue_is_empty (&held))
    {
      DriverCall *call = g_queue_pop_head (&held);

      g_assert_cmpint (driver_call_get_outcome (call), !=, DRIVER_OUTCOME_PENDING);
      driver_call_unref (call);
    }
  run ();
  go (&client[0]);
  go (&server[0]);
  return 0;
}
