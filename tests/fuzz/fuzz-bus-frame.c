/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <gio/gio.h>

#include "kvmhelper/kvmhelper-frame.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A message from a bus, as the guard sees it: what it makes of one that is too large has no body
 * and the length that it had, and where GDBus took the message it takes what is left of it. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree guint8 *header = NULL;
  g_autoptr (GDBusMessage) whole = NULL;
  g_autoptr (GDBusMessage) blank = NULL;
  KvmHelperFrame frame, after;

  if (size < KVMHELPER_FRAME_START || !kvmhelper_frame_read (data, &frame))
    return 0;
  g_assert_cmpuint (frame.header % 8, ==, 0);
  g_assert_cmpuint (frame.header, >=, KVMHELPER_FRAME_START);
  g_assert_cmpuint (frame.header + frame.body, <=, KVMHELPER_FRAME_MAX);
  if (size < frame.header)
    return 0;
  /* without a byte behind it */
  header = g_memdup2 (data, frame.header);
  if (!kvmhelper_frame_blank (header, frame.header))
    {
      g_assert_cmpmem (header, frame.header, data, frame.header);
      return 0;
    }
  g_assert_true (kvmhelper_frame_read (header, &after));
  g_assert_cmpuint (after.header, ==, frame.header);
  g_assert_cmpuint (after.body, ==, 0);
  if (size < frame.header + frame.body)
    return 0;
  whole = g_dbus_message_new_from_blob ((guchar *) data, frame.header + frame.body,
                                        G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  blank = g_dbus_message_new_from_blob (header, frame.header, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  if (blank != NULL)
    g_assert_null (g_dbus_message_get_body (blank));
  return 0;
}
