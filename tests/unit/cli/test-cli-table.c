/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-table.h"

static CliTable *
new_table (const char *const *cells, guint n_columns)
{
  CliTable *table = cli_table_new (0, NULL, n_columns);

  for (guint i = 0; cells[i] != NULL; i++)
    cli_table_add (table, CLI_STYLE_PLAIN, cells[i]);
  return table;
}

static void
assert_table (const CliTable *table, guint width, const char *expected)
{
  g_autofree char *text = cli_table_to_string (table, width);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_align (void)
{
  const char *const cells[] = { "a", "bb", "c", "dddd", "e", "", NULL };
  g_autoptr (CliTable) table = new_table (cells, 3);

  assert_table (table, 0,
                "a     bb  c\n"
                "dddd  e\n");
}

static void
test_titles_and_indent (void)
{
  const char *const titles[] = { "ADDRESS", "N" };
  g_autoptr (CliTable) table = cli_table_new (2, titles, 2);

  cli_table_align_right (table, 1);
  cli_table_add (table, CLI_STYLE_GOOD, "x");
  cli_table_add_format (table, CLI_STYLE_BAD, "%d", 1234);
  cli_table_add (table, CLI_STYLE_PLAIN, NULL);
  cli_table_add (table, CLI_STYLE_PLAIN, "9");
  assert_table (table, 0,
                "  ADDRESS     N\n"
                "  x        1234\n"
                "              9\n");
}

/* "é" is two bytes and one column, also as e with a combining accent; "漢字" is six bytes and four
 * columns. */
static void
test_display_width (void)
{
  const char *const cells[]
      = { "é", "1", "e\xcc\x81", "2", "漢字", "3", "abcd", "4", "…", "5", NULL };
  g_autoptr (CliTable) table = new_table (cells, 2);

  g_assert_cmpuint (cli_text_width ("é"), ==, 1);
  g_assert_cmpuint (cli_text_width ("e\xcc\x81"), ==, 1);
  g_assert_cmpuint (cli_text_width ("漢字"), ==, 4);
  assert_table (table, 0,
                "é     1\n"
                "e\xcc\x81     2\n"
                "漢字  3\n"
                "abcd  4\n"
                "…     5\n");
}

static void
test_fold (void)
{
  const char *const cells[] = { "step", "one two three four five six seven", "x", "short", NULL };
  g_autoptr (CliTable) table = new_table (cells, 2);

  assert_table (table, 26,
                "step  one two three four\n"
                "      five six seven\n"
                "x     short\n");
  assert_table (table, 0,
                "step  one two three four five six seven\n"
                "x     short\n");
}

/* A word that is wider than the terminal stays whole: paths are to be copied. */
static void
test_fold_keeps_words (void)
{
  const char *const cells[] = { "a", "from /sys/bus/pci/devices/0000:01:00.0/eeh_pe_state", NULL };
  g_autoptr (CliTable) table = new_table (cells, 2);

  assert_table (table, 40,
                "a  from\n"
                "   /sys/bus/pci/devices/0000:01:00.0/eeh_pe_state\n");
}

static void
test_cannot_steer_the_terminal (void)
{
  const char *const cells[] = { "\033[2Jevil\a", "a\nb", "\xff\xfe", "c\xc2\x9b", NULL };
  g_autoptr (CliTable) table = new_table (cells, 2);
  g_autofree char *text = cli_table_to_string (table, 0);

  g_assert_true (g_str_has_prefix (text, "?[2Jevil?  a?b\n"));
  g_assert_null (strchr (text, '\033'));
  g_assert_null (strstr (text, "\xc2\x9b"));
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
test_paragraphs (void)
{
  g_auto (GStrv) lines = cli_text_fold ("aa bb cc\n\ndd", 5);
  const char *const expected[] = { "aa bb", "cc", "", "dd", NULL };

  g_assert_cmpstrv (lines, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/table/align", test_align);
  g_test_add_func ("/cli/table/titles-and-indent", test_titles_and_indent);
  g_test_add_func ("/cli/table/display-width", test_display_width);
  g_test_add_func ("/cli/table/fold", test_fold);
  g_test_add_func ("/cli/table/fold-keeps-words", test_fold_keeps_words);
  g_test_add_func ("/cli/table/cannot-steer-the-terminal", test_cannot_steer_the_terminal);
  g_test_add_func ("/cli/table/paragraphs", test_paragraphs);
  return g_test_run ();
}
