/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-bounds.h"

/* How many connections one user may have. */

enum
{
  ALICE = 1001,
  BOB
};

/* Descriptors with which so many connections may be. */
#define DESCRIPTORS_FOR(connections) (384 + 4 * (connections))
#define NOBODY                       65534

static void
mark (gpointer data)
{
  *(gboolean *) data = TRUE;
}

static gboolean
is_set (gpointer data)
{
  return *(gboolean *) data;
}

static void
test_places (void)
{
  g_autoptr (DriverBounds) bounds = driver_bounds_new (65536);
  DriverPlace *alices[9], *bobs, *roots, *proxied;
  gboolean ready = FALSE;

  for (int i = 0; i < 9; i++)
    {
      alices[i] = driver_bounds_enter (bounds, ALICE);
      g_assert_true (driver_place_arrive (alices[i], mark, &ready) == (i < 8));
    }
  /* Others come in meanwhile. */
  bobs = driver_bounds_enter (bounds, BOB);
  g_assert_true (driver_place_arrive (bobs, mark, NULL));
  roots = driver_bounds_enter (bounds, 0);
  g_assert_true (driver_place_arrive (roots, mark, NULL));
  test_run_for (20);
  g_assert_false (ready);
  driver_place_free (roots);
  driver_place_free (bobs);
  test_run_for (20);
  driver_place_arrived (alices[0]);
  driver_place_arrived (alices[0]);
  test_wait (is_set, &ready);

  /* One of root's that is there for alice counts as hers, and cannot where she has her share. */
  proxied = driver_bounds_enter (bounds, 0);
  g_assert_true (driver_place_move (proxied, ALICE));
  g_assert_true (driver_place_move (proxied, DRIVER_USER_NOBODY));
  driver_place_free (proxied);
  for (int i = 0; i < 9; i++)
    driver_place_free (alices[i]);
}

static void
test_places_full (void)
{
  g_autoptr (DriverBounds) bounds = driver_bounds_new (DESCRIPTORS_FOR (16));
  DriverPlace *alices[6], *proxied;

  for (int i = 0; i < 6; i++)
    {
      alices[i] = driver_bounds_enter (bounds, ALICE);
      g_assert_nonnull (alices[i]);
    }
  g_assert_null (driver_bounds_enter (bounds, ALICE));
  proxied = driver_bounds_enter (bounds, 0);
  g_assert_false (driver_place_move (proxied, ALICE));
  driver_place_free (alices[0]);
  g_assert_true (driver_place_move (proxied, ALICE));
  g_assert_null (driver_bounds_enter (bounds, ALICE));
  driver_place_free (proxied);
  for (int i = 1; i < 6; i++)
    driver_place_free (alices[i]);
}

/* As somebody who is not root. */
static int
connect_client (const TestRelay *relay)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, relay->path, sizeof address.sun_path);
  g_assert_cmpint (fd, >=, 0);
  if (getuid () == 0)
    g_assert_cmpint (setresuid ((uid_t) -1, NOBODY, 0), ==, 0);
  int failed = connect (fd, (struct sockaddr *) &address, sizeof address);
  if (getuid () == 0)
    g_assert_cmpint (setresuid ((uid_t) -1, 0, 0), ==, 0);
  g_assert_cmpint (failed, ==, 0);
  return fd;
}

static gboolean
has_come (gpointer data)
{
  int *server = data;

  server[1] = accept4 (server[0], NULL, NULL, SOCK_CLOEXEC);
  return server[1] >= 0;
}

/* libvirt's side of one more client; -1: none comes. */
static int
expect_server (const TestRelay *relay, gboolean comes)
{
  int server[2] = { relay->upstream, -1 };

  if (comes)
    test_wait (has_come, server);
  else
    {
      test_run_for (50);
      g_assert_false (has_come (server));
    }
  return server[1];
}

static void
start_relay (TestRelay *relay, DriverBounds *bounds)
{
  test_relay_start (relay, NULL, NULL);
  g_assert_cmpint (chmod (relay->directory, 0755), ==, 0);
  g_assert_cmpint (chmod (relay->path, 0777), ==, 0);
  g_assert_cmpint (fcntl (relay->upstream, F_SETFL, O_NONBLOCK), ==, 0);
  driver_relay_bound (relay->relay, bounds);
}

