/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver-frames.h"

#define PATIENCE (10 * G_TIME_SPAN_SECOND)

static int
new_socket (const char *path, struct sockaddr_un *address)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  g_assert_cmpuint (g_strlcpy (address->sun_path, path, sizeof address->sun_path), <,
                    sizeof address->sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address;
  int fd = new_socket (path, &address);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  return fd;
}

void
test_relay_connect (TestRelay *self, int *client, int *server)
{
  struct sockaddr_un address;
  guint before = driver_relay_get_n_connections (self->relay);

  *client = new_socket (self->path, &address);
  g_assert_cmpint (connect (*client, (struct sockaddr *) &address, sizeof address), ==, 0);
  while (driver_relay_get_n_connections (self->relay) == before)
    g_main_context_iteration (NULL, TRUE);
  *server = accept4 (self->upstream, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint (*server, >=, 0);
}

void
test_relay_start (TestRelay *self, DriverOfferFunc offer, gpointer data)
{
  g_autoptr (GError) error = NULL;

  self->directory = g_dir_make_tmp ("driver-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->directory, "client", NULL);
  g_autofree char *upstream = g_build_filename (self->directory, "daemon", NULL);
  self->upstream = listen_at (upstream);
  self->relay = driver_relay_new (listen_at (self->path), upstream, offer, data);
  test_relay_connect (self, &self->client, &self->server);
}

void
test_relay_stop (TestRelay *self)
{
  g_autofree char *upstream = g_build_filename (self->directory, "daemon", NULL);

  g_clear_pointer (&self->relay, driver_relay_free);
  if (self->client >= 0)
    close (self->client);
  if (self->server >= 0)
    close (self->server);
  close (self->upstream);
  g_unlink (self->path);
  g_unlink (upstream);
  g_rmdir (self->directory);
  g_free (self->path);
  g_free (self->directory);
}

void
test_relay_open (TestRelay *self)
{
  test_send (self->client, test_open (1));
  test_expect (self->server, test_open (1));
  test_send (self->server, test_reply (1, 1));
  test_expect (self->client, test_reply (1, 1));
}

void
test_wait (gboolean (*condition) (gpointer data), gpointer data)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (!condition (data))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
    }
}

void
test_run_for (guint milliseconds)
{
  gint64 deadline = g_get_monotonic_time () + milliseconds * G_TIME_SPAN_MILLISECOND;

  while (g_get_monotonic_time () < deadline)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (500);
}

void
test_send (int fd, GBytes *frame)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (frame, &length);

  while (length > 0)
    {
      gssize done = send (fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

      g_assert_true (done > 0 || errno == EAGAIN);
      if (done > 0)
        {
          bytes += done;
          length -= (gsize) done;
        }
      g_main_context_iteration (NULL, FALSE);
    }
  g_bytes_unref (frame);
}

static void
receive_bytes (int fd, guint8 *bytes, gsize length)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (length > 0)
    {
      gssize got = recv (fd, bytes, length, MSG_DONTWAIT);

      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_assert_cmpint (got, !=, 0);
      g_assert_true (got > 0 || errno == EAGAIN);
      if (got > 0)
        {
          bytes += got;
          length -= (gsize) got;
        }
      else if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (200);
    }
}

GBytes *
test_receive (int fd)
{
  guint8 word[4];

  receive_bytes (fd, word, sizeof word);
  gsize length = (gsize) word[0] << 24 | (gsize) word[1] << 16 | (gsize) word[2] << 8 | word[3];
  g_assert_cmpuint (length, >=, 28);
  guint8 *frame = g_malloc (length);
  memcpy (frame, word, sizeof word);
  receive_bytes (fd, frame + sizeof word, length - sizeof word);
  return g_bytes_new_take (frame, length);
}

void
test_expect_bytes (int fd, GBytes *bytes)
{
  gsize length = g_bytes_get_size (bytes);
  g_autofree guint8 *got = g_malloc (length);

  receive_bytes (fd, got, length);
  g_assert_cmpmem (got, length, g_bytes_get_data (bytes, NULL), length);
  g_bytes_unref (bytes);
}

void
test_expect (int fd, GBytes *frame)
{
  g_autoptr (GBytes) got = test_receive (fd);

  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got),
                   g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
  g_bytes_unref (frame);
}

void
test_expect_none (int fd)
{
  guint8 byte;

  test_run_for (50);
  g_assert_cmpint (recv (fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
}

static gboolean
is_readable (gpointer fd)
{
  guint8 byte;

  return recv (GPOINTER_TO_INT (fd), &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN;
}

void
test_expect_end (int fd)
{
  guint8 byte;

  test_wait (is_readable, GINT_TO_POINTER (fd));
  gssize got = recv (fd, &byte, 1, MSG_DONTWAIT);
  g_assert_true (got == 0 || (got < 0 && errno == ECONNRESET));
}

guint
test_count_fds (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint count = 0;

  while (g_dir_read_name (directory) != NULL)
    count++;
  return count;
}
