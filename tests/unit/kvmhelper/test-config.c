/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-config.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

static GString *logged;
static char *file;

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields && (level & G_LOG_LEVEL_WARNING) != 0; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      g_string_append_printf (logged, "%s\n", (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

/* What is read of @text, over the defaults; @warnings are parts of what is in the log, in order. */
static KvmHelperConfig *
read_text (const char *text, const char *const *warnings)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();
  g_autoptr (GError) error = NULL;
  guint lines = 0;

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  g_string_truncate (logged, 0);
  g_assert_true (kvmhelper_config_read (config, file, FALSE, &error));
  g_assert_no_error (error);
  g_test_message ("%s", logged->str);
  for (const char *at = logged->str; *at != '\0'; at = strchr (at, '\n') + 1, lines++)
    {
      g_autofree char *line = g_strndup (at, strcspn (at, "\n"));

      g_assert_true (g_str_has_prefix (line, file));
      g_assert_nonnull (warnings);
      g_assert_nonnull (warnings[lines]);
      g_assert_nonnull (strstr (line, warnings[lines]));
    }
  g_assert_true (warnings == NULL || warnings[lines] == NULL);
  return g_steal_pointer (&config);
}

static void
assert_defaults (const KvmHelperConfig *config)
{
  const KvmHelperConfig *defaults = kvmhelper_config_defaults ();

  g_assert_cmpint (config->irq_bypass_set, ==, defaults->irq_bypass_set);
  g_assert_cmpint (config->rehearse, ==, defaults->rehearse);
  g_assert_cmpint (config->eeh_watch_seconds, ==, defaults->eeh_watch_seconds);
  g_assert_cmpint (config->idle_exit_seconds, ==, defaults->idle_exit_seconds);
  g_assert_cmpstrv (config->no_reset, defaults->no_reset);
}

static void
test_defaults (void)
{
  const KvmHelperConfig *defaults = kvmhelper_config_defaults ();
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();
  g_autoptr (KvmHelperConfig) empty = read_text ("", NULL);

  g_assert_false (defaults->irq_bypass_set);
  g_assert_cmpint (defaults->rehearse, ==, KVMHELPER_REHEARSE_AUTO);
  g_assert_cmpint (defaults->eeh_watch_seconds, ==, 10);
  g_assert_cmpint (defaults->idle_exit_seconds, ==, 60);
  g_assert_cmpint (g_strv_length (defaults->no_reset), ==, 0);
  assert_defaults (config);
  assert_defaults (empty);
}

static void
test_all (void)
{
  g_autoptr (KvmHelperConfig) config = read_text ("# a comment\n"
                                                  "[kvmhelper]\n"
                                                  "irq-bypass=set\r\n"
                                                  "rehearse = never\n"
                                                  "eeh-watch=0\n"
                                                  "\n"
                                                  "  idle-exit=86400\n"
                                                  "no-reset=0001:01:00.0; 8086:10D3 ;\n"
                                                  "[kvmhelper]\n"
                                                  "rehearse=always\n",
                                                  NULL);
  const PciAddress slot = { .domain = 1, .bus = 1 };
  const PciAddress other = { .domain = 1, .bus = 2 };
  const char *const devices[] = { "0001:01:00.0", "8086:10d3", NULL };

  g_assert_true (config->irq_bypass_set);
  g_assert_cmpint (config->rehearse, ==, KVMHELPER_REHEARSE_ALWAYS);
  g_assert_cmpint (config->eeh_watch_seconds, ==, 0);
  g_assert_cmpint (config->idle_exit_seconds, ==, 86400);
  g_assert_cmpstrv (config->no_reset, devices);
  g_assert_true (kvmhelper_config_no_reset (config, &slot, 0x144d, 0xa808));
  g_assert_true (kvmhelper_config_no_reset (config, &other, 0x8086, 0x10d3));
  g_assert_false (kvmhelper_config_no_reset (config, &other, 0x8086, 0x10d4));
  g_assert_false (kvmhelper_config_no_reset (kvmhelper_config_defaults (), &slot, 0x8086, 0x10d3));
}

/* What is wrong is named with its line, the rest counts. */
static void
test_wrong (void)
{
  const char *const warnings[] = {
    ":1: \"idle-exit=3\" stands before",
    ":3: \"rehearse always\" is not KEY=VALUE",
    ":4: \"=7\" is not KEY=VALUE",
    ":5: \"idle[exit=7\" is not KEY=VALUE",
    ":15: there is no group [other]",
    ":7: irq-bypass=yes: it has to be one of report, set; report stays",
    ":8: there is no key eeh-watsch",
    ":10: eeh-watch=ten: it has to be seconds, from 0 to 86400; 10 stays",
    ":11: idle-exit=86401: it has to be seconds",
    ":12: rehearse=Always: it has to be one of auto, always, never; auto stays",
    ":13: no-reset: \"0001:01:00\" is neither",
    ":13: no-reset: \"8086:10d\" is neither",
    NULL,
  };
  g_autoptr (KvmHelperConfig) config = read_text ("idle-exit=3\n"
                                                  "[kvmhelper]\n"
                                                  "rehearse always\n"
                                                  "=7\n"
                                                  "idle[exit=7\n"
                                                  "\n"
                                                  "irq-bypass=yes\n"
                                                  "eeh-watsch=7\n"
                                                  "\n"
                                                  "eeh-watch=ten\n"
                                                  "idle-exit=86401\n"
                                                  "rehearse=Always\n"
                                                  "no-reset=0001:01:00;0002:00:00.1;8086:10d\n"
                                                  "\n"
                                                  "[other]\n"
                                                  "idle-exit=3\n"
                                                  "nonsense\n",
                                                  warnings);
  const char *const devices[] = { "0002:00:00.1", NULL };

  g_assert_cmpstrv (config->no_reset, devices);
  g_strfreev (config->no_reset);
  config->no_reset = g_new0 (char *, 1);
  assert_defaults (config);
}

static void
test_escapes (void)
{
  const char *const warnings[] = { ":2: rehearse=\\q: it has", ":3: no-reset: it cannot", NULL };
  g_autoptr (KvmHelperConfig) config
      = read_text ("[kvmhelper]\nrehearse=\\q\nno-reset=\\q\n", warnings);

  assert_defaults (config);
}

static void
assert_unreadable (const char *path, gboolean optional, const char *part)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_config_read (config, path, optional, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_nonnull (strstr (error->message, part));
  assert_defaults (config);
}

/* A file that is there says something, so one that cannot be read is not the same as none. */
static void
test_unreadable (void)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();
  g_autofree char *large = g_strnfill (KVMHELPER_MAX_CONFIG + 1, '#');

  g_assert_true (g_file_set_contents (file, large, KVMHELPER_MAX_CONFIG, NULL));
  g_assert_true (kvmhelper_config_read (config, file, FALSE, NULL));
  g_assert_true (g_file_set_contents (file, large, KVMHELPER_MAX_CONFIG + 1, NULL));
  assert_unreadable (file, TRUE, "larger than 65536 bytes");
  g_assert_true (g_file_set_contents (file, "[kvmhelper]\n\0rehearse=never\n", 29, NULL));
  assert_unreadable (file, TRUE, "not UTF-8");
  g_assert_true (g_file_set_contents (file, "[kvmhelper]\n#\xff\n", -1, NULL));
  assert_unreadable (file, TRUE, "not UTF-8");
  g_assert_cmpint (g_unlink (file), ==, 0);
  assert_unreadable (file, FALSE, file);
  g_assert_true (kvmhelper_config_read (config, file, TRUE, NULL));
  g_assert_cmpint (g_mkdir (file, 0700), ==, 0);
  assert_unreadable (file, TRUE, file);
  g_assert_cmpint (g_rmdir (file), ==, 0);
}

