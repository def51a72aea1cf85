/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-line.h"

#include <string.h>

#include "common/common-error.h"
#include "conformance-condition.h"
#include "conformance-expect.h"
#include "conformance-value.h"
#include "conformance-verbs.h"

static void
alternative_free (gpointer data)
{
  ConformanceAlternative *alternative = data;

  g_free (alternative->condition);
  g_free (alternative->answer);
  g_free (alternative);
}

static void
keep_free (gpointer data)
{
  ConformanceKeep *keep = data;

  g_free (keep->field);
  g_free (keep->variable);
  g_free (keep);
}

void
conformance_line_free (ConformanceLine *line)
{
  g_free (line->text);
  g_free (line->process);
  g_free (line->call);
  g_ptr_array_unref (line->alternatives);
  g_ptr_array_unref (line->keeps);
  g_free (line->reason);
  g_free (line);
}

ConformanceLine *
conformance_line_new (guint number, const char *text)
{
  ConformanceLine *line = g_new0 (ConformanceLine, 1);

  line->line = number;
  line->text = g_strdup (text);
  line->alternatives = g_ptr_array_new_with_free_func (alternative_free);
  line->keeps = g_ptr_array_new_with_free_func (keep_free);
  return line;
}

gboolean
conformance_wrong (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (
      error, g_error_new_valist (COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, format, arguments));
  va_end (arguments);
  return FALSE;
}

char *
conformance_expand (const char *text, GHashTable *variables, GError **error)
{
  g_autoptr (GString) expanded = g_string_new (NULL);

  while (*text != '\0')
    {
      gboolean braces;
      const char *start, *end, *value;
      g_autofree char *name = NULL;

      braces = g_str_has_prefix (text, "${");
      if (*text != '$' || !(braces || g_ascii_isalpha (text[1])))
        {
          g_string_append_c (expanded, *text++);
          continue;
        }
      start = text + (braces ? 2 : 1);
      for (end = start; g_ascii_isalnum (*end) || *end == '_';)
        end++;
      name = g_strndup (start, (gsize) (end - start));
      value = variables == NULL ? "0" : g_hash_table_lookup (variables, name);
      if (value == NULL || (braces && *end != '}'))
        {
          conformance_wrong (error, "there is no variable $%s here", name);
          return NULL;
        }
      g_string_append (expanded, value);
      text = end + (braces ? 1 : 0);
    }
  return g_string_free (g_steal_pointer (&expanded), FALSE);
}

/* Takes a first word away from @text if it is @word. */
static gboolean
take_word (char **text, const char *word)
{
  gsize length = strlen (word);

  if (!g_str_has_prefix (*text, word) || !g_ascii_isspace ((*text)[length]))
    return FALSE;
  *text = g_strchug (*text + length);
  return TRUE;
}

static char *
find_outside_quotes (char *text, const char *what)
{
  gboolean quoted = FALSE;

  for (char *p = text; *p != '\0'; p++)
    {
      if (*p == '\\' && quoted && p[1] != '\0')
        p++;
      else if (*p == '"')
        quoted = !quoted;
      else if (!quoted && g_str_has_prefix (p, what))
        return p;
    }
  return NULL;
}

/* "keep start_addr=window" at the end of @text. */
static gboolean
take_keeps (ConformanceLine *line, char *text, GError **error)
{
  char *keep = find_outside_quotes (text, " keep ");
  g_auto (GStrv) words = NULL;

  if (keep == NULL)
    return TRUE;
  words = g_strsplit (g_strstrip (keep + strlen (" keep ")), " ", -1);
  *keep = '\0';
  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *equals = strchr (words[i], '=');
      ConformanceKeep *kept;

      if (equals == NULL || equals == words[i] || equals[1] == '\0')
        return conformance_wrong (error, "no FIELD=NAME after keep: %s", words[i]);
      kept = g_new0 (ConformanceKeep, 1);
      kept->field = g_strndup (words[i], (gsize) (equals - words[i]));
      kept->variable = g_strdup (equals + 1);
      g_ptr_array_add (line->keeps, kept);
    }
  return TRUE;
}

static gboolean
add_alternative (ConformanceLine *line, const char *condition, const char *answer, GError **error)
{
  ConformanceAlternative *alternative = g_new0 (ConformanceAlternative, 1);
  g_autofree char *plain = conformance_expand (answer, NULL, NULL);
  g_autoptr (ConformanceExpect) expect = NULL;

  alternative->condition = g_strdup (condition);
  alternative->answer = g_strdup (answer);
  g_ptr_array_add (line->alternatives, alternative);
  if (plain == NULL)
    return conformance_wrong (error, "no variable: %s", answer);
  expect = conformance_expect_new (plain, error);
  return expect != NULL && conformance_condition_check (condition, error);
}

gboolean
conformance_line_add_or (ConformanceLine *line, char *text, GError **error)
{
  char *arrow = strstr (text, "->");

  if (line == NULL || line->alternatives->len == 0)
    return conformance_wrong (error, "no check above that could be answered otherwise");
  if (arrow == NULL)
    return conformance_wrong (error, "no -> after the condition");
  *arrow = '\0';
  return add_alternative (line, g_strstrip (text + 1), g_strstrip (arrow + 2), error);
}

static char *
take_process (char **text)
{
  char *colon = *text;
  char *process;

  while (g_ascii_isalnum (*colon) || *colon == '_')
    colon++;
  if (colon == *text || colon[0] != ':' || !g_ascii_isspace (colon[1]))
    return NULL;
  process = g_strndup (*text, (gsize) (colon - *text));
  *text = g_strchug (colon + 1);
  return process;
}

gboolean
conformance_line_parse (ConformanceLine *line, char *text, GError **error)
{
  char *arrow;
  g_autofree char *plain = NULL;

  if (take_word (&text, "within"))
    {
      char *end = text + strcspn (text, " \t");

      if (*end == '\0')
        return conformance_wrong (error, "no call");
      *end = '\0';
      if (!conformance_milliseconds (text, &line->within, error))
        return FALSE;
      text = g_strchug (end + 1);
    }
  line->process = take_process (&text);
  if (!take_keeps (line, text, error))
    return FALSE;
  arrow = find_outside_quotes (text, "->");
  if (arrow != NULL)
    {
      *arrow = '\0';
      if (!add_alternative (line, "", g_strstrip (arrow + 2), error))
        return FALSE;
    }
  line->call = g_strdup (g_strstrip (text));
  plain = conformance_expand (line->call, NULL, error);
  return plain != NULL && conformance_verbs_check (plain, error);
}
