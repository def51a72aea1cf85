/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-frame.h"

#include <rpc/types.h>
#include <rpc/xdr.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* VIR_NET_MESSAGE_STRING_MAX */
#define STRING_MAX (4 * 1024 * 1024)

/* Above any error that libvirt words. A text is cut, may become three times as long when it is made
   valid UTF-8, and stands twice in the frame, in the message and by itself. */
#define ERROR_TEXT_MAX  (16 * 1024)
#define ERROR_FRAME_MAX (2 * 3 * ERROR_TEXT_MAX + 4096)

static bool_t
xdr_header (XDR *xdrs, DriverFrameHeader *header)
{
  return xdr_u_int (xdrs, &header->length) && xdr_u_int (xdrs, &header->program)
         && xdr_u_int (xdrs, &header->version) && xdr_int (xdrs, &header->procedure)
         && xdr_u_int (xdrs, &header->type) && xdr_u_int (xdrs, &header->serial)
         && xdr_u_int (xdrs, &header->status);
}

void
driver_frame_header_decode (const guint8 *bytes, DriverFrameHeader *header)
{
  XDR xdrs;

  xdrmem_create (&xdrs, (char *) bytes, DRIVER_FRAME_HEADER, XDR_DECODE);
  xdr_header (&xdrs, header);
}

guint32
driver_frame_length (const guint8 *bytes)
{
  guint32 length;

  memcpy (&length, bytes, sizeof length);
  return GUINT32_FROM_BE (length);
}

gboolean
driver_frame_length_valid (guint32 length)
{
  return length >= DRIVER_FRAME_HEADER && length <= DRIVER_FRAME_MAX;
}

gboolean
driver_frame_is_remote (const DriverFrameHeader *header, DriverFrameType type)
{
  return header->program == DRIVER_PROGRAM_REMOTE && header->version == 1 && header->type == type;
}

gboolean
driver_frame_is_remote_call (const DriverFrameHeader *header)
{
  return driver_frame_is_remote (header, DRIVER_FRAME_CALL)
         || driver_frame_is_remote (header, DRIVER_FRAME_CALL_WITH_FDS);
}

gboolean
driver_frame_is_device_procedure (gint32 procedure)
{
  switch (procedure)
    {
    case DRIVER_PROC_ATTACH_DEVICE:
    case DRIVER_PROC_ATTACH_DEVICE_FLAGS:
    case DRIVER_PROC_DETACH_DEVICE:
    case DRIVER_PROC_DETACH_DEVICE_FLAGS:
    case DRIVER_PROC_DETACH_DEVICE_ALIAS:
    case DRIVER_PROC_UPDATE_DEVICE_FLAGS:
    case DRIVER_PROC_DEFINE_XML:
    case DRIVER_PROC_DEFINE_XML_FLAGS:
      return TRUE;
    default:
      return FALSE;
    }
}

/* A call with another status is one that libvirt refuses. */
gboolean
driver_frame_is_device_call (const DriverFrameHeader *header)
{
  return driver_frame_is_remote_call (header) && header->status == DRIVER_FRAME_OK
         && driver_frame_is_device_procedure (header->procedure);
}

/* A string that XDR allocated, as one of GLib's. */
static bool_t
xdr_text (XDR *xdrs, char **text)
{
  char *raw = NULL;
  bool_t ok = xdr_string (xdrs, &raw, STRING_MAX);

  *text = ok ? g_strdup (raw) : NULL;
  free (raw);
  return ok;
}

/* remote_nonnull_domain */
static bool_t
xdr_domain (XDR *xdrs, DriverDeviceCall *call)
{
  guint8 uuid[VIR_UUID_BUFLEN];
  int id;

  if (!xdr_text (xdrs, &call->domain_name) || !xdr_opaque (xdrs, (char *) uuid, sizeof uuid)
      || !xdr_int (xdrs, &id))
    return FALSE;
  for (gsize i = 0, at = 0; i < sizeof uuid; i++)
    {
      if (i == 4 || i == 6 || i == 8 || i == 10)
        call->domain_uuid[at++] = '-';
      at += g_snprintf (call->domain_uuid + at, sizeof call->domain_uuid - at, "%02x", uuid[i]);
    }
  return TRUE;
}

