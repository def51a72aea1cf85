/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-reply.h"

#include "conformance-value.h"

static void
field_free (gpointer data)
{
  ConformanceFieldValue *field = data;

  g_free (field->name);
  g_free (field->text);
  g_free (field);
}

ConformanceReply *
conformance_reply_new (void)
{
  ConformanceReply *reply = g_new0 (ConformanceReply, 1);

  reply->fields = g_ptr_array_new_with_free_func (field_free);
  return reply;
}

void
conformance_reply_free (ConformanceReply *reply)
{
  g_free (reply->text);
  g_ptr_array_unref (reply->fields);
  g_free (reply);
}

void
conformance_reply_add (ConformanceReply *reply, const char *name, guint64 number, const char *text,
                       const char *prefix, const char *suffix)
{
  ConformanceFieldValue *field = g_new0 (ConformanceFieldValue, 1);

  field->name = g_strdup (name);
  field->number = number;
  field->text = g_strdup (text);
  field->prefix = g_intern_string (prefix);
  field->suffix = g_intern_string (suffix);
  g_ptr_array_add (reply->fields, field);
}

const ConformanceFieldValue *
conformance_reply_field (const ConformanceReply *reply, const char *name)
{
  for (guint i = 0; i < reply->fields->len; i++)
    {
      const ConformanceFieldValue *field = g_ptr_array_index (reply->fields, i);

      if (g_str_equal (field->name, name))
        return field;
    }
  return NULL;
}

ConformanceReply *
conformance_reply_mistake (GError *error)
{
  ConformanceReply *reply = conformance_reply_new ();

  reply->kind = CONFORMANCE_MISTAKE;
  reply->text = g_strdup (error->message);
  g_error_free (error);
  return reply;
}

gboolean
conformance_reply_failed (const ConformanceReply *reply)
{
  return reply->kind > CONFORMANCE_HANDLE || reply->answer < 0;
}

char *
conformance_reply_describe (const ConformanceReply *reply)
{
  if (reply->kind == CONFORMANCE_MISTAKE)
    return g_strdup_printf ("a mistake: %s", reply->text);
  if (reply->kind == CONFORMANCE_SIGBUS)
    return g_strdup ("SIGBUS");
  if (reply->kind == CONFORMANCE_PENDING)
    return g_strdup ("pending");
  if (reply->answer < 0)
    return g_strdup (conformance_errno_name ((int) -reply->answer));
  if (reply->text != NULL)
    {
      g_autofree char *escaped = g_strescape (reply->text, NULL);

      return g_strdup_printf ("\"%s\"", escaped);
    }
  if (reply->kind == CONFORMANCE_HANDLE)
    return g_strdup ("handle");
  return reply->answer < 1024 ? g_strdup_printf ("%" G_GINT64_FORMAT, reply->answer)
                              : g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", reply->answer);
}

GVariant *
conformance_reply_to_variant (const ConformanceReply *reply)
{
  GVariantBuilder fields;
  g_autofree char *text = reply->text != NULL ? g_utf8_make_valid (reply->text, -1) : NULL;

  g_variant_builder_init (&fields, G_VARIANT_TYPE ("a(stmsss)"));
  for (guint i = 0; i < reply->fields->len; i++)
    {
      const ConformanceFieldValue *field = g_ptr_array_index (reply->fields, i);

      g_variant_builder_add (&fields, "(stmsss)", field->name, field->number, field->text,
                             field->prefix != NULL ? field->prefix : "",
                             field->suffix != NULL ? field->suffix : "");
    }
  return g_variant_new (CONFORMANCE_REPLY_TYPE, reply->kind, reply->answer, text, &fields);
}

ConformanceReply *
conformance_reply_from_variant (GVariant *variant)
{
  ConformanceReply *reply = conformance_reply_new ();
  g_autoptr (GVariantIter) fields = NULL;
  const char *name, *text, *prefix, *suffix;
  guint kind;
  guint64 number;

  g_variant_get (variant, CONFORMANCE_REPLY_TYPE, &kind, &reply->answer, &reply->text, &fields);
  reply->kind = (ConformanceAnswer) kind;
  while (g_variant_iter_next (fields, "(&stm&s&s&s)", &name, &number, &text, &prefix, &suffix))
    conformance_reply_add (reply, name, number, text, prefix, suffix);
  return reply;
}
