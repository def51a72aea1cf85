/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-fixture.h"
#include "driver-frames.h"

/* Frames of every kind, known and unknown, one behind the other. */
static GByteArray *
random_stream (guint frames)
{
  static const guint32 types[] = { 0, 1, 2, 3, 6, 7, 0xffffffff };
  GByteArray *stream = g_byte_array_new ();

  for (guint i = 0; i < frames; i++)
    {
      gsize size = g_test_rand_bit () ? 0 : (gsize) g_test_rand_int_range (0, 300000);
      GByteArray *payload = g_byte_array_new ();

      g_byte_array_set_size (payload, (guint) size);
      for (gsize at = 0; at < size; at++)
        payload->data[at] = (guint8) (at * 31 + i);
      g_autoptr (GBytes) frame
          = test_frame (g_test_rand_bit () ? 0x20008086 : (guint32) g_test_rand_int (),
                        (guint32) g_test_rand_int_range (0, 500),
                        types[g_test_rand_int_range (0, G_N_ELEMENTS (types))], i,
                        (guint32) g_test_rand_int_range (0, 3), payload);
      g_byte_array_append (stream, g_bytes_get_data (frame, NULL),
                           (guint) g_bytes_get_size (frame));
    }
  return stream;
}

typedef struct
{
  int from, to;
  GByteArray *sent;
  gsize done;
  GByteArray *got;
} Flow;

/* Some bytes in, some bytes out, in chunks as they come. */
static void
push_flow (Flow *flow)
{
  guint8 buffer[70000];

  if (flow->done < flow->sent->len)
    {
      gsize chunk = g_test_rand_bit () ? (gsize) g_test_rand_int_range (1, 40)
                                       : (gsize) g_test_rand_int_range (1, 70000);
      gssize done = send (flow->from, flow->sent->data + flow->done,
                          MIN (chunk, flow->sent->len - flow->done), MSG_DONTWAIT);

      if (done > 0)
        flow->done += (gsize) done;
    }
  gssize got
      = recv (flow->to, buffer, (gsize) g_test_rand_int_range (1, sizeof buffer), MSG_DONTWAIT);
  g_assert_cmpint (got, !=, 0);
  if (got > 0)
    g_byte_array_append (flow->got, buffer, (guint) got);
}

static gboolean
refuse_all (DriverCall *call, gpointer offered)
{
  ++*(guint *) offered;
  return FALSE;
}

static void
test_bytes (void)
{
  guint offered = 0;
  TestRelay relay;

  test_relay_start (&relay, refuse_all, &offered);
  Flow up = { relay.client, relay.server, random_stream (80), 0, g_byte_array_new () };
  Flow down = { relay.server, relay.client, random_stream (80), 0, g_byte_array_new () };
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  while (up.got->len < up.sent->len || down.got->len < down.sent->len)
    {
      push_flow (&up);
      push_flow (&down);
      g_main_context_iteration (NULL, FALSE);
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    }
  g_assert_cmpmem (up.got->data, up.got->len, up.sent->data, up.sent->len);
  g_assert_cmpmem (down.got->data, down.got->len, down.sent->data, down.sent->len);
  for (int i = 0; i < 2; i++)
    {
      g_byte_array_unref (i == 0 ? up.sent : down.sent);
      g_byte_array_unref (i == 0 ? up.got : down.got);
    }
  test_relay_stop (&relay);
}

/* As libvirtd: it closes. */
static void
test_bad_length (void)
{
  static const guint32 lengths[] = { 0, 4, 27, 33554432 + 5, 0xffffffff };
  TestRelay relay;

  test_relay_start (&relay, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      GByteArray *word = g_byte_array_new ();
      int client, server;

      test_relay_connect (&relay, &client, &server);
      test_put_u32 (word, lengths[i]);
      test_send (i % 2 == 0 ? client : server, g_byte_array_free_to_bytes (word));
      test_expect_end (client);
      test_expect_end (server);
      close (client);
      close (server);
    }
  g_assert_cmpuint (driver_relay_get_n_connections (relay.relay), ==, 1);
  test_relay_stop (&relay);
}

