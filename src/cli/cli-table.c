/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-table.h"

#define GAP 2
/* Room that the last column keeps, however narrow the terminal is. */
#define LAST_COLUMN_MIN 16

typedef struct
{
  char *text;
  CliStyle style;
} Cell;

struct _CliTable
{
  guint indent;
  guint n_columns;
  guint64 right; /* a bit for each column that is aligned to the right */
  GArray *cells; /* Cell, row by row, the titles first */
};

static void
cell_clear (gpointer data)
{
  g_free (((Cell *) data)->text);
}

CliTable *
cli_table_new (guint indent, const char *const *titles, guint n_columns)
{
  CliTable *table = g_new0 (CliTable, 1);

  g_assert (n_columns > 0 && n_columns <= 64);
  table->indent = indent;
  table->n_columns = n_columns;
  table->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (table->cells, cell_clear);
  for (guint i = 0; titles != NULL && i < n_columns; i++)
    cli_table_add (table, CLI_STYLE_STRONG, titles[i]);
  return table;
}

void
cli_table_free (CliTable *table)
{
  if (table == NULL)
    return;
  g_array_unref (table->cells);
  g_free (table);
}

void
cli_table_add (CliTable *table, CliStyle style, const char *text)
{
  Cell cell = { cli_text_clean (text != NULL ? text : "", FALSE), style };

  g_array_append_val (table->cells, cell);
}

void
cli_table_add_format (CliTable *table, CliStyle style, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  cli_table_add (table, style, text);
}

void
cli_table_align_right (CliTable *table, guint column)
{
  g_assert (column < table->n_columns);
  table->right |= G_GUINT64_CONSTANT (1) << column;
}

/* The widths of the columns, and in *before the columns taken before the last one. */
static guint *
measure (const CliTable *table, guint *before)
{
  guint *widths = g_new0 (guint, table->n_columns);

  for (guint i = 0; i < table->cells->len; i++)
    {
      guint column = i % table->n_columns;

      widths[column]
          = MAX (widths[column], cli_text_width (g_array_index (table->cells, Cell, i).text));
    }
  *before = table->indent;
  for (guint i = 0; i + 1 < table->n_columns; i++)
    *before += widths[i] + GAP;
  return widths;
}

static void
append_padding (GString *out, guint width)
{
  for (guint i = 0; i < width; i++)
    g_string_append_c (out, ' ');
}

static void
append_styled (GString *out, CliStyle style, const char *text)
{
  if (*text != '\0')
    g_string_append_printf (out, "%s%s%s", cli_terminal_style (style), text,
                            cli_terminal_style_end (style));
}

static void
append_last (GString *out, const Cell *cell, guint before, guint padding, guint width)
{
  guint room = width == 0 ? 0 : MAX (width > before ? width - before : 0, LAST_COLUMN_MIN);
  g_auto (GStrv) lines = cli_text_fold (cell->text, room);

  append_padding (out, padding);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (i > 0)
        append_padding (out, before);
      append_styled (out, cell->style, lines[i]);
      while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate (out, out->len - 1);
      g_string_append_c (out, '\n');
    }
}

char *
cli_table_to_string (const CliTable *table, guint width)
{
  guint before;
  g_autofree guint *widths = measure (table, &before);
  GString *out = g_string_new (NULL);

  g_assert (table->cells->len % table->n_columns == 0);
  for (guint i = 0; i < table->cells->len; i++)
    {
      const Cell *cell = &g_array_index (table->cells, Cell, i);
      guint column = i % table->n_columns;
      gboolean right = (table->right & (G_GUINT64_CONSTANT (1) << column)) != 0;
      guint padding = widths[column] - cli_text_width (cell->text);

      if (column == 0)
        append_padding (out, table->indent);
      if (column + 1 == table->n_columns)
        {
          append_last (out, cell, before, right ? padding : 0, width);
          continue;
        }
      append_padding (out, right ? padding : 0);
      append_styled (out, cell->style, cell->text);
      append_padding (out, (right ? 0 : padding) + GAP);
    }
  return g_string_free (out, FALSE);
}

void
cli_table_print (const CliTable *table)
{
  g_autofree char *text = cli_table_to_string (table, cli_terminal_width ());

  g_print ("%s", text);
}
