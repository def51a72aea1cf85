/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-lease-text.h"

#include <glib/gi18n.h>

#include "cli/cli-table.h"

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

  for (gsize i = 0; i < G_N_ELEMENTS (phases); i++)
    if (g_str_equal (phases[i][0], phase))
      return _ (phases[i][1]);
  return "";
}

static CliStyle
value_style (const char *value)
{
  static const char *const good[]
      = { "xive-native", "xics-on-xive", "xics", "in-kernel", "enabled", "normal", NULL };

  if (g_strv_contains (good, value))
    return CLI_STYLE_GOOD;
  return g_str_equal (value, "unknown") ? CLI_STYLE_WARN : CLI_STYLE_BAD;
}

static void
add_source (CliTable *table, const char *source, gboolean verbose)
{
  if (!verbose || *source == '\0')
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add (table, CLI_STYLE_FAINT, source);
}

static void
add_fact (CliTable *table, const char *what, GVariant *dict, const char *key, gboolean verbose)
{
  const char *value, *source;

  if (!cli_lease_get_fact (dict, key, &value, &source))
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, what);
  cli_table_add (table, value_style (value), value);
  add_source (table, source, verbose);
}

static void
add_vectors (CliTable *table, GVariant *inspection, gboolean verbose)
{
  guint32 enabled, passed;
  const char *source = "";
  gboolean knows_enabled = g_variant_lookup (inspection, "vectors", "u", &enabled);
  gboolean knows_passed
      = g_variant_lookup (inspection, "vectors-passed-through", "(u&s)", &passed, &source);

  if (!knows_enabled && !knows_passed)
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("vectors"));
  if (knows_enabled && knows_passed)
    cli_table_add_format (table, CLI_STYLE_PLAIN,
                          _ ("%u enabled on the function, %u of the group "
                             "passed through"),
                          enabled, passed);
  else if (knows_enabled)
    cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%u enabled on the function"), enabled);
  else
    cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%u of the group passed through"), passed);
  add_source (table, source, verbose);
}

static void
add_vector_list (CliTable *table, GVariant *inspection)
{
  GVariantIter *vectors;
  const char *address, *name;
  guint32 number;
  guint64 count;

  if (!g_variant_lookup (inspection, "vector-list", "a(ssut)", &vectors))
    return;
  while (g_variant_iter_next (vectors, "(&s&sut)", &address, &name, &number, &count))
    {
      g_autofree char *handled = g_strdup_printf ("%" G_GUINT64_FORMAT, count);

      cli_table_add (table, CLI_STYLE_PLAIN, "");
      cli_table_add_format (table, CLI_STYLE_PLAIN,
                            _ ("%s %s, interrupt %u: %s handled by the host"), address, name,
                            number, handled);
    }
  g_variant_iter_free (vectors);
}

static void
add_inspection (CliTable *table, GVariant *inspection, gboolean verbose)
{
  guint32 number;

  if (!g_variant_lookup (inspection, "holder-pid", "u", &number))
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("held by"));
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("nobody"));
      return;
    }
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("held by"));
  cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("process %u"), number);
  add_fact (table, _ ("interrupts"), inspection, "interrupts", verbose);
  add_vectors (table, inspection, verbose);
  if (verbose)
    add_vector_list (table, inspection);
  add_fact (table, _ ("DMA"), inspection, "dma", verbose);
  if (verbose && g_variant_lookup (inspection, "tce-tables", "u", &number))
    {
      cli_table_add (table, CLI_STYLE_PLAIN, "");
      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("TCE tables in the kernel: %u"), number);
    }
  add_fact (table, _ ("EEH"), inspection, "eeh", verbose);
  add_fact (table, _ ("PE state"), inspection, "pe-state", verbose);
}

static const char *
or_none (const char *driver)
{
  return *driver != '\0' ? driver : _ ("no driver");
}

static void
add_members (CliTable *table, GVariant *lease)
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
  add_members (table, lease);
}

/* What keeps a lease from its end, and what somebody can do about it. */
static void
print_left (GVariant *lease)
{
  const char *left = cli_lease_get (lease, "left");

  if (!g_str_equal (cli_lease_get (lease, "phase"), "pending"))
    return;
  cli_text_print (2, CLI_STYLE_WARN,
                  *left != '\0' ? left : _ ("The helper does not say what is left."));
  cli_text_print (2, CLI_STYLE_PLAIN,
                  _ ("The helper goes on by itself as soon as it can: end what still holds the "
                     "device, or put right what is named above; nothing needs to be released by "
                     "hand."));
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
    g_print (_ ("  no lease"));
  else if (*uuid == '\0')
    g_print (_ ("  rehearsal"));
  else
    g_print ("  %s (%s)", name, uuid);
  g_print ("\n");
}

void
cli_lease_print (const CliLease *lease, gboolean verbose)
{
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  print_title (lease);
  if (lease->lease != NULL)
    add_lease (table, lease->lease, verbose);
  if (lease->inspection != NULL)
    add_inspection (table, lease->inspection, verbose);
  cli_table_print (table);
  if (lease->error != NULL)
    cli_text_print (2, CLI_STYLE_BAD, lease->error->message);
  if (lease->lease != NULL)
    print_left (lease->lease);
}
