/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-edit.h"

#include <glib/gi18n.h>
#include <string.h>

/* Where an element stands in the text. */
typedef struct
{
  gsize begin;     /* of "<name" */
  gsize tag_end;   /* after the ">" of the tag that begins it */
  gsize close_tag; /* of "</name"; the same as tag_end for <name/> */
  gsize end;       /* after all of it */
} Span;

struct _CliEdit
{
  GString *text;
  gsize max;
  xmlDoc *document;
  GArray *spans; /* Span, in the order of the tags that begin them; node->_private is index + 1 */
};

void
cli_edit_free (CliEdit *edit)
{
  if (edit == NULL)
    return;
  g_string_free (edit->text, TRUE);
  g_clear_pointer (&edit->document, xmlFreeDoc);
  g_array_unref (edit->spans);
  g_free (edit);
}

static gsize
after (const char *text, gsize from, const char *what)
{
  return (gsize) (strstr (text + from, what) - text) + strlen (what);
}

/* Past the ">" of the tag at @from; one within a value is no end. */
static gsize
skip_tag (const char *text, gsize from)
{
  char quote = '\0';

  for (; text[from] != '>' || quote != '\0'; from++)
    if (quote != '\0')
      quote = text[from] == quote ? '\0' : quote;
    else if (text[from] == '"' || text[from] == '\'')
      quote = text[from];
  return from + 1;
}

/* Of XML that libxml2 has read, without a document type: what is left of the grammar is little. */
static void
find_spans (CliEdit *edit)
{
  const char *text = edit->text->str;
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (guint));
  const char *next;

  g_array_set_size (edit->spans, 0);
  for (gsize i = 0; (next = strchr (text + i, '<')) != NULL;)
    {
      i = (gsize) (next - text);
      if (g_str_has_prefix (next, "<!--"))
        i = after (text, i + 4, "-->");
      else if (g_str_has_prefix (next, "<![CDATA["))
        i = after (text, i, "]]>");
      else if (next[1] == '?')
        i = after (text, i, "?>");
      else if (next[1] == '/')
        {
          guint last = g_array_index (open, guint, open->len - 1);
          Span *span = &g_array_index (edit->spans, Span, last);

          g_array_set_size (open, open->len - 1);
          span->close_tag = i;
          span->end = i = skip_tag (text, i);
        }
      else
        {
          Span span = { .begin = i, .tag_end = skip_tag (text, i) };

          i = span.tag_end;
          span.close_tag = span.end = i;
          if (text[i - 2] != '/')
            g_array_append_vals (open, &edit->spans->len, 1);
          g_array_append_val (edit->spans, span);
        }
    }
}

/* Gives every element its number, in the order that they begin in; returns the next one. */
static guintptr
number_nodes (xmlNode *node, guintptr next)
{
  for (; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE)
      {
        node->_private = (gpointer) next;
        next = number_nodes (node->children, next + 1);
      }
  return next;
}

static gboolean
read_text (CliEdit *edit, GError **error)
{
  g_clear_pointer (&edit->document, xmlFreeDoc);
  edit->document
      = common_xml_read (edit->text->str, (gssize) edit->text->len, (gssize) edit->max, error);
  if (edit->document == NULL)
    return FALSE;
  find_spans (edit);
  if (number_nodes (edit->document->children, 1) == edit->spans->len + 1)
    return TRUE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML, _ ("this is no XML"));
  return FALSE;
}

CliEdit *
cli_edit_new (const char *xml, gsize length, gsize max, GError **error)
{
  g_autoptr (CliEdit) edit = g_new0 (CliEdit, 1);

  edit->text = g_string_new_len (xml, (gssize) length);
  edit->max = max;
  edit->spans = g_array_new (FALSE, FALSE, sizeof (Span));
  return read_text (edit, error) ? g_steal_pointer (&edit) : NULL;
}

const char *
cli_edit_get_text (const CliEdit *edit, gsize *length)
{
  *length = edit->text->len;
  return edit->text->str;
}

xmlNode *
cli_edit_get_root (const CliEdit *edit)
{
  return xmlDocGetRootElement (edit->document);
}

static Span
get_span (const CliEdit *edit, const xmlNode *node)
{
  return g_array_index (edit->spans, Span, (guintptr) node->_private - 1);
}

