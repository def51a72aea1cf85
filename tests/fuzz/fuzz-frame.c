/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-pipe.h"

/**
 * Whatever a client sends: what the relay passes on is what came, in its order, and never more; and
 * no call or error frame, however broken, is read beyond its end.
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static DriverPipeAction
on_header (const DriverFrameHeader *header, gpointer data)
{
  return header->length <= 65536 && driver_frame_is_device_call (header) ? DRIVER_PIPE_GATHER
                                                                         : DRIVER_PIPE_PASS;
}

/* Gathered, looked at, and put back where it was. */
static void
on_frame (const DriverFrameHeader *header, GBytes *frame, GUnixFDList *fds, gpointer data)
{
  g_autoptr (DriverDeviceCall) call = driver_device_call_decode (frame);

  if (call != NULL)
    g_assert_cmpuint (strlen (call->domain_uuid), ==,
                      call->operation == DRIVER_DEVICE_DEFINE ? 0 : 36);
  driver_pipe_inject (*(DriverPipe **) data, frame, fds);
}

static void
check_pipe (const guint8 *data, gsize size)
{
  static const DriverPipeOwner owner = { on_header, on_frame };
  g_autofree guint8 *output = g_malloc (size + 1);
  g_autoptr (DriverPipe) pipe = NULL;
  DriverPipeResult result = DRIVER_PIPE_MORE;
  int in[2], out[2];
  gsize got = 0;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, in), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out), ==, 0);
  pipe = driver_pipe_new (DRIVER_FRAME_CALL_WITH_FDS, &owner, &pipe);
  g_assert_cmpint (send (in[0], data, size, 0), ==, (gssize) size);
  shutdown (in[0], SHUT_WR);
  while (result != DRIVER_PIPE_END)
    {
      g_autoptr (GError) error = NULL;

      result = driver_pipe_move (pipe, in[1], out[0], &error);
      driver_pipe_write (pipe, out[0], NULL);
    }
  while (got <= size)
    {
      gssize done = recv (out[1], output + got, size + 1 - got, 0);

      if (done <= 0)
        break;
      got += (gsize) done;
    }
  g_assert_cmpuint (got, <=, size);
  g_assert_cmpint (memcmp (output, data, got), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      close (in[i]);
      close (out[i]);
    }
}

/* What can be read is the beginning of what can be read. */
static void
check_own (GBytes *frame, const DriverDeviceCall *call, DriverDeviceOperation operation,
           const char *device)
{
  g_autoptr (GBytes) own = driver_device_call_new_own (frame, operation, device, 1);
  g_autoptr (DriverDeviceCall) read = driver_device_call_decode (own);

  g_assert_nonnull (read);
  g_assert_cmpint (read->operation, ==, operation);
  g_assert_cmpstr (read->device, ==, device != NULL ? device : call->device);
  g_assert_cmpstr (read->domain_name, ==, call->domain_name);
  g_assert_cmpstr (read->domain_uuid, ==, call->domain_uuid);
  /* FORCE is an update's alone. */
  g_assert_cmpuint (read->flags, ==,
                    call->operation == DRIVER_DEVICE_UPDATE ? call->flags & ~4u : call->flags);
}

/* As one frame, with the length that it really has. */
static void
check_frame (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  guint32 length = GUINT32_TO_BE ((guint32) size);

  memcpy (copy, &length, sizeof length);
  g_autoptr (GBytes) frame = g_bytes_new (copy, size);
  g_autoptr (DriverDeviceCall) call = driver_device_call_decode (frame);
  if (call != NULL && call->operation != DRIVER_DEVICE_DEFINE)
    {
      check_own (frame, call, DRIVER_DEVICE_DETACH, NULL);
      check_own (frame, call, DRIVER_DEVICE_ATTACH, "<device/>");
    }
  g_free (driver_frame_error_message (frame, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* What a socket's buffer surely holds. */
  if (size < DRIVER_FRAME_HEADER || size > 65536)
    return 0;
  check_frame (data, size);
  check_pipe (data, size);
  return 0;
}
