/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-frame.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "common/common-error.h"
#include "driver-frames.h"
#include "driver/driver-refusal.h"

/* As virsh 9.0.0 sends `virsh attach-device guest FILE`. */
static const guint8 golden_attach[]
    = { 0x00, 0x00, 0x00, 0x4c, 0x20, 0x00, 0x80, 0x86, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
        0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00,
        /* name, "guest" */
        0x00, 0x00, 0x00, 0x05, 'g', 'u', 'e', 's', 't', 0x00, 0x00, 0x00,
        /* uuid */
        0x5b, 0xd1, 0xdc, 0x5d, 0x9a, 0x3f, 0x4c, 0x62, 0x8d, 0x4b, 0x70, 0x77, 0x39, 0x70, 0xc6,
        0x40,
        /* id */
        0x00, 0x00, 0x00, 0x07,
        /* xml */
        0x00, 0x00, 0x00, 0x0a, '<', 'h', 'o', 's', 't', 'd', 'e', 'v', '/', '>', 0x00, 0x00 };

static void
test_header (void)
{
  DriverFrameHeader header;

  driver_frame_header_decode (golden_attach, &header);
  g_assert_cmpuint (header.length, ==, sizeof golden_attach);
  g_assert_cmpuint (header.program, ==, DRIVER_PROGRAM_REMOTE);
  g_assert_cmpuint (header.version, ==, 1);
  g_assert_cmpint (header.procedure, ==, DRIVER_PROC_ATTACH_DEVICE);
  g_assert_cmpuint (header.type, ==, DRIVER_FRAME_CALL);
  g_assert_cmpuint (header.serial, ==, 9);
  g_assert_cmpuint (header.status, ==, DRIVER_FRAME_OK);
  g_assert_true (driver_frame_is_device_call (&header));
  header.version = 2;
  g_assert_false (driver_frame_is_device_call (&header));
  header.version = 1;
  header.type = DRIVER_FRAME_REPLY;
  g_assert_false (driver_frame_is_device_call (&header));
}

static void
test_length (void)
{
  g_assert_false (driver_frame_length_valid (0));
  g_assert_false (driver_frame_length_valid (27));
  g_assert_true (driver_frame_length_valid (28));
  g_assert_true (driver_frame_length_valid (33554432 + 4));
  g_assert_false (driver_frame_length_valid (33554432 + 5));
  g_assert_false (driver_frame_length_valid (0xffffffffu));
}

static void
test_attach (void)
{
  g_autoptr (GBytes) frame = g_bytes_new_static (golden_attach, sizeof golden_attach);
  g_autoptr (DriverDeviceCall) call = driver_device_call_decode (frame);

  g_assert_nonnull (call);
  g_assert_cmpint (call->operation, ==, DRIVER_DEVICE_ATTACH);
  g_assert_false (call->by_alias);
  g_assert_cmpstr (call->domain_name, ==, "guest");
  g_assert_cmpstr (call->domain_uuid, ==, TEST_UUID);
  g_assert_cmpstr (call->device, ==, "<hostdev/>");
  g_assert_cmpuint (call->flags, ==, 0);
  g_assert_true (driver_device_call_may_be_live (call));
}

/* A domain's XML, and no guest: which one it is, is in there. */
static void
test_define (void)
{
  for (guint32 flags = 0; flags < 2; flags++)
    {
      GByteArray *payload = g_byte_array_new ();

      test_put_string (payload, "<domain/>");
      if (flags > 0)
        test_put_u32 (payload, 1);
      g_autoptr (GBytes) frame = test_frame (0x20008086u, flags > 0 ? 350 : 11, 0, 3, 0, payload);
      g_autoptr (DriverDeviceCall) call = driver_device_call_decode (frame);
      g_assert_nonnull (call);
      g_assert_cmpint (call->operation, ==, DRIVER_DEVICE_DEFINE);
      g_assert_cmpstr (call->device, ==, "<domain/>");
      g_assert_cmpstr (call->domain_uuid, ==, "");
      g_assert_cmpuint (call->flags, ==, flags);
    }
}

static void
test_procedures (void)
{
  static const struct
  {
    guint32 procedure;
    DriverDeviceOperation operation;
    gboolean by_alias;
    guint32 flags;
    gboolean live;
  } cases[] = {
    { 8, DRIVER_DEVICE_ATTACH, FALSE, 0, TRUE },    { 160, DRIVER_DEVICE_ATTACH, FALSE, 0, TRUE },
    { 160, DRIVER_DEVICE_ATTACH, FALSE, 1, TRUE },  { 160, DRIVER_DEVICE_ATTACH, FALSE, 2, FALSE },
    { 160, DRIVER_DEVICE_ATTACH, FALSE, 3, TRUE },  { 13, DRIVER_DEVICE_DETACH, FALSE, 0, TRUE },
    { 161, DRIVER_DEVICE_DETACH, FALSE, 2, FALSE }, { 161, DRIVER_DEVICE_DETACH, FALSE, 5, TRUE },
    { 392, DRIVER_DEVICE_DETACH, TRUE, 1, TRUE },   { 392, DRIVER_DEVICE_DETACH, TRUE, 2, FALSE },
    { 174, DRIVER_DEVICE_UPDATE, FALSE, 1, TRUE },  { 174, DRIVER_DEVICE_UPDATE, FALSE, 2, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) frame
          = test_device_call (cases[i].procedure, 3, "ua-net0", cases[i].flags);
      g_autoptr (DriverDeviceCall) call = driver_device_call_decode (frame);

      g_assert_nonnull (call);
      g_assert_cmpint (call->operation, ==, cases[i].operation);
      g_assert_cmpint (call->by_alias, ==, cases[i].by_alias);
      g_assert_cmpuint (call->flags, ==, cases[i].flags);
      g_assert_cmpint (driver_device_call_may_be_live (call), ==, cases[i].live);
      g_assert_cmpstr (call->device, ==, "ua-net0");
    }
}