static DriverDeviceOperation
operation_of (gint32 procedure)
{
  if (procedure == DRIVER_PROC_ATTACH_DEVICE || procedure == DRIVER_PROC_ATTACH_DEVICE_FLAGS)
    return DRIVER_DEVICE_ATTACH;
  if (procedure == DRIVER_PROC_DEFINE_XML || procedure == DRIVER_PROC_DEFINE_XML_FLAGS)
    return DRIVER_DEVICE_DEFINE;
  return procedure == DRIVER_PROC_UPDATE_DEVICE_FLAGS ? DRIVER_DEVICE_UPDATE : DRIVER_DEVICE_DETACH;
}

static gboolean
has_flags (gint32 procedure)
{
  return procedure != DRIVER_PROC_ATTACH_DEVICE && procedure != DRIVER_PROC_DETACH_DEVICE
         && procedure != DRIVER_PROC_DEFINE_XML;
}

DriverDeviceCall *
driver_device_call_decode (GBytes *frame)
{
  g_autoptr (DriverDeviceCall) call = g_new0 (DriverDeviceCall, 1);
  DriverFrameHeader header;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (frame, &length);
  guint32 descriptors;
  XDR xdrs;

  if (length < DRIVER_FRAME_HEADER)
    return NULL;
  xdrmem_create (&xdrs, (char *) bytes, (u_int) length, XDR_DECODE);
  if (!xdr_header (&xdrs, &header) || header.length != length
      || !driver_frame_is_device_call (&header))
    return NULL;

  if (header.type == DRIVER_FRAME_CALL_WITH_FDS && !xdr_u_int (&xdrs, &descriptors))
    return NULL;
  call->operation = operation_of (header.procedure);
  call->by_alias = header.procedure == DRIVER_PROC_DETACH_DEVICE_ALIAS;
  if (call->operation != DRIVER_DEVICE_DEFINE && !xdr_domain (&xdrs, call))
    return NULL;
  if (!xdr_text (&xdrs, &call->device)
      || (has_flags (header.procedure) && !xdr_u_int (&xdrs, &call->flags)))
    return NULL;
  return xdr_getpos (&xdrs) == length ? g_steal_pointer (&call) : NULL;
}

void
driver_device_call_free (DriverDeviceCall *call)
{
  if (call == NULL)
    return;
  g_free (call->domain_name);
  g_free (call->device);
  g_free (call);
}

gboolean
driver_device_call_may_be_live (const DriverDeviceCall *call)
{
  /* Neither flag means the running guest where there is one. */
  return (call->flags & VIR_DOMAIN_AFFECT_LIVE) != 0
         || (call->flags & VIR_DOMAIN_AFFECT_CONFIG) == 0;
}

GBytes *
driver_device_call_new_own (GBytes *frame, DriverDeviceOperation operation, const char *device,
                            guint32 serial)
{
  gboolean attach = operation == DRIVER_DEVICE_ATTACH;
  g_autofree char *said = NULL, *name = NULL;
  DriverFrameHeader header;
  guint8 uuid[VIR_UUID_BUFLEN];
  char *text;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (frame, &length);
  u_int descriptors, flags = 0;
  gboolean flagged;
  int id;
  XDR xdrs;

  xdrmem_create (&xdrs, (char *) bytes, (u_int) length, XDR_DECODE);
  bool_t ok = xdr_header (&xdrs, &header);
  flagged = has_flags (header.procedure);
  ok = ok && (header.type != DRIVER_FRAME_CALL_WITH_FDS || xdr_u_int (&xdrs, &descriptors))
       && xdr_text (&xdrs, &name) && xdr_opaque (&xdrs, (char *) uuid, sizeof uuid)
       && xdr_int (&xdrs, &id) && xdr_text (&xdrs, &said)
       && (!flagged || xdr_u_int (&xdrs, &flags));
  g_assert (ok);

  /* An update may have it, and nothing else may. */
  if (header.procedure == DRIVER_PROC_UPDATE_DEVICE_FLAGS)
    flags &= ~(u_int) VIR_DOMAIN_DEVICE_MODIFY_FORCE;
  header.type = DRIVER_FRAME_CALL;
  header.serial = serial;
  if (flagged)
    header.procedure = attach ? DRIVER_PROC_ATTACH_DEVICE_FLAGS : DRIVER_PROC_DETACH_DEVICE_FLAGS;
  else
    header.procedure = attach ? DRIVER_PROC_ATTACH_DEVICE : DRIVER_PROC_DETACH_DEVICE;
  text = device != NULL ? (char *) device : said;
  gsize size = length + strlen (text) + 8;
  guint8 *copy = g_malloc (size);
  xdrmem_create (&xdrs, (char *) copy, (u_int) size, XDR_ENCODE);
  ok = xdr_header (&xdrs, &header) && xdr_string (&xdrs, &name, STRING_MAX)
       && xdr_opaque (&xdrs, (char *) uuid, sizeof uuid) && xdr_int (&xdrs, &id)
       && xdr_string (&xdrs, &text, STRING_MAX) && (!flagged || xdr_u_int (&xdrs, &flags));
  g_assert (ok);
  guint32 word = GUINT32_TO_BE (xdr_getpos (&xdrs));
  memcpy (copy, &word, sizeof word);
  return g_bytes_new_take (copy, xdr_getpos (&xdrs));
}

