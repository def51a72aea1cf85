/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "driver-held.h"
#include "driver/driver-passing.h"

/* The forms in which a call may come that libvirt takes all the same, and what a client can do to
   have the outcome of one call taken for another's. */

static GBytes *
attach (guint32 serial)
{
  return test_device_call (ATTACH, serial, TEST_HOSTDEV, LIVE);
}

/* The same call as one with descriptors, @count of which are announced. */
static GBytes *
with_fds (GBytes *call, guint32 count)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (call, &length);
  GByteArray *payload = g_byte_array_new ();
  DriverFrameHeader header;

  driver_frame_header_decode (bytes, &header);
  test_put_u32 (payload, count);
  g_byte_array_append (payload, bytes + DRIVER_FRAME_HEADER, (guint) length - DRIVER_FRAME_HEADER);
  g_bytes_unref (call);
  return test_frame (header.program, (guint32) header.procedure, DRIVER_FRAME_CALL_WITH_FDS,
                     header.serial, header.status, payload);
}

static void
send_descriptor (int socket)
{
  int fd = memfd_create ("passed", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (driver_passing_send (socket, fd), ==, 1);
  close (fd);
}

static gboolean
descriptor_came (gpointer socket)
{
  char byte;
  int fd;

  if (driver_passing_receive (GPOINTER_TO_INT (socket), &byte, 1, &fd) != 1)
    return FALSE;
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  return TRUE;
}

static void
test_with_fds (TestHeld *self, gconstpointer data)
{
  const guint32 count = (guint32) GPOINTER_TO_INT (data);

  test_helper_hold (self->fake);
  test_send (self->relay.client, with_fds (attach (2), count));
  for (guint32 i = 0; i < count; i++)
    send_descriptor (self->relay.client);
  test_wait (test_helper_is_holding, self->fake);
  test_expect_none (self->relay.server);
  /* The descriptors belong to their frame: what comes behind is not held up, nor mixed with them.
   */
  test_send (self->relay.client, test_keepalive (1));
  test_expect (self->relay.server, test_keepalive (1));
  test_helper_go (self->fake);
  test_held_expect_forwarded (self, with_fds (attach (2), count),
                              "GetHost Prepare(0001:01:00.0,auto)");
  for (guint32 i = 0; i < count; i++)
    test_wait (descriptor_came, GINT_TO_POINTER (self->relay.server));
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1)");
}

/* One that is none of ours passes with its descriptors. */
static void
test_with_fds_passes (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, with_fds (test_device_call (ATTACH, 2, TEST_DISK, LIVE), 1));
  send_descriptor (self->relay.client);
  test_expect (self->relay.server, with_fds (test_device_call (ATTACH, 2, TEST_DISK, LIVE), 1));
  test_wait (descriptor_came, GINT_TO_POINTER (self->relay.server));
  test_send (self->relay.client, with_fds (test_device_call (ATTACH, 3, "<hostdev", LIVE), 0));
  test_expect (self->relay.server, with_fds (test_device_call (ATTACH, 3, "<hostdev", LIVE), 0));
}

