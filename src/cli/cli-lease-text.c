/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-lease-text.h"

#include <glib/gi18n.h>

#include "cli/cli-inspection-text.h"
#include "cli/cli-table.h"
#include "common/pci-address.h"

static const char *
phase_text (const char *phase)
{
  static const char *const phases[][2] = {
    { "intent", N_ ("being taken from the host") },
    { "prepared", N_ ("ready for the guest") },
    { "active", N_ ("in the guest") },
    { "releasing", N_ ("being given back") },
    { "pending", N_ ("not given back yet") },
  };

  return cli_lease_explain (phases, G_N_ELEMENTS (phases), phase, "");
}

static const char *
or_none (const char *driver)
{
  return *driver != '\0' ? driver : _ ("no driver");
}

/* Where it sits: in the kernel's tree, and on the machine. */
static void
add_slot (CliTable *table, GVariant *member, gboolean verbose)
{
  const char *slot = cli_lease_get (member, "slot");
  const char *name = cli_lease_get (member, "slot-name");

  if (!verbose || *slot == '\0')
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add_format (table, CLI_STYLE_FAINT, *name == '\0' ? "%s" : _ ("%s, slot %s"), slot,
                        name);
}

/* "0001:00:01.0 (PHB#1-PE#1, pci@800000020000001)", as the guest's log and device tree have it. */
static void
add_guest_address (CliTable *table, GVariant *member)
{
  const char *guest = cli_lease_get (member, "guest-address");
  g_autoptr (GString) more = g_string_new (NULL);
  PciAddress address;
  guint64 buid;
  guint32 pe;

  if (pci_address_parse (guest, &address, NULL) && g_variant_lookup (member, "guest-pe", "u", &pe))
    g_string_append_printf (more, "PHB#%x-PE#%x", address.domain, pe);
  if (g_variant_lookup (member, "guest-buid", "t", &buid))
    g_string_append_printf (more, "%spci@%" G_GINT64_MODIFIER "x", more->len == 0 ? "" : ", ",
                            buid);
  if (*guest == '\0' && more->len == 0)
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("in the guest: %s (%s)"),
                        *guest == '\0' ? _ ("behind a bridge") : guest, more->str);
}

static void
add_members (CliTable *table, GVariant *lease, gboolean verbose)
{
  g_autoptr (GVariant) members
      = g_variant_lookup_value (lease, "members", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = members != NULL ? g_variant_n_children (members) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) member = g_variant_get_child_value (members, i);

      cli_table_add (table, CLI_STYLE_PLAIN, i == 0 ? _ ("taken") : "");
      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%s: %s now, %s before"),
                            cli_lease_get (member, "address"),
                            or_none (cli_lease_get (member, "driver-now")),
                            or_none (cli_lease_get (member, "driver")));
      add_slot (table, member, verbose);
      add_guest_address (table, member);
    }
}

static void
add_lease (CliTable *table, GVariant *lease, gboolean verbose)
{
  const char *phase = cli_lease_get (lease, "phase");
  gint64 since;

  cli_table_add (table, CLI_STYLE_PLAIN, _ ("phase"));
  cli_table_add_format (table, g_str_equal (phase, "pending") ? CLI_STYLE_BAD : CLI_STYLE_PLAIN,
                        "%s: %s", phase, phase_text (phase));
  if (g_variant_lookup (lease, "since", "x", &since))
    {
      g_autoptr (GDateTime) moment = g_date_time_new_from_unix_local (since);
      g_autofree char *text = moment != NULL ? g_date_time_format (moment, "%F %T") : NULL;

      cli_table_add (table, CLI_STYLE_PLAIN, _ ("since"));
      cli_table_add (table, CLI_STYLE_PLAIN, text);
    }
  if (verbose)
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("lease"));
      cli_table_add (table, CLI_STYLE_PLAIN, cli_lease_get (lease, "lease"));
    }
  add_members (table, lease, verbose);
}

/* What keeps a lease from its end, and what somebody can do about it. */
static void
print_left (GVariant *lease)
{
  const char *left = cli_lease_get (lease, "left");
  const char *command = cli_lease_get (lease, "command");

  if (!g_str_equal (cli_lease_get (lease, "phase"), "pending"))
    return;
  cli_text_print (2, CLI_STYLE_WARN,
                  *left != '\0' ? left : _ ("The helper does not say what is left."));
  cli_text_print (2, CLI_STYLE_PLAIN,
                  _ ("The helper goes on by itself as soon as it can: end what still holds the "
                     "device, or put right what is named above."));
  if (*command != '\0')
    {
      g_autofree char *line = g_strdup_printf (_ ("This brings it to its end: %s"), command);

      cli_text_print (2, CLI_STYLE_STRONG, line);
    }
}

static void
print_title (const CliLease *lease)
{
  g_autofree char *address = cli_text_clean (lease->address, FALSE);
  g_autofree char *name = cli_text_clean (cli_lease_get (lease->lease, "domain-name"), FALSE);
  g_autofree char *uuid = cli_text_clean (cli_lease_get (lease->lease, "domain-uuid"), FALSE);

  g_print ("%s%s%s", cli_terminal_style (CLI_STYLE_STRONG), address,
           cli_terminal_style_end (CLI_STYLE_STRONG));
  if (lease->lease == NULL)
    g_print ("  %s", _ ("no lease"));
  else if (*uuid == '\0')
    g_print ("  %s", _ ("rehearsal"));
  else
    g_print ("  %s (%s)", name, uuid);
  g_print ("\n");
}

/* Of a group that nobody holds an inspection says nothing. */
static void
add_pe_state (CliTable *table, const CliLease *lease, gboolean verbose)
{
  const char *value, *source;

  if (lease->lease == NULL || !cli_lease_get_fact (lease->lease, "pe-state", &value, &source)
      || (lease->inspection != NULL
          && cli_lease_get_fact (lease->inspection, "pe-state", &value, &source)))
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("PE state"));
  cli_table_add (table, g_str_equal (value, "normal") ? CLI_STYLE_GOOD : CLI_STYLE_BAD, value);
  if (!verbose)
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add (table, CLI_STYLE_FAINT, source);
}

void
cli_lease_print (const CliLease *lease, gboolean verbose)
{
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  print_title (lease);
  if (lease->lease != NULL)
    add_lease (table, lease->lease, verbose);
  if (lease->inspection != NULL)
    cli_inspection_add (table, lease->inspection, verbose);
  add_pe_state (table, lease, verbose);
  cli_table_print (table);
  if (lease->error != NULL)
    cli_text_print (2, CLI_STYLE_BAD, lease->error->message);
  if (lease->lease != NULL)
    print_left (lease->lease);
}
