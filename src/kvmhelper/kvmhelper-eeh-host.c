/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-eeh-host.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#define DEBUG   "kernel/debug/powerpc/"
#define FREEZES DEBUG "eeh_max_freezes"
#define DISABLE DEBUG "eeh_disable_recovery"
#define FORCE   DEBUG "eeh_force_recover"
#define COUNTS  "powerpc/eeh"

static void
add (GVariantBuilder *builder, const char *name, const char *value, const char *source)
{
  g_variant_builder_add (builder, "{s(ss)}", name, value, source);
}

static void
add_settings (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  g_autofree char *disabled = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, DISABLE);
  guint64 freezes;

  if (kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, FREEZES, &freezes))
    {
      g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, freezes);

      add (builder, "max-freezes", text, "/sys/" FREEZES);
    }
  if (disabled != NULL)
    add (builder, "recovery", *disabled == 'Y' ? "disabled" : "enabled", "/sys/" DISABLE);
  if (kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, FORCE))
    add (builder, "force-recover", "available", "/sys/" FORCE);
}

/* "check not wanted" becomes "check-not-wanted", "eeh_slot_resets" "slot-resets". */
static char *
counter_name (const char *text)
{
  const char *start = g_str_has_prefix (text, "eeh_") ? text + strlen ("eeh_") : text;

  return g_strdelimit (g_strdup (start), " _", '-');
}

/* Each line that is a name and a number. */
static void
add_counters (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, COUNTS, KVMHELPER_MAX_ATTRIBUTE, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *equals = strchr (lines[i], '=');
      g_autofree char *name = NULL;

      if (equals == NULL
          || !g_ascii_string_to_unsigned (equals + 1, 10, 0, G_MAXUINT64, NULL, NULL))
        continue;
      *equals = '\0';
      name = counter_name (lines[i]);
      if (g_utf8_validate (name, -1, NULL))
        add (builder, name, equals + 1, "/proc/" COUNTS);
    }
}

GVariant *
kvmhelper_eeh_host_read (const KvmHelperKernel *kernel)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{s(ss)}"));
  add_settings (&builder, kernel);
  add_counters (&builder, kernel);
  return g_variant_builder_end (&builder);
}
