/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-opening.h"

#include <glib/gi18n-lib.h>
#include <libvirt/libvirt.h>
#include <libxml/uri.h>
#include <rpc/types.h>
#include <rpc/xdr.h>
#include <stdio.h>
#include <string.h>

#include "common/common-error.h"

enum
{
  /* REMOTE_AUTH_TYPE_LIST_MAX, remote_auth_type */
  AUTH_TYPES_MAX = 20,
  AUTH_POLKIT = 2,
  /* VIR_DRV_FEATURE_MIGRATION_V3 (src/libvirt_internal.h) */
  FEATURE = 6,
  /* REMOTE_STRING_MAX */
  STRING_MAX = 4 * 1024 * 1024,
  /* REMOTE_CONNECT_IDENTITY_PARAMS_MAX */
  PARAMETERS_MAX = 20,
  /* Nine parameters, of which the largest are names, of at most LOGIN_NAME_MAX, and a label of at
     most a page. */
  IDENTITY_MAX = 16 * 1024,
};

static void
put_header (guint8 *bytes, const DriverFrameHeader *header)
{
  const guint32 words[]
      = { header->length, header->program, header->version, (guint32) header->procedure,
          header->type,   header->serial,  header->status };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      guint32 word = GUINT32_TO_BE (words[i]);

      memcpy (bytes + 4 * i, &word, sizeof word);
    }
}

static DriverFrameHeader
call_header (gint32 procedure, guint32 serial)
{
  return (DriverFrameHeader){ .length = DRIVER_FRAME_HEADER,
                              .program = DRIVER_PROGRAM_REMOTE,
                              .version = 1,
                              .procedure = procedure,
                              .type = DRIVER_FRAME_CALL,
                              .serial = serial };
}

GBytes *
driver_opening_new_call (gint32 procedure, guint32 serial)
{
  DriverFrameHeader header = call_header (procedure, serial);
  guint8 bytes[DRIVER_FRAME_HEADER];

  put_header (bytes, &header);
  return g_bytes_new (bytes, sizeof bytes);
}

GBytes *
driver_opening_new_look (guint32 serial)
{
  DriverFrameHeader header = call_header (DRIVER_PROC_CONNECT_SUPPORTS_FEATURE, serial);
  guint8 bytes[DRIVER_FRAME_HEADER + 4];
  guint32 feature = GUINT32_TO_BE (FEATURE);

  header.length = sizeof bytes;
  put_header (bytes, &header);
  memcpy (bytes + DRIVER_FRAME_HEADER, &feature, sizeof feature);
  return g_bytes_new (bytes, sizeof bytes);
}

/* Behind the header, and the number of descriptors where there is one. */
static gboolean
open_payload (GBytes *frame, XDR *xdrs)
{
  DriverFrameHeader header;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (frame, &length);
  u_int descriptors;

  if (length < DRIVER_FRAME_HEADER)
    return FALSE;
  driver_frame_header_decode (bytes, &header);
  xdrmem_create (xdrs, (char *) bytes + DRIVER_FRAME_HEADER, (u_int) (length - DRIVER_FRAME_HEADER),
                 XDR_DECODE);
  return header.type != DRIVER_FRAME_CALL_WITH_FDS || xdr_u_int (xdrs, &descriptors);
}

gboolean
driver_opening_has_polkit (GBytes *reply, gboolean *polkit, GError **error)
{
  u_int number, type;
  XDR xdrs;
  gboolean ok = open_payload (reply, &xdrs) && xdr_u_int (&xdrs, &number) && number > 0
                && number <= AUTH_TYPES_MAX;

  *polkit = FALSE;
  for (u_int i = 0; ok && i < number; i++)
    {
      ok = xdr_u_int (&xdrs, &type);
      *polkit = *polkit || (ok && type == AUTH_POLKIT);
    }
  if (!ok)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                         _ ("libvirt did not say how clients authenticate"));
  return ok;
}

/* As libvirt reads it (src/util/viruri.c: virURIParse), and takes it for its QEMU driver's. What
   has no path is an alias, of this host's libvirt.conf. */
static gboolean
is_of_host (const char *name)
{
  xmlURIPtr uri;
  gboolean is;

  if (name == NULL || strchr (name, '/') == NULL)
    return TRUE;
  uri = xmlParseURI (name);
  is = uri != NULL && g_strcmp0 (uri->scheme, "qemu") == 0
       && (uri->server == NULL || uri->server[0] == '\0');
  xmlFreeURI (uri);
  return is;
}

gboolean
driver_opening_may_write (GBytes *call)
{
  char *name = NULL;
  bool_t present;
  u_int flags;
  XDR xdrs;
  gboolean ok = open_payload (call, &xdrs) && xdr_bool (&xdrs, &present)
                && (!present || xdr_string (&xdrs, &name, STRING_MAX)) && xdr_u_int (&xdrs, &flags);

  ok = ok && (flags & VIR_CONNECT_RO) == 0 && is_of_host (name);
  free (name);
  return ok;
}

static bool_t
put_name (XDR *xdrs, const char *name, int type)
{
  char *text = (char *) name;

  return xdr_string (xdrs, &text, STRING_MAX) && xdr_int (xdrs, &type);
}

static bool_t
put_text (XDR *xdrs, const char *name, const char *value)
{
  char *text = (char *) value;

  return put_name (xdrs, name, VIR_TYPED_PARAM_STRING) && xdr_string (xdrs, &text, STRING_MAX);
}

