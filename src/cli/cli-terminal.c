/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* Narrower than this nothing is readable folded either. */
#define WIDTH_MIN 40

gboolean
cli_terminal_is_tty (void)
{
  return isatty (STDOUT_FILENO) == 1;
}

gboolean
cli_terminal_is_interactive (void)
{
  return isatty (STDIN_FILENO) == 1 && isatty (STDERR_FILENO) == 1;
}

guint
cli_terminal_width (void)
{
  const char *columns = g_getenv ("COLUMNS");
  struct winsize size;
  guint64 width;

  if (columns != NULL && g_ascii_string_to_unsigned (columns, 10, WIDTH_MIN, 1000, &width, NULL))
    return (guint) width;
  if (cli_terminal_is_tty () && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return MAX (size.ws_col, WIDTH_MIN);
  return 0;
}

static gboolean
has_colour (void)
{
  const char *no_color = g_getenv ("NO_COLOR");

  return cli_terminal_is_tty () && (no_color == NULL || *no_color == '\0')
         && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
}

const char *
cli_terminal_style (CliStyle style)
{
  static const char *const sequences[] = {
    [CLI_STYLE_PLAIN] = "",        [CLI_STYLE_STRONG] = "\033[1m", [CLI_STYLE_GOOD] = "\033[32m",
    [CLI_STYLE_WARN] = "\033[33m", [CLI_STYLE_BAD] = "\033[31m",   [CLI_STYLE_FAINT] = "\033[2m",
  };

  return has_colour () ? sequences[style] : "";
}

const char *
cli_terminal_style_end (CliStyle style)
{
  return style != CLI_STYLE_PLAIN && has_colour () ? "\033[0m" : "";
}

char *
cli_text_clean (const char *text, gboolean multiline)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar u = g_utf8_get_char (c);

      if (u == '\n' && multiline)
        g_string_append_c (clean, '\n');
      else if (g_unichar_iscntrl (u))
        g_string_append_c (clean, '?');
      else
        g_string_append_unichar (clean, u);
    }
  return g_string_free (clean, FALSE);
}

guint
cli_text_width (const char *text)
{
  guint width = 0;

  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar u = g_utf8_get_char (c);

      if (!g_unichar_iszerowidth (u))
        width += g_unichar_iswide (u) ? 2 : 1;
    }
  return width;
}

/* One paragraph without line ends, folded, appended to @lines. */
static void
fold_paragraph (GPtrArray *lines, const char *text, guint width)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autoptr (GString) line = g_string_new (NULL);

  if (width == 0)
    {
      g_ptr_array_add (lines, g_strdup (text));
      return;
    }
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (i > 0 && cli_text_width (line->str) + 1 + cli_text_width (words[i]) > width)
        {
          g_ptr_array_add (lines, g_strdup (line->str));
          g_string_truncate (line, 0);
        }
      else if (i > 0)
        g_string_append_c (line, ' ');
      g_string_append (line, words[i]);
    }
  g_ptr_array_add (lines, g_strdup (line->str));
}

GStrv
cli_text_fold (const char *text, guint width)
{
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n", -1);
  GPtrArray *lines = g_ptr_array_new ();

  for (guint i = 0; paragraphs[i] != NULL; i++)
    fold_paragraph (lines, paragraphs[i], width);
  /* g_strsplit makes nothing of nothing. */
  if (lines->len == 0)
    g_ptr_array_add (lines, g_strdup (""));
  g_ptr_array_add (lines, NULL);
  return (GStrv) g_ptr_array_free (lines, FALSE);
}

void
cli_text_print (guint indent, CliStyle style, const char *text)
{
  guint width = cli_terminal_width ();
  g_autofree char *clean = cli_text_clean (text, TRUE);
  g_auto (GStrv) lines = cli_text_fold (clean, width > indent ? width - indent : width);

  for (guint i = 0; lines[i] != NULL; i++)
    g_print ("%*s%s%s%s\n", (int) indent, "", cli_terminal_style (style), lines[i],
             cli_terminal_style_end (style));
}
