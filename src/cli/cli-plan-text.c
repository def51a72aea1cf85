/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-plan-text.h"

#include <glib/gi18n.h>

#include "cli/cli-remedy.h"
#include "cli/cli-table.h"

CliVerdict
cli_plan_verdict (const HostdevPlan *plan)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  if (!hostdev_plan_is_allowed (plan))
    return CLI_VERDICT_NO;
  for (guint i = 0; i < reasons->len; i++)
    if (((const HostdevReason *) reasons->pdata[i])->severity == HOSTDEV_WARN)
      return CLI_VERDICT_BUT;
  return CLI_VERDICT_YES;
}

CliExit
cli_exit_for_plan (const HostdevPlan *plan)
{
  static const CliExit exits[] = {
    [CLI_VERDICT_YES] = CLI_EXIT_OK,
    [CLI_VERDICT_BUT] = CLI_EXIT_BUT,
    [CLI_VERDICT_NO] = CLI_EXIT_REFUSED,
  };

  return exits[cli_plan_verdict (plan)];
}

/* The verdict, as a whole sentence for each case, so that it can be translated. */
static char *
verdict_text (HostdevOperation operation, CliVerdict verdict, const char *guest)
{
  gboolean yes = verdict == CLI_VERDICT_YES;

  if (operation == HOSTDEV_OPERATION_START && verdict == CLI_VERDICT_NO)
    return g_strdup_printf (_ ("The guest “%s” cannot be started with its devices."), guest);
  if (operation == HOSTDEV_OPERATION_START)
    return g_strdup_printf (
        yes ? _ ("The guest “%s” can be started with its devices.")
            : _ ("The guest “%s” can be started with its devices, but see the warnings."),
        guest);
  if (operation == HOSTDEV_OPERATION_DETACH && verdict == CLI_VERDICT_NO)
    return g_strdup_printf (_ ("The guest “%s” cannot give the device back."), guest);
  if (operation == HOSTDEV_OPERATION_DETACH)
    return g_strdup_printf (
        yes ? _ ("The guest “%s” can give the device back.")
            : _ ("The guest “%s” can give the device back, but see the warnings."),
        guest);
  if (verdict == CLI_VERDICT_NO)
    return g_strdup_printf (_ ("The guest “%s” cannot get the device."), guest);
  return g_strdup_printf (yes ? _ ("The guest “%s” can get the device.")
                              : _ ("The guest “%s” can get the device, but see the warnings."),
                          guest);
}

static CliStyle
verdict_style (CliVerdict verdict)
{
  return verdict == CLI_VERDICT_NO    ? CLI_STYLE_BAD
         : verdict == CLI_VERDICT_BUT ? CLI_STYLE_WARN
                                      : CLI_STYLE_GOOD;
}

static CliStyle
severity_style (HostdevSeverity severity)
{
  return severity == HOSTDEV_REFUSE ? CLI_STYLE_BAD
         : severity == HOSTDEV_WARN ? CLI_STYLE_WARN
                                    : CLI_STYLE_STRONG;
}

static const char *
severity_title (HostdevSeverity severity)
{
  return severity == HOSTDEV_REFUSE ? _ ("Refused")
         : severity == HOSTDEV_WARN ? _ ("Warning")
                                    : _ ("Advice");
}

static void
print_reason (const HostdevReason *reason)
{
  char address[PCI_ADDRESS_LEN];

  g_print ("\n%s%s%s  %s", cli_terminal_style (severity_style (reason->severity)),
           severity_title (reason->severity),
           cli_terminal_style_end (severity_style (reason->severity)), reason->statement->code);
  if (reason->has_address)
    g_print ("  %s", pci_address_format (&reason->address, address));
  g_print ("\n");
  cli_text_print (2, CLI_STYLE_PLAIN, reason->sentence);
  if (*reason->remedy != '\0')
    cli_remedy_print (2, reason->remedy);
}

void
cli_plan_print_reasons (const HostdevPlan *plan)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    print_reason (g_ptr_array_index (reasons, i));
}

