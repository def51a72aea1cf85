/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-output.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/driver-passing.h"

enum
{
  /* What has been written may stay in the buffer, until it is as much. */
  WRITTEN_MAX = 64 * 1024,
};

/* A descriptor, and after which byte of the stream it goes. */
typedef struct
{
  guint64 at;
  int fd;
} Passed;

static void
passed_free (Passed *passed)
{
  close (passed->fd);
  g_free (passed);
}

void
driver_output_init (DriverOutput *self)
{
  g_queue_init (&self->fds);
}

void
driver_output_clear (DriverOutput *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_queue_clear_full (&self->fds, (GDestroyNotify) passed_free);
}

gboolean
driver_output_is_waiting (const DriverOutput *self)
{
  return self->queued != self->sent || self->fds.length > 0;
}

guint64
driver_output_get_length (const DriverOutput *self)
{
  return self->queued - self->sent;
}

guint
driver_output_get_n_fds (const DriverOutput *self)
{
  return self->fds.length;
}

static void
append (DriverOutput *self, const void *bytes, gsize length)
{
  if (self->bytes == NULL)
    self->bytes = g_byte_array_new ();
  if (self->start >= WRITTEN_MAX)
    {
      g_byte_array_remove_range (self->bytes, 0, (guint) self->start);
      self->start = 0;
    }
  g_byte_array_append (self->bytes, bytes, (guint) length);
}

void
driver_output_settle (DriverOutput *self)
{
  if (self->n_borrowed > 0)
    append (self, self->borrowed, self->n_borrowed);
  self->n_borrowed = 0;
}

void
driver_output_add (DriverOutput *self, const void *bytes, gsize length)
{
  if (self->discard || length == 0)
    return;
  driver_output_settle (self);
  append (self, bytes, length);
  self->queued += length;
}

void
driver_output_borrow (DriverOutput *self, const guint8 *bytes, gsize length)
{
  if (self->discard || length == 0)
    return;
  if (self->n_borrowed > 0 && self->borrowed + self->n_borrowed != bytes)
    driver_output_settle (self);
  if (self->n_borrowed == 0)
    self->borrowed = bytes;
  self->n_borrowed += length;
  self->queued += length;
}

void
driver_output_add_fd (DriverOutput *self, int fd)
{
  Passed *passed;

  if (self->discard)
    {
      close (fd);
      return;
    }
  passed = g_new (Passed, 1);
  *passed = (Passed){ self->queued, fd };
  g_queue_push_tail (&self->fds, passed);
}

void
driver_output_discard (DriverOutput *self)
{
  self->discard = TRUE;
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  self->start = 0;
  self->n_borrowed = 0;
  self->sent = self->queued;
  g_queue_clear_full (&self->fds, (GDestroyNotify) passed_free);
}

/* The bytes up to @length, of those that wait here and of those that are borrowed. */
static gssize
send_bytes (const DriverOutput *self, int fd, gsize length)
{
  gsize own = self->bytes != NULL ? MIN (self->bytes->len - self->start, length) : 0;
  struct iovec parts[2];
  struct msghdr message = { .msg_iov = parts };

  if (own > 0)
    parts[message.msg_iovlen++] = (struct iovec){ self->bytes->data + self->start, own };
  if (length > own)
    parts[message.msg_iovlen++] = (struct iovec){ (guint8 *) self->borrowed, length - own };
  return sendmsg (fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
bytes_sent (DriverOutput *self, gsize length)
{
  gsize own = self->bytes != NULL ? MIN (self->bytes->len - self->start, length) : 0;

  self->sent += length;
  self->start += own;
  if (length > own)
    self->borrowed += length - own;
  self->n_borrowed -= length - own;
  /* An idle connection keeps no buffer. */
  if (self->bytes != NULL && self->start == self->bytes->len)
    {
      g_clear_pointer (&self->bytes, g_byte_array_unref);
      self->start = 0;
    }
}

int
driver_output_write (DriverOutput *self, int fd)
{
  while (driver_output_is_waiting (self))
    {
      const Passed *next = g_queue_peek_head (&self->fds);
      guint64 until = next != NULL ? next->at : self->queued;
      gssize done;

      if (until == self->sent)
        {
          done = driver_passing_send (fd, next->fd);
          if (done < 0)
            return errno;
          passed_free (g_queue_pop_head (&self->fds));
        }
      else
        {
          done = send_bytes (self, fd, (gsize) (until - self->sent));
          if (done < 0)
            return errno;
          bytes_sent (self, (gsize) done);
        }
    }
  return 0;
}
