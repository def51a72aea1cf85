/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-frame.h"

/**
 * DriverStart: the start of a frame, piece by piece as it comes: the header, and the number of
 * descriptors where some follow the frame. A struct that is part of another.
 */
typedef struct
{
  DriverFrameType fds_type; /* of a frame that descriptors follow */
  guint8 bytes[DRIVER_FRAME_HEADER + 4];
  gsize have, need;
  const guint8 *read; /* where they were read to; NULL: in pieces, or that is gone */
  DriverFrameHeader header;
  guint n_fds;
} DriverStart;

void driver_start_init (DriverStart *start, DriverFrameType fds_type);

/** driver_start_again: for the next frame. */
void driver_start_again (DriverStart *start);

/** driver_start_take: some of the @length bytes, and returns how many; -1 for what is no frame of
 * libvirt's, as soon as that is seen. */
gssize driver_start_take (DriverStart *start, const guint8 *bytes, gsize length, GError **error);
gboolean driver_start_is_complete (const DriverStart *start);

/** driver_start_fail: says @what is not as libvirt has it. Returns -1. */
gssize driver_start_fail (GError **error, const char *what);
