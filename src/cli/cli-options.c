/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-options.h"

#include <glib/gi18n.h>

#include "cli/cli-commands.h"

void
cli_options_clear (CliOptions *options)
{
  g_clear_pointer (&options->host_file, g_free);
  g_clear_pointer (&options->simulate, g_free);
}

static char *
list_commands (void)
{
  GString *text = g_string_new (_ ("Commands:"));

  for (guint i = 0; cli_commands[i] != NULL; i++)
    g_string_append_printf (text, "\n  %-10s%s", cli_commands[i]->name,
                            _ (cli_commands[i]->summary));
  return g_string_free (text, FALSE);
}

static gboolean
check_hosts (const CliOptions *options, GError **error)
{
  if (options->simulate == NULL || (options->host_file == NULL && *options->simulate != '\0'))
    return TRUE;
  g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                       *options->simulate == '\0' ? _ ("--simulate needs a file or an address.")
                                                  : _ ("--host and --simulate do not go together: "
                                                       "each names a host by itself."));
  return FALSE;
}

static GOptionContext *
new_context (const CliCommand *command)
{
  g_autofree char *usage = command != NULL
                               ? g_strdup_printf ("%s %s", command->name, command->arguments)
                               : g_strdup (_ ("COMMAND ..."));
  GOptionContext *context = g_option_context_new (usage);
  g_autofree char *summary = command != NULL ? g_strdup (_ (command->summary)) : list_commands ();

  g_option_context_set_summary (context, summary);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, command == NULL);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  return context;
}

gboolean
cli_options_parse (CliOptions *options, const CliCommand *command, const GOptionEntry *own,
                   GStrv *argv, GError **error)
{
  const GOptionEntry common[] = {
    { "help", 'h', 0, G_OPTION_ARG_NONE, &options->help, N_ ("Show this help"), NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &options->json, N_ ("Write one JSON object"), NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet,
      N_ ("Write nothing but errors; the exit code is the answer"), NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, N_ ("Show where each fact was read"),
      NULL },
    { "host", 0, 0, G_OPTION_ARG_FILENAME, &options->host_file,
      N_ ("Read the host from a description, not from the helper"), N_ ("FILE") },
    { "simulate", 0, 0, G_OPTION_ARG_FILENAME, &options->simulate,
      N_ ("Ask a simulated host: one described in a file, or one that runs at an address"),
      N_ ("FILE|ADDRESS") },
    { NULL },
  };
  g_autoptr (GOptionContext) context = new_context (command);

  if (own != NULL)
    g_option_context_add_main_entries (context, own, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, common, GETTEXT_PACKAGE);
  if (!g_option_context_parse_strv (context, argv, error))
    {
      /* GOption takes back what it read before the mistake; the error is told as was asked. */
      if (g_strv_contains ((const char *const *) *argv, "--json")
          || g_strv_contains ((const char *const *) *argv, "-j"))
        options->json = TRUE;
      return FALSE;
    }
  if (options->help)
    {
      g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);

      g_print ("%s", help);
      return FALSE;
    }
  return check_hosts (options, error);
}

gboolean
cli_options_expect (const CliCommand *command, GStrv argv, guint min, guint max, GError **error)
{
  guint given = g_strv_length (argv) - 1;

  if (given >= min && given <= max)
    return TRUE;
  g_set_error (error, CLI_USAGE_ERROR, 0, _ ("Usage: virt-ppc64 %s %s"), command->name,
               command->arguments);
  return FALSE;
}

gboolean
cli_options_need_no_host (const CliOptions *options, const CliCommand *command, GError **error)
{
  if (options->host_file == NULL && options->simulate == NULL)
    return TRUE;
  g_set_error (error, CLI_USAGE_ERROR, 0,
               _ ("“%s” looks at no host: --host and --simulate do not go with it."),
               command->name);
  return FALSE;
}

gboolean
cli_options_need_helper (const CliOptions *options, const CliCommand *command, GError **error)
{
  if (options->host_file == NULL)
    return TRUE;
  g_set_error (error, CLI_USAGE_ERROR, 0,
               _ ("“%s” is about this host, as it is now: --host does not go with it."),
               command->name);
  return FALSE;
}
