/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-passing.h"
#include "driver/driver-pipe.h"
#include "driver/driver-poll.h"

/* A pipe between two pairs of sockets: what is put in, and what comes out. */
typedef struct
{
  int in[2], out[2];
  DriverPipe *pipe;
  DriverSplice *splice;
  gboolean hold;
  guint headers, fds_before;
} Fixture;

static DriverPipeAction
on_header (const DriverFrameHeader *header, gpointer data)
{
  Fixture *self = data;

  self->headers++;
  return self->hold ? DRIVER_PIPE_HOLD : DRIVER_PIPE_PASS;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  static const DriverPipeOwner owner = { on_header, NULL };

  self->fds_before = test_count_fds ();
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->in),
                   ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->out),
                   ==, 0);
  self->pipe = driver_pipe_new (DRIVER_FRAME_CALL_WITH_FDS, &owner, self);
  if (data != NULL)
    self->splice = driver_splice_new ();
  driver_pipe_set_splice (self->pipe, self->splice);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  driver_pipe_free (self->pipe);
  driver_splice_free (self->splice);
  for (guint i = 0; i < 2; i++)
    {
      close (self->in[i]);
      close (self->out[i]);
    }
  g_assert_cmpuint (test_count_fds (), ==, self->fds_before);
}

static GBytes *
frame_of (guint32 type, guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 1);
  return test_frame (DRIVER_PROGRAM_REMOTE, 443, type, serial, 0, payload);
}

static void
put (const Fixture *self, GBytes *frame)
{
  gsize length;
  gconstpointer bytes = g_bytes_get_data (frame, &length);

  g_assert_cmpint (send (self->in[0], bytes, length, 0), ==, (gssize) length);
  g_bytes_unref (frame);
}

/* In one message, behind @length bytes. */
static void
put_fds (const Fixture *self, const void *bytes, gsize length, guint n)
{
  const int fds[] = { self->in[0], self->in[0] };
  char control[CMSG_SPACE (sizeof fds)] __attribute__ ((aligned)) = { 0 };
  struct iovec iov = { (void *) bytes, length };
  struct msghdr message = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = CMSG_SPACE (n * sizeof (int)) };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN (n * sizeof (int)) };
  memcpy (CMSG_DATA (header), fds, n * sizeof (int));
  g_assert_cmpint (sendmsg (self->in[0], &message, 0), ==, (gssize) length);
}

/* Until nothing more comes; as it ends. */
static DriverPipeResult
move (const Fixture *self, GError **error)
{
  DriverPipeResult result = DRIVER_PIPE_MORE;

  while (result == DRIVER_PIPE_MORE && driver_pipe_wants_input (self->pipe))
    result = driver_pipe_move (self->pipe, self->in[1], self->out[0], error);
  return result;
}

/* The next bytes are those of @frame; without a descriptor. */
static void
expect (const Fixture *self, GBytes *frame)
{
  gsize length;
  gconstpointer bytes = g_bytes_get_data (frame, &length);
  g_autofree guint8 *got = g_malloc (length);

  g_assert_cmpint (recv (self->out[1], got, length, MSG_DONTWAIT), ==, (gssize) length);
  g_assert_cmpmem (got, length, bytes, length);
  g_bytes_unref (frame);
}

static void
expect_fd (const Fixture *self, gboolean there)
{
  char byte;
  int fd;

  g_assert_cmpint (driver_passing_receive (self->out[1], &byte, 1, &fd), ==, there ? 1 : -1);
  g_assert_cmpint (fd >= 0, ==, there);
  if (there)
    close (fd);
}

/* Frames and descriptors that are there at once keep their places. */
static void
test_at_once (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint32 i = 0; i < 3; i++)
    {
      put (self, frame_of (DRIVER_FRAME_CALL, i));
      put (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 10 + i));
      put_fds (self, "", 1, 1);
    }
  g_assert_cmpint (move (self, &error), ==, DRIVER_PIPE_AGAIN);
  g_assert_no_error (error);
  g_assert_cmpuint (self->headers, ==, 6);
  for (guint32 i = 0; i < 3; i++)
    {
      expect (self, frame_of (DRIVER_FRAME_CALL, i));
      expect (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 10 + i));
      expect_fd (self, TRUE);
    }
}

