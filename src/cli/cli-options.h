/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-exit.h"

/** CliOptions: what every command understands, before its name or after it. */
typedef struct
{
  gboolean help;
  gboolean json;    /* one JSON object on standard output, see virt-ppc64(1) */
  gboolean quiet;   /* nothing on standard output: the exit code is the answer */
  gboolean verbose; /* where each fact was read */
  char *host_file;  /* a host description instead of the helper's; NULL: ask the helper */
  char *simulate;   /* a simulated host, as of cli_simulated_open; NULL: this one */
} CliOptions;

void cli_options_clear (CliOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliOptions, cli_options_clear)

/** CliCommand: one word after virt-ppc64. */
typedef struct
{
  const char *name;
  const char *arguments; /* of the line of usage: "[ADDRESS]"; untranslated */
  const char *summary;   /* marked with N_() */

  /**
   * run: does it. @argv: the words after the command's name, which is argv[0]; run takes it over
   * and may change it.
   *
   * Returns: how to end; where @error is set, exit_for_error tells.
   */
  CliExit (*run) (CliOptions *options, GStrv *argv, GError **error);
  CliExit (*exit_for_error) (const GError *error);
} CliCommand;

/**
 * cli_options_parse: takes the options out of *argv.
 * @command: whose; NULL for the words before a command, of which the first that is no option ends
 *   the options
 * @own: (nullable): the options that only @command has, ending in a zeroed one
 *
 * Returns: FALSE with an error of CLI_USAGE_ERROR or G_OPTION_ERROR; or FALSE and no error where
 * help was asked for, which is then on standard output.
 */
gboolean cli_options_parse (CliOptions *options, const CliCommand *command, const GOptionEntry *own,
                            GStrv *argv, GError **error);

/** cli_options_expect: that from @min to @max words are left after argv[0]. */
gboolean
cli_options_expect (const CliCommand *command, GStrv argv, guint min, guint max, GError **error);

/** cli_options_need_no_host: that no host is named for a command that looks at none. */
gboolean
cli_options_need_no_host (const CliOptions *options, const CliCommand *command, GError **error);

/** cli_options_need_helper: that no host description stands in for the helper. */
gboolean
cli_options_need_helper (const CliOptions *options, const CliCommand *command, GError **error);
