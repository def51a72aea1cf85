/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-xive-table.h"

#include <string.h>

/* A number that is all of @text, or up to *@end where @end is given. */
static gboolean
parse_hex (const char *text, char separator, guint *number, const char **end)
{
  guint64 value = 0;
  const char *c = text;

  for (; g_ascii_isxdigit (*c) && c - text < 8; c++)
    value = value * 16 + (guint64) g_ascii_xdigit_value (*c);
  if (c == text || *c != separator)
    return FALSE;
  *number = (guint) value;
  if (end != NULL)
    *end = c + 1;
  return TRUE;
}

/* "  0/6", "0/255": the parts are signed decimals. */
static gboolean
parse_target (const char *text, KvmHelperSource *source)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 2);
  gint64 cpu, priority;

  if (g_strv_length (parts) != 2
      || !g_ascii_string_to_signed (parts[0], 10, G_MININT, G_MAXINT, &cpu, NULL)
      || !g_ascii_string_to_signed (parts[1], 10, G_MININT, G_MAXINT, &priority, NULL))
    return FALSE;
  source->cpu = (int) cpu;
  source->priority = (int) priority;
  return TRUE;
}

/* LISN HW/CHIP MSI|LSI IPI|PT PQ EISN CPU/PRIO; an asserted LSI is "^LSI". */
static gboolean
parse_row (char *line, KvmHelperSource *source)
{
  const char *fields[8];
  guint n = 0;
  char *rest = line;
  guint chip;
  const char *chip_text;

  for (char *field; n < G_N_ELEMENTS (fields) && (field = strsep (&rest, " \t")) != NULL;)
    if (*field != '\0')
      fields[n++] = field;
  if (n != 7)
    return FALSE;
  if (*fields[2] == '^')
    fields[2]++;
  source->lsi = g_str_equal (fields[2], "LSI");
  source->passed = g_str_equal (fields[3], "PT");
  if ((!source->lsi && !g_str_equal (fields[2], "MSI"))
      || (!source->passed && !g_str_equal (fields[3], "IPI")) || strlen (fields[4]) != 2
      || strchr ("-P", fields[4][0]) == NULL || strchr ("-Q", fields[4][1]) == NULL)
    return FALSE;
  g_strlcpy (source->pq, fields[4], sizeof source->pq);
  return parse_hex (fields[0], '\0', &source->lisn, NULL)
         && parse_hex (fields[1], '/', &source->hw, &chip_text)
         && parse_hex (chip_text, '\0', &chip, NULL)
         && parse_hex (fields[5], '\0', &source->eisn, NULL) && parse_target (fields[6], source);
}

KvmHelperXiveTable *
kvmhelper_xive_table_parse (const char *text)
{
  KvmHelperXiveTable *table = g_new0 (KvmHelperXiveTable, 1);
  g_autofree char *copy = g_strdup (text);
  char *rest = copy;

  table->sources = g_array_new (FALSE, FALSE, sizeof (KvmHelperSource));
  for (char *line; (line = strsep (&rest, "\n")) != NULL;)
    {
      KvmHelperSource source = { 0 };

      if (g_str_has_prefix (line, "VCPU ") && strstr (line, ": VP=") != NULL)
        table->native = TRUE;
      else if (parse_row (line, &source))
        g_array_append_val (table->sources, source);
    }
  return table;
}

void
kvmhelper_xive_table_free (KvmHelperXiveTable *table)
{
  g_array_unref (table->sources);
  g_free (table);
}

const KvmHelperSource *
kvmhelper_xive_table_find (const KvmHelperXiveTable *table, guint lisn)
{
  for (guint i = 0; i < table->sources->len; i++)
    {
      const KvmHelperSource *source = &g_array_index (table->sources, KvmHelperSource, i);

      if (source->lisn == lisn)
        return source;
    }
  return NULL;
}
