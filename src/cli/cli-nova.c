/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <stdio.h>

#include "cli/cli-commands.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-nova-device.h"
#include "cli/cli-terminal.h"

/* Nova's words for what a function is (nova/objects/fields.py: PciDeviceType). */
#define TYPE_PCI "type-PCI"
#define TYPE_PF  "type-PF"
#define TYPE_VF  "type-VF"

/* The keys of nova's own, on one line. */
static char *
to_line (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return json_to_string (node, FALSE);
}

static void
set_ids (JsonObject *object, const HostdevFunction *function)
{
  g_autofree char *vendor = g_strdup_printf ("%04x", function->vendor);
  g_autofree char *product = g_strdup_printf ("%04x", function->device);

  json_object_set_string_member (object, "vendor_id", vendor);
  json_object_set_string_member (object, "product_id", product);
}

static JsonObject *
spec_to_json (const CliNovaDevice *device)
{
  JsonObject *object = json_object_new ();
  char address[PCI_ADDRESS_LEN];

  json_object_set_string_member (object, "address",
                                 pci_address_format (&device->function->address, address));
  set_ids (object, device->function);
  json_object_set_string_member (object, "traits", device->traits);
  return object;
}

static JsonObject *
alias_to_json (const HostdevFunction *function, const char *type)
{
  JsonObject *object = json_object_new ();
  g_autofree char *name = g_strdup_printf ("ppc64-%04x-%04x%s", function->vendor, function->device,
                                           g_str_equal (type, TYPE_PF) ? "-pf" : "");

  json_object_set_string_member (object, "name", name);
  set_ids (object, function);
  json_object_set_string_member (object, "device_type", type);
  return object;
}

/* As nova takes it from libvirt: what can have virtual functions is a physical one, whether it has
 * any now or not (nova/virt/libvirt/host.py: _get_device_type). */
static const char *
type_of (const CliNovaDevice *device)
{
  return device->function->is_vf ? TYPE_VF : device->is_pf ? TYPE_PF : TYPE_PCI;
}

/* Adds the alias of a kind of function, once. */
static void
add_alias (JsonArray *aliases, GHashTable *seen, const CliNovaDevice *device)
{
  const char *type = type_of (device);
  g_autofree char *key
      = g_strdup_printf ("%x-%x-%s", device->function->vendor, device->function->device, type);

  if (g_hash_table_add (seen, g_steal_pointer (&key)))
    json_array_add_object_element (aliases, alias_to_json (device->function, type));
}

static JsonArray *
list_aliases (const GPtrArray *devices)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  JsonArray *aliases = json_array_new ();

  for (guint i = 0; i < devices->len; i++)
    {
      const CliNovaDevice *device = devices->pdata[i];

      if (device->against == NULL)
        add_alias (aliases, seen, device);
    }
  return aliases;
}

/* A comment of the files, cleaned: what it names comes from the host. */
static void
comment (GString *text, const char *line)
{
  g_autofree char *clean = cli_text_clean (line, FALSE);

  g_string_append_printf (text, "# %s\n", clean);
}

/* The file for nova.conf.d: not for people's language only, so it is UTF-8 as JSON is. */
static char *
make_conf (const GPtrArray *devices, JsonArray *aliases)
{
  GString *text = g_string_new (NULL);
  char address[PCI_ADDRESS_LEN];

  comment (text, _ ("PCI devices of this host that guests can get; written by virt-ppc64 nova. The "
                    "aliases belong on the controllers as well."));
  g_string_append (text, "[pci]\nreport_in_placement = True\n");
  for (guint i = 0; i < devices->len; i++)
    {
      const CliNovaDevice *device = devices->pdata[i];

      if (device->against == NULL)
        {
          g_autofree char *spec = to_line (spec_to_json (device));

          g_string_append_printf (text, "device_spec = %s\n", spec);
        }
      else
        {
          g_autofree char *line = g_strdup_printf (
              _ ("%s is not offered: %s"), pci_address_format (&device->function->address, address),
              device->against);

          comment (text, line);
        }
    }
  for (guint i = 0; i < json_array_get_length (aliases); i++)
    {
      g_autofree char *alias
          = to_line (json_object_ref (json_array_get_object_element (aliases, i)));

      g_string_append_printf (text, "alias = %s\n", alias);
    }
  return g_string_free (text, FALSE);
}

