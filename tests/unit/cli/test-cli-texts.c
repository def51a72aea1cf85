/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "cli/cli-commands.h"

static char *
read_source (const char *path)
{
  g_autofree char *file = g_test_build_filename (G_TEST_DIST, "..", "..", path, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (file, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* Each reason code is in the manual, as a term of its own. */
static void
test_reason_codes (void)
{
  g_autofree char *text = read_source ("docs/man/org.libvirt.Ppc64.KvmHelper1.rst");

  for (int code = 0; code < COMMON_ERROR_LAST; code++)
    {
      g_autofree char *term
          = g_strdup_printf ("\n%s\n    ", common_error_name ((CommonErrorCode) code));

      g_test_message ("%s", term);
      g_assert_nonnull (strstr (text, term));
    }
}

/* Each command has its section in the manual and its place in the completion. */
static void
test_commands (void)
{
  g_autofree char *manual = read_source ("docs/man/virt-ppc64.rst");
  g_autofree char *completion = read_source ("data/completions/virt-ppc64");

  for (guint i = 0; cli_commands[i] != NULL; i++)
    {
      g_autofree char *section = g_strdup_printf ("\n%s\n---", cli_commands[i]->name);
      g_autofree char *choice = g_strdup_printf ("\n        %s", cli_commands[i]->name);

      g_test_message ("%s", cli_commands[i]->name);
      g_assert_nonnull (strstr (manual, section));
      g_assert_nonnull (strstr (completion, choice));
    }
}

static gboolean
has_texts (const char *path)
{
  g_autofree char *source = read_source (path);

  return g_regex_match_simple ("\\bN?_ \\(\\s*\"", source, 0, 0);
}

/* Each source file with texts for people is known to the translators. */
static void
test_potfiles (void)
{
  static const char *const rooms[]
      = { "common", "hostdev", "kvmhelper", "kvmhelper/simulated", "driver", "cli" };
  g_autofree char *text = read_source ("po/POTFILES");
  g_auto (GStrv) known = g_strsplit (text, "\n", -1);

  for (gsize i = 0; i < G_N_ELEMENTS (rooms); i++)
    {
      g_autofree char *room = g_build_filename ("src", rooms[i], NULL);
      g_autofree char *directory = g_test_build_filename (G_TEST_DIST, "..", "..", room, NULL);
      g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
      const char *name;

      g_assert_nonnull (dir);
      while ((name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (room, name, NULL);

          if (!g_str_has_suffix (name, ".c") || !has_texts (path))
            continue;
          g_test_message ("%s", path);
          g_assert_true (g_strv_contains ((const char *const *) known, path));
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/texts/reason-codes", test_reason_codes);
  g_test_add_func ("/cli/texts/commands", test_commands);
  g_test_add_func ("/cli/texts/potfiles", test_potfiles);
  return g_test_run ();
}
