/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-remedy.h"

#include "cli/cli-terminal.h"

static void
part_free (gpointer data)
{
  CliRemedyPart *part = data;

  g_free (part->text);
  g_free (part);
}

/* Behind the tag that begins at @tag; NULL where none does. *depth goes up or down with it. */
static const char *
skip_tag (const char *tag, int *depth)
{
  gboolean closes = tag[1] == '/';
  const char *end;

  if (tag[0] != '<' || !g_ascii_isalpha (tag[closes ? 2 : 1]))
    return NULL;
  end = strchr (tag, '>');
  if (end == NULL)
    return NULL;
  if (closes)
    *depth -= 1;
  else if (end[-1] != '/')
    *depth += 1;
  return end + 1;
}

/* Behind the elements that begin at @start, with white space at most between them; NULL where
 * there is none, or one that does not end. */
static const char *
skip_elements (const char *start)
{
  const char *behind = NULL;
  int depth = 0;

  for (const char *c = start; *c != '\0';)
    {
      const char *next = skip_tag (c, &depth);

      if (next == NULL && depth <= 0 && !g_ascii_isspace (*c))
        break;
      c = next != NULL ? next : c + 1;
      if (next != NULL && depth == 0)
        behind = c;
    }
  return behind;
}

/* @behind_xml: the text goes on after an element; a sentence's end is not taken over to a new line.
 */
static void
add_part (GPtrArray *parts, gboolean xml, gboolean behind_xml, const char *start, const char *end)
{
  g_autofree char *text = NULL;
  CliRemedyPart *part;

  if (behind_xml)
    start += strspn (start, ".,;");
  text = g_strstrip (g_strndup (start, (gsize) (MAX (end, start) - start)));
  if (*text == '\0')
    return;
  part = g_new0 (CliRemedyPart, 1);
  part->xml = xml;
  part->text = g_steal_pointer (&text);
  g_ptr_array_add (parts, part);
}

GPtrArray *
cli_remedy_split (const char *remedy)
{
  GPtrArray *parts = g_ptr_array_new_with_free_func (part_free);
  const char *start = remedy;
  const char *c = remedy;

  while (*c != '\0')
    {
      const char *behind = *c == '<' ? skip_elements (c) : NULL;

      if (behind == NULL)
        {
          c++;
          continue;
        }
      add_part (parts, FALSE, start != remedy, start, c);
      add_part (parts, TRUE, FALSE, c, behind);
      start = c = behind;
    }
  add_part (parts, FALSE, start != remedy, start, c);
  return parts;
}

char *
cli_remedy_lay_out (const char *xml)
{
  GString *text = g_string_new (NULL);
  int depth = 0;

  for (const char *c = xml; *c != '\0';)
    {
      int before = depth;
      const char *next = skip_tag (c, &depth);

      if (next == NULL)
        {
          g_string_append_c (text, *c++);
          continue;
        }
      if (c > xml && c[-1] == '>')
        g_string_append_printf (text, "\n%*s", 2 * MIN (before, depth), "");
      g_string_append_len (text, c, next - c);
      c = next;
    }
  return g_string_free (text, FALSE);
}

static void
print_xml (guint indent, const char *xml)
{
  g_autofree char *text = cli_remedy_lay_out (xml);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint n = 0; lines[n] != NULL; n++)
    {
      g_autofree char *clean = cli_text_clean (lines[n], FALSE);

      g_print ("%*s%s\n", (int) indent, "", clean);
    }
}

void
cli_remedy_print (guint indent, const char *remedy)
{
  g_autoptr (GPtrArray) parts = cli_remedy_split (remedy);

  for (guint i = 0; i < parts->len; i++)
    {
      const CliRemedyPart *part = g_ptr_array_index (parts, i);

      if (part->xml)
        print_xml (indent + 2, part->text);
      else
        cli_text_print (indent, CLI_STYLE_PLAIN, part->text);
    }
}