/* Refused, cancelled, or too many of them: none stays open. */
static void
test_with_fds_dropped (TestHeld *self, gconstpointer data)
{
  guint before;

  test_held_set_guest (self, NO_PHB, "");
  test_send (self->relay.client, attach (2));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported");
  before = test_count_fds ();
  test_send (self->relay.client, with_fds (attach (3), 2));
  send_descriptor (self->relay.client);
  send_descriptor (self->relay.client);
  test_held_expect_error (self, 3, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported");
  test_run_for (20);
  g_assert_cmpuint (test_count_fds (), ==, before);

  test_held_set_guest (self, RUNNING, "");
  test_helper_hold (self->fake);
  for (guint32 serial = 4; serial < 6; serial++)
    {
      test_send (self->relay.client, with_fds (attach (serial), 20));
      for (int i = 0; i < 20; i++)
        send_descriptor (self->relay.client);
    }
  test_held_expect_error (self, 5, VIR_ERR_RESOURCE_BUSY, "too many calls");
  test_wait (test_helper_is_holding, self->fake);
  /* The worker that waits for the helper has one of its own. */
  g_assert_cmpuint (test_count_fds (), <=, before + 21);
  close (self->relay.client);
  self->relay.client = -1;
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
  test_wait (test_held_is_idle, self->transactions);
  /* The two sides of the connection in this process are gone with it. */
  g_assert_cmpuint (test_count_fds (), <, before);
}

/* A client that does not wait for the answer to CONNECT_OPEN. */
static void
test_pipelined (TestHeld *self, gconstpointer data)
{
  int client, server;

  test_relay_connect (&self->relay, &client, &server);
  test_send (client, test_open (1));
  test_send (client, attach (2));
  test_send (client, test_device_call (ATTACH, 3, TEST_DISK, LIVE));
  test_send (client, test_keepalive (1));
  test_expect (server, test_open (1));
  test_expect (server, test_keepalive (1));
  test_expect_none (server);
  g_assert_cmpuint (self->lookups, ==, 0);
  test_send (server, test_reply (1, 1));
  test_expect (client, test_reply (1, 1));
  test_expect (server, test_device_call (ATTACH, 3, TEST_DISK, LIVE));
  test_expect (server, attach (2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "GetHost Prepare(0001:01:00.0,auto)");
  test_send (server, test_reply (ATTACH, 2));
  test_expect (client, test_reply (ATTACH, 2));
  close (client);
  close (server);
}

static void
test_pipelined_refused (TestHeld *self, gconstpointer data)
{
  int client, server;

  test_relay_connect (&self->relay, &client, &server);
  test_send (client, with_fds (test_open (1), 0));
  test_send (client, attach (2));
  test_expect (server, with_fds (test_open (1), 0));
  test_expect_none (server);
  test_send (server, test_error (1, 1, "authentication failed"));
  test_expect (client, test_error (1, 1, "authentication failed"));
  /* libvirt says what it says to one that is not open. */
  test_expect (server, attach (2));
  g_assert_cmpuint (self->lookups, ==, 0);

  /* One that leaves meanwhile. */
  test_send (client, test_open (3));
  test_expect (server, test_open (3));
  test_send (client, attach (4));
  test_run_for (20);
  close (client);
  test_expect_end (server);
  close (server);
  g_assert_cmpuint (self->lookups, ==, 0);
}

/* A CONNECT_CLOSE that libvirt refuses closes nothing. */
static void
test_close_refused (TestHeld *self, gconstpointer data)
{
  GBytes *close_call = test_frame (DRIVER_PROGRAM_REMOTE, DRIVER_PROC_CONNECT_CLOSE, 0, 2, 1, NULL);

  test_send (self->relay.client, g_bytes_ref (close_call));
  test_expect (self->relay.server, close_call);
  test_send (self->relay.server, test_error (DRIVER_PROC_CONNECT_CLOSE, 2, "unexpected status"));
  test_expect (self->relay.client, test_error (DRIVER_PROC_CONNECT_CLOSE, 2, "unexpected status"));
  test_send (self->relay.client, attach (3));
  test_held_expect_forwarded (self, attach (3), "GetHost Prepare(0001:01:00.0,auto)");
  test_send (self->relay.server, test_reply (ATTACH, 3));
  test_expect (self->relay.client, test_reply (ATTACH, 3));
}

/* The reply to one call can not be had for another. */
static void
test_same_serial (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_held_expect_forwarded (self, attach (2), "GetHost Prepare(0001:01:00.0,auto)");
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_DISK, LIVE));
  test_held_expect_error (self, 2, VIR_ERR_RESOURCE_BUSY, "same serial");
  test_send (self->relay.client, with_fds (attach (2), 0));
  test_held_expect_error (self, 2, VIR_ERR_RESOURCE_BUSY, "same serial");
  test_expect_none (self->relay.server);
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1)");
  test_held_set_guest (self, RUNNING, GIVEN);

  /* The other way round, and once it is answered it is as good as any. */
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_DISK, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, 2, TEST_DISK, LIVE));
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV2, LIVE));
  test_held_expect_error (self, 2, VIR_ERR_RESOURCE_BUSY, "same serial");
  /* Another procedure's replies are told apart. */
  test_send (self->relay.client, test_device_call (8, 2, TEST_DISK, 0));
  test_expect (self->relay.server, test_device_call (8, 2, TEST_DISK, 0));
  test_send (self->relay.server, test_error (ATTACH, 2, "no"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "no"));
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV2, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, 2, TEST_HOSTDEV2, LIVE));
  test_send (self->relay.server, test_error (ATTACH, 2, "no"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "no"));
}

int
main (int argc, char **argv)
{
#define ADD(name, data, function)                                                                  \
  g_test_add ("/driver/forms/" name, TestHeld, GINT_TO_POINTER (data), test_held_set_up, function, \
              test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("with-fds/none", 0, test_with_fds);
  ADD ("with-fds/three", 3, test_with_fds);
  ADD ("with-fds/passes", 0, test_with_fds_passes);
  ADD ("with-fds/dropped", 0, test_with_fds_dropped);
  ADD ("pipelined", 0, test_pipelined);
  ADD ("pipelined/refused", 0, test_pipelined_refused);
  ADD ("same-serial", 0, test_same_serial);
  ADD ("close-refused", 0, test_close_refused);
  return g_test_run ();
}
