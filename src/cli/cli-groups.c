/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-groups-json.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-table.h"

static CliStyle
state_style (const char *state)
{
  return g_str_equal (state, "normal")    ? CLI_STYLE_GOOD
         : g_str_equal (state, "unknown") ? CLI_STYLE_WARN
                                          : CLI_STYLE_BAD;
}

static void
print_holder (const HostdevGroup *group)
{
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  if (!g_str_equal (group->holder, "none") && *group->holder != '\0')
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("held by"));
      if (group->holder_pid != 0)
        cli_table_add_format (table, CLI_STYLE_WARN, _ ("%s, process %u"), group->holder,
                              group->holder_pid);
      else
        cli_table_add (table, CLI_STYLE_WARN, group->holder);
    }
  if (*group->lease != '\0')
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("leased to"));
      if (*group->domain_uuid != '\0')
        cli_table_add_format (table, CLI_STYLE_PLAIN, "%s (%s)", group->domain_name,
                              group->domain_uuid);
      else
        cli_table_add (table, CLI_STYLE_PLAIN, _ ("a rehearsal"));
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("lease"));
      cli_table_add (table, CLI_STYLE_PLAIN, group->lease);
    }
  cli_table_print (table);
}

/* "4 KiB, 64 KiB, 2 MiB, 1 GiB" */
static char *
page_sizes_text (guint64 mask)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint shift = 0; shift < 64; shift++)
    if ((mask >> shift & 1) != 0)
      {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

        g_string_append_printf (text, "%s%u %s", text->len > 0 ? ", " : "", 1u << shift % 10,
                                units[shift / 10]);
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_windows (const HostdevGroup *group)
{
  g_autofree char *size = g_format_size_full (group->dma32_size, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *pages = page_sizes_text (group->page_sizes);
  g_autofree char *text
      = g_strdup_printf (_ ("DMA windows: %u at a time, the first of %s at 0x%x; pages of %s"),
                         group->windows, size, group->dma32_start, pages);

  cli_text_print (2, CLI_STYLE_PLAIN, text);
}

/* "Intel Corporation 82574L", or the numbers where pci.ids knows neither. */
static char *
function_name (const HostdevFunction *function)
{
  if (*function->device_name != '\0')
    return g_strdup_printf ("%s %s", function->vendor_name, function->device_name);
  return g_strdup_printf ("%s %04x:%04x", function->vendor_name, function->vendor,
                          function->device);
}

static void
add_function (CliTable *table, const HostdevFunction *function)
{
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = function_name (function);

  cli_table_add (table, CLI_STYLE_STRONG, pci_address_format (&function->address, address));
  cli_table_add (table, CLI_STYLE_PLAIN, *function->driver != '\0' ? function->driver : "-");
  if (*function->class_name != '\0')
    cli_table_add_format (table, CLI_STYLE_PLAIN, "%s: %s", function->class_name,
                          g_strstrip (name));
  else
    cli_table_add_format (table, CLI_STYLE_PLAIN, "%06x: %s", function->class, g_strstrip (name));
}

static void
add_note (CliTable *table, CliStyle style, const char *what, const char *text)
{
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add (table, CLI_STYLE_PLAIN, what);
  cli_table_add (table, style, text);
}

static void
add_notes (CliTable *table, const HostdevFunction *function)
{
  char address[PCI_ADDRESS_LEN];

  if (*function->driver_override != '\0')
    add_note (table, CLI_STYLE_PLAIN, _ ("override"), function->driver_override);
  if (function->is_vf)
    add_note (table, CLI_STYLE_PLAIN, _ ("VF of"), pci_address_format (&function->physfn, address));
  if (function->companions->len > 0)
    {
      g_ptr_array_add (function->companions, NULL);
      g_autofree char *text = g_strjoinv (" ", (char **) function->companions->pdata);

      g_ptr_array_set_size (function->companions, (int) function->companions->len - 1);
      add_note (table, CLI_STYLE_PLAIN, _ ("same card"), text);
    }
  for (guint i = 0; i < function->busy->len; i++)
    {
      const HostdevBusy *busy = g_ptr_array_index (function->busy, i);
      g_autofree char *text = g_strdup_printf ("%s: %s", busy->kind, busy->detail);

      add_note (table, CLI_STYLE_WARN, _ ("busy"), text);
    }
}

static void
print_functions (const GPtrArray *functions)
{
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 3);

  for (guint i = 0; i < functions->len; i++)
    {
      add_function (table, g_ptr_array_index (functions, i));
      add_notes (table, g_ptr_array_index (functions, i));
    }
  cli_table_print (table);
}

static void
print_group (const CliOptions *options, const HostdevGroup *group)
{
  g_autofree char *title = NULL;
  g_autofree char *name = cli_text_clean (group->name, FALSE);
  g_autofree char *state = cli_text_clean (group->pe_state, FALSE);

  title = g_strdup_printf (_ ("Group %u"), group->number);
  g_print ("%s%s%s", cli_terminal_style (CLI_STYLE_STRONG), title,
           cli_terminal_style_end (CLI_STYLE_STRONG));
  if (*name != '\0')
    g_print ("  %s", name);
  g_print ("  ");
  g_print (_ ("PHB %04x"), group->phb);
  if (group->has_pe)
    {
      g_print ("  ");
      g_print (_ ("PE %x"), group->pe);
    }
  g_print ("  %s%s%s\n", cli_terminal_style (state_style (group->pe_state)), state,
           cli_terminal_style_end (state_style (group->pe_state)));
  if (options->verbose)
    cli_text_print (2, CLI_STYLE_FAINT, group->pe_state_source);
  if (options->verbose && group->has_windows)
    print_windows (group);
  print_holder (group);
  print_functions (group->members);
}

static void
print_text (const CliOptions *options, const HostdevHost *host, const HostdevGroup *only)
{
  const GPtrArray *groups = hostdev_host_get_groups (host);
  const GPtrArray *ungrouped = hostdev_host_get_ungrouped (host);

  if (only != NULL)
    {
      print_group (options, only);
      return;
    }
  for (guint i = 0; i < groups->len; i++)
    {
      if (i > 0)
        g_print ("\n");
      print_group (options, g_ptr_array_index (groups, i));
    }
  if (groups->len == 0)
    g_print (_ ("This host has no IOMMU group.\n"));
  if (ungrouped->len == 0)
    return;
  g_print ("\n%s%s%s\n", cli_terminal_style (CLI_STYLE_STRONG), _ ("In no group"),
           cli_terminal_style_end (CLI_STYLE_STRONG));
  print_functions (ungrouped);
}

/* The group of the function that the command line names. */
static const HostdevGroup *
find_group (const HostdevHost *host, const char *argument, GError **error)
{
  PciAddress address;
  const HostdevGroup *group = NULL;

  if (!cli_input_address (argument, &address, error))
    return NULL;
  if (hostdev_host_find (host, &address, &group) == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN,
                 _ ("This host has no PCI function %s; “virt-ppc64 groups” lists those it has."),
                 argument);
  else if (group == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_NO_IOMMU_GROUP,
                 _ ("%s is in no IOMMU group, as bridges and root ports are; it cannot be given "
                    "to a guest."),
                 argument);
  return group;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_autoptr (HostdevHost) host = NULL;
  const HostdevGroup *only = NULL;
  PciAddress address;

  if (!cli_options_parse (options, &cli_groups_command, NULL, argv, error)
      || !cli_options_expect (&cli_groups_command, *argv, 0, 1, error))
    return CLI_EXIT_OK;
  if ((*argv)[1] != NULL && !cli_input_address ((*argv)[1], &address, error))
    return CLI_EXIT_USAGE;
  host = cli_input_host (options, error);
  if (host == NULL)
    return CLI_EXIT_FAILED;
  if ((*argv)[1] != NULL)
    {
      only = find_group (host, (*argv)[1], error);
      if (only == NULL)
        return CLI_EXIT_FAILED;
    }
  if (options->json)
    cli_json_print (cli_groups_to_json (host, only));
  else if (!options->quiet)
    print_text (options, host, only);
  return CLI_EXIT_OK;
}

const CliCommand cli_groups_command = {
  "groups", "[ADDRESS]", N_ ("Show the IOMMU groups and who has them"), run, cli_exit_for_error,
};
