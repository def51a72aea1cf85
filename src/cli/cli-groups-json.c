/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-groups-json.h"

#include "cli/cli-json.h"

static void
set_address (JsonObject *object, const char *name, const PciAddress *address)
{
  char text[PCI_ADDRESS_LEN];

  json_object_set_string_member (object, name, pci_address_format (address, text));
}

static JsonArray *
busy_to_json (const GPtrArray *busy)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < busy->len; i++)
    {
      const HostdevBusy *reason = g_ptr_array_index (busy, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "kind", reason->kind);
      json_object_set_string_member (object, "detail", reason->detail);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonObject *
function_to_json (const HostdevFunction *function)
{
  JsonObject *object = json_object_new ();

  set_address (object, "address", &function->address);
  json_object_set_int_member (object, "vendor", function->vendor);
  json_object_set_int_member (object, "device", function->device);
  json_object_set_int_member (object, "subsystem-vendor", function->subsystem_vendor);
  json_object_set_int_member (object, "subsystem-device", function->subsystem_device);
  json_object_set_int_member (object, "class", function->class);
  cli_json_set_text (object, "vendor-name", function->vendor_name);
  cli_json_set_text (object, "device-name", function->device_name);
  cli_json_set_text (object, "class-name", function->class_name);
  json_object_set_boolean_member (object, "endpoint", function->endpoint);
  cli_json_set_text (object, "driver", function->driver);
  cli_json_set_text (object, "driver-override", function->driver_override);
  if (function->is_vf)
    set_address (object, "physfn", &function->physfn);
  if (function->numvfs > 0)
    json_object_set_int_member (object, "numvfs", function->numvfs);
  json_object_set_array_member (object, "busy", busy_to_json (function->busy));
  if (function->companions->len > 0)
    {
      JsonArray *companions = json_array_new ();

      for (guint i = 0; i < function->companions->len; i++)
        json_array_add_string_element (companions, function->companions->pdata[i]);
      json_object_set_array_member (object, "companions", companions);
    }
  return object;
}

static JsonArray *
functions_to_json (const GPtrArray *functions)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < functions->len; i++)
    json_array_add_object_element (array, function_to_json (g_ptr_array_index (functions, i)));
  return array;
}

static JsonObject *
windows_to_json (const HostdevGroup *group)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "dma32-start", group->dma32_start);
  json_object_set_int_member (object, "dma32-size", group->dma32_size);
  json_object_set_int_member (object, "page-sizes", (gint64) group->page_sizes);
  json_object_set_int_member (object, "windows", group->windows);
  json_object_set_int_member (object, "levels", group->levels);
  return object;
}

static JsonObject *
group_to_json (const HostdevGroup *group)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "number", group->number);
  cli_json_set_text (object, "name", group->name);
  json_object_set_int_member (object, "phb", group->phb);
  if (group->has_pe)
    json_object_set_int_member (object, "pe", group->pe);
  cli_json_set_fact (object, "pe-state", group->pe_state, group->pe_state_source);
  json_object_set_string_member (object, "holder", group->holder);
  if (group->holder_pid != 0)
    json_object_set_int_member (object, "holder-pid", group->holder_pid);
  cli_json_set_text (object, "lease", group->lease);
  cli_json_set_text (object, "domain-uuid", group->domain_uuid);
  cli_json_set_text (object, "domain-name", group->domain_name);
  if (group->has_windows)
    json_object_set_object_member (object, "dma-windows", windows_to_json (group));
  json_object_set_array_member (object, "members", functions_to_json (group->members));
  return object;
}

JsonObject *
cli_groups_to_json (const HostdevHost *host, const HostdevGroup *only)
{
  const GPtrArray *groups = hostdev_host_get_groups (host);
  JsonObject *document = cli_json_document_new ();
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < groups->len; i++)
    {
      const HostdevGroup *group = g_ptr_array_index (groups, i);

      if (only == NULL || group == only)
        json_array_add_object_element (array, group_to_json (group));
    }
  json_object_set_array_member (document, "groups", array);
  if (only == NULL)
    json_object_set_array_member (document, "ungrouped",
                                  functions_to_json (hostdev_host_get_ungrouped (host)));
  return document;
}
