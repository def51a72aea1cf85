/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-node.h"

#include <string.h>

#define DIRECTORY "devices/system/node"

/* "node12"; the directory has other files as well. */
static gboolean
parse_name (const char *name, guint *number)
{
  guint64 value;

  if (!g_str_has_prefix (name, "node")
      || !g_ascii_string_to_unsigned (name + strlen ("node"), 10, 0, G_MAXUINT16, &value, NULL))
    return FALSE;
  *number = (guint) value;
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  guint first = *(const guint *) a, second = *(const guint *) b;

  return (first > second) - (first < second);
}

static void
add_line (GVariantBuilder *builder, const KvmHelperKernel *kernel, guint number,
          const char *attribute, const char *key)
{
  g_autofree char *path = g_strdup_printf (DIRECTORY "/node%u/%s", number, attribute);
  g_autofree char *line = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

  /* Digits and what is between them; of anything else nothing is told. */
  if (line != NULL && *line != '\0' && line[strspn (line, "0123456789,- ")] == '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (line));
}

GVariant *
kvmhelper_nodes_read (const KvmHelperKernel *kernel)
{
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, DIRECTORY);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  GVariantBuilder list, node;

  for (guint i = 0; i < names->len; i++)
    {
      guint number;

      if (parse_name (names->pdata[i], &number))
        g_array_append_val (numbers, number);
    }
  g_array_sort (numbers, compare);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < numbers->len; i++)
    {
      guint number = g_array_index (numbers, guint, i);

      g_variant_builder_init (&node, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&node, "{sv}", "number", g_variant_new_uint32 (number));
      add_line (&node, kernel, number, "cpulist", "cpus");
      add_line (&node, kernel, number, "distance", "distances");
      g_variant_builder_add_value (&list, g_variant_builder_end (&node));
    }
  return g_variant_builder_end (&list);
}
