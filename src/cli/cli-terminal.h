/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * What standard output is, and text on it for people.
 *
 * Colour is used on a terminal only, and never with NO_COLOR set to anything (https://no-color.org)
 * or TERM=dumb. It only ever repeats what the text says.
 */
typedef enum
{
  CLI_STYLE_PLAIN,
  CLI_STYLE_STRONG, /* titles */
  CLI_STYLE_GOOD,
  CLI_STYLE_WARN,
  CLI_STYLE_BAD,
  CLI_STYLE_FAINT /* where something was read */
} CliStyle;

/** cli_terminal_is_tty: whether standard output is a terminal. */
gboolean cli_terminal_is_tty (void);

/**
 * cli_terminal_is_interactive: whether there is somebody to ask: standard input and error are
 * terminals.
 */
gboolean cli_terminal_is_interactive (void);

/**
 * cli_terminal_width: columns to fold text at: COLUMNS where it is set, else the terminal's; 0
 * (do not fold) where standard output is no terminal, so that what a program reads stays on a line.
 */
guint cli_terminal_width (void);

/** cli_terminal_style: the escape sequence of a style, "" without colour. */
const char *cli_terminal_style (CliStyle style);
/** … and the one that ends it. */
const char *cli_terminal_style_end (CliStyle style);

/**
 * cli_text_clean: @text, valid UTF-8 or not, without what a terminal would obey: control
 * characters become '?', line ends stay where @multiline. To be freed.
 */
char *cli_text_clean (const char *text, gboolean multiline);

/** cli_text_width: columns that @text takes: wide characters two, combining ones none. */
guint cli_text_width (const char *text);

/**
 * cli_text_print: prints a paragraph, cleaned, folded at cli_terminal_width(), each line behind
 * @indent spaces. The paragraph's own line ends are kept.
 */
void cli_text_print (guint indent, CliStyle style, const char *text);

/** cli_text_fold: @text in lines of at most @width columns (0: one line); a longer word stays
 * whole. */
GStrv cli_text_fold (const char *text, guint width);
