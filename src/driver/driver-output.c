/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-output.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/driver-passing.h"

enum
{
  /* What an idle connection may keep of its buffer. */
  KEEP = 64 * 1024,
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
  self->bytes = g_byte_array_new ();
  g_queue_init (&self->fds);
}

void
driver_output_clear (DriverOutput *self)
{
  g_byte_array_unref (self->bytes);
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

void
driver_output_add (DriverOutput *self, const void *bytes, gsize length)
{
  if (self->discard || length == 0)
    return;
  if (self->start >= KEEP)
    {
      g_byte_array_remove_range (self->bytes, 0, (guint) self->start);
      self->start = 0;
    }
  g_byte_array_append (self->bytes, bytes, (guint) length);
  self->peak = MAX (self->peak, self->bytes->len);
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
  g_byte_array_set_size (self->bytes, 0);
  self->start = 0;
  self->sent = self->queued;
  g_queue_clear_full (&self->fds, (GDestroyNotify) passed_free);
}

/* All that waited is written: begin again at the start of the buffer. */
static void
rewind_bytes (DriverOutput *self)
{
  self->start = 0;
  if (self->peak > KEEP)
    {
      g_byte_array_unref (self->bytes);
      self->bytes = g_byte_array_new ();
      self->peak = 0;
    }
  else
    g_byte_array_set_size (self->bytes, 0);
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
          if (done > 0)
            {
              passed_free (g_queue_pop_head (&self->fds));
              continue;
            }
        }
      else
        done = send (fd, self->bytes->data + self->start, until - self->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
      if (done < 0)
        return errno;
      self->start += (gsize) done;
      self->sent += (guint64) done;
      if (self->start == self->bytes->len)
        rewind_bytes (self);
    }
  return 0;
}