/* remote_string: a pointer, which is a word and what it stands for. */
static bool_t
xdr_optional_text (XDR *xdrs, char **text)
{
  bool_t present = *text != NULL;

  if (!xdr_bool (xdrs, &present))
    return FALSE;
  if (!present)
    return TRUE;
  return xdrs->x_op == XDR_ENCODE ? xdr_string (xdrs, text, STRING_MAX) : xdr_text (xdrs, text);
}

GBytes *
driver_frame_new_error (const DriverFrameHeader *call, int code, const char *format,
                        const char *detail)
{
  return driver_frame_new_error_from (call, VIR_FROM_QEMU, code, format, detail);
}

GBytes *
driver_frame_new_error_from (const DriverFrameHeader *call, int domain, int code,
                             const char *format, const char *detail)
{
  g_autofree char *valid = g_utf8_make_valid (detail, MIN (strlen (detail), ERROR_TEXT_MAX));
  g_auto (GStrv) parts = g_strsplit (format, "%s", 2);
  g_autofree char *message = g_strjoinv (valid, parts);
  char *str1 = (char *) format, *str2 = valid, *none = NULL;
  DriverFrameHeader header = *call;
  guint8 *buffer = g_malloc (ERROR_FRAME_MAX);
  int level = VIR_ERR_ERROR, minus_one = -1;
  bool_t absent = FALSE;
  XDR xdrs;

  header.type = DRIVER_FRAME_REPLY;
  header.status = DRIVER_FRAME_ERROR;
  xdrmem_create (&xdrs, (char *) buffer, ERROR_FRAME_MAX, XDR_ENCODE);
  /* virNetMessageError: the texts are bounded above, so all of it fits. */
  bool_t ok = xdr_header (&xdrs, &header) && xdr_int (&xdrs, &code) && xdr_int (&xdrs, &domain)
              && xdr_optional_text (&xdrs, &message) && xdr_int (&xdrs, &level)
              && xdr_bool (&xdrs, &absent) /* dom */
              && xdr_optional_text (&xdrs, &str1) && xdr_optional_text (&xdrs, &str2)
              && xdr_optional_text (&xdrs, &none) && xdr_int (&xdrs, &minus_one)
              && xdr_int (&xdrs, &minus_one) && xdr_bool (&xdrs, &absent) /* net */;
  g_assert (ok);

  header.length = xdr_getpos (&xdrs);
  guint32 length = GUINT32_TO_BE (header.length);
  memcpy (buffer, &length, sizeof length);
  return g_bytes_new_take (g_realloc (buffer, header.length), header.length);
}

char *
driver_frame_error_message (GBytes *frame, int *code)
{
  DriverFrameHeader header;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (frame, &length);
  char *message = NULL;
  int number, domain;
  XDR xdrs;

  xdrmem_create (&xdrs, (char *) bytes, (u_int) length, XDR_DECODE);
  if (!xdr_header (&xdrs, &header) || header.status != DRIVER_FRAME_ERROR
      || !xdr_int (&xdrs, &number) || !xdr_int (&xdrs, &domain)
      || !xdr_optional_text (&xdrs, &message))
    return NULL;
  if (code != NULL)
    *code = number;
  return message;
}

GBytes *
driver_frame_new_pong (void)
{
  DriverFrameHeader header = { .length = DRIVER_FRAME_HEADER,
                               .program = DRIVER_PROGRAM_KEEPALIVE,
                               .version = 1,
                               .procedure = DRIVER_PROC_KEEPALIVE_PONG,
                               .type = DRIVER_FRAME_MESSAGE };
  guint8 buffer[DRIVER_FRAME_HEADER];
  XDR xdrs;

  xdrmem_create (&xdrs, (char *) buffer, sizeof buffer, XDR_ENCODE);
  xdr_header (&xdrs, &header);
  return g_bytes_new (buffer, sizeof buffer);
}
