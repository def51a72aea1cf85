/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-config.h"

#include <string.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-message.h"

#include <glib/gi18n-lib.h>

#define GROUP "kvmhelper"

/* A day: nobody means more. */
#define MAX_SECONDS (24 * 60 * 60)

static char *nothing[] = { NULL };

static const KvmHelperConfig defaults = {
  .irq_bypass_set = FALSE,
  .rehearse = KVMHELPER_REHEARSE_AUTO,
  .eeh_watch_seconds = 10,
  .idle_exit_seconds = 60,
  .no_reset = nothing,
};

static const char *const bypasses[] = { "report", "set", NULL };
static const char *const rehearses[] = { "auto", "always", "never", NULL };

typedef struct
{
  const char *file;
  char **lines;
  GKeyFile *keys;
} Reader;

const KvmHelperConfig *
kvmhelper_config_defaults (void)
{
  return &defaults;
}

KvmHelperConfig *
kvmhelper_config_new (void)
{
  KvmHelperConfig *config = g_memdup2 (&defaults, sizeof defaults);

  config->no_reset = g_strdupv (defaults.no_reset);
  return config;
}

void
kvmhelper_config_free (KvmHelperConfig *config)
{
  g_strfreev (config->no_reset);
  g_free (config);
}

/* The line that a key of our group stands in, from 1; the last, which is the one that counts. */
static guint
line_of (const Reader *reader, const char *key)
{
  guint found = 0;

  for (guint i = 0; reader->lines[i] != NULL; i++)
    {
      const char *line = reader->lines[i];
      gsize length = strlen (key);

      if (g_str_has_prefix (line, key) && strchr (" \t=", line[length]) != NULL
          && line[length] != '\0')
        found = i + 1;
    }
  return found;
}

static G_GNUC_PRINTF (3, 4) void complain (const Reader *reader, guint line, const char *format,
                                           ...)
{
  const char *const fields[] = { "MESSAGE_ID", KVMHELPER_MESSAGE_CONFIG, NULL };
  va_list args;

  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  common_log_event (G_LOG_LEVEL_WARNING, fields, "%s:%u: %s", reader->file, line, what);
}

/* What GKeyFile takes for KEY=VALUE, in ASCII. */
static gboolean
is_assignment (const char *line)
{
  const char *end = line;

  while (g_ascii_isalnum (*end) || *end == '-')
    end++;
  return end != line && end[strspn (end, " \t")] == '=';
}

/* GKeyFile takes all of a file or nothing: what it would stumble at is blanked before. */
static void
blank_bad_lines (Reader *reader)
{
  gboolean ours = FALSE;
  gboolean grouped = FALSE;

  for (guint i = 0; reader->lines[i] != NULL; i++)
    {
      char *line = g_strstrip (reader->lines[i]);
      gsize length = strlen (line);

      if (*line == '\0' || *line == '#')
        continue;
      if (*line == '[' && line[length - 1] == ']')
        {
          grouped = TRUE;
          ours = g_str_equal (line, "[" GROUP "]");
          if (!ours)
            complain (reader, i + 1, "there is no group %s", line);
        }
      else if (!grouped)
        complain (reader, i + 1, "\"%s\" stands before [" GROUP "]", line);
      else if (ours && !is_assignment (line))
        complain (reader, i + 1, "\"%s\" is not KEY=VALUE", line);
      if (!ours || (*line != '[' && !is_assignment (line)))
        *line = '\0';
    }
}

static void
read_choice (const Reader *reader, const char *key, const char *const *names, guint *choice)
{
  g_autofree char *text = g_key_file_get_string (reader->keys, GROUP, key, NULL);
  g_autofree char *all = NULL;

  for (guint i = 0; text != NULL && names[i] != NULL; i++)
    if (g_str_equal (text, names[i]))
      {
        *choice = i;
        return;
      }
  all = g_strjoinv (", ", (char **) names);
  complain (reader, line_of (reader, key), "%s=%s: it has to be one of %s; %s stays", key,
            text == NULL ? "" : text, all, names[*choice]);
}

static void
read_seconds (const Reader *reader, const char *key, guint *seconds)
{
  g_autofree char *text = g_key_file_get_string (reader->keys, GROUP, key, NULL);
  guint64 number;

  if (text != NULL && g_ascii_string_to_unsigned (text, 10, 0, MAX_SECONDS, &number, NULL))
    *seconds = (guint) number;
  else
    complain (reader, line_of (reader, key), "%s=%s: it has to be seconds, from 0 to %d; %u stays",
              key, text == NULL ? "" : text, MAX_SECONDS, *seconds);
}

