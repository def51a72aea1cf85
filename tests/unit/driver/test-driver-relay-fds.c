/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver-fixture.h"
#include "driver-frames.h"

/* Frames with descriptors. */

static void
send_fd (int socket, int fd)
{
  char control[CMSG_SPACE (sizeof (int))] __attribute__ ((aligned)) = { 0 };
  char byte = 0;
  struct iovec iov = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
  };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN (sizeof (int)) };
  memcpy (CMSG_DATA (header), &fd, sizeof fd);
  g_assert_cmpint (sendmsg (socket, &message, 0), ==, 1);
}

static int
receive_fd (int socket)
{
  char control[CMSG_SPACE (sizeof (int))] __attribute__ ((aligned)) = { 0 };
  char byte = 1;
  struct iovec iov = { &byte, 1 };
  struct msghdr message;
  gint64 deadline = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;
  gssize got;
  int fd = -1;

  do
    {
      message = (struct msghdr){
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
      };
      g_main_context_iteration (NULL, FALSE);
      got = recvmsg (socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    }
  while (got < 0 && errno == EAGAIN);
  g_assert_cmpint (got, ==, 1);
  g_assert_cmpint (byte, ==, 0);
  g_assert_nonnull (CMSG_FIRSTHDR (&message));
  memcpy (&fd, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof fd);
  return fd;
}

static GBytes *
fds_frame (guint32 type, guint32 count, guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, count);
  test_put_string (payload, "what belongs to the call");
  return test_frame (0x20008086, 443, type, serial, 0, payload);
}

/* Descriptors keep their place in the stream, between two frames. */
static void
check_fds (int from, int to, guint32 type, guint count)
{
  struct stat sent, got;

  test_send (from, test_keepalive (1));
  test_send (from, fds_frame (type, count, 5));
  for (guint i = 0; i < count; i++)
    {
      int pipe_fds[2];

      g_assert_cmpint (pipe (pipe_fds), ==, 0);
      send_fd (from, pipe_fds[0]);
      close (pipe_fds[0]);
      close (pipe_fds[1]);
    }
  int file = memfd_create ("last", MFD_CLOEXEC);
  g_assert_cmpint (fstat (file, &sent), ==, 0);
  test_send (from, fds_frame (type, 1, 6));
  send_fd (from, file);
  close (file);
  test_send (from, test_keepalive (2));

  test_expect (to, test_keepalive (1));
  test_expect (to, fds_frame (type, count, 5));
  for (guint i = 0; i < count; i++)
    close (receive_fd (to));
  test_expect (to, fds_frame (type, 1, 6));
  file = receive_fd (to);
  g_assert_cmpint (fstat (file, &got), ==, 0);
  g_assert_cmpuint (got.st_ino, ==, sent.st_ino);
  close (file);
  test_expect (to, test_keepalive (2));
}

static void
test_fds (void)
{
  TestRelay relay;

  test_relay_start (&relay, NULL, NULL);
  check_fds (relay.client, relay.server, 4, 3);
  check_fds (relay.server, relay.client, 5, 32);
  /* In the other direction these types have none. */
  test_send (relay.client, fds_frame (5, 1, 9));
  test_expect (relay.server, fds_frame (5, 1, 9));
  test_send (relay.client, test_keepalive (1));
  test_expect (relay.server, test_keepalive (1));
  test_relay_stop (&relay);
}

typedef enum
{
  TOO_MANY,
  MISSING,
  NO_NUMBER,
  QUEUED
} FdsFault;

static void
test_fds_fault (gconstpointer data)
{
  guint before = test_count_fds ();
  TestRelay relay;

  test_relay_start (&relay, NULL, NULL);
  switch ((FdsFault) GPOINTER_TO_INT (data))
    {
    case TOO_MANY:
      test_send (relay.client, fds_frame (4, 33, 1));
      break;
    case MISSING:
      test_send (relay.client, fds_frame (4, 2, 1));
      send_fd (relay.client, relay.upstream);
      /* A byte without its descriptor. */
      g_assert_cmpint (send (relay.client, "", 1, 0), ==, 1);
      break;
    case NO_NUMBER:
      test_send (relay.client, test_frame (0x20008086, 443, 4, 1, 0, NULL));
      break;
    case QUEUED:
    default:
      /* Descriptors under way when everything ends. */
      test_send (relay.client, fds_frame (4, 3, 1));
      send_fd (relay.client, relay.upstream);
      test_run_for (20);
      close (relay.client);
      relay.client = -1;
      break;
    }
  if (relay.client >= 0)
    test_expect_end (relay.client);
  test_run_for (20);
  g_assert_cmpuint (driver_relay_get_n_connections (relay.relay), ==, 0);
  test_relay_stop (&relay);
  g_assert_cmpuint (test_count_fds (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/driver/relay/fds", test_fds);
  g_test_add_data_func ("/driver/relay/fds/too-many", GINT_TO_POINTER (TOO_MANY), test_fds_fault);
  g_test_add_data_func ("/driver/relay/fds/missing", GINT_TO_POINTER (MISSING), test_fds_fault);
  g_test_add_data_func ("/driver/relay/fds/no-number", GINT_TO_POINTER (NO_NUMBER), test_fds_fault);
  g_test_add_data_func ("/driver/relay/fds/queued", GINT_TO_POINTER (QUEUED), test_fds_fault);
  return g_test_run ();
}
