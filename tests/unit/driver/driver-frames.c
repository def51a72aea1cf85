/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-frames.h"

#include <string.h>

#define REMOTE    0x20008086u
#define KEEPALIVE 0x6b656570u

void
test_put_u32 (GByteArray *bytes, guint32 value)
{
  const guint8 word[]
      = { (guint8) (value >> 24), (guint8) (value >> 16), (guint8) (value >> 8), (guint8) value };

  g_byte_array_append (bytes, word, sizeof word);
}

void
test_put_string (GByteArray *bytes, const char *text)
{
  gsize length = strlen (text);

  test_put_u32 (bytes, (guint32) length);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) length);
  g_byte_array_append (bytes, (const guint8 *) "\0\0\0", (4 - length % 4) % 4);
}

GBytes *
test_frame (guint32 program, guint32 procedure, guint32 type, guint32 serial, guint32 status,
            GByteArray *payload)
{
  GByteArray *frame = g_byte_array_new ();

  test_put_u32 (frame, 28 + (payload != NULL ? payload->len : 0));
  test_put_u32 (frame, program);
  test_put_u32 (frame, 1);
  test_put_u32 (frame, procedure);
  test_put_u32 (frame, type);
  test_put_u32 (frame, serial);
  test_put_u32 (frame, status);
  if (payload != NULL)
    {
      g_byte_array_append (frame, payload->data, payload->len);
      g_byte_array_unref (payload);
    }
  return g_byte_array_free_to_bytes (frame);
}

GBytes *
test_device_call (guint32 procedure, guint32 serial, const char *device, guint32 flags)
{
  static const guint8 uuid[] = { 0x5b, 0xd1, 0xdc, 0x5d, 0x9a, 0x3f, 0x4c, 0x62,
                                 0x8d, 0x4b, 0x70, 0x77, 0x39, 0x70, 0xc6, 0x40 };
  GByteArray *payload = g_byte_array_new ();

  test_put_string (payload, "guest");
  g_byte_array_append (payload, uuid, sizeof uuid);
  test_put_u32 (payload, 7);
  test_put_string (payload, device);
  if (procedure != 8 && procedure != 13)
    test_put_u32 (payload, flags);
  return test_frame (REMOTE, procedure, 0, serial, 0, payload);
}

GBytes *
test_reply (guint32 procedure, guint32 serial)
{
  return test_frame (REMOTE, procedure, 1, serial, 0, NULL);
}

GBytes *
test_error (guint32 procedure, guint32 serial, const char *message)
{
  return test_error_of (procedure, serial, 1, message);
}

GBytes *
test_error_of (guint32 procedure, guint32 serial, int code, const char *message)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, (guint32) code);
  test_put_u32 (payload, 10);
  test_put_u32 (payload, 1);
  test_put_string (payload, message);
  test_put_u32 (payload, 2);
  test_put_u32 (payload, 0);
  for (int i = 0; i < 3; i++)
    test_put_u32 (payload, 0);
  test_put_u32 (payload, 0xffffffff);
  test_put_u32 (payload, 0xffffffff);
  test_put_u32 (payload, 0);
  return test_frame (REMOTE, procedure, 1, serial, 1, payload);
}

GBytes *
test_open (guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 1);
  test_put_string (payload, "qemu:///system");
  test_put_u32 (payload, 0);
  return test_frame (REMOTE, 1, 0, serial, 0, payload);
}

GBytes *
test_keepalive (guint32 procedure)
{
  return test_frame (KEEPALIVE, procedure, 2, 0, 0, NULL);
}
