/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What conformance-run says of scripts whose answers are wrong. Arguments: it, and its directory.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/wait.h>

static const char *runner, *directory;

/* Its output, and its status. */
static char *
run (int *status, const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, status,
                &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (*status));
  *status = WEXITSTATUS (*status);
  return output;
}

static char *
run_script (int *status, const char *script, const char *json)
{
  g_autofree char *host = g_build_filename (directory, "power9.xml", NULL);
  g_autofree char *hosts = g_build_filename (directory, "powernv.host", NULL);
  g_autofree char *path = g_build_filename (directory, "runner", script, NULL);

  return run (status, (const char *const[]){ runner, "--simulated", host, "--host", hosts, "--json",
                                             json, path, NULL });
}

/* The number of the line that @comment stands in. */
static guint
line_of (char **lines, const char *comment)
{
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], comment))
      return i + 1;
  g_assert_not_reached ();
}

static void
test_wrong (gconstpointer json)
{
  g_autofree char *path = g_build_filename (directory, "runner", "wrong.check", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *output = NULL;
  guint right = 0, wrong = 0, first_right, first_wrong;
  int status;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  first_right = line_of (lines, "# right");
  first_wrong = line_of (lines, "# wrong");
  output = run_script (&status, "wrong.check", json);
  g_assert_cmpint (status, ==, 1);
  for (guint i = first_right; lines[i] != NULL; i++)
    {
      g_autofree char *place = g_strdup_printf (" - wrong.check:%u ", i + 1);
      const char *found = g_strstr_len (output, -1, place);
      const char *begin = found;

      if (found == NULL)
        continue;
      while (begin > output && begin[-1] != '\n')
        begin--;
      g_test_message ("%s", lines[i]);
      g_assert_true (g_str_has_prefix (begin, i < first_wrong ? "ok " : "not ok "));
      right += i < first_wrong;
      wrong += i >= first_wrong;
    }
  g_assert_cmpuint (right, ==, 3);
  g_assert_cmpuint (wrong, ==, 15);
  g_assert_nonnull (g_strstr_len (output, -1, "\n1..18\n"));
  g_assert_nonnull (g_strstr_len (output, -1, "#   expected EINVAL\n#   got 0\n"));
  g_assert_nonnull (g_strstr_len (output, -1, "#   got flags=1\n"));
  g_assert_nonnull (g_strstr_len (output, -1, "#   got not asked: setup has failed\n"));
}

/* What --json left of the run before, compared: with no kernel beside it, every check differs. */
static void
test_compare (gconstpointer json)
{
  g_autofree char *output = NULL;
  int status;

  output = run (&status, (const char *const[]){ runner, "--compare", json, NULL });
  g_assert_cmpint (status, ==, 1);
  g_assert_true (g_str_has_suffix (output, "\n18 checks, 18 differences, 0 model-only\n"));
}

static void
test_late (gconstpointer json)
{
  g_autofree char *output = NULL;
  int status;

  output = run_script (&status, "late.check", json);
  g_assert_cmpint (status, ==, 1);
  g_assert_nonnull (g_strstr_len (output, -1, "ok 1 - late.check:6 "));
  g_assert_nonnull (g_strstr_len (output, -1,
                                  "not ok 2 - late.check it comes to its end\n"
                                  "#   got it was not in time\n"));
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("conformance-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "result.json", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  runner = argv[1];
  directory = argv[2];
  g_test_add_data_func ("/conformance/run/wrong", json, test_wrong);
  g_test_add_data_func ("/conformance/run/compare", json, test_compare);
  g_test_add_data_func ("/conformance/run/late", json, test_late);
  status = g_test_run ();
  g_remove (json);
  g_rmdir (folder);
  return status;
}
