/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-lease-json.h"

#include "cli/cli-json.h"
#include "common/common-error.h"

static void
copy_text (JsonObject *object, GVariant *dict, const char *key)
{
  cli_json_set_text (object, key, cli_lease_get (dict, key));
}

static void
copy_number (JsonObject *object, GVariant *dict, const char *key)
{
  guint32 number;

  if (g_variant_lookup (dict, key, "u", &number))
    json_object_set_int_member (object, key, number);
}

static void
copy_fact (JsonObject *object, GVariant *dict, const char *key)
{
  const char *value, *source;

  if (cli_lease_get_fact (dict, key, &value, &source))
    cli_json_set_fact (object, key, value, source);
}

/* As the guest's device tree has it, pci@800000020000001. */
static void
copy_buid (JsonObject *object, GVariant *member)
{
  g_autofree char *text = NULL;
  guint64 buid;

  if (!g_variant_lookup (member, "guest-buid", "t", &buid))
    return;
  text = g_strdup_printf ("%" G_GINT64_MODIFIER "x", buid);
  cli_json_set_text (object, "guest-buid", text);
}

static JsonArray *
members_to_json (GVariant *members)
{
  JsonArray *array = json_array_new ();
  gsize count = members != NULL ? g_variant_n_children (members) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) member = g_variant_get_child_value (members, i);
      JsonObject *object = json_object_new ();

      copy_text (object, member, "address");
      copy_text (object, member, "slot");
      copy_text (object, member, "slot-name");
      copy_text (object, member, "driver");
      copy_text (object, member, "driver-override");
      copy_text (object, member, "driver-now");
      copy_text (object, member, "guest-address");
      copy_buid (object, member);
      copy_number (object, member, "guest-pe");
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonObject *
lease_to_json (GVariant *lease)
{
  g_autoptr (GVariant) members
      = g_variant_lookup_value (lease, "members", G_VARIANT_TYPE ("aa{sv}"));
  JsonObject *object = json_object_new ();
  gint64 since;
  guint32 user;

  copy_text (object, lease, "lease");
  copy_text (object, lease, "domain-uuid");
  copy_text (object, lease, "domain-name");
  copy_text (object, lease, "phase");
  if (g_variant_lookup (lease, "user", "u", &user))
    json_object_set_int_member (object, "user", user);
  if (g_variant_lookup (lease, "since", "x", &since))
    json_object_set_int_member (object, "since", since);
  copy_number (object, lease, "group");
  copy_fact (object, lease, "pe-state");
  copy_text (object, lease, "left");
  copy_text (object, lease, "command");
  json_object_set_array_member (object, "members", members_to_json (members));
  return object;
}

/* A number of bytes; JSON's integers have 63 bits, and what is more is no limit. */
static void
copy_bytes (JsonObject *object, GVariant *dict, const char *key)
{
  guint64 bytes;

  if (g_variant_lookup (dict, key, "t", &bytes) && bytes <= G_MAXINT64)
    json_object_set_int_member (object, key, (gint64) bytes);
}

/* {"used": …, "limit": …} */
static void
copy_limit (JsonObject *object, GVariant *dict, const char *key)
{
  JsonObject *limit;
  guint32 used, most;

  if (!g_variant_lookup (dict, key, "(uu)", &used, &most))
    return;
  limit = json_object_new ();
  json_object_set_int_member (limit, "used", used);
  json_object_set_int_member (limit, "limit", most);
  json_object_set_object_member (object, key, limit);
}

static void
copy_memory (JsonObject *object, GVariant *inspection)
{
  gboolean unlimited;

  copy_bytes (object, inspection, "memory-locked");
  copy_bytes (object, inspection, "memory-pinned");
  copy_bytes (object, inspection, "memory-limit");
  if (g_variant_lookup (inspection, "memory-unlimited", "b", &unlimited))
    json_object_set_boolean_member (object, "memory-unlimited", unlimited);
}

