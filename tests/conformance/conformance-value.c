/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-value.h"

#include <string.h>

#include "common/common-error.h"

static gboolean
add_quoted (GString *word, const char **text, GError **error)
{
  const char *p = *text + 1;

  for (; *p != '"'; p++)
    {
      if (*p == '\\' && p[1] != '\0')
        {
          p++;
          g_string_append_c (word, *p == 'n' ? '\n' : *p);
        }
      else if (*p != '\0')
        g_string_append_c (word, *p);
      else
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no closing \": %s",
                       *text);
          return FALSE;
        }
    }
  *text = p + 1;
  return TRUE;
}

GPtrArray *
conformance_words (const char *text, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (;;)
    {
      g_autoptr (GString) word = g_string_new (NULL);

      while (g_ascii_isspace (*text))
        text++;
      if (*text == '\0')
        break;
      while (*text != '\0' && !g_ascii_isspace (*text))
        {
          if (*text != '"')
            g_string_append_c (word, *text++);
          else if (!add_quoted (word, &text, error))
            return NULL;
        }
      g_ptr_array_add (words, g_strdup (word->str));
    }
  return g_steal_pointer (&words);
}

/* A value is read from left to right; what is left is at @text. */
typedef struct
{
  const char *text;
  const char *prefix;
  const char *suffix;
  ConformanceLookup lookup;
  gpointer data;
} Reader;

static gboolean
read_number (Reader *reader, guint64 *value, GError **error)
{
  static const char units[] = "KMGT";
  const char *unit;
  char *end;

  *value = g_ascii_strtoull (reader->text, &end, 0);
  if (*end != '\0' && (unit = strchr (units, *end)) != NULL)
    {
      *value <<= 10 * (unit - units + 1);
      end++;
    }
  if (g_ascii_isalnum (*end))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no number: %s",
                   reader->text);
      return FALSE;
    }
  reader->text = end;
  return TRUE;
}

static gboolean
is_name_char (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '.' || c == '[' || c == ']';
}

static gboolean
read_name (Reader *reader, guint64 *value, GError **error)
{
  const char *end = reader->text;
  g_autofree char *name = NULL;
  g_autofree char *full = NULL;

  while (is_name_char (*end))
    end++;
  name = g_strndup (reader->text, (gsize) (end - reader->text));
  full = g_strconcat (reader->prefix != NULL ? reader->prefix : "", name, reader->suffix, NULL);
  if (*name == '\0'
      || (!(reader->lookup != NULL && reader->lookup (reader->data, name, value))
          && !conformance_constant (name, value) && !conformance_constant (full, value)))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "nothing is called \"%s\"",
                   *name != '\0' ? name : reader->text);
      return FALSE;
    }
  reader->text = end;
  return TRUE;
}

static gboolean
read_factor (Reader *reader, guint64 *value, GError **error)
{
  return g_ascii_isdigit (*reader->text) ? read_number (reader, value, error)
                                         : read_name (reader, value, error);
}

static gboolean
read_product (Reader *reader, guint64 *value, GError **error)
{
  if (!read_factor (reader, value, error))
    return FALSE;
  for (;;)
    {
      gboolean shift = g_str_has_prefix (reader->text, "<<");
      guint64 factor;

      if (!shift && *reader->text != '*')
        return TRUE;
      reader->text += shift ? 2 : 1;
      if (!read_factor (reader, &factor, error))
        return FALSE;
      *value = shift ? *value << (factor & 63) : *value * factor;
    }
}

gboolean
conformance_value (const char *text, const char *prefix, const char *suffix,
                   ConformanceLookup lookup, gpointer data, guint64 *value, GError **error)
{
  Reader reader = { text, prefix, suffix, lookup, data };

  *value = 0;
  if (*text == '-')
    reader.text++;
  if (!read_product (&reader, value, error))
    return FALSE;
  if (*text == '-')
    *value = 0 - *value;
  while (*reader.text != '\0')
    {
      char operation = *reader.text++;
      guint64 operand;

      if (strchr ("+-|", operation) == NULL)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no value: %s", text);
          return FALSE;
        }
      if (!read_product (&reader, &operand, error))
        return FALSE;
      if (operation == '|')
        *value |= operand;
      else
        *value = operation == '+' ? *value + operand : *value - operand;
    }
  return TRUE;
}

gboolean
conformance_milliseconds (const char *text, guint *milliseconds, GError **error)
{
  char *end;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  guint factor = g_str_equal (end, "s") ? 1000 : g_str_equal (end, "ms") ? 1 : 0;

  if (end == text || factor == 0 || number > 3600)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   "no time such as 2s or 500ms: %s", text);
      return FALSE;
    }
  *milliseconds = (guint) number * factor;
  return TRUE;
}

/* strerrorname_np (glibc 2.32) knows them all, but EWOULDBLOCK and the like, which are others. */
int
conformance_errno (const char *name)
{
  for (int i = 1; i < 134; i++)
    if (g_strcmp0 (strerrorname_np (i), name) == 0)
      return i;
  return 0;
}

const char *
conformance_errno_name (int errnum)
{
  const char *name = strerrorname_np (errnum);

  return name != NULL ? name : "an unknown errno";
}
