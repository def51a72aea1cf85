/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "driver/driver-opening.h"

/**
 * The frames with which a connection begins, from whoever sends them: no length, number or type in
 * them is believed, whatever is read is text, and an answer is as long as what it was made of.
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) frame = NULL;
  g_autoptr (GBytes) answer = NULL;
  g_autofree guint8 *copy = NULL;
  g_autofree char *whom = NULL;
  DriverFrameHeader call, header;
  gboolean polkit;
  guint32 user;
  guint32 length = GUINT32_TO_BE ((guint32) size);

  if (size < DRIVER_FRAME_HEADER || size > 65536)
    return 0;
  /* As one frame, with the length that it really has. */
  copy = g_memdup2 (data, size);
  memcpy (copy, &length, sizeof length);
  frame = g_bytes_new (copy, size);
  driver_frame_header_decode (copy, &call);

  driver_opening_has_polkit (frame, &polkit, NULL);
  driver_opening_may_write (frame);
  whom = driver_opening_describe (frame, &user);
  g_assert_true (whom == NULL || (*whom != '\0' && g_utf8_validate (whom, -1, NULL)));
  call.serial++;
  answer = driver_opening_answer (frame, &call);
  g_assert_cmpuint (g_bytes_get_size (answer), ==, size);
  driver_frame_header_decode (g_bytes_get_data (answer, NULL), &header);
  g_assert_cmpuint (header.serial, ==, call.serial);
  return 0;
}
