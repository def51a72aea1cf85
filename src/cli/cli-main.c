/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli-commands.h"
#include "cli/cli-json.h"
#include "cli/cli-terminal.h"

static const CliCommand *
find_command (const char *name, GError **error)
{
  for (guint i = 0; cli_commands[i] != NULL; i++)
    if (g_str_equal (cli_commands[i]->name, name))
      return cli_commands[i];
  g_set_error (error, CLI_USAGE_ERROR, 0,
               _ ("There is no command “%s”; “virt-ppc64 help” lists those that there are."), name);
  return NULL;
}

static void
report (const CliOptions *options, const GError *error)
{
  g_autofree char *message = cli_text_clean (error->message, TRUE);

  g_printerr ("virt-ppc64: %s\n", message);
  if (options->json)
    cli_json_print_error (cli_exit_error_name (error), error->message);
}

/* Runs the command that argv begins with. */
static CliExit
run_command (const CliCommand *command, CliOptions *options, GStrv *argv)
{
  g_autoptr (GError) error = NULL;
  CliExit ending = command->run (options, argv, &error);

  if (error == NULL)
    return ending;
  report (options, error);
  return command->exit_for_error (error);
}

/* What stands before the command, and which one it is: NULL where all is said and done. */
static const CliCommand *
choose (CliOptions *options, GStrv *argv, GError **error)
{
  gboolean version = FALSE;
  const GOptionEntry own[] = {
    { "version", 'V', 0, G_OPTION_ARG_NONE, &version, N_ ("Show the version"), NULL },
    { NULL },
  };
  guint words;

  if (!cli_options_parse (options, NULL, own, argv, error))
    return NULL;
  if (version)
    {
      g_print ("virt-ppc64 %s\n", PACKAGE_VERSION);
      return NULL;
    }
  words = g_strv_length (*argv) - 1;
  if (words == 0)
    {
      g_set_error (error, CLI_USAGE_ERROR, 0,
                   _ ("A command is missing; “virt-ppc64 help” lists them."));
      return NULL;
    }
  if (g_str_equal ((*argv)[1], "help"))
    {
      options->help = TRUE;
      if (words > 1)
        {
          g_free ((*argv)[1]);
          (*argv)[1] = g_strdup ((*argv)[2]);
          return find_command ((*argv)[1], error);
        }
      cli_options_parse (options, NULL, own, argv, error);
      return NULL;
    }
  return find_command ((*argv)[1], error);
}

static CliExit
run (char **arguments)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (GStrv) argv = g_strdupv (arguments);
  g_auto (GStrv) rest = NULL;
  g_autoptr (GError) error = NULL;
  const CliCommand *command = choose (&options, &argv, &error);

  if (error != NULL)
    {
      report (&options, error);
      return cli_exit_for_error (error);
    }
  if (command == NULL)
    return CLI_EXIT_OK;
  rest = g_strdupv (argv + 1);
  return run_command (command, &options, &rest);
}

/* Whether who read our output went, as head(1) does: then there is nobody to complain to. It is no
 * SIGPIPE that ends us: GIO ignores that signal once it has a socket. */
static gboolean
is_reader_gone (void)
{
  struct pollfd output = { STDOUT_FILENO, POLLOUT, 0 };

  return poll (&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

int
main (int argc, char **argv)
{
  CliExit ending;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("virt-ppc64");

  ending = run (argv);
  if (fflush (stdout) != 0 || ferror (stdout))
    {
      if (!is_reader_gone ())
        g_printerr (_ ("virt-ppc64: standard output could not be written.\n"));
      return ending != CLI_EXIT_OK ? ending : CLI_EXIT_FAILED;
    }
  return ending;
}