/* What was read behind a frame that is held waits with it, a descriptor too. */
static void
test_held (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->hold = TRUE;
  put (self, frame_of (DRIVER_FRAME_CALL, 1));
  put (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 2));
  put_fds (self, "", 1, 1);
  put (self, frame_of (DRIVER_FRAME_CALL, 3));
  move (self, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->headers, ==, 1);
  expect_fd (self, FALSE);
  g_assert_false (driver_pipe_has_input (self->pipe));

  /* The first goes, the second is held. */
  self->hold = FALSE;
  driver_pipe_resume (self->pipe);
  self->hold = TRUE;
  g_assert_true (driver_pipe_has_input (self->pipe));
  g_assert_cmpint (driver_pipe_write (self->pipe, self->out[0], &error), ==, DRIVER_PIPE_MORE);
  move (self, &error);
  g_assert_cmpuint (self->headers, ==, 3);
  expect (self, frame_of (DRIVER_FRAME_CALL, 1));
  expect_fd (self, FALSE);

  self->hold = FALSE;
  driver_pipe_resume (self->pipe);
  driver_pipe_write (self->pipe, self->out[0], &error);
  g_assert_cmpint (move (self, &error), ==, DRIVER_PIPE_AGAIN);
  g_assert_no_error (error);
  expect (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 2));
  expect_fd (self, TRUE);
  expect (self, frame_of (DRIVER_FRAME_CALL, 3));
}

/* A pipe that goes away with such a descriptor closes it: tear_down counts. */
static void
test_held_end (Fixture *self, gconstpointer data)
{
  self->hold = TRUE;
  put (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 2));
  put_fds (self, "", 1, 1);
  move (self, NULL);
  g_assert_true (driver_pipe_is_held (self->pipe));
}

/* Two in one message are none of libvirt's, and neither stays here. */
static void
test_two (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (self, frame_of (DRIVER_FRAME_CALL_WITH_FDS, 1));
  put_fds (self, "", 1, 2);
  g_assert_cmpint (move (self, &error), ==, DRIVER_PIPE_END);
  g_assert_nonnull (error);
}

/* One that comes with the bytes of a frame is lost, as for libvirt, which read(2)s them. */
static void
test_stray (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) frame = frame_of (DRIVER_FRAME_CALL, 1);
  g_autoptr (GError) error = NULL;

  put_fds (self, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame), 1);
  put (self, frame_of (DRIVER_FRAME_CALL, 2));
  g_assert_cmpint (move (self, &error), ==, DRIVER_PIPE_AGAIN);
  g_assert_no_error (error);
  expect (self, g_bytes_ref (frame));
  expect (self, frame_of (DRIVER_FRAME_CALL, 2));
  expect_fd (self, FALSE);
}

/* Nothing is read while something waits; what waits is written, and all of it comes. */
static void
test_waits (Fixture *self, gconstpointer data)
{
  const gsize size = 20 * 1000 * 1000;
  g_autofree guint8 *sent = g_malloc (size), *got = g_malloc (size);
  const guint32 words[] = { (guint32) size, DRIVER_PROGRAM_REMOTE, 1, 14, 1, 3, 0 };
  gsize n_sent = 0, n_got = 0;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < size; i++)
    sent[i] = (guint8) (i * 7 + i / 1000);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      guint32 word = GUINT32_TO_BE (words[i]);

      memcpy (sent + 4 * i, &word, sizeof word);
    }
  while (n_got < size)
    {
      gssize done = send (self->in[0], sent + n_sent, MIN (size - n_sent, 100000), MSG_DONTWAIT);

      n_sent += done > 0 ? (gsize) done : 0;
      driver_pipe_write (self->pipe, self->out[0], &error);
      g_assert_cmpint (driver_pipe_wants_input (self->pipe), ==,
                       !driver_pipe_has_output (self->pipe));
      move (self, &error);
      g_assert_no_error (error);
      done = recv (self->out[1], got + n_got, MIN (size - n_got, 33333), MSG_DONTWAIT);
      n_got += done > 0 ? (gsize) done : 0;
    }
  g_assert_cmpmem (sent, size, got, size);
  g_assert_cmpuint (self->headers, ==, 1);
}

