/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-hook-protocol.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-domain.h"

/* A domain, and a few words. */
#define MESSAGE_MAX (HOSTDEV_DOMAIN_XML_MAX + 4096)

gboolean
driver_hook_send (GSocketConnection *connection, GVariant *message, GError **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GVariant) held = g_variant_ref_sink (message);
  guint32 length = GUINT32_TO_BE ((guint32) g_variant_get_size (held));

  return g_output_stream_write_all (output, &length, sizeof length, NULL, NULL, error)
         && g_output_stream_write_all (output, g_variant_get_data (held), g_variant_get_size (held),
                                       NULL, NULL, error);
}

GVariant *
driver_hook_receive (GSocketConnection *connection, const char *type, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autofree guint8 *bytes = NULL;
  g_autoptr (GVariant) message = NULL;
  guint32 length;
  gsize got;

  if (!g_input_stream_read_all (input, &length, sizeof length, &got, NULL, error))
    return NULL;
  if (got == sizeof length && (length = GUINT32_FROM_BE (length)) <= MESSAGE_MAX)
    {
      bytes = g_malloc (length);
      if (!g_input_stream_read_all (input, bytes, length, &got, NULL, error))
        return NULL;
      if (got == length)
        {
          g_autoptr (GBytes) whole = g_bytes_new_take (g_steal_pointer (&bytes), length);

          message
              = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), whole, FALSE));
        }
    }
  if (message == NULL || !g_variant_is_normal_form (message))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("no message of the hook's came"));
      return NULL;
    }
  return g_steal_pointer (&message);
}
