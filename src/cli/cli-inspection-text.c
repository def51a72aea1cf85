/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-inspection-text.h"

#include <glib/gi18n.h>

#include "cli/cli-lease.h"

static CliStyle
value_style (const char *value)
{
  static const char *const good[]
      = { "xive-native", "xics-on-xive", "xics", "in-kernel", "enabled", "normal", "yes", NULL };

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

/* Why an interrupt does not go straight to the guest, or may not; the reasons are those of Inspect
 * (data/org.libvirt.Ppc64.KvmHelper1.xml). */
static const char *
reason_text (const char *reason)
{
  static const char *const reasons[][2] = {
    { "handled", N_ ("the host's handler had it") },
    { "bypass-off", N_ ("the bypass is switched off (kvm_irq_bypass)") },
    { "emulated", N_ ("QEMU emulates the guest's interrupt controller") },
    { "xics", N_ ("the guest has XICS on a host without XIVE") },
    { "platform", N_ ("there is no bypass on this platform") },
    { "limit", N_ ("beyond the number that KVM passes on") },
    { "refused", N_ ("KVM does not hand it over, a rehearsal saw") },
    { "intx", N_ ("INTx is never passed on") },
    { "never", N_ ("it never came so far") },
    { "no-guest", N_ ("the holder has no virtual machine") },
    { "none-at-host", N_ ("the host's handler never had it") },
    { "rehearsed", N_ ("the host's handler never had it, and the rehearsal saw it pass") },
  };

  return cli_lease_explain (reasons, G_N_ELEMENTS (reasons), reason, reason);
}

static const char *
path_text (const char *path)
{
  return g_str_equal (path, "guest")  ? _ ("straight to the guest")
         : g_str_equal (path, "host") ? _ ("by the host")
                                      : _ ("not known");
}

static CliStyle
path_style (const char *path)
{
  return g_str_equal (path, "guest")  ? CLI_STYLE_GOOD
         : g_str_equal (path, "host") ? CLI_STYLE_BAD
                                      : CLI_STYLE_WARN;
}

static void
add_vector (CliTable *table, GVariant *vector)
{
  const char *path, *source;
  guint32 number = 0;
  guint64 count = 0;

  if (!cli_lease_get_fact (vector, "path", &path, &source))
    return;
  g_variant_lookup (vector, "irq", "u", &number);
  g_variant_lookup (vector, "host-count", "t", &count);
  g_autofree char *handled = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add_format (table, path_style (path),
                        _ ("%s %s, interrupt %u, %s times at the host: %s: %s"),
                        cli_lease_get (vector, "function"), cli_lease_get (vector, "name"), number,
                        handled, path_text (path), reason_text (cli_lease_get (vector, "reason")));
}

/* Without the list: how many go another way than straight to the guest, by reason. */
static void
add_other_ways (CliTable *table, GVariant *vectors)
{
  g_autoptr (GPtrArray) seen = g_ptr_array_new ();
  gsize count = g_variant_n_children (vectors);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) vector = g_variant_get_child_value (vectors, i);
      const char *path, *source, *reason = cli_lease_get (vector, "reason");
      guint same = 0;

      if (!cli_lease_get_fact (vector, "path", &path, &source) || g_str_equal (path, "guest")
          || g_ptr_array_find_with_equal_func (seen, reason, g_str_equal, NULL))
        continue;
      for (gsize j = i; j < count; j++)
        {
          g_autoptr (GVariant) other = g_variant_get_child_value (vectors, j);

          same += g_str_equal (cli_lease_get (other, "reason"), reason) ? 1 : 0;
        }
      g_ptr_array_add (seen, (gpointer) reason);
      cli_table_add (table, CLI_STYLE_PLAIN, "");
      cli_table_add_format (table, path_style (path), "%u %s: %s", same, path_text (path),
                            reason_text (reason));
    }
}

static void
add_vector_list (CliTable *table, GVariant *inspection, gboolean verbose)
{
  g_autoptr (GVariant) vectors
      = g_variant_lookup_value (inspection, "vector-list", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = vectors != NULL ? g_variant_n_children (vectors) : 0;

  if (count > 0 && !verbose)
    add_other_ways (table, vectors);
  for (gsize i = 0; verbose && i < count; i++)
    {
      g_autoptr (GVariant) vector = g_variant_get_child_value (vectors, i);

      add_vector (table, vector);
    }
}

static void
add_limits (CliTable *table, GVariant *inspection)
{
  guint32 messages, most_messages, passed, most_passed;

  if (!g_variant_lookup (inspection, "guest-msis", "(uu)", &messages, &most_messages)
      || !g_variant_lookup (inspection, "guest-bypass", "(uu)", &passed, &most_passed))
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, "");
  cli_table_add_format (table, CLI_STYLE_PLAIN,
                        _ ("all devices of the guest: %u MSIs of %u, %u of %u to be passed on"),
                        messages, most_messages, passed, most_passed);
}

static void
add_memory (CliTable *table, GVariant *inspection)
{
  guint64 locked, limit;
  gboolean unlimited;

  if (!g_variant_lookup (inspection, "memory-locked", "t", &locked)
      || !g_variant_lookup (inspection, "memory-limit", "t", &limit)
      || !g_variant_lookup (inspection, "memory-unlimited", "b", &unlimited))
    return;
  g_autofree char *has = g_format_size_full (locked, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *may = g_format_size_full (limit, G_FORMAT_SIZE_IEC_UNITS);
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("memory"));
  if (unlimited)
    cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%s locked, no limit"), has);
  else
    cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("%s locked of %s"), has, may);
}

static void
add_warnings (CliTable *table, GVariant *inspection)
{
  const char *code, *sentence;
  GVariantIter *warnings;

  if (!g_variant_lookup (inspection, "warnings", "a(ss)", &warnings))
    return;
  while (g_variant_iter_next (warnings, "(&s&s)", &code, &sentence))
    {
      cli_table_add (table, CLI_STYLE_PLAIN, _ ("warning"));
      cli_table_add_format (table, CLI_STYLE_WARN, "%s (%s)", sentence, code);
    }
  g_variant_iter_free (warnings);
}

void
cli_inspection_add (CliTable *table, GVariant *inspection, gboolean verbose)
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
  add_vector_list (table, inspection, verbose);
  if (verbose)
    add_limits (table, inspection);
  add_fact (table, _ ("DMA"), inspection, "dma", verbose);
  if (verbose && g_variant_lookup (inspection, "tce-tables", "u", &number))
    {
      cli_table_add (table, CLI_STYLE_PLAIN, "");
      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("TCE tables in the kernel: %u"), number);
    }
  if (verbose)
    add_fact (table, _ ("linked"), inspection, "tce-linked", TRUE);
  add_memory (table, inspection);
  add_fact (table, _ ("EEH"), inspection, "eeh", verbose);
  add_fact (table, _ ("PE state"), inspection, "pe-state", verbose);
  add_warnings (table, inspection);
}
