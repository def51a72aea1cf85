/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-report.h"

#include <json-glib/json-glib.h>

static char *
where (const ConformanceResult *result)
{
  return result->line > 0 ? g_strdup_printf ("%s:%u", result->script, result->line)
                          : g_strdup (result->script);
}

void
conformance_report_tap (const ConformanceResult *result, guint number)
{
  g_autofree char *place = where (result);
  /* What TAP would take for a directive. */
  g_auto (GStrv) parts = g_strsplit (result->text, "#", -1);
  g_autofree char *text = g_strjoinv ("\\#", parts);

  g_print ("%s %u - %s %s", result->status == CONFORMANCE_NOT_OK ? "not ok" : "ok", number, place,
           text);
  if (result->status == CONFORMANCE_SKIPPED)
    g_print (" # SKIP %s", result->reason != NULL ? result->reason : "");
  g_print ("\n");
  if (result->status == CONFORMANCE_NOT_OK)
    {
      if (result->expected != NULL)
        g_print ("#   expected %s\n", result->expected);
      g_print ("#   got %s\n", result->got);
    }
}

static void
add (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_result (JsonBuilder *builder, const ConformanceResult *result)
{
  static const char *const statuses[] = { "ok", "not ok", "skipped" };
  static const char *const sides[] = { "both", "model-only", "real-only" };

  json_builder_begin_object (builder);
  add (builder, "script", result->script);
  json_builder_set_member_name (builder, "line");
  json_builder_add_int_value (builder, result->line);
  add (builder, "text", result->text);
  add (builder, "status", statuses[result->status]);
  add (builder, "side", sides[result->side]);
  add (builder, "reason", result->reason);
  add (builder, "expected", result->expected);
  add (builder, "got", result->got);
  json_builder_end_object (builder);
}

gboolean
conformance_report_json (const char *path, const ConformanceFacts *facts, GPtrArray *results,
                         GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add (builder, "side", facts->real ? "real" : "model");
  add (builder, "platform", facts->powernv ? "powernv" : "pseries");
  add (builder, "kernel", facts->release);
  json_builder_set_member_name (builder, "results");
  json_builder_begin_array (builder);
  for (guint i = 0; i < results->len; i++)
    add_result (builder, g_ptr_array_index (results, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  return json_generator_to_file (generator, path, error);
}