static bool_t
put_number (XDR *xdrs, const char *name, int type, guint64 value)
{
  u_quad_t number = value;

  return put_name (xdrs, name, type) && xdr_u_hyper (xdrs, &number);
}

GBytes *
driver_opening_new_identity (const DriverPeer *peer, guint32 serial)
{
  DriverFrameHeader header = call_header (DRIVER_PROC_CONNECT_SET_IDENTITY, serial);
  gsize size = DRIVER_FRAME_HEADER + IDENTITY_MAX;
  guint8 *bytes = g_malloc (size);
  u_int number = peer->selinux != NULL ? 7 : 6, flags = 0;
  XDR xdrs;

  xdrmem_create (&xdrs, (char *) bytes + DRIVER_FRAME_HEADER, IDENTITY_MAX, XDR_ENCODE);
  bool_t ok
      = xdr_u_int (&xdrs, &number) && put_text (&xdrs, VIR_CONNECT_IDENTITY_USER_NAME, peer->user)
        && put_number (&xdrs, VIR_CONNECT_IDENTITY_UNIX_USER_ID, VIR_TYPED_PARAM_ULLONG, peer->uid)
        && put_text (&xdrs, VIR_CONNECT_IDENTITY_GROUP_NAME, peer->group)
        && put_number (&xdrs, VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, VIR_TYPED_PARAM_ULLONG, peer->gid)
        && put_number (&xdrs, VIR_CONNECT_IDENTITY_PROCESS_ID, VIR_TYPED_PARAM_LLONG,
                       (guint64) (gint64) peer->pid)
        && put_number (&xdrs, VIR_CONNECT_IDENTITY_PROCESS_TIME, VIR_TYPED_PARAM_ULLONG,
                       peer->start)
        && (peer->selinux == NULL
            || put_text (&xdrs, VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, peer->selinux))
        && xdr_u_int (&xdrs, &flags);
  if (!ok)
    {
      g_free (bytes);
      return NULL;
    }
  header.length = DRIVER_FRAME_HEADER + xdr_getpos (&xdrs);
  put_header (bytes, &header);
  return g_bytes_new_take (g_realloc (bytes, header.length), header.length);
}

/* remote_typed_param: as text, of the parameters that describe somebody. */
static gboolean
get_parameter (XDR *xdrs, char **name, char **value)
{
  u_quad_t number;
  gint32 word;
  gboolean ok;
  int type;

  *name = *value = NULL;
  if (!xdr_string (xdrs, name, STRING_MAX) || !xdr_int (xdrs, &type))
    return FALSE;
  if (type == VIR_TYPED_PARAM_STRING)
    return xdr_string (xdrs, value, STRING_MAX);
  if (type == VIR_TYPED_PARAM_INT || type == VIR_TYPED_PARAM_UINT
      || type == VIR_TYPED_PARAM_BOOLEAN)
    return xdr_int (xdrs, &word);
  ok = (type == VIR_TYPED_PARAM_LLONG || type == VIR_TYPED_PARAM_ULLONG
        || type == VIR_TYPED_PARAM_DOUBLE)
       && xdr_u_hyper (xdrs, &number);
  if (ok && asprintf (value, "%" G_GUINT64_FORMAT, (guint64) number) < 0)
    *value = NULL;
  return ok;
}

static void
add_word (GString *text, const char *name, const char *value)
{
  static const struct
  {
    const char *name, *prefix;
  } words[] = { { VIR_CONNECT_IDENTITY_USER_NAME, "" },
                { VIR_CONNECT_IDENTITY_UNIX_USER_ID, "uid " },
                { VIR_CONNECT_IDENTITY_PROCESS_ID, "pid " } };

  for (gsize i = 0; value != NULL && i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (name, words[i].name))
      {
        g_autofree char *valid = g_utf8_make_valid (value, -1);

        g_string_append_printf (text, "%s%s%s", text->len > 0 ? ", " : "", words[i].prefix, valid);
      }
}

static void
note_user (const char *name, const char *value, guint32 *user)
{
  guint64 number;

  if (value != NULL && g_str_equal (name, VIR_CONNECT_IDENTITY_UNIX_USER_ID)
      && g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32, &number, NULL))
    *user = (guint32) number;
}

char *
driver_opening_describe (GBytes *call, guint32 *user)
{
  g_autoptr (GString) text = g_string_new (NULL);
  u_int number, flags;
  XDR xdrs;
  gboolean ok
      = open_payload (call, &xdrs) && xdr_u_int (&xdrs, &number) && number <= PARAMETERS_MAX;

  *user = DRIVER_USER_NOBODY;
  for (u_int i = 0; ok && i < number; i++)
    {
      char *name, *value;

      ok = get_parameter (&xdrs, &name, &value);
      if (ok)
        {
          add_word (text, name, value);
          note_user (name, value, user);
        }
      free (name);
      free (value);
    }
  if (!ok || !xdr_u_int (&xdrs, &flags))
    return NULL;
  return g_strdup (text->len > 0 ? text->str : "nobody who is named");
}

GBytes *
driver_opening_answer (GBytes *reply, const DriverFrameHeader *call)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (reply, &length);
  guint8 *copy = g_memdup2 (bytes, length);
  DriverFrameHeader header;

  driver_frame_header_decode (bytes, &header);
  header.program = call->program;
  header.version = call->version;
  header.procedure = call->procedure;
  header.serial = call->serial;
  put_header (copy, &header);
  return g_bytes_new_take (copy, length);
}
