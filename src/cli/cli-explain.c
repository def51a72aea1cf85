/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-json.h"
#include "cli/cli-remedy.h"
#include "cli/cli-table.h"
#include "hostdev/hostdev-statement.h"

/* What a statement makes of a plan: the verdict; or that it is one of its pieces of advice. */
static const char *
severity_text (const HostdevStatement *statement)
{
  if (statement->severity == HOSTDEV_REFUSE)
    return _ ("no");
  if (statement->severity == HOSTDEV_WARN)
    return statement->wish ? _ ("yes, but; no where the guest's metadata requires it")
                           : _ ("yes, but");
  return statement->wish ? _ ("advice; no where the guest's metadata requires it") : _ ("advice");
}

static char *
show (const char *text)
{
  return hostdev_statement_show (_ (text));
}

static void
print_statement (const HostdevStatement *statement)
{
  g_autofree char *sentence = show (statement->sentence);
  g_autofree char *remedy = show (statement->remedy);
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  g_print ("%s%s%s\n", cli_terminal_style (CLI_STYLE_STRONG), statement->code,
           cli_terminal_style_end (CLI_STYLE_STRONG));
  cli_text_print (2, CLI_STYLE_PLAIN, sentence);
  cli_remedy_print (2, remedy);
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("the plan says"));
  cli_table_add (table, CLI_STYLE_PLAIN, severity_text (statement));
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("kind of error"));
  cli_table_add (table, CLI_STYLE_PLAIN, common_error_name (statement->reason));
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("source"));
  cli_table_add (table, CLI_STYLE_FAINT, statement->source);
  cli_table_print (table);
}

static JsonObject *
statement_to_json (const HostdevStatement *statement)
{
  JsonObject *object = json_object_new ();
  g_autofree char *sentence = show (statement->sentence);
  g_autofree char *remedy = show (statement->remedy);

  json_object_set_string_member (object, "code", statement->code);
  json_object_set_string_member (object, "severity",
                                 hostdev_severity_to_string (statement->severity));
  json_object_set_boolean_member (object, "policy", statement->wish);
  json_object_set_string_member (object, "reason", common_error_name (statement->reason));
  json_object_set_string_member (object, "sentence", sentence);
  json_object_set_string_member (object, "remedy", remedy);
  json_object_set_string_member (object, "source", statement->source);
  return object;
}

/* Those that were asked for, in their order; NULL where there is no such code. */
static GPtrArray *
find_all (char **codes, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();

  for (int i = 0; codes[0] == NULL && i < HOSTDEV_SAYS_LAST; i++)
    g_ptr_array_add (found, (gpointer) hostdev_statement_get ((HostdevStatementId) i));
  for (guint i = 0; codes[i] != NULL; i++)
    {
      const HostdevStatement *statement = hostdev_statement_find (codes[i]);

      if (statement == NULL)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("No plan says “%s”; “virt-ppc64 explain --list” has all codes."),
                       codes[i]);
          return NULL;
        }
      g_ptr_array_add (found, (gpointer) statement);
    }
  return g_steal_pointer (&found);
}

static void
print_json (const GPtrArray *statements)
{
  JsonObject *document = cli_json_document_new ();
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < statements->len; i++)
    json_array_add_object_element (array, statement_to_json (g_ptr_array_index (statements, i)));
  json_object_set_array_member (document, "statements", array);
  cli_json_print (document);
}

static void
print_text (const GPtrArray *statements, gboolean list)
{
  for (guint i = 0; i < statements->len; i++)
    {
      const HostdevStatement *statement = g_ptr_array_index (statements, i);

      if (list)
        {
          g_print ("%s\n", statement->code);
          continue;
        }
      if (i > 0)
        g_print ("\n");
      print_statement (statement);
    }
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  gboolean list = FALSE;
  const GOptionEntry entries[] = {
    { "list", 'l', 0, G_OPTION_ARG_NONE, &list, N_ ("List all codes, one a line"), NULL },
    { NULL },
  };
  g_autoptr (GPtrArray) statements = NULL;

  if (!cli_options_parse (options, &cli_explain_command, entries, argv, error)
      || !cli_options_expect (&cli_explain_command, *argv, list ? 0 : 1, list ? 0 : G_MAXUINT,
                              error)
      || !cli_options_need_no_host (options, &cli_explain_command, error))
    return CLI_EXIT_OK;
  statements = find_all (*argv + 1, error);
  if (statements == NULL)
    return CLI_EXIT_FAILED;
  if (options->json)
    print_json (statements);
  else if (!options->quiet)
    print_text (statements, list);
  return CLI_EXIT_OK;
}

const CliCommand cli_explain_command = {
  "explain",
  "CODE... | --list",
  N_ ("Tell what a reason that a plan gives means, what to do, and where it comes from"),
  run,
  cli_exit_for_error,
};
