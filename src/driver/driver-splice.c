/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-splice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum
{
  /* At a time: what the other side has no room for is copied. */
  MOVE_MAX = 128 * 1024,
  /* It takes pieces of at most a page each, and the first of a message (unix(7)) is less. */
  PIPE_SIZE = 256 * 1024,
};

struct _DriverSplice
{
  int read, write;
  gboolean refused; /* by the kernel, or by who confines this process */
};

DriverSplice *
driver_splice_new (void)
{
  DriverSplice *self;
  int fds[2];

  if (pipe2 (fds, O_CLOEXEC | O_NONBLOCK) != 0)
    return NULL;
  signal (SIGPIPE, SIG_IGN);
  self = g_new0 (DriverSplice, 1);
  self->read = fds[0];
  self->write = fds[1];
  /* Where there are pages of 64 KiB, it has more pieces unasked. Who may not have it moves less. */
  if (fcntl (self->write, F_GETPIPE_SZ) < PIPE_SIZE)
    fcntl (self->write, F_SETPIPE_SZ, PIPE_SIZE);
  return self;
}

void
driver_splice_free (DriverSplice *self)
{
  if (self == NULL)
    return;
  close (self->read);
  close (self->write);
  g_free (self);
}

/* What is left in the pipe. */
static void
take_back (const DriverSplice *self, gsize length, DriverOutput *output)
{
  guint8 buffer[MOVE_MAX];

  while (length > 0)
    {
      gssize got = read (self->read, buffer, MIN (length, sizeof buffer));

      /* It is there: a part of a stream would be lost in silence. */
      if (got <= 0)
        g_error ("cannot read from a pipe: %s", g_strerror (errno));
      driver_output_add (output, buffer, (gsize) got);
      length -= (gsize) got;
    }
}

gssize
driver_splice_move (DriverSplice *self, int from, int to, gsize length, DriverOutput *output)
{
  const unsigned int flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
  gssize got = -1, done = 0;
  gsize left;

  if (!self->refused)
    got = splice (from, NULL, self->write, NULL, MIN (length, (gsize) MOVE_MAX), flags);
  if (got < 0)
    {
      self->refused = self->refused || errno == EINVAL || errno == ENOSYS || errno == EPERM;
      errno = !self->refused && (errno == EAGAIN || errno == EINTR) ? errno : ENOSYS;
      return -1;
    }
  for (left = (gsize) got; left > 0; left -= (gsize) done)
    {
      done = splice (self->read, NULL, to, NULL, left, flags);
      if (done <= 0)
        break;
    }
  take_back (self, left, output);
  return got;
}