/* "8086:10d3", each of four digits, in either case as lspci and people write it. */
static gboolean
is_vendor_device (const char *text)
{
  for (guint i = 0; i < 9; i++)
    if (i == 4 ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  return text[9] == '\0';
}

static void
read_no_reset (const Reader *reader, const char *key, char ***no_reset)
{
  g_auto (GStrv) entries = g_key_file_get_string_list (reader->keys, GROUP, key, NULL, NULL);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (entries == NULL)
    {
      complain (reader, line_of (reader, key), "%s: it cannot be read; what was there stays", key);
      return;
    }
  for (guint i = 0; entries[i] != NULL; i++)
    {
      g_autofree char *entry = g_ascii_strdown (g_strstrip (entries[i]), -1);
      PciAddress address;

      if (is_vendor_device (entry) || pci_address_parse (entry, &address, NULL))
        g_strv_builder_add (builder, entry);
      else
        complain (reader, line_of (reader, key),
                  "%s: \"%s\" is neither an address as 0001:01:00.0 nor vendor:device as "
                  "8086:10d3; the other entries count",
                  key, entry);
    }
  g_strfreev (*no_reset);
  *no_reset = g_strv_builder_end (builder);
}

static void
read_key (const Reader *reader, const char *key, KvmHelperConfig *config)
{
  guint choice = config->irq_bypass_set ? 1 : 0;

  if (g_str_equal (key, "irq-bypass"))
    {
      read_choice (reader, key, bypasses, &choice);
      config->irq_bypass_set = choice == 1;
    }
  else if (g_str_equal (key, "rehearse"))
    {
      choice = config->rehearse;
      read_choice (reader, key, rehearses, &choice);
      config->rehearse = choice;
    }
  else if (g_str_equal (key, "eeh-watch"))
    read_seconds (reader, key, &config->eeh_watch_seconds);
  else if (g_str_equal (key, "idle-exit"))
    read_seconds (reader, key, &config->idle_exit_seconds);
  else if (g_str_equal (key, "no-reset"))
    read_no_reset (reader, key, &config->no_reset);
  else
    complain (reader, line_of (reader, key), "there is no key %s", key);
}

/* NULL with an error, or without one where there is no file and need be none. */
static char *
read_text (const char *file, gboolean optional, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GFile) handle = g_file_new_for_path (file);
  g_autoptr (GFileInputStream) stream = g_file_read (handle, NULL, &failure);
  g_autofree char *text = g_malloc0 (KVMHELPER_MAX_CONFIG + 2);
  gsize length;

  if (stream == NULL && optional && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return NULL;
  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), text, KVMHELPER_MAX_CONFIG + 1, &length,
                                   NULL, &failure))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, _ ("%s cannot be read: %s"), file,
                 failure->message);
  else if (length > KVMHELPER_MAX_CONFIG)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, _ ("%s is larger than %d bytes"),
                 file, KVMHELPER_MAX_CONFIG);
  else if (!g_utf8_validate_len (text, length, NULL))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, _ ("%s is not UTF-8 text"), file);
  else
    return g_steal_pointer (&text);
  return NULL;
}

gboolean
kvmhelper_config_read (KvmHelperConfig *config, const char *file, gboolean optional, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = read_text (file, optional, &failure);
  g_auto (GStrv) lines = NULL;
  g_autofree char *good = NULL;
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_auto (GStrv) names = NULL;
  Reader reader = { file, NULL, keys };

  if (text == NULL && failure == NULL)
    return TRUE;
  if (text == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  reader.lines = lines = g_strsplit (text, "\n", -1);
  blank_bad_lines (&reader);
  good = g_strjoinv ("\n", lines);
  if (!g_key_file_load_from_data (keys, good, strlen (good), G_KEY_FILE_NONE, &failure))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, _ ("%s cannot be read: %s"),
                   file, failure->message);
      return FALSE;
    }
  names = g_key_file_get_keys (keys, GROUP, NULL, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    read_key (&reader, names[i], config);
  return TRUE;
}

gboolean
kvmhelper_config_no_reset (const KvmHelperConfig *config, const PciAddress *address, guint vendor,
                           guint device)
{
  char name[PCI_ADDRESS_LEN];
  char kind[16];

  pci_address_format (address, name);
  g_snprintf (kind, sizeof kind, "%04x:%04x", vendor, device);
  return g_strv_contains ((const char *const *) config->no_reset, name)
         || g_strv_contains ((const char *const *) config->no_reset, kind);
}
