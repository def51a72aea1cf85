/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-script.h"

#include <string.h>

#include "conformance-condition.h"
#include "conformance-value.h"

#define SECONDS 30

void
conformance_script_free (ConformanceScript *script)
{
  g_free (script->path);
  g_free (script->name);
  g_free (script->title);
  g_free (script->source);
  g_ptr_array_unref (script->needs);
  g_ptr_array_unref (script->bind);
  g_free (script->reason);
  g_free (script->host);
  g_ptr_array_unref (script->lines);
  g_free (script);
}

/* --- headers --- */

static gboolean
set_once (char **field, const char *value, const char *header, GError **error)
{
  if (*field != NULL)
    return conformance_wrong (error, "a second %s", header);
  *field = g_strdup (value);
  return TRUE;
}

static gboolean
set_side (ConformanceScript *script, ConformanceSide side, const char *reason, GError **error)
{
  script->side = side;
  return set_once (&script->reason, reason, "Model-only or Real-only", error);
}

static void
add_words (GPtrArray *array, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_ptr_array_add (array, g_strdup (words[i]));
}

static gboolean
add_needs (ConformanceScript *script, const char *text, GError **error)
{
  g_auto (GStrv) needs = g_strsplit (text, ",", -1);

  for (guint i = 0; needs[i] != NULL; i++)
    {
      g_ptr_array_add (script->needs, g_strdup (g_strstrip (needs[i])));
      if (!conformance_needs_check (needs[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_header (ConformanceScript *script, const char *header, const char *value, GError **error)
{
  if (*value == '\0')
    return conformance_wrong (error, "nothing after %s:", header);
  if (g_str_equal (header, "Title"))
    return set_once (&script->title, value, header, error);
  if (g_str_equal (header, "Source"))
    return set_once (&script->source, value, header, error);
  if (g_str_equal (header, "Host"))
    return set_once (&script->host, value, header, error);
  if (g_str_equal (header, "Model-only"))
    return set_side (script, CONFORMANCE_MODEL_ONLY, value, error);
  if (g_str_equal (header, "Real-only"))
    return set_side (script, CONFORMANCE_REAL_ONLY, value, error);
  if (g_str_equal (header, "Bind"))
    add_words (script->bind, value);
  else if (g_str_equal (header, "Needs"))
    return add_needs (script, value, error);
  else if (g_str_equal (header, "Time"))
    {
      guint64 seconds = 0;

      if (!conformance_value (value, NULL, NULL, NULL, NULL, &seconds, error))
        return FALSE;
      script->seconds = (guint) seconds;
    }
  else
    return conformance_wrong (error, "no header is called %s", header);
  return TRUE;
}

/* --- the lines below --- */

/* Where a comment begins: a # at the start of a word, outside of "…" and, after the arrow, /…/. */
static void
cut_comment (char *text)
{
  gboolean quoted = FALSE, regex = FALSE, answer = FALSE;
  char before = ' ';

  for (char *p = text; *p != '\0'; before = *p++)
    {
      if (*p == '\\' && (quoted || regex) && p[1] != '\0')
        p++;
      else if (*p == '"' && !regex)
        quoted = !quoted;
      else if (*p == '/' && answer && !quoted && (regex || before == ' ' || before == '!'))
        regex = !regex;
      else if (g_str_has_prefix (p, "-> ") && !quoted)
        answer = TRUE;
      else if (*p == '#' && !quoted && !regex && g_ascii_isspace (before))
        {
          *p = '\0';
          break;
        }
    }
  g_strchomp (text);
}

/* What is between "model-only …" and "end". */
typedef struct
{
  ConformanceSide side;
  char *reason;
} Part;

static gboolean
parse_line (ConformanceScript *script, Part *part, guint number, char *text, GError **error)
{
  ConformanceSide side = g_str_has_prefix (text, "model-only")  ? CONFORMANCE_MODEL_ONLY
                         : g_str_has_prefix (text, "real-only") ? CONFORMANCE_REAL_ONLY
                                                                : CONFORMANCE_BOTH;
  ConformanceLine *line;

  if (*text == '|')
    return conformance_line_add_or (
        script->lines->len > 0 ? g_ptr_array_index (script->lines, script->lines->len - 1) : NULL,
        text, error);
  if (side != CONFORMANCE_BOTH)
    {
      g_autoptr (GPtrArray) words = conformance_words (text, error);

      if (words == NULL)
        return FALSE;
      if (part->side != CONFORMANCE_BOTH || words->len != 2)
        return conformance_wrong (error, part->side != CONFORMANCE_BOTH ? "no end of the part above"
                                                                        : "no \"reason\"");
      part->side = side;
      part->reason = g_ptr_array_steal_index (words, 1);
      return TRUE;
    }
  if (g_str_equal (text, "end"))
    {
      if (part->side == CONFORMANCE_BOTH)
        return conformance_wrong (error, "an end of nothing");
      part->side = CONFORMANCE_BOTH;
      g_clear_pointer (&part->reason, g_free);
      return TRUE;
    }
  line = conformance_line_new (number, text);
  line->side = part->side;
  line->reason = g_strdup (part->reason);
  g_ptr_array_add (script->lines, line);
  return conformance_line_parse (line, text, error);
}

static gboolean
parse (ConformanceScript *script, char **lines, guint *number, Part *part, GError **error)
{
  gboolean headers = TRUE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *text = g_strdup (lines[i]);

      *number = i + 1;
      cut_comment (text);
      while (g_str_has_suffix (text, "\\") && lines[i + 1] != NULL)
        {
          char *joined;

          text[strlen (text) - 1] = '\0';
          i++;
          joined = g_strconcat (text, g_strchug (lines[i]), NULL);
          g_free (text);
          text = joined;
          cut_comment (text);
        }
      g_strstrip (text);
      if (*text == '\0')
        headers = headers && (script->title == NULL && script->source == NULL);
      else if (!headers)
        {
          if (!parse_line (script, part, *number, text, error))
            return FALSE;
        }
      else
        {
          char *colon = strchr (text, ':');

          if (colon == NULL)
            return conformance_wrong (error, "no header, and no empty line before the first call");
          *colon = '\0';
          if (!add_header (script, text, g_strstrip (colon + 1), error))
            return FALSE;
        }
    }
  if (script->title == NULL || script->source == NULL)
    return conformance_wrong (error, "no Title, or no Source");
  if (script->host != NULL && script->side != CONFORMANCE_MODEL_ONLY)
    return conformance_wrong (error, "a Host, but not Model-only");
  if (part->side != CONFORMANCE_BOTH)
    return conformance_wrong (error, "no end of the last part");
  return script->lines->len > 0 || conformance_wrong (error, "no line to ask");
}

ConformanceScript *
conformance_script_parse (const char *path, const char *text, GError **error)
{
  g_autoptr (ConformanceScript) script = g_new0 (ConformanceScript, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  Part part = { CONFORMANCE_BOTH, NULL };
  guint number = 0;
  gboolean done;

  script->path = g_strdup (path);
  script->name = g_path_get_basename (path);
  script->needs = g_ptr_array_new_with_free_func (g_free);
  script->bind = g_ptr_array_new_with_free_func (g_free);
  script->seconds = SECONDS;
  script->lines = g_ptr_array_new_with_free_func ((GDestroyNotify) conformance_line_free);
  done = parse (script, lines, &number, &part, error);
  g_free (part.reason);
  if (!done)
    {
      g_prefix_error (error, "%s:%u: ", path, number);
      return NULL;
    }
  return g_steal_pointer (&script);
}

ConformanceScript *
conformance_script_new (const char *path, GError **error)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, error)
             ? conformance_script_parse (path, text, error)
             : NULL;
}