/* What we write is well-formed, and only a little more of it. */
static void
replace (CliEdit *edit, gsize from, gsize to, const char *with)
{
  g_autoptr (GError) error = NULL;

  g_string_erase (edit->text, (gssize) from, (gssize) (to - from));
  g_string_insert (edit->text, (gssize) from, with);
  edit->max = MAX (edit->max, edit->text->len);
  if (!read_text (edit, &error))
    g_error ("a change of XML: %s", error->message);
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the attribute stands in the tag: from its name on, and its value within the quotes. */
static gboolean
find_attribute (const char *text, Span span, const char *name, gsize *begin, gsize *value,
                gsize *value_end)
{
  gsize i = span.begin + 1;

  while (!is_space (text[i]) && text[i] != '/' && text[i] != '>')
    i++;
  for (;;)
    {
      gsize length;

      while (is_space (text[i]))
        i++;
      if (text[i] == '/' || text[i] == '>')
        return FALSE;
      *begin = i;
      while (text[i] != '=' && !is_space (text[i]))
        i++;
      length = i - *begin;
      while (text[i] != '"' && text[i] != '\'')
        i++;
      *value = i + 1;
      *value_end = (gsize) (strchr (text + *value, text[i]) - text);
      i = *value_end + 1;
      if (length == strlen (name) && strncmp (text + *begin, name, length) == 0)
        return TRUE;
    }
}

void
cli_edit_set_attribute (CliEdit *edit, const xmlNode *node, const char *name, const char *value)
{
  const char *text = edit->text->str;
  Span span = get_span (edit, node);
  gsize begin, from, to;

  if (find_attribute (text, span, name, &begin, &from, &to))
    {
      if (value != NULL)
        {
          replace (edit, from, to, value);
          return;
        }
      while (is_space (text[begin - 1]))
        begin--;
      replace (edit, begin, to + 1, "");
    }
  else if (value != NULL)
    {
      g_autofree char *attribute = g_strdup_printf (" %s='%s'", name, value);
      gsize end = span.tag_end - (text[span.tag_end - 2] == '/' ? 2 : 1);

      while (is_space (text[end - 1]))
        end--;
      replace (edit, end, end, attribute);
    }
}

/* The element's name as the text has it, with its prefix. */
static char *
tag_name (const CliEdit *edit, Span span)
{
  const char *name = edit->text->str + span.begin + 1;

  return g_strndup (name, strcspn (name, " \t\r\n/>"));
}

/* Replaces <name/> by <name></name> with something between. */
static void
fill_empty (CliEdit *edit, Span span, const char *content)
{
  g_autofree char *name = tag_name (edit, span);
  g_autofree char *with = g_strdup_printf (">%s</%s>", content, name);

  replace (edit, span.tag_end - 2, span.tag_end, with);
}

static gboolean
is_empty_tag (const CliEdit *edit, Span span)
{
  return edit->text->str[span.tag_end - 2] == '/';
}

void
cli_edit_set_content (CliEdit *edit, const xmlNode *node, const char *content)
{
  Span span = get_span (edit, node);

  if (is_empty_tag (edit, span))
    fill_empty (edit, span, content);
  else
    replace (edit, span.tag_end, span.close_tag, content);
}

/* The white space before what is at @place on its line; NULL where something else is there. */
static char *
indent_of (const CliEdit *edit, gsize place)
{
  const char *text = edit->text->str;
  gsize begin = place;

  while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\t'))
    begin--;
  if (begin > 0 && text[begin - 1] != '\n')
    return NULL;
  return g_strndup (text + begin, place - begin);
}

/* The lines of @element, each after a line end as the text has them, and @indent. */
static char *
lay_out (const CliEdit *edit, const char *indent, const char *element)
{
  const char *line_end = strstr (edit->text->str, "\r\n") != NULL ? "\r\n" : "\n";
  g_auto (GStrv) lines = g_strsplit (element, "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    if (indent != NULL)
      g_string_append_printf (out, "%s%s%s", line_end, indent, lines[i]);
    else
      g_string_append (out, g_strchug (lines[i]));
  return g_string_free (out, FALSE);
}

void
cli_edit_add_after (CliEdit *edit, const xmlNode *node, const char *element)
{
  Span span = get_span (edit, node);
  g_autofree char *indent = indent_of (edit, span.begin);
  g_autofree char *text = lay_out (edit, indent, element);

  replace (edit, span.end, span.end, text);
}

void
cli_edit_add_within (CliEdit *edit, const xmlNode *parent, const char *element)
{
  const xmlNode *last = xmlLastElementChild ((xmlNode *) parent);
  Span span = get_span (edit, parent);
  g_autofree char *indent = NULL;
  g_autofree char *deeper = NULL;
  g_autofree char *text = NULL;
  g_autofree char *closed = NULL;

  if (last != NULL)
    {
      cli_edit_add_after (edit, last, element);
      return;
    }
  indent = indent_of (edit, span.begin);
  deeper = indent != NULL ? g_strconcat (indent, "  ", NULL) : NULL;
  text = lay_out (edit, deeper, element);
  if (is_empty_tag (edit, span))
    {
      g_autofree char *before = lay_out (edit, indent, "");

      closed = g_strconcat (text, before, NULL);
      fill_empty (edit, span, closed);
    }
  else
    replace (edit, span.tag_end, span.tag_end, text);
}

void
cli_edit_remove (CliEdit *edit, const xmlNode *node)
{
  const char *text = edit->text->str;
  Span span = get_span (edit, node);
  g_autofree char *indent = indent_of (edit, span.begin);
  gsize from = span.begin, to = span.end;

  if (indent != NULL && text[to + strspn (text + to, " \t\r")] == '\n')
    {
      from -= strlen (indent);
      to += strspn (text + to, " \t\r") + 1;
    }
  replace (edit, from, to, "");
}
