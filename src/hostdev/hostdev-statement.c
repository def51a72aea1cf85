/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-statement.h"

#include <string.h>

static void
add_all (const HostdevStatement **index, const HostdevStatement *statements, gsize count)
{
  for (gsize i = 0; i < count; i++)
    index[statements[i].id] = &statements[i];
}

static const HostdevStatement *const *
get_index (void)
{
  static const HostdevStatement *index[HOSTDEV_SAYS_LAST];
  static gsize ready = 0;

  if (g_once_init_enter (&ready))
    {
      gsize count;
      const HostdevStatement *statements = hostdev_statements_of_host (&count);

      add_all (index, statements, count);
      statements = hostdev_statements_of_guest (&count);
      add_all (index, statements, count);
      statements = hostdev_statements_of_kernel (&count);
      add_all (index, statements, count);
      statements = hostdev_statements_of_zpci (&count);
      add_all (index, statements, count);
      statements = hostdev_statements_of_running (&count);
      add_all (index, statements, count);
      g_once_init_leave (&ready, 1);
    }
  return index;
}

const HostdevStatement *
hostdev_statement_get (HostdevStatementId id)
{
  return get_index ()[id];
}

const HostdevStatement *
hostdev_statement_find (const char *code)
{
  for (int i = 0; i < HOSTDEV_SAYS_LAST; i++)
    if (strcmp (get_index ()[i]->code, code) == 0)
      return get_index ()[i];
  return NULL;
}

/* The name in braces that @text begins with: "{guest}". @behind: (out): what follows it. */
static char *
read_name (const char *text, const char **behind)
{
  const char *end = text + 1;

  while (g_ascii_islower (*end) || *end == '-')
    end++;
  if (*text != '{' || *end != '}' || end == text + 1)
    return NULL;
  *behind = end + 1;
  return g_strndup (text + 1, (gsize) (end - text - 1));
}

static const char *
find_word (const char *name, const HostdevWord *words, gsize count)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp (words[i].name, name) == 0)
      return words[i].value;
  return NULL;
}

char *
hostdev_statement_fill (const char *text, const HostdevWord *words, gsize count)
{
  GString *filled = g_string_new (NULL);

  while (*text != '\0')
    {
      const char *behind;
      g_autofree char *name = read_name (text, &behind);
      const char *value = name == NULL ? NULL : find_word (name, words, count);

      if (name != NULL && value == NULL)
        g_critical ("nothing to put for {%s}", name);
      if (value == NULL)
        {
          g_string_append_c (filled, *text++);
          continue;
        }
      g_string_append (filled, value);
      text = behind;
    }
  return g_string_free (filled, FALSE);
}

char *
hostdev_statement_show (const char *text)
{
  GString *shown = g_string_new (NULL);

  while (*text != '\0')
    {
      const char *behind;
      g_autofree char *name = read_name (text, &behind);
      g_autofree char *upper = name == NULL ? NULL : g_ascii_strup (name, -1);

      if (upper == NULL)
        {
          g_string_append_c (shown, *text++);
          continue;
        }
      g_string_append (shown, upper);
      text = behind;
    }
  return g_string_free (shown, FALSE);
}

const char *
hostdev_severity_to_string (HostdevSeverity severity)
{
  static const char *const names[] = { "refuse", "warn", "advise" };

  return names[severity];
}
