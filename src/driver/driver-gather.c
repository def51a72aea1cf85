/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-gather.h"

#include <unistd.h>

struct _DriverGather
{
  GByteArray *bytes;
  GArray *fds; /* int */
};

static void
close_int (gpointer fd)
{
  close (*(int *) fd);
}

DriverGather *
driver_gather_new (gsize length)
{
  DriverGather *self = g_new0 (DriverGather, 1);

  self->bytes = g_byte_array_sized_new ((guint) length);
  self->fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (self->fds, close_int);
  return self;
}

void
driver_gather_free (DriverGather *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_array_unref (self->fds);
  g_free (self);
}

void
driver_gather_add (DriverGather *self, const guint8 *bytes, gsize length)
{
  g_byte_array_append (self->bytes, bytes, (guint) length);
}

void
driver_gather_add_fd (DriverGather *self, int fd)
{
  g_array_append_val (self->fds, fd);
}

GBytes *
driver_gather_take (DriverGather *self, GUnixFDList **fds)
{
  *fds = NULL;
  if (self->fds->len > 0)
    {
      *fds = g_unix_fd_list_new_from_array ((const int *) (gconstpointer) self->fds->data,
                                            (gint) self->fds->len);
      /* They are the list's now. */
      g_array_set_clear_func (self->fds, NULL);
      g_array_set_size (self->fds, 0);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&self->bytes));
}
