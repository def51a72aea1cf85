/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-terminal.h"

/**
 * CliTable: rows and columns for people. Columns are as wide as their widest cell, counted in
 * columns of the terminal, two spaces apart; the last one is folded where the terminal ends. No
 * cell's text can steer the terminal (cli_text_clean).
 */
typedef struct _CliTable CliTable;

/**
 * cli_table_new:
 * @indent: spaces before each row
 * @titles: (nullable): a title for each column, translated; NULL for a table without a head
 * @n_columns: how many columns there are
 */
CliTable *cli_table_new (guint indent, const char *const *titles, guint n_columns);
void cli_table_free (CliTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTable, cli_table_free)

/** cli_table_add: the next cell, left to right, row by row. NULL is an empty one. */
void cli_table_add (CliTable *table, CliStyle style, const char *text);
void cli_table_add_format (CliTable *table, CliStyle style, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** cli_table_align_right: the numbers of a column end in line. */
void cli_table_align_right (CliTable *table, guint column);

/** cli_table_to_string: the table, folded at @width columns (0: not). To be freed. */
char *cli_table_to_string (const CliTable *table, guint width);

/** cli_table_print: the table on standard output. */
void cli_table_print (const CliTable *table);
