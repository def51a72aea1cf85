/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <stdio.h>

#include "cli/cli-capture.h"
#include "cli/cli-commands.h"
#include "cli/cli-host-xml.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-table.h"

/* What each capability means to somebody who runs guests. */
static const char *const meanings[HOSTDEV_CAP_POWER_LAST] = {
  [HOSTDEV_CAP_KVM_HV] = N_ ("KVM HV guests"),
  [HOSTDEV_CAP_HOST_XIVE] = N_ ("XIVE interrupts for the host itself"),
  [HOSTDEV_CAP_XIVE_NATIVE] = N_ ("native XIVE interrupts in the kernel"),
  [HOSTDEV_CAP_XICS] = N_ ("XICS interrupts in the kernel"),
  [HOSTDEV_CAP_IRQ_BYPASS] = N_ ("device interrupts that bypass the host"),
  [HOSTDEV_CAP_SPAPR_TCE] = N_ ("TCE tables in the kernel"),
  [HOSTDEV_CAP_SPAPR_TCE_VFIO] = N_ ("TCE tables in the kernel that drive the hardware's"),
  [HOSTDEV_CAP_VFIO_SPAPR_V2] = N_ ("VFIO with pre-registered memory"),
  [HOSTDEV_CAP_EEH] = N_ ("EEH for the host itself"),
  [HOSTDEV_CAP_VFIO_EEH] = N_ ("EEH for guests"),
};

/* Those that make the sentences about guests, in their order. */
static const HostdevCapability guest_capabilities[] = {
  HOSTDEV_CAP_XIVE_NATIVE,    HOSTDEV_CAP_XICS,     HOSTDEV_CAP_IRQ_BYPASS,
  HOSTDEV_CAP_SPAPR_TCE_VFIO, HOSTDEV_CAP_VFIO_EEH,
};

static const char *
answer_name (HostdevAnswer answer)
{
  return answer == HOSTDEV_YES ? "yes" : answer == HOSTDEV_NO ? "no" : "unknown";
}

static const char *
answer_text (HostdevAnswer answer)
{
  return answer == HOSTDEV_YES ? _ ("yes") : answer == HOSTDEV_NO ? _ ("no") : _ ("unknown");
}

static CliStyle
answer_style (HostdevAnswer answer)
{
  return answer == HOSTDEV_YES  ? CLI_STYLE_GOOD
         : answer == HOSTDEV_NO ? CLI_STYLE_BAD
                                : CLI_STYLE_WARN;
}

static HostdevAnswer
ask (const HostdevHost *host, HostdevCapability capability)
{
  return hostdev_host_get_capability (host, capability).answer;
}

static HostdevAnswer
ask_for_guests (const HostdevHost *host, HostdevCapability capability)
{
  if (capability == HOSTDEV_CAP_XIVE_NATIVE && hostdev_host_has_small_pages (host))
    return HOSTDEV_NO;
  return ask (host, capability);
}

/* What guests have with that answer, as a list in words; NULL where there is nothing. */
static char *
list_guest (const HostdevHost *host, HostdevAnswer answer)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (guest_capabilities); i++)
    if (ask_for_guests (host, guest_capabilities[i]) == answer)
      g_ptr_array_add (names, (gpointer) _ (meanings[guest_capabilities[i]]));
  if (names->len == 0)
    return NULL;
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (GStrv) names->pdata);
}

/* What guests can have here, in words. */
static char *
describe (const HostdevHost *host)
{
  g_autofree char *yes = list_guest (host, HOSTDEV_YES);
  g_autofree char *no = list_guest (host, HOSTDEV_NO);
  g_autofree char *unknown = list_guest (host, HOSTDEV_UNKNOWN);
  GString *text = g_string_new (NULL);

  if (ask (host, HOSTDEV_CAP_KVM_HV) == HOSTDEV_NO)
    return g_string_free (
        g_string_append (text, _ ("There can be no KVM guests here, so none with devices.")),
        FALSE);
  if (yes != NULL)
    g_string_append_printf (text, _ ("Guests can have: %s."), yes);
  if (no != NULL)
    g_string_append_printf (text, _ ("\nThey cannot have: %s."), no);
  if (unknown != NULL)
    g_string_append_printf (text, _ ("\nNot known: %s."), unknown);
  if (ask_for_guests (host, HOSTDEV_CAP_XIVE_NATIVE) == HOSTDEV_NO
      && ask (host, HOSTDEV_CAP_XICS) == HOSTDEV_YES)
    g_string_append (text,
                     _ ("\nQEMU emulates a guest's interrupts here, unless the guest is started "
                        "with ic-mode=xics, which keeps them in the kernel."));
  return g_string_free (g_string_erase (text, 0, text->str[0] == '\n' ? 1 : 0), FALSE);
}

