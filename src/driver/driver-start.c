/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-start.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "common/common-error.h"

void
driver_start_init (DriverStart *self, DriverFrameType fds_type)
{
  self->fds_type = fds_type;
  driver_start_again (self);
}

void
driver_start_again (DriverStart *self)
{
  self->have = 0;
  self->need = DRIVER_FRAME_HEADER;
  self->read = NULL;
  self->n_fds = 0;
}

gboolean
driver_start_is_complete (const DriverStart *self)
{
  return self->have == self->need;
}

gssize
driver_start_fail (GError **error, const char *what)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("not a frame of libvirt's RPC: %s"), what);
  return -1;
}

/* The header is complete: there may be the number of descriptors to come. */
static gssize
look_at_header (DriverStart *self, gsize taken, GError **error)
{
  driver_frame_header_decode (self->bytes, &self->header);
  if (self->header.type != (guint32) self->fds_type)
    return (gssize) taken;
  self->need += 4;
  if (self->header.length < self->need)
    return driver_start_fail (error, _ ("no number of descriptors"));
  return (gssize) taken;
}

gssize
driver_start_take (DriverStart *self, const guint8 *bytes, gsize length, GError **error)
{
  gsize take = MIN (length, self->need - self->have);

  if (self->have == 0)
    self->read = bytes;
  memcpy (self->bytes + self->have, bytes, take);
  self->have += take;
  /* As libvirt does, with the first word alone. */
  if (self->have >= 4 && !driver_frame_length_valid (driver_frame_length (self->bytes)))
    return driver_start_fail (error, _ ("bad length"));
  if (self->have < self->need)
    return (gssize) take;
  if (self->need == DRIVER_FRAME_HEADER)
    return look_at_header (self, take, error);
  self->n_fds = driver_frame_length (self->bytes + DRIVER_FRAME_HEADER);
  if (self->n_fds > DRIVER_FRAME_FDS_MAX)
    return driver_start_fail (error, _ ("too many descriptors"));
  return (gssize) take;
}