/* Who has too many connections is told so, and comes in when he has fewer. */
static void
test_too_many (void)
{
  DriverBounds *bounds = driver_bounds_new (DESCRIPTORS_FOR (16));
  int clients[6], servers[6], client, server;
  TestRelay relay;

  start_relay (&relay, bounds);
  for (int i = 0; i < 6; i++)
    {
      clients[i] = connect_client (&relay);
      servers[i] = expect_server (&relay, TRUE);
    }
  client = connect_client (&relay);
  expect_server (&relay, FALSE);
  test_send (client, test_frame (0x20008086, 66, 0, 7, 0, NULL));
  g_autoptr (GBytes) answer = test_receive (client);
  DriverFrameHeader header;
  int code;
  driver_frame_header_decode (g_bytes_get_data (answer, NULL), &header);
  g_assert_cmpint (header.procedure, ==, 66);
  g_assert_cmpuint (header.serial, ==, 7);
  g_autofree char *message = driver_frame_error_message (answer, &code);
  g_assert_cmpint (code, ==, VIR_ERR_RESOURCE_BUSY);
  g_assert_nonnull (strstr (message, "too many connections"));
  test_expect_end (client);
  close (client);

  /* However many come: those beyond a few are not even heard. */
  guint before = test_count_fds ();
  int more[40];
  for (int i = 0; i < 40; i++)
    {
      more[i] = connect_client (&relay);
      test_run_for (2);
    }
  g_assert_cmpuint (test_count_fds (), <=, before + 40 + 16);
  for (int i = 0; i < 40; i++)
    close (more[i]);

  close (clients[0]);
  test_expect_end (servers[0]);
  client = connect_client (&relay);
  server = expect_server (&relay, TRUE);
  close (client);
  close (server);
  for (int i = 1; i < 6; i++)
    {
      close (clients[i]);
      close (servers[i]);
    }
  close (servers[0]);
  test_relay_stop (&relay);
  driver_bounds_free (bounds);
}

/* How many descriptors the main context asks each time that it wakes up. */
static gint
count_polled (void)
{
  GMainContext *context = g_main_context_default ();
  gint timeout, count, priority;

  g_assert_true (g_main_context_acquire (context));
  g_main_context_prepare (context, &priority);
  count = g_main_context_query (context, G_MAXINT, &timeout, NULL, 0);
  g_main_context_release (context);
  return count;
}

/* libvirt has of one user no more clients that have not come in than leave room for others'. */
static void
test_arrivals (void)
{
  DriverBounds *bounds = driver_bounds_new (65536);
  int clients[10], servers[10];
  TestRelay relay;
  gint polled;

  start_relay (&relay, bounds);
  for (int i = 0; i < 8; i++)
    {
      clients[i] = connect_client (&relay);
      servers[i] = expect_server (&relay, TRUE);
    }
  polled = count_polled ();
  clients[8] = connect_client (&relay);
  clients[9] = connect_client (&relay);
  expect_server (&relay, FALSE);
  /* However many wait: nobody else is slower for it. */
  g_assert_cmpint (count_polled (), ==, polled);
  /* One who waited, and left. */
  close (clients[8]);
  test_run_for (20);
  /* One has come in, and what the next one said meanwhile comes to libvirt. */
  test_send (clients[9], test_open (3));
  test_send (clients[0], test_open (1));
  test_expect (servers[0], test_open (1));
  test_send (servers[0], test_reply (1, 1));
  test_expect (clients[0], test_reply (1, 1));
  servers[9] = expect_server (&relay, TRUE);
  test_expect (servers[9], test_open (3));
  for (int i = 0; i < 10; i++)
    if (i != 8)
      {
        close (clients[i]);
        close (servers[i]);
      }
  test_relay_stop (&relay);
  driver_bounds_free (bounds);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/driver/bounds/places", test_places);
  g_test_add_func ("/driver/bounds/places/full", test_places_full);
  g_test_add_func ("/driver/bounds/too-many", test_too_many);
  g_test_add_func ("/driver/bounds/arrivals", test_arrivals);
  return g_test_run ();
}
