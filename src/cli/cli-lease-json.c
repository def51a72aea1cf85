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
      copy_text (object, member, "driver");
      copy_text (object, member, "driver-override");
      copy_text (object, member, "driver-now");
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

  copy_text (object, lease, "lease");
  copy_text (object, lease, "domain-uuid");
  copy_text (object, lease, "domain-name");
  copy_text (object, lease, "phase");
  if (g_variant_lookup (lease, "since", "x", &since))
    json_object_set_int_member (object, "since", since);
  copy_number (object, lease, "group");
  copy_text (object, lease, "left");
  json_object_set_array_member (object, "members", members_to_json (members));
  return object;
}

static void
copy_vectors (JsonObject *object, GVariant *inspection)
{
  GVariantIter *vectors;
  JsonArray *array;
  const char *source, *address, *name;
  guint32 number;
  guint64 count;

  copy_number (object, inspection, "vectors");
  if (g_variant_lookup (inspection, "vectors-passed-through", "(u&s)", &number, &source))
    {
      JsonObject *fact = json_object_new ();

      json_object_set_int_member (fact, "value", number);
      json_object_set_string_member (fact, "source", source);
      json_object_set_object_member (object, "vectors-passed-through", fact);
    }
  if (!g_variant_lookup (inspection, "vector-list", "a(ssut)", &vectors))
    return;
  array = json_array_new ();
  while (g_variant_iter_next (vectors, "(&s&sut)", &address, &name, &number, &count))
    {
      JsonObject *vector = json_object_new ();

      json_object_set_string_member (vector, "address", address);
      json_object_set_string_member (vector, "name", name);
      json_object_set_int_member (vector, "irq", number);
      json_object_set_int_member (vector, "host-count", (gint64) count);
      json_array_add_object_element (array, vector);
    }
  g_variant_iter_free (vectors);
  json_object_set_array_member (object, "vector-list", array);
}

static JsonObject *
inspection_to_json (GVariant *inspection)
{
  JsonObject *object = json_object_new ();

  copy_number (object, inspection, "group");
  copy_number (object, inspection, "holder-pid");
  copy_fact (object, inspection, "interrupts");
  copy_vectors (object, inspection);
  copy_fact (object, inspection, "dma");
  copy_number (object, inspection, "tce-tables");
  copy_fact (object, inspection, "eeh");
  copy_fact (object, inspection, "pe-state");
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