/* The example that is shipped says what would be without it, and says all. */
static void
test_example (void)
{
  g_autofree char *text = NULL;
  g_autofree char *active = NULL;
  g_autoptr (GRegex) commented = g_regex_new ("^#([a-z-]+=)", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GRegex) no_reset = g_regex_new ("^no-reset=.*$", G_REGEX_MULTILINE, 0, NULL);
  const char *const keys[] = { "irq-bypass", "rehearse", "eeh-watch", "idle-exit", "no-reset" };

  g_assert_true (g_file_get_contents (DATA_DIR "/ppc64-kvmhelper.conf", &text, NULL, NULL));
  active = g_regex_replace (commented, text, -1, 0, "\\1", 0, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *line = g_strdup_printf ("\n%s=", keys[i]);

      g_assert_null (strstr (text, line));
      g_assert_nonnull (strstr (active, line));
    }
  {
    g_autoptr (KvmHelperConfig) config = read_text (active, NULL);

    g_assert_cmpint (g_strv_length (config->no_reset), ==, 2);
  }
  {
    g_autofree char *without = g_regex_replace (no_reset, active, -1, 0, "", 0, NULL);
    g_autoptr (KvmHelperConfig) config = read_text (without, NULL);

    assert_defaults (config);
  }
}

int
main (int argc, char **argv)
{
  g_autofree char *directory = g_dir_make_tmp ("test-config-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (write_log, NULL, NULL);
  logged = g_string_new (NULL);
  file = g_build_filename (directory, "ppc64-kvmhelper.conf", NULL);
  g_test_add_func ("/kvmhelper/config/defaults", test_defaults);
  g_test_add_func ("/kvmhelper/config/all", test_all);
  g_test_add_func ("/kvmhelper/config/wrong", test_wrong);
  g_test_add_func ("/kvmhelper/config/escapes", test_escapes);
  g_test_add_func ("/kvmhelper/config/unreadable", test_unreadable);
  g_test_add_func ("/kvmhelper/config/example", test_example);
  status = g_test_run ();
  g_unlink (file);
  g_rmdir (directory);
  g_free (file);
  g_string_free (logged, TRUE);
  return status;
}
