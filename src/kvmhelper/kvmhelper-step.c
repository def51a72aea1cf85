/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-step.h"

#include <string.h>

static const char *const results[] = { "ok", "failed", "skipped" };

void
kvmhelper_step_free (KvmHelperStep *step)
{
  g_free (step->name);
  g_free (step->title);
  g_free (step->meaning);
  g_free (step->detail);
  g_clear_pointer (&step->facts, g_variant_unref);
  g_free (step);
}

const char *
kvmhelper_errno_name (int errnum)
{
  const char *name = errnum == 0 ? NULL : strerrorname_np (errnum);

  return name == NULL ? "" : name;
}

static void
add_text (GVariantBuilder *builder, const char *key, const char *text)
{
  if (*text != '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (text));
}

GVariant *
kvmhelper_step_to_variant (const KvmHelperStep *step)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_text (&builder, "name", step->name);
  add_text (&builder, "title", step->title);
  add_text (&builder, "result", results[step->result]);
  if (step->errnum != 0)
    g_variant_builder_add (&builder, "{sv}", "errno", g_variant_new_int32 (step->errnum));
  add_text (&builder, "errno-name", kvmhelper_errno_name (step->errnum));
  add_text (&builder, "meaning", step->meaning);
  add_text (&builder, "detail", step->detail);
  g_variant_builder_add (&builder, "{sv}", "usec", g_variant_new_uint64 (step->usec));
  if (step->facts != NULL)
    g_variant_builder_add (&builder, "{sv}", "facts", step->facts);
  return g_variant_builder_end (&builder);
}

static char *
get_text (GVariantDict *dict, const char *key)
{
  char *text = NULL;

  return g_variant_dict_lookup (dict, key, "s", &text) ? text : g_strdup ("");
}

KvmHelperStep *
kvmhelper_step_from_variant (GVariant *variant)
{
  g_autoptr (KvmHelperStep) step = g_new0 (KvmHelperStep, 1);
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (variant);
  g_autofree char *result = get_text (&dict, "result");

  step->name = get_text (&dict, "name");
  step->title = get_text (&dict, "title");
  step->meaning = get_text (&dict, "meaning");
  step->detail = get_text (&dict, "detail");
  g_variant_dict_lookup (&dict, "errno", "i", &step->errnum);
  g_variant_dict_lookup (&dict, "usec", "t", &step->usec);
  step->facts = g_variant_dict_lookup_value (&dict, "facts", G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    if (g_str_equal (result, results[i]) && *step->name != '\0')
      {
        step->result = (KvmHelperStepResult) i;
        return g_steal_pointer (&step);
      }
  return NULL;
}

KvmHelperStep *
kvmhelper_step_from_line (const char *line)
{
  /* GVariant takes for granted that what it reads is UTF-8. */
  g_autoptr (GVariant) variant
      = g_utf8_validate (line, -1, NULL)
            ? g_variant_parse (G_VARIANT_TYPE_VARDICT, line, NULL, NULL, NULL)
            : NULL;

  return variant == NULL ? NULL : kvmhelper_step_from_variant (variant);
}

GVariant *
kvmhelper_steps_to_variant (const GPtrArray *steps)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < steps->len; i++)
    g_variant_builder_add_value (&builder, kvmhelper_step_to_variant (steps->pdata[i]));
  return g_variant_builder_end (&builder);
}

gboolean
kvmhelper_steps_passed (const GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++)
    if (((const KvmHelperStep *) steps->pdata[i])->result == KVMHELPER_STEP_FAILED)
      return FALSE;
  return TRUE;
}
