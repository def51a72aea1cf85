/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-recorded.h"

Recorded *
recorded_new (void)
{
  Recorded *recorded = g_new0 (Recorded, 1);
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "hostdev", "data", "zpci-7.2.qmp", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  recorded->answers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i += 2)
    g_hash_table_insert (recorded->answers, g_strdup (lines[i]), g_strdup (lines[i + 1]));
  return recorded;
}

void
recorded_free (Recorded *recorded)
{
  if (recorded == NULL)
    return;
  g_hash_table_unref (recorded->answers);
  g_free (recorded);
}

void
recorded_set (Recorded *recorded, const char *path, const char *property, const char *answer)
{
  char *question
      = property == NULL
            ? g_strdup_printf ("{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"%s\"}}", path)
            : g_strdup_printf ("{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"%s\","
                               "\"property\":\"%s\"}}",
                               path, property);

  g_assert_true (g_hash_table_contains (recorded->answers, question));
  g_hash_table_insert (recorded->answers, question, g_strdup (answer));
}

char *
recorded_ask (const char *command, gpointer data, GError **error)
{
  Recorded *recorded = data;
  const char *answer = g_hash_table_lookup (recorded->answers, command);

  g_test_message ("%s", command);
  g_assert_nonnull (answer);
  recorded->asked++;
  return g_strdup (answer);
}