/* What is not exactly one of the five layouts is none of ours. */
static void
test_refuses (void)
{
  g_autoptr (GBytes) whole = test_device_call (160, 3, TEST_HOSTDEV, 1);
  gsize length;
  const guint8 *bytes = g_bytes_get_data (whole, &length);

  /* Every cut, with the length that belongs to it. */
  for (gsize cut = 4; cut < length; cut++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes, cut);
      guint32 word = GUINT32_TO_BE ((guint32) cut);
      memcpy (copy, &word, 4);
      g_autoptr (GBytes) frame = g_bytes_new (copy, cut);
      g_assert_null (driver_device_call_decode (frame));
    }

  /* Something behind it, as a newer libvirt might have. */
  g_autofree guint8 *longer = g_malloc0 (length + 4);
  memcpy (longer, bytes, length);
  guint32 word = GUINT32_TO_BE ((guint32) length + 4);
  memcpy (longer, &word, 4);
  g_autoptr (GBytes) frame = g_bytes_new (longer, length + 4);
  g_assert_null (driver_device_call_decode (frame));

  /* A string that claims 4 GiB. */
  g_autofree guint8 *huge = g_memdup2 (bytes, length);
  memset (huge + 28, 0xff, 4);
  g_autoptr (GBytes) broken = g_bytes_new (huge, length);
  g_assert_null (driver_device_call_decode (broken));
}

/* The sentence is "no". */
static const guint8 golden_error[]
    = { 0x00, 0x00, 0x00, 0x98, 0x20, 0x00, 0x80, 0x86, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
        0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x01,
        /* code, domain */
        0x00, 0x00, 0x00, 0x43, 0x00, 0x00, 0x00, 0x0a,
        /* message */
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x1d, 'u', 'n', 's', 'u', 'p', 'p', 'o', 'r', 't',
        'e', 'd', ' ', 'c', 'o', 'n', 'f', 'i', 'g', 'u', 'r', 'a', 't', 'i', 'o', 'n', ':', ' ',
        'n', 'o', 0x00, 0x00, 0x00,
        /* level, no domain */
        0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
        /* str1, str2, str3 */
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x1d, 'u', 'n', 's', 'u', 'p', 'p', 'o', 'r', 't',
        'e', 'd', ' ', 'c', 'o', 'n', 'f', 'i', 'g', 'u', 'r', 'a', 't', 'i', 'o', 'n', ':', ' ',
        '%', 's', 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 'n', 'o', 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00,
        /* int1, int2, no network */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00 };

static void
test_error_frame (void)
{
  g_autoptr (GError) error = g_error_new_literal (COMMON_ERROR, COMMON_ERROR_NO_FREE_PHB, "no");
  DriverFrameHeader header;
  int code;

  driver_frame_header_decode (golden_attach, &header);
  g_autoptr (GBytes) frame = driver_refusal_new_frame (&header, error);
  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame), golden_error,
                   sizeof golden_error);
  g_autofree char *message = driver_frame_error_message (frame, &code);
  g_assert_cmpstr (message, ==, "unsupported configuration: no");
  g_assert_cmpint (code, ==, VIR_ERR_CONFIG_UNSUPPORTED);

  /* However long the sentence, it stays a frame. */
  g_autofree char *essay = g_strnfill (1000000, 'x');
  g_autoptr (GBytes) large = driver_frame_new_error (&header, 1, "internal error: %s", essay);
  g_autofree char *cut = driver_frame_error_message (large, NULL);
  g_assert_true (g_str_has_prefix (cut, "internal error: xxx"));
  memset (essay, 0xff, 1000000);
  g_autoptr (GBytes) no_text = driver_frame_new_error (&header, 1, "internal error: %s", essay);
  g_autofree char *valid = driver_frame_error_message (no_text, NULL);
  g_assert_true (g_utf8_validate (valid, -1, NULL));
}

/* Each reason has libvirt's own words before it. */
static void
test_reasons (void)
{
  for (int reason = 0; reason < COMMON_ERROR_LAST; reason++)
    {
      g_autoptr (GError) error = g_error_new_literal (COMMON_ERROR, reason, "no");
      const char *format = NULL;

      g_assert_cmpint (driver_refusal_code (error, &format), >, 0);
      g_assert_nonnull (format);
      g_assert_nonnull (strstr (format, "%s"));
    }
  g_autoptr (GError) busy = g_error_new_literal (COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE, "no");
  const char *format;
  g_assert_cmpint (driver_refusal_code (busy, &format), ==, VIR_ERR_RESOURCE_BUSY);
  g_assert_cmpstr (format, ==, "resource busy: %s");
}

static void
test_pong (void)
{
  g_autoptr (GBytes) pong = driver_frame_new_pong ();
  g_autoptr (GBytes) expected = test_keepalive (2);

  g_assert_true (g_bytes_equal (pong, expected));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/driver/frame/header", test_header);
  g_test_add_func ("/driver/frame/length", test_length);
  g_test_add_func ("/driver/frame/attach", test_attach);
  g_test_add_func ("/driver/frame/procedures", test_procedures);
  g_test_add_func ("/driver/frame/define", test_define);
  g_test_add_func ("/driver/frame/refuses", test_refuses);
  g_test_add_func ("/driver/frame/error", test_error_frame);
  g_test_add_func ("/driver/frame/reasons", test_reasons);
  g_test_add_func ("/driver/frame/pong", test_pong);
  return g_test_run ();
}