/* Nobody reads any more: writing says so, without a signal. */
static void
test_reader_gone (Fixture *self, gconstpointer data)
{
  static guint8 zeros[60000];
  GByteArray *header = g_byte_array_new ();
  const guint32 words[] = { 1000000, DRIVER_PROGRAM_REMOTE, 1, 14, 1, 3, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    test_put_u32 (header, words[i]);
  put (self, g_byte_array_free_to_bytes (header));
  g_assert_cmpint (move (self, NULL), ==, DRIVER_PIPE_AGAIN);
  shutdown (self->out[1], SHUT_RDWR);
  g_assert_cmpint (send (self->in[0], zeros, sizeof zeros, 0), ==, sizeof zeros);
  move (self, NULL);
  g_assert_true (driver_pipe_has_output (self->pipe));
  g_assert_cmpint (driver_pipe_write (self->pipe, self->out[0], NULL), ==, DRIVER_PIPE_END);
}

typedef struct
{
  DriverPollMember member;
  DriverPollSocket socket;
  int peer;
  guint runs;
} Watched;

static void
on_ready (gpointer data)
{
  Watched *self = data;

  self->runs++;
  g_assert_true ((self->socket.ready & G_IO_IN) != 0);
  self->socket.ready = 0;
  driver_poll_watch (&self->socket, 0);
}

/* More than are taken at a time; each has its turn. One that has left is not called. */
static void
test_poll (void)
{
  static Watched watched[200];
  guint fds_before = test_count_fds ();
  DriverPoll *poll = driver_poll_ref ();

  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    {
      int pair[2];

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
      watched[i].peer = pair[1];
      driver_poll_join (poll, &watched[i].member, on_ready, &watched[i]);
      watched[i].socket = (DriverPollSocket){ .member = &watched[i].member, .fd = pair[0] };
      g_assert_true (driver_poll_watch (&watched[i].socket, G_IO_IN));
      g_assert_cmpint (send (pair[1], "", 1, 0), ==, 1);
    }
  driver_poll_wake (&watched[7].member);
  watched[7].socket.ready = G_IO_IN;
  driver_poll_wake (&watched[7].member);
  driver_poll_wake (&watched[8].member);
  driver_poll_forget (&watched[8].socket);
  driver_poll_leave (&watched[8].member);
  test_run_for (50);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    {
      g_assert_cmpuint (watched[i].runs, ==, i == 8 ? 0 : 1);
      driver_poll_forget (&watched[i].socket);
      driver_poll_leave (&watched[i].member);
      close (watched[i].peer);
      close (watched[i].socket.fd);
    }
  driver_poll_unref (poll);
  g_assert_cmpuint (test_count_fds (), ==, fds_before);
}

/* The first is to have more at once, and the other one is ready meanwhile. */
typedef struct
{
  Watched first, other;
  gboolean expects;
} Pair;

static void
watch_one (DriverPoll *poll, Watched *self, void (*run) (gpointer data), gpointer data)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  self->peer = pair[1];
  driver_poll_join (poll, &self->member, run, data);
  self->socket = (DriverPollSocket){ .member = &self->member, .fd = pair[0] };
  g_assert_true (driver_poll_watch (&self->socket, G_IO_IN));
}

static void
unwatch_one (Watched *self)
{
  driver_poll_forget (&self->socket);
  driver_poll_leave (&self->member);
  close (self->peer);
  close (self->socket.fd);
}

static void
on_first (gpointer data)
{
  Pair *self = data;

  on_ready (&self->first);
  g_assert_cmpint (send (self->other.peer, "", 1, 0), ==, 1);
  if (self->expects)
    driver_poll_expect (self->first.member.poll);
}

/* Whoever is ready while more is expected of another runs in the same turn of the main context, and
   not else; that nothing more comes is no reason to wait. */
static void
test_more_expected (gconstpointer expects)
{
  Pair pair = { .expects = expects != NULL };
  guint fds_before = test_count_fds ();
  DriverPoll *poll = driver_poll_ref ();

  g_assert_true (poll == driver_poll_ref ());
  driver_poll_unref (poll);
  watch_one (poll, &pair.first, on_first, &pair);
  watch_one (poll, &pair.other, on_ready, &pair.other);
  g_assert_cmpint (send (pair.first.peer, "", 1, 0), ==, 1);
  while (pair.first.runs == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (pair.other.runs, ==, pair.expects ? 1 : 0);
  while (pair.other.runs == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (pair.first.runs, ==, 1);
  unwatch_one (&pair.first);
  unwatch_one (&pair.other);
  driver_poll_unref (poll);
  g_assert_cmpuint (test_count_fds (), ==, fds_before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Which has a descriptor of its own, that is not counted as left behind. */
  g_main_context_default ();
#define ADD(name, test)                                                                            \
  g_test_add ("/driver/pipe/copied/" name, Fixture, NULL, set_up, test, tear_down);                \
  g_test_add ("/driver/pipe/spliced/" name, Fixture, "", set_up, test, tear_down)
  ADD ("at-once", test_at_once);
  ADD ("held", test_held);
  ADD ("held/end", test_held_end);
  ADD ("two", test_two);
  ADD ("stray", test_stray);
  ADD ("waits", test_waits);
  ADD ("reader-gone", test_reader_gone);
  g_test_add_func ("/driver/pipe/poll", test_poll);
  g_test_add_data_func ("/driver/pipe/poll/expect", "", test_more_expected);
  g_test_add_data_func ("/driver/pipe/poll/expect/not", NULL, test_more_expected);
  return g_test_run ();
}
