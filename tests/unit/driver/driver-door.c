/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-door.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/common-error.h"

static gboolean
ask (int socket, gboolean read_only, DriverVerdict *verdict, gpointer data, GError **error)
{
  Door *self = data;
  struct pollfd poller = { .fd = socket, .events = 0 };
  gboolean patient, fails;
  int ready;

  g_mutex_lock (&self->lock);
  self->asked++;
  self->asked_read_only = read_only;
  *verdict = self->verdict;
  patient = self->patient;
  fails = self->fails;
  g_mutex_unlock (&self->lock);
  if (patient)
    {
      /* glibc stops all threads where one becomes another user. */
      do
        ready = poll (&poller, 1, 10000);
      while (ready < 0 && errno == EINTR);
      g_assert_cmpint (ready, ==, 1);
      g_assert_true ((poller.revents & POLLHUP) != 0);
      g_mutex_lock (&self->lock);
      self->left++;
      g_mutex_unlock (&self->lock);
    }
  if (fails)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE, "no helper");
  return !fails;
}

static gboolean
offer (DriverCall *call, gpointer data)
{
  Door *self = data;

  self->offered++;
  self->limited = driver_call_is_limited (call);
  self->user = driver_call_get_user (call);
  g_free (self->peer);
  self->peer = g_strdup (driver_call_get_peer (call));
  return FALSE;
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  g_assert_cmpint (chmod (path, 0777), ==, 0);
  return fd;
}

/* Another client, of the user @uid where the test is root. */
void
test_door_connect_as (Door *self, uid_t uid)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  self->client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  if (geteuid () == 0)
    g_assert_cmpint (seteuid (uid), ==, 0);
  g_assert_cmpint (connect (self->client, (struct sockaddr *) &address, sizeof address), ==, 0);
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
  do
    {
      g_main_context_iteration (NULL, TRUE);
      self->server = accept4 (self->upstream, NULL, NULL, SOCK_CLOEXEC);
    }
  while (self->server < 0 && errno == EAGAIN);
  g_assert_cmpint (self->server, >=, 0);
}

void
test_door_set_up (Door *self, gconstpointer read_only)
{
  self->directory = g_dir_make_tmp ("driver-XXXXXX", NULL);
  g_assert_cmpint (chmod (self->directory, 0755), ==, 0);
  self->path = g_build_filename (self->directory, "client", NULL);
  self->upstream_path = g_build_filename (self->directory, "daemon", NULL);
  self->upstream = listen_at (self->upstream_path);
  self->relay = driver_relay_new (listen_at (self->path), self->upstream_path, offer, self);
  self->access = driver_access_new (ask, self);
  driver_relay_admit (self->relay, self->access, read_only != NULL);
  g_mutex_init (&self->lock);
  test_door_connect_as (self, NOBODY);
}

void
test_door_leave (Door *self)
{
  if (self->client >= 0)
    close (self->client);
  if (self->server >= 0)
    close (self->server);
  self->client = self->server = -1;
}

static gboolean
is_empty (gpointer relay)
{
  return driver_relay_get_n_connections (relay) == 0;
}

void
test_door_tear_down (Door *self, gconstpointer data)
{
  test_door_leave (self);
  test_wait (is_empty, self->relay);
  /* What was asked and is not waited for any more. */
  test_run_for (20);
  driver_relay_free (self->relay);
  driver_bounds_free (self->bounds);
  driver_access_free (self->access);
  close (self->upstream);
  unlink (self->path);
  unlink (self->upstream_path);
  rmdir (self->directory);
  g_free (self->directory);
  g_free (self->path);
  g_free (self->upstream_path);
  g_free (self->peer);
  g_mutex_clear (&self->lock);
}

GBytes *
test_plain (guint32 procedure, guint32 serial)
{
  return test_frame (REMOTE, procedure, 0, serial, 0, NULL);
}

GBytes *
test_types (guint32 serial, guint32 type)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 1);
  test_put_u32 (payload, type);
  return test_frame (REMOTE, TYPES, 1, serial, 0, payload);
}

/* libvirt says what it demands of virtppc64d. */
void
test_door_demand (Door *self, guint32 type)
{
  test_expect (self->server, test_plain (TYPES, OWN));
  test_send (self->server, test_types (OWN, type));
}

void
test_pass (int from, int to, GBytes *frame)
{
  test_send (from, g_bytes_ref (frame));
  test_expect (to, frame);
}

/* A call and its reply, which both pass. */
void
test_door_exchange (Door *self, guint32 procedure, guint32 serial)
{
  test_pass (self->client, self->server, test_plain (procedure, serial));
  test_pass (self->server, self->client, test_reply (procedure, serial));
}

/* The identity that libvirt is told. */
char *
test_door_receive_identity (Door *self)
{
  g_autoptr (GBytes) frame = test_receive (self->server);
  DriverFrameHeader header;
  guint32 user;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_assert_cmpint (header.procedure, ==, IDENTIFY);
  g_assert_cmpuint (header.serial, ==, OWN);
  g_assert_cmpuint (header.type, ==, 0);
  return driver_opening_describe (frame, &user);
}

void
test_door_open (Door *self)
{
  g_autofree char *identity = NULL;

  test_pass (self->client, self->server, test_open (7));
  test_send (self->server, test_reply (1, 7));
  identity = test_door_receive_identity (self);
  g_assert_nonnull (identity);
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 7));
}

void
test_expect_error (int fd, guint32 procedure, guint32 serial, int expected, const char *words)
{
  g_autoptr (GBytes) frame = test_receive (fd);
  DriverFrameHeader header;
  int code;
  g_autofree char *message = driver_frame_error_message (frame, &code);

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_assert_cmpint (header.procedure, ==, procedure);
  g_assert_cmpuint (header.serial, ==, serial);
  g_assert_cmpuint (header.type, ==, 1);
  g_assert_cmpint (code, ==, expected);
  g_assert_nonnull (strstr (message, words));
}

void
test_door_set_verdict (Door *self, DriverVerdict verdict, gboolean fails)
{
  g_mutex_lock (&self->lock);
  self->verdict = verdict;
  self->fails = fails;
  g_mutex_unlock (&self->lock);
}

GBytes *
test_with_fds (guint32 procedure, guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 0);
  return test_frame (REMOTE, procedure, 4, serial, 0, payload);
}