static void
copy_warnings (JsonObject *object, GVariant *inspection)
{
  const char *code, *sentence;
  GVariantIter *warnings;
  JsonArray *array;

  if (!g_variant_lookup (inspection, "warnings", "a(ss)", &warnings))
    return;
  array = json_array_new ();
  while (g_variant_iter_next (warnings, "(&s&s)", &code, &sentence))
    {
      JsonObject *warning = json_object_new ();

      json_object_set_string_member (warning, "code", code);
      json_object_set_string_member (warning, "sentence", sentence);
      json_array_add_object_element (array, warning);
    }
  g_variant_iter_free (warnings);
  json_object_set_array_member (object, "warnings", array);
}

static void
copy_vector_list (JsonObject *object, GVariant *inspection)
{
  g_autoptr (GVariant) vectors
      = g_variant_lookup_value (inspection, "vector-list", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = vectors != NULL ? g_variant_n_children (vectors) : 0;
  JsonArray *array;

  if (vectors == NULL)
    return;
  array = json_array_new ();
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) vector = g_variant_get_child_value (vectors, i);
      JsonObject *entry = json_object_new ();
      guint64 handled;

      cli_json_set_text (entry, "address", cli_lease_get (vector, "function"));
      copy_text (entry, vector, "name");
      copy_number (entry, vector, "irq");
      if (g_variant_lookup (vector, "host-count", "t", &handled))
        json_object_set_int_member (entry, "host-count", (gint64) handled);
      copy_fact (entry, vector, "path");
      copy_text (entry, vector, "reason");
      json_array_add_object_element (array, entry);
    }
  json_object_set_array_member (object, "vector-list", array);
}

static void
copy_vectors (JsonObject *object, GVariant *inspection)
{
  const char *source;
  guint32 number;

  copy_number (object, inspection, "vectors");
  if (g_variant_lookup (inspection, "vectors-passed-through", "(u&s)", &number, &source))
    {
      JsonObject *fact = json_object_new ();

      json_object_set_int_member (fact, "value", number);
      json_object_set_string_member (fact, "source", source);
      json_object_set_object_member (object, "vectors-passed-through", fact);
    }
  copy_vector_list (object, inspection);
}

static JsonObject *
inspection_to_json (GVariant *inspection)
{
  JsonObject *object = json_object_new ();

  copy_number (object, inspection, "group");
  copy_number (object, inspection, "holder-pid");
  copy_fact (object, inspection, "interrupts");
  copy_vectors (object, inspection);
  copy_limit (object, inspection, "guest-msis");
  copy_limit (object, inspection, "guest-bypass");
  copy_fact (object, inspection, "dma");
  copy_number (object, inspection, "tce-tables");
  copy_fact (object, inspection, "tce-linked");
  copy_memory (object, inspection);
  copy_fact (object, inspection, "eeh");
  copy_fact (object, inspection, "pe-state");
  copy_warnings (object, inspection);
  return object;
}

static JsonObject *
error_to_json (const GError *error)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "code", common_error_name (common_error_code (error)));
  json_object_set_string_member (object, "message", error->message);
  return object;
}

JsonObject *
cli_leases_to_json (const GPtrArray *leases)
{
  JsonObject *document = cli_json_document_new ();
  JsonArray *devices = json_array_new ();

  for (guint i = 0; i < leases->len; i++)
    {
      const CliLease *lease = g_ptr_array_index (leases, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "address", lease->address);
      if (lease->lease != NULL)
        json_object_set_object_member (object, "lease", lease_to_json (lease->lease));
      if (lease->inspection != NULL)
        json_object_set_object_member (object, "inspection",
                                       inspection_to_json (lease->inspection));
      if (lease->error != NULL)
        json_object_set_object_member (object, "error", error_to_json (lease->error));
      json_array_add_object_element (devices, object);
    }
  json_object_set_array_member (document, "devices", devices);
  return document;
}