/* In the form of nova's schema 1.0 (nova/compute/provider_config.py). */
static char *
make_provider (const char *const *traits)
{
  GString *text = g_string_new (NULL);

  comment (text, _ ("What guests of this host can have; written by virt-ppc64 nova."));
  g_string_append (text, "meta:\n  schema_version: '1.0'\n");
  if (traits[0] == NULL)
    {
      g_string_append (text, "providers: []\n");
      return g_string_free (text, FALSE);
    }
  g_string_append (text, "providers:\n"
                         "  - identification:\n"
                         "      uuid: $COMPUTE_NODE\n"
                         "    traits:\n"
                         "      additional:\n");
  for (guint i = 0; traits[i] != NULL; i++)
    g_string_append_printf (text, "        - %s\n", traits[i]);
  return g_string_free (text, FALSE);
}

static JsonObject *
to_json (const GPtrArray *devices, JsonArray *aliases, const char *const *traits)
{
  JsonObject *document = cli_json_document_new ();
  JsonArray *specs = json_array_new ();
  JsonArray *left = json_array_new ();
  JsonArray *names = json_array_new ();
  char address[PCI_ADDRESS_LEN];

  for (guint i = 0; i < devices->len; i++)
    {
      const CliNovaDevice *device = devices->pdata[i];
      JsonObject *object;

      if (device->against == NULL)
        {
          json_array_add_object_element (specs, spec_to_json (device));
          continue;
        }
      object = json_object_new ();
      json_object_set_string_member (object, "address",
                                     pci_address_format (&device->function->address, address));
      json_object_set_string_member (object, "sentence", device->against);
      json_array_add_object_element (left, object);
    }
  for (guint i = 0; traits[i] != NULL; i++)
    json_array_add_string_element (names, traits[i]);
  json_object_set_array_member (document, "device-spec", specs);
  json_object_set_array_member (document, "alias", json_array_ref (aliases));
  json_object_set_array_member (document, "not-offered", left);
  json_object_set_array_member (document, "traits", names);
  return document;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  gboolean provider = FALSE;
  const GOptionEntry entries[] = {
    { "provider", 'p', 0, G_OPTION_ARG_NONE, &provider,
      N_ ("Write provider.yaml, not the part of nova.conf"), NULL },
    { NULL },
  };
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (GPtrArray) devices = NULL;
  g_autoptr (JsonArray) aliases = NULL;
  g_auto (GStrv) traits = NULL;

  if (!cli_options_parse (options, &cli_nova_command, entries, argv, error)
      || !cli_options_expect (&cli_nova_command, *argv, 0, 0, error))
    return CLI_EXIT_OK;
  host = cli_input_host (options, error);
  if (host == NULL)
    return CLI_EXIT_FAILED;
  devices = cli_nova_devices (host);
  aliases = list_aliases (devices);
  traits = cli_nova_host_traits (host, devices);
  if (options->json)
    cli_json_print (to_json (devices, aliases, (const char *const *) traits));
  else if (!options->quiet)
    {
      g_autofree char *text
          = provider ? make_provider ((const char *const *) traits) : make_conf (devices, aliases);

      /* Not g_print: nova reads UTF-8, whatever the locale says. */
      fputs (text, stdout);
    }
  return CLI_EXIT_OK;
}

const CliCommand cli_nova_command = {
  "nova", "[--provider]",     N_ ("Write what OpenStack's nova is to know of this host's devices"),
  run,    cli_exit_for_error,
};
