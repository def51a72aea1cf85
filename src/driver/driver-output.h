/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverOutput: what waits to be written to a socket: bytes, and descriptors in their places
 * between them. A struct that is part of another.
 */
typedef struct
{
  gboolean discard;
  GByteArray *bytes;
  gsize start;          /* of what is not written yet, in bytes */
  gsize peak;           /* of their number, since the buffer was made */
  guint64 queued, sent; /* bytes of the stream, ever */
  GQueue fds;           /* Passed, in order */
} DriverOutput;

void driver_output_init (DriverOutput *output);
void driver_output_clear (DriverOutput *output);

void driver_output_add (DriverOutput *output, const void *bytes, gsize length);
/** driver_output_add_fd: behind all that was added before; takes @fd. */
void driver_output_add_fd (DriverOutput *output, int fd);

/** driver_output_discard: drops what waits, and what is added from then on. */
void driver_output_discard (DriverOutput *output);

gboolean driver_output_is_waiting (const DriverOutput *output);
guint64 driver_output_get_length (const DriverOutput *output);
guint driver_output_get_n_fds (const DriverOutput *output);

/** driver_output_write: what can be written to @fd now. Returns 0 where that was all, or an errno,
 * which may be EAGAIN. */
int driver_output_write (DriverOutput *output, int fd);
