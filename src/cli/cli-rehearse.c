/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <unistd.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-table.h"

/* One step, as text; "" for what the helper left out. Valid as long as the dictionary. */
typedef struct
{
  const char *name, *title, *result, *errno_name, *meaning, *detail;
  gint32 errnum;
  guint64 usec;
} Step;

static Step
read_step (GVariant *dict)
{
  Step step = { "", "", "", "", "", "", 0, 0 };

  g_variant_lookup (dict, "name", "&s", &step.name);
  g_variant_lookup (dict, "title", "&s", &step.title);
  g_variant_lookup (dict, "result", "&s", &step.result);
  g_variant_lookup (dict, "errno-name", "&s", &step.errno_name);
  g_variant_lookup (dict, "meaning", "&s", &step.meaning);
  g_variant_lookup (dict, "detail", "&s", &step.detail);
  g_variant_lookup (dict, "errno", "i", &step.errnum);
  g_variant_lookup (dict, "usec", "t", &step.usec);
  return step;
}

static const char *
result_text (const char *result)
{
  if (g_str_equal (result, "ok"))
    return _ ("ok");
  if (g_str_equal (result, "failed"))
    return _ ("failed");
  if (g_str_equal (result, "skipped"))
    return _ ("skipped");
  return result;
}

static CliStyle
result_style (const char *result)
{
  return g_str_equal (result, "ok")       ? CLI_STYLE_GOOD
         : g_str_equal (result, "failed") ? CLI_STYLE_BAD
                                          : CLI_STYLE_WARN;
}

/* Progress goes to standard error, so that standard output holds the result alone: on a terminal
 * one line that changes, else a line a step. */
static void
show_progress (GVariant *dict, gpointer data)
{
  Step step = read_step (dict);
  g_autofree char *title = cli_text_clean (*step.title != '\0' ? step.title : step.name, FALSE);
  g_autofree char *result = cli_text_clean (result_text (step.result), FALSE);

  if (isatty (STDERR_FILENO))
    g_printerr ("\r\033[K%s: %s", title, result);
  else
    g_printerr ("%s: %s\n", title, result);
}

static void
end_progress (void)
{
  if (isatty (STDERR_FILENO))
    g_printerr ("\r\033[K");
}

static void
ignore_progress (GVariant *dict, gpointer data)
{
}

static char *
format_time (guint64 usec)
{
  if (usec < 1000)
    return g_strdup_printf (_ ("%u us"), (guint) usec);
  if (usec < 1000 * 1000)
    return g_strdup_printf (_ ("%.1f ms"), (double) usec / 1000);
  return g_strdup_printf (_ ("%.1f s"), (double) usec / (1000 * 1000));
}

static void
add_step (CliTable *table, const Step *step, gboolean verbose)
{
  g_autofree char *took = format_time (step->usec);
  const char *meaning = *step->meaning != '\0' ? step->meaning : step->detail;

  cli_table_add (table, CLI_STYLE_PLAIN, step->name);
  cli_table_add (table, result_style (step->result), result_text (step->result));
  cli_table_add (table, CLI_STYLE_PLAIN, step->errno_name);
  cli_table_add (table, CLI_STYLE_PLAIN, took);
  if (verbose && meaning == step->meaning && *step->detail != '\0')
    cli_table_add_format (table, CLI_STYLE_PLAIN, "%s (%s)", meaning, step->detail);
  else
    cli_table_add (table, CLI_STYLE_PLAIN, meaning);
}

static void
print_text (const char *address, gboolean passed, GVariant *steps, gboolean verbose)
{
  const char *const titles[] = { _ ("STEP"), _ ("RESULT"), _ ("ERRNO"), _ ("TIME"), _ ("MEANING") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  g_autofree char *verdict
      = g_strdup_printf (passed ? _ ("%s passed: this kernel can do for it what was rehearsed.")
                                : _ ("%s did not pass: a guest would not get what failed here."),
                         address);
  GVariantIter iter;
  GVariant *dict;

  cli_table_align_right (table, 3);
  g_variant_iter_init (&iter, steps);
  while (g_variant_iter_loop (&iter, "@a{sv}", &dict))
    {
      Step step = read_step (dict);

      add_step (table, &step, verbose);
    }
  cli_table_print (table);
  g_print ("\n");
  cli_text_print (0, passed ? CLI_STYLE_GOOD : CLI_STYLE_BAD, verdict);
}

static JsonObject *
step_to_json (GVariant *dict)
{
  Step step = read_step (dict);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", step.name);
  cli_json_set_text (object, "title", step.title);
  json_object_set_string_member (object, "result", step.result);
  if (step.errnum != 0)
    json_object_set_int_member (object, "errno", step.errnum);
  cli_json_set_text (object, "errno-name", step.errno_name);
  cli_json_set_text (object, "meaning", step.meaning);
  cli_json_set_text (object, "detail", step.detail);
  json_object_set_int_member (object, "usec", (gint64) step.usec);
  return object;
}

static void
print_json (const char *address, gboolean passed, GVariant *steps)
{
  JsonObject *document = cli_json_document_new ();
  JsonObject *rehearsal = json_object_new ();
  JsonArray *array = json_array_new ();
  GVariantIter iter;
  GVariant *dict;

  g_variant_iter_init (&iter, steps);
  while (g_variant_iter_loop (&iter, "@a{sv}", &dict))
    json_array_add_object_element (array, step_to_json (dict));
  json_object_set_string_member (rehearsal, "address", address);
  json_object_set_boolean_member (rehearsal, "passed", passed);
  json_object_set_array_member (rehearsal, "steps", array);
  json_object_set_object_member (document, "rehearsal", rehearsal);
  cli_json_print (document);
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_autoptr (CliHelper) helper = NULL;
  g_autoptr (GVariant) steps = NULL;
  PciAddress address;
  char text[PCI_ADDRESS_LEN];
  gboolean passed = FALSE;
  gboolean silent;

  if (!cli_options_parse (options, &cli_rehearse_command, NULL, argv, error)
      || !cli_options_expect (&cli_rehearse_command, *argv, 1, 1, error)
      || !cli_options_need_helper (options, &cli_rehearse_command, error)
      || !cli_input_address ((*argv)[1], &address, error))
    return CLI_EXIT_OK;
  helper = cli_helper_open (options->simulate, error);
  if (helper == NULL)
    return CLI_EXIT_FAILED;
  silent = options->quiet || options->json;
  pci_address_format (&address, text);
  steps = cli_helper_rehearse (helper, text, silent ? ignore_progress : show_progress, NULL,
                               &passed, error);
  if (!silent)
    end_progress ();
  if (steps == NULL)
    return CLI_EXIT_FAILED;
  if (options->json)
    print_json (text, passed, steps);
  else if (!options->quiet)
    print_text (text, passed, steps, options->verbose);
  return passed ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

const CliCommand cli_rehearse_command = {
  "rehearse",
  "ADDRESS",
  N_ ("Try on a device, with a throw-away VM, all that a guest would need of the kernel"),
  run,
  cli_exit_for_refusal,
};