static void
print_identity (const HostdevHost *host)
{
  const char *const rows[][2] = {
    { N_ ("Platform"), hostdev_host_get_platform (host) },
    { N_ ("Kernel"), hostdev_host_get_kernel (host) },
    { N_ ("CPU"), hostdev_host_get_cpu (host) },
    { N_ ("Model"), hostdev_host_get_model (host) },
    { N_ ("Firmware"), hostdev_host_get_firmware (host) },
    { N_ ("Simulated"), hostdev_host_get_simulated (host) },
  };
  g_autoptr (CliTable) table = cli_table_new (0, NULL, 2);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i][1] != NULL && *rows[i][1] != '\0')
      {
        cli_table_add (table, CLI_STYLE_STRONG, _ (rows[i][0]));
        cli_table_add (table, CLI_STYLE_PLAIN, rows[i][1]);
      }
  if (hostdev_host_get_page_size (host) != 0)
    {
      cli_table_add (table, CLI_STYLE_STRONG, _ ("Page size"));
      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%u bytes"),
                            hostdev_host_get_page_size (host));
    }
  if (hostdev_host_get_memory (host) != 0)
    {
      g_autofree char *all = g_format_size_full ((guint64) hostdev_host_get_memory (host) << 20,
                                                 G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *available = g_format_size_full (
          (guint64) hostdev_host_get_memory_available (host) << 20, G_FORMAT_SIZE_IEC_UNITS);

      cli_table_add (table, CLI_STYLE_STRONG, _ ("Memory"));
      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%s, of which %s can be given away"), all,
                            available);
    }
  cli_table_print (table);
}