static char *
join_addresses (const GPtrArray *addresses)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < addresses->len; i++)
    {
      char address[PCI_ADDRESS_LEN];

      if (i > 0)
        g_string_append_c (text, ' ');
      g_string_append (text, pci_address_format (g_ptr_array_index (addresses, i), address));
    }
  return g_string_free (text, FALSE);
}

static void
add_row (CliTable *table, const char *what, const char *value)
{
  cli_table_add (table, CLI_STYLE_PLAIN, what);
  cli_table_add (table, CLI_STYLE_PLAIN, value);
}

static void
add_expectation (CliTable *table, const char *what, const HostdevExpectation *expectation,
                 gboolean verbose)
{
  if (expectation->value == NULL)
    return;
  add_row (table, what, expectation->value);
  if (verbose && expectation->source != NULL)
    {
      cli_table_add (table, CLI_STYLE_PLAIN, "");
      cli_table_add (table, CLI_STYLE_FAINT, expectation->source);
    }
}

static void
add_places (CliTable *table, const HostdevPlanDevice *device)
{
  g_autofree char *taken = join_addresses (device->taken);
  g_autofree char *companions = join_addresses (device->companions);
  g_autofree char *along = join_addresses (device->along);

  if (device->network != NULL)
    {
      g_autofree char *network = cli_text_clean (device->network, FALSE);

      add_row (table, _ ("of network"), network);
    }
  if (device->has_group)
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("IOMMU group"));
      cli_table_add_format (table, CLI_STYLE_PLAIN, "%u %s", device->group,
                            device->group_name != NULL ? device->group_name : "");
    }
  if (*taken != '\0')
    add_row (table, _ ("leaves the host"), taken);
  if (*along != '\0')
    add_row (table, _ ("comes along"), along);
  if (*companions != '\0')
    add_row (table, _ ("not for the guest"), companions);
  if (device->has_phb)
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("PHB of the guest"));
      cli_table_add_format (table, CLI_STYLE_PLAIN, "%u", device->phb_index);
    }
  if (device->has_seat)
    {
      char address[PCI_ADDRESS_LEN];

      add_row (table, _ ("address in the guest"), pci_address_format (&device->seat, address));
    }
  if (device->has_zpci)
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("zPCI uid and fid"));
      cli_table_add_format (table, CLI_STYLE_PLAIN, "0x%04x 0x%08x", device->uid, device->fid);
    }
}

static void
print_device (const HostdevPlanDevice *device, HostdevOperation operation, gboolean verbose)
{
  char address[PCI_ADDRESS_LEN];
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  g_print ("\n%s%s%s", cli_terminal_style (CLI_STYLE_STRONG),
           pci_address_format (&device->address, address),
           cli_terminal_style_end (CLI_STYLE_STRONG));
  if (device->alias != NULL)
    {
      g_autofree char *alias = cli_text_clean (device->alias, FALSE);

      g_print ("  %s", alias);
    }
  g_print ("\n");
  add_places (table, device);
  if (operation != HOSTDEV_OPERATION_DETACH)
    {
      add_expectation (table, _ ("interrupts"), &device->interrupts, verbose);
      add_expectation (table, _ ("DMA"), &device->dma, verbose);
      add_expectation (table, _ ("EEH"), &device->eeh, verbose);
    }
  cli_table_print (table);
}

void
cli_plan_print (const HostdevPlan *plan, const HostdevDomain *domain, gboolean verbose)
{
  const GPtrArray *devices = hostdev_plan_get_devices (plan);
  HostdevOperation operation = hostdev_plan_get_operation (plan);
  gboolean allowed = hostdev_plan_is_allowed (plan);
  CliVerdict verdict = cli_plan_verdict (plan);
  g_autofree char *text = verdict_text (operation, verdict, hostdev_domain_get_name (domain));

  cli_text_print (0, verdict_style (verdict), text);
  cli_plan_print_reasons (plan);
  /* What a guest would have of a device that it does not get, is of no use to most. */
  for (guint i = 0; (allowed || verbose) && i < devices->len; i++)
    print_device (g_ptr_array_index (devices, i), operation, verbose);
}
