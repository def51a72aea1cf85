/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-message.h"

#include <string.h>

#define ID "6d657373616765206f66206120746573"

static GHashTable *logged; /* of the last message: field -> value */

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  g_hash_table_remove_all (logged);
  for (gsize i = 0; i < n_fields; i++)
    if (fields[i].length < 0)
      g_hash_table_insert (logged, g_strdup (fields[i].key), g_strdup (fields[i].value));
  return G_LOG_WRITER_HANDLED;
}

static char *
read_source (const char *path)
{
  g_autofree char *file = g_build_filename (DATA_DIR, "..", path, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (file, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* Every id that the header has is explained, in each language, and listed in the manual. */
static void
test_explained (void)
{
  static const char *const files[]
      = { "data/ppc64-kvmhelper.catalog", "data/ppc64-kvmhelper.de.catalog",
          "data/ppc64-kvmhelper.fr.catalog" };
  g_autofree char *header = read_source ("src/kvmhelper/kvmhelper-message.h");
  g_autofree char *manual = read_source ("docs/man/ppc64-kvmhelper.rst");
  g_autoptr (GRegex) regex = g_regex_new ("define KVMHELPER_MESSAGE_[A-Z_]+ +\"([0-9a-f]{32})\"",
                                          G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  for (g_regex_match (regex, header, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    {
      g_autofree char *id = g_match_info_fetch (match, 1);
      g_autofree char *entry = g_strdup_printf ("\n-- %s\nSubject: ", id);

      g_test_message ("%s", id);
      for (guint i = 0; i < G_N_ELEMENTS (files); i++)
        {
          g_autofree char *catalog = read_source (files[i]);

          g_assert_nonnull (strstr (catalog, entry));
        }
      g_assert_nonnull (strstr (manual, id));
      g_assert_true (g_hash_table_add (seen, g_strdup (id)));
    }
  g_assert_cmpuint (g_hash_table_size (seen), >=, 10);
}

static void
assert_field (const char *name, const char *value)
{
  g_assert_cmpstr (g_hash_table_lookup (logged, name), ==, value);
}

/* A lease as a guest has it, and a rehearsal's, which has no guest. */
static void
test_fields (void)
{
  KvmHelperLease lease = { .id = (char *) "5f0c",
                           .domain_name = (char *) "web",
                           .address = { .domain = 1, .bus = 2 } };
  KvmHelperLease rehearsal = lease;

  lease.domain_uuid = (char *) "11111111-2222-3333-4444-555555555555";
  rehearsal.domain_uuid = (char *) "";
  rehearsal.domain_name = (char *) "";
  kvmhelper_message_log (G_LOG_LEVEL_INFO, ID, &lease, "it is %s", "so");
  assert_field ("MESSAGE", "it is so");
  assert_field ("MESSAGE_ID", ID);
  assert_field ("PRIORITY", "6");
  assert_field ("PCI_ADDRESS", "0001:02:00.0");
  assert_field ("LEASE", "5f0c");
  assert_field ("DOMAIN_UUID", lease.domain_uuid);
  assert_field ("DOMAIN_NAME", "web");

  kvmhelper_message_log (G_LOG_LEVEL_MESSAGE, NULL, &rehearsal, "it is");
  assert_field ("MESSAGE_ID", NULL);
  assert_field ("PCI_ADDRESS", "0001:02:00.0");
  assert_field ("DOMAIN_UUID", NULL);
  assert_field ("DOMAIN_NAME", NULL);
}

static void
test_phases (void)
{
  g_assert_cmpstr (kvmhelper_message_of_phase ("prepared"), ==, KVMHELPER_MESSAGE_LEASE_PREPARED);
  g_assert_cmpstr (kvmhelper_message_of_phase ("active"), ==, KVMHELPER_MESSAGE_LEASE_ACTIVE);
  g_assert_cmpstr (kvmhelper_message_of_phase ("pending"), ==, KVMHELPER_MESSAGE_LEASE_PENDING);
  g_assert_cmpstr (kvmhelper_message_of_phase ("done"), ==, KVMHELPER_MESSAGE_LEASE_GIVEN_BACK);
  g_assert_null (kvmhelper_message_of_phase ("intent"));
  g_assert_null (kvmhelper_message_of_phase ("releasing"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_set_prgname ("test-message");
  logged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_log_set_writer_func (write_log, NULL, NULL);
  g_test_add_func ("/kvmhelper/message/explained", test_explained);
  g_test_add_func ("/kvmhelper/message/fields", test_fields);
  g_test_add_func ("/kvmhelper/message/phases", test_phases);
  return g_test_run ();
}