/* The largest frame there is flows; it is not waited for. */
static void
test_large (void)
{
  TestRelay relay;
  GByteArray *header = g_byte_array_new ();
  static const guint32 words[] = { 33554432 + 4, 0x20008086, 1, 14, 1, 3, 0 };

  test_relay_start (&relay, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    test_put_u32 (header, words[i]);
  g_autoptr (GBytes) start = g_byte_array_free_to_bytes (header);
  test_send (relay.server, g_bytes_ref (start));

  gsize total = 28, got = 0;
  g_autofree guint8 *buffer = g_malloc0 (100000);
  while (got < words[0])
    {
      gssize done = 0;

      if (total < words[0])
        done = send (relay.server, buffer, MIN (100000, words[0] - total), MSG_DONTWAIT);
      total += done > 0 ? (gsize) done : 0;
      g_main_context_iteration (NULL, FALSE);
      done = recv (relay.client, buffer, 100000, MSG_DONTWAIT);
      if (got == 0 && done >= 28)
        {
          g_assert_cmpmem (buffer, 28, g_bytes_get_data (start, NULL), 28);
          g_assert_cmpuint (total, <, words[0]);
          memset (buffer, 0, 28);
        }
      got += done > 0 ? (gsize) done : 0;
    }
  g_assert_cmpuint (got, ==, words[0]);
  test_send (relay.server, test_keepalive (1));
  test_expect (relay.client, test_keepalive (1));
  test_relay_stop (&relay);
}

/* Who does not read does not fill our memory, and holds up nobody else. */
static void
test_backpressure (gconstpointer down)
{
  static guint8 zeros[65536];
  TestRelay relay;
  gsize sent = 0, got = 0;
  int idle = 0, client, server;

  test_relay_start (&relay, NULL, NULL);
  const int from = down != NULL ? relay.server : relay.client;
  const int to = down != NULL ? relay.client : relay.server;
  GByteArray *header = g_byte_array_new ();
  const guint32 words[] = { 30000000, 0x20008086, 1, 14, down != NULL ? 1 : 0, 3, 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    test_put_u32 (header, words[i]);
  test_send (from, g_byte_array_free_to_bytes (header));
  while (idle < 100)
    {
      gssize done = send (from, zeros, sizeof zeros, MSG_DONTWAIT);

      if (done > 0)
        sent += (gsize) done;
      idle = done > 0 ? 0 : idle + 1;
      test_run_for (done > 0 ? 0 : 1);
      g_main_context_iteration (NULL, FALSE);
    }
  /* Two sockets' buffers, and ours. */
  g_assert_cmpuint (sent, <, 2 * 1024 * 1024);

  /* The other direction is not concerned; nor are other connections. */
  if (down == NULL)
    {
      test_send (to, test_keepalive (1));
      test_expect (from, test_keepalive (1));
    }
  test_relay_connect (&relay, &client, &server);
  test_send (server, test_keepalive (1));
  test_expect (client, test_keepalive (1));
  close (client);
  close (server);

  while (got < 28 + sent)
    {
      gssize done = recv (to, zeros, sizeof zeros, MSG_DONTWAIT);

      got += done > 0 ? (gsize) done : 0;
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_cmpuint (got, ==, 28 + sent);
  test_relay_stop (&relay);
}

static void
test_ends (void)
{
  guint before = test_count_fds ();
  TestRelay relay;
  int client, server;

  test_relay_start (&relay, NULL, NULL);
  /* libvirt's last words still come. */
  test_relay_connect (&relay, &client, &server);
  test_send (server, test_error (66, 0, "going down"));
  close (server);
  test_expect (client, test_error (66, 0, "going down"));
  test_expect_end (client);
  close (client);

  /* And a client's. */
  test_relay_connect (&relay, &client, &server);
  test_send (client, test_reply (2, 7));
  close (client);
  test_expect (server, test_reply (2, 7));
  test_expect_end (server);
  close (server);

  /* In the middle of a frame. */
  test_relay_connect (&relay, &client, &server);
  g_assert_cmpint (send (client, "\0\0\0\x1c\x20", 5, 0), ==, 5);
  test_run_for (10);
  close (client);
  test_expect_end (server);
  close (server);
  test_run_for (10);
  g_assert_cmpuint (driver_relay_get_n_connections (relay.relay), ==, 1);
  test_relay_stop (&relay);
  g_assert_cmpuint (test_count_fds (), ==, before);
}

/* libvirt is not there: the client sees what it would see without us. */
static void
test_no_upstream (void)
{
  TestRelay relay;

  test_relay_start (&relay, NULL, NULL);
  g_autofree char *upstream = g_build_filename (relay.directory, "daemon", NULL);
  g_assert_cmpint (unlink (upstream), ==, 0);
  int client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  g_assert_cmpint (getpeername (relay.client, (struct sockaddr *) &address, &length), ==, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, length), ==, 0);
  test_expect_end (client);
  close (client);
  test_relay_stop (&relay);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/driver/relay/bytes", test_bytes);
  g_test_add_func ("/driver/relay/bad-length", test_bad_length);
  g_test_add_func ("/driver/relay/large", test_large);
  g_test_add_data_func ("/driver/relay/backpressure/up", NULL, test_backpressure);
  g_test_add_data_func ("/driver/relay/backpressure/down", "down", test_backpressure);
  g_test_add_func ("/driver/relay/ends", test_ends);
  g_test_add_func ("/driver/relay/no-upstream", test_no_upstream);
  return g_test_run ();
}
