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
  GByteArray *bytes;      /* NULL: nothing waits in here */
  gsize start;            /* of what is not written yet, in bytes */
  const guint8 *borrowed; /* behind them, and still where it was read to */
  gsize n_borrowed;
  guint64 queued, sent; /* bytes of the stream, ever */
  GQueue fds;           /* Passed, in order */
} DriverOutput;

void driver_output_init (DriverOutput *output);
void driver_output_clear (DriverOutput *output);

/** driver_output_add: @length bytes behind all that waits, copied. */
void driver_output_add (DriverOutput *output, const void *bytes, gsize length);
/** driver_output_borrow: the same, where @bytes stay until driver_output_settle: what can be
 * written before is never copied. */
void driver_output_borrow (DriverOutput *output, const guint8 *bytes, gsize length);
/** driver_output_settle: what was borrowed and is not written is copied. */
void driver_output_settle (DriverOutput *output);
/** driver_output_add_fd: behind all that was added before; takes @fd. */
void driver_output_add_fd (DriverOutput *output, int fd);

/** driver_output_discard: drops what waits, and what is added from then on. */
void driver_output_discard (DriverOutput *output);

/** driver_output_is_waiting: for the peer to read: bytes (get_length) or descriptors (get_n_fds).
 */
gboolean driver_output_is_waiting (const DriverOutput *output);
guint64 driver_output_get_length (const DriverOutput *output);
guint driver_output_get_n_fds (const DriverOutput *output);

/** driver_output_write: what can be written to @fd now. Returns 0 where that was all, or an errno,
 * which may be EAGAIN. */
int driver_output_write (DriverOutput *output, int fd);