/* How the host's own EEH is set, and what it has counted. */
static void
print_eeh (const HostdevHost *host)
{
  const char *const titles[] = { "EEH", "", _ ("READ FROM") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  const GPtrArray *settings = hostdev_host_get_eeh (host);

  if (settings->len == 0)
    return;
  for (guint i = 0; i < settings->len; i++)
    {
      const HostdevSetting *setting = g_ptr_array_index (settings, i);
      gboolean bad
          = g_str_equal (setting->name, "recovery") && !g_str_equal (setting->value, "enabled");

      cli_table_add (table, CLI_STYLE_PLAIN, setting->name);
      cli_table_add (table, bad ? CLI_STYLE_BAD : CLI_STYLE_PLAIN, setting->value);
      cli_table_add (table, CLI_STYLE_FAINT, setting->source);
    }
  cli_table_print (table);
  g_print ("\n");
}

static void
print_text (const HostdevHost *host)
{
  const char *const titles[] = { _ ("CAPABILITY"), "", _ ("READ FROM") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  g_autofree char *summary = describe (host);

  print_identity (host);
  g_print ("\n");
  for (int i = 0; i < HOSTDEV_CAP_POWER_LAST; i++)
    {
      HostdevFact fact = hostdev_host_get_capability (host, (HostdevCapability) i);

      cli_table_add (table, CLI_STYLE_PLAIN, hostdev_capability_name ((HostdevCapability) i));
      cli_table_add (table, answer_style (fact.answer), answer_text (fact.answer));
      cli_table_add (table, CLI_STYLE_FAINT, fact.source);
    }
  cli_table_print (table);
  g_print ("\n");
  print_eeh (host);
  cli_text_print (0, CLI_STYLE_PLAIN, summary);
}

static JsonObject *
eeh_to_json (const HostdevHost *host)
{
  const GPtrArray *settings = hostdev_host_get_eeh (host);
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < settings->len; i++)
    {
      const HostdevSetting *setting = g_ptr_array_index (settings, i);

      cli_json_set_fact (object, setting->name, setting->value, setting->source);
    }
  return object;
}

static JsonObject *
to_json (const HostdevHost *host)
{
  JsonObject *document = cli_json_document_new ();
  JsonObject *object = json_object_new ();
  JsonObject *capabilities = json_object_new ();

  cli_json_set_text (object, "platform", hostdev_host_get_platform (host));
  cli_json_set_text (object, "kernel", hostdev_host_get_kernel (host));
  cli_json_set_text (object, "cpu", hostdev_host_get_cpu (host));
  cli_json_set_text (object, "model", hostdev_host_get_model (host));
  cli_json_set_text (object, "firmware", hostdev_host_get_firmware (host));
  json_object_set_int_member (object, "page-size", hostdev_host_get_page_size (host));
  if (hostdev_host_get_memory (host) != 0)
    {
      json_object_set_int_member (object, "memory", hostdev_host_get_memory (host));
      json_object_set_int_member (object, "memory-available",
                                  hostdev_host_get_memory_available (host));
    }
  for (int i = 0; i < HOSTDEV_CAP_POWER_LAST; i++)
    {
      HostdevFact fact = hostdev_host_get_capability (host, (HostdevCapability) i);

      cli_json_set_fact (capabilities, hostdev_capability_name ((HostdevCapability) i),
                         answer_name (fact.answer), fact.source);
    }
  json_object_set_object_member (object, "capabilities", capabilities);
  json_object_set_object_member (object, "eeh", eeh_to_json (host));
  json_object_set_object_member (document, "host", object);
  return document;
}

static void
print_xml (const HostdevHost *host)
{
  g_autofree char *xml = cli_host_to_xml (host);

  /* Not g_print: the XML is UTF-8 whatever the locale says. */
  fputs (xml, stdout);
}

static CliExit
capture (const CliOptions *options, gboolean xml, GError **error)
{
  g_autoptr (GVariant) description = NULL;
  g_autofree char *text = NULL;

  if (xml || !cli_options_need_helper (options, &cli_host_command, error))
    {
      if (xml)
        g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                             _ ("--xml and --capture are two forms: one of them."));
      return CLI_EXIT_USAGE;
    }
  description = cli_input_description (options, error);
  if (description == NULL)
    return CLI_EXIT_FAILED;
  text = cli_capture_to_xml (description, error);
  if (text == NULL)
    return CLI_EXIT_FAILED;
  fputs (text, stdout);
  return CLI_EXIT_OK;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  gboolean xml = FALSE;
  gboolean captured = FALSE;
  const GOptionEntry entries[] = {
    { "xml", 0, 0, G_OPTION_ARG_NONE, &xml,
      N_ ("Write a description of the host, for --host on any machine"), NULL },
    { "capture", 0, 0, G_OPTION_ARG_NONE, &captured,
      N_ ("Write the host for --simulate on any machine, without what is personal"), NULL },
    { NULL },
  };
  g_autoptr (HostdevHost) host = NULL;

  if (!cli_options_parse (options, &cli_host_command, entries, argv, error)
      || !cli_options_expect (&cli_host_command, *argv, 0, 0, error))
    return CLI_EXIT_OK;
  if (options->json && (xml || captured))
    {
      g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                           _ ("--json goes with neither --xml nor --capture: these are XML."));
      return CLI_EXIT_USAGE;
    }
  if (captured)
    return capture (options, xml, error);
  host = cli_input_host (options, error);
  if (host == NULL)
    return CLI_EXIT_FAILED;
  if (xml)
    print_xml (host);
  else if (options->json)
    cli_json_print (to_json (host));
  else if (!options->quiet)
    print_text (host);
  return CLI_EXIT_OK;
}

const CliCommand cli_host_command = {
  "host", "", N_ ("Show what this host can give to guests"), run, cli_exit_for_error,
};
