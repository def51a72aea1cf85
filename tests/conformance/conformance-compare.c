/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "common/common-error.h"

/* A check, and what was heard of it from either side; a kernel may have been asked several times.
 */
typedef struct
{
  char *place; /* "powernv: vfio-group.check:12"; without the platform if model-only */
  guint order;
  char *text;
  char *expected;
  char *reason;
  gboolean model_only, real_only;
  gboolean model_asked, real_asked;
  GString *model_got, *real_got; /* what was not as expected */
} Check;

static void
check_free (gpointer data)
{
  Check *check = data;

  g_free (check->place);
  g_free (check->text);
  g_free (check->expected);
  g_free (check->reason);
  g_string_free (check->model_got, TRUE);
  g_string_free (check->real_got, TRUE);
  g_free (check);
}

static Check *
find_check (GHashTable *checks, const char *platform, JsonObject *object)
{
  /* One that no kernel is asked is the same on each of the model's hosts. */
  gboolean model_only
      = g_str_equal (json_object_get_string_member_with_default (object, "side", ""), "model-only");
  g_autofree char *place
      = g_strdup_printf ("%s%s%s:%" G_GINT64_FORMAT, model_only ? "" : platform,
                         model_only ? "" : ": ", json_object_get_string_member (object, "script"),
                         json_object_get_int_member (object, "line"));
  Check *check = g_hash_table_lookup (checks, place);

  if (check != NULL)
    return check;
  check = g_new0 (Check, 1);
  check->order = g_hash_table_size (checks);
  check->place = g_steal_pointer (&place);
  check->text = g_strdup (json_object_get_string_member (object, "text"));
  check->expected = g_strdup (json_object_get_string_member_with_default (object, "expected", ""));
  check->reason = g_strdup (json_object_get_string_member_with_default (object, "reason", ""));
  check->model_got = g_string_new (NULL);
  check->real_got = g_string_new (NULL);
  g_hash_table_insert (checks, check->place, check);
  return check;
}

static void
add_result (GHashTable *checks, gboolean real, const char *platform, JsonObject *object)
{
  const char *status = json_object_get_string_member_with_default (object, "status", "");
  const char *side = json_object_get_string_member_with_default (object, "side", "");
  Check *check;
  GString *got;

  /* A script that was left out as a whole is none; one that went wrong as a whole is. */
  if (g_str_equal (status, "skipped") && json_object_get_int_member (object, "line") == 0)
    return;
  check = find_check (checks, platform, object);
  check->model_only = g_str_equal (side, "model-only");
  check->real_only = g_str_equal (side, "real-only");
  if (g_str_equal (status, "skipped"))
    return;
  if (real)
    check->real_asked = TRUE;
  else
    check->model_asked = TRUE;
  got = real ? check->real_got : check->model_got;
  if (g_str_equal (status, "not ok") && got->len == 0)
    g_string_assign (got, json_object_get_string_member_with_default (object, "got", "?"));
}

static gboolean
load (GHashTable *checks, const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root;
  JsonArray *results;
  gboolean real;

  if (!json_parser_load_from_file (parser, path, error))
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   "%s was not made by conformance-run --json", path);
      return FALSE;
    }
  root = json_node_get_object (json_parser_get_root (parser));
  real = g_str_equal (json_object_get_string_member_with_default (root, "side", ""), "real");
  g_print ("# %s: %s, %s, Linux %s\n", path, real ? "a kernel" : "the model",
           json_object_get_string_member_with_default (root, "platform", "?"),
           json_object_get_string_member_with_default (root, "kernel", "?"));
  results = json_object_get_array_member (root, "results");
  for (guint i = 0; results != NULL && i < json_array_get_length (results); i++)
    add_result (checks, real, json_object_get_string_member (root, "platform"),
                json_array_get_object_element (results, i));
  return TRUE;
}

static int
by_order (gconstpointer a, gconstpointer b)
{
  const Check *x = a, *y = b;

  return x->order < y->order ? -1 : x->order > y->order;
}

/* Whether model and kernel do not agree on a check, or one of them was not asked. */
static gboolean
differs (const Check *check)
{
  return check->model_got->len > 0 || check->real_got->len > 0
         || (!check->model_asked && !check->real_only)
         || (!check->real_asked && !check->model_only);
}

static const char *
heard (gboolean asked, const GString *got)
{
  return !asked ? "(not asked)" : got->len > 0 ? got->str : "as expected";
}

int
conformance_compare (char **paths, GError **error)
{
  g_autoptr (GHashTable) checks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, check_free);
  g_autoptr (GList) all = NULL;
  guint asked = 0, differences = 0, model_only = 0;

  for (guint i = 0; paths[i] != NULL; i++)
    if (!load (checks, paths[i], error))
      return -1;
  all = g_list_sort (g_hash_table_get_values (checks), by_order);
  for (const GList *item = all; item != NULL; item = item->next)
    {
      const Check *check = item->data;

      if (check->model_only && !differs (check))
        {
          model_only++;
          g_print ("model-only %s %s (%s)\n", check->place, check->text, check->reason);
          continue;
        }
      asked++;
      if (!differs (check))
        {
          g_print ("ok - %s %s\n", check->place, check->text);
          continue;
        }
      differences++;
      g_print ("not ok - %s %s\n#   expected %s\n#   model    %s\n#   kernel   %s\n", check->place,
               check->text, check->expected, heard (check->model_asked, check->model_got),
               heard (check->real_asked, check->real_got));
    }
  g_print ("%u checks, %u differences, %u model-only\n", asked, differences, model_only);
  return (int) differences;
}
