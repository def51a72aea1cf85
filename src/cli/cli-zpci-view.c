/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-zpci-view.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cli/cli-json.h"
#include "cli/cli-plan-text.h"
#include "cli/cli-table.h"

/* As numbers: how they are written is a matter of text. */
static void
set_ids (JsonObject *object, guint uid, guint fid)
{
  json_object_set_int_member (object, "uid", uid);
  json_object_set_int_member (object, "fid", fid);
}

static JsonObject *
asked_to_json (const HostdevVerified *entry)
{
  JsonObject *object = json_object_new ();

  if (entry->device->zpci.has_uid && entry->device->zpci.has_fid)
    set_ids (object, entry->device->zpci.uid, entry->device->zpci.fid);
  cli_json_set_fact (object, "interrupts", entry->asked, entry->asked_source);
  return object;
}

static JsonObject *
got_to_json (const HostdevVerified *entry)
{
  JsonObject *object = json_object_new ();

  if (entry->function != NULL)
    {
      set_ids (object, entry->function->uid, entry->function->fid);
      cli_json_set_text (object, "kind", entry->function->kind);
    }
  cli_json_set_fact (object, "interrupts", entry->got, entry->got_source);
  return object;
}

static JsonObject *
host_to_json (const HostdevZpciHost *host)
{
  JsonObject *object = json_object_new ();

  cli_json_set_text (object, "driver", host->driver);
  if (host->has_ids)
    {
      set_ids (object, host->uid, host->fid);
      json_object_set_int_member (object, "pchid", host->pchid);
      json_object_set_boolean_member (object, "uid-is-unique", host->uid_is_unique);
    }
  return object;
}

static JsonArray *
devices_to_json (const HostdevVerdict *verdict)
{
  JsonArray *devices = json_array_new ();

  for (guint i = 0; i < verdict->devices->len; i++)
    {
      const HostdevVerified *entry = verdict->devices->pdata[i];
      JsonObject *object = json_object_new ();
      char address[PCI_ADDRESS_LEN];

      json_object_set_string_member (object, "address",
                                     pci_address_format (&entry->device->address, address));
      cli_json_set_text (object, "alias", entry->device->alias);
      json_object_set_object_member (object, "asked", asked_to_json (entry));
      json_object_set_object_member (object, "got", got_to_json (entry));
      if (entry->host != NULL)
        json_object_set_object_member (object, "host", host_to_json (entry->host));
      json_array_add_object_element (devices, object);
    }
  return devices;
}

static JsonArray *
others_to_json (const HostdevVerdict *verdict)
{
  JsonArray *others = json_array_new ();

  for (guint i = 0; i < verdict->others->len; i++)
    {
      const HostdevZpciFunction *function = verdict->others->pdata[i];
      JsonObject *object = json_object_new ();

      set_ids (object, function->uid, function->fid);
      cli_json_set_text (object, "alias", function->target);
      cli_json_set_text (object, "kind", function->kind);
      json_array_add_object_element (others, object);
    }
  return others;
}

/* The guest and the reasons are in the form that a plan has them in. */
JsonObject *
cli_zpci_to_json (const HostdevVerdict *verdict, const HostdevSeen *seen)
{
  g_autoptr (JsonNode) node = hostdev_plan_to_json (verdict->said);
  JsonObject *plan = json_node_get_object (node);
  JsonObject *document = cli_json_document_new ();

  json_object_set_member (document, "domain",
                          json_node_copy (json_object_get_member (plan, "domain")));
  json_object_set_boolean_member (document, "monitor", seen->functions != NULL);
  json_object_set_array_member (document, "devices", devices_to_json (verdict));
  if (seen->functions != NULL)
    json_object_set_array_member (document, "others", others_to_json (verdict));
  if (seen->has_forwarded)
    json_object_set_int_member (document, "aen-forward", (gint64) seen->forwarded);
  json_object_set_member (document, "reasons",
                          json_node_copy (json_object_get_member (plan, "reasons")));
  return document;
}

static CliStyle
value_style (const HostdevVerified *entry)
{
  if (strcmp (entry->got, "unknown") == 0)
    return CLI_STYLE_WARN;
  return strcmp (entry->got, entry->asked) == 0 || strcmp (entry->got, "forwarded") == 0
             ? CLI_STYLE_GOOD
             : CLI_STYLE_BAD;
}

static void
add_row (CliTable *table, const char *what, CliStyle style, const char *value)
{
  cli_table_add (table, CLI_STYLE_PLAIN, what);
  cli_table_add (table, style, value);
}

static void
add_ids (CliTable *table, const char *what, guint uid, guint fid)
{
  cli_table_add (table, CLI_STYLE_PLAIN, what);
  cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("uid 0x%04x, fid 0x%08x"), uid, fid);
}

static void
add_host (CliTable *table, const HostdevZpciHost *host)
{
  if (host == NULL)
    return;
  add_row (table, _ ("driver"), CLI_STYLE_PLAIN,
           *host->driver != '\0' ? host->driver : _ ("no driver"));
  if (!host->has_ids)
    return;
  cli_table_add (table, CLI_STYLE_PLAIN, _ ("on the host"));
  cli_table_add_format (table, CLI_STYLE_PLAIN,
                        host->uid_is_unique ? _ ("uid 0x%04x (unique), fid 0x%08x, PCHID 0x%04x")
                                            : _ ("uid 0x%04x, fid 0x%08x, PCHID 0x%04x"),
                        host->uid, host->fid, host->pchid);
}

static void
print_device (const HostdevVerified *entry, gboolean verbose)
{
  const HostdevZpciIds *ids = &entry->device->zpci;
  char address[PCI_ADDRESS_LEN];
  g_autoptr (CliTable) table = cli_table_new (2, NULL, 2);

  g_print ("%s%s%s", cli_terminal_style (CLI_STYLE_STRONG),
           pci_address_format (&entry->device->address, address),
           cli_terminal_style_end (CLI_STYLE_STRONG));
  if (entry->device->alias != NULL)
    {
      g_autofree char *alias = cli_text_clean (entry->device->alias, FALSE);

      g_print ("  %s", alias);
    }
  g_print ("\n");
  add_host (table, entry->host);
  if (entry->function != NULL)
    add_ids (table, _ ("in the guest"), entry->function->uid, entry->function->fid);
  else if (ids->has_uid && ids->has_fid)
    add_ids (table, _ ("in its XML"), ids->uid, ids->fid);
  add_row (table, _ ("asked for"), CLI_STYLE_PLAIN, entry->asked);
  if (verbose)
    add_row (table, "", CLI_STYLE_FAINT, entry->asked_source);
  add_row (table, _ ("interrupts"), value_style (entry), entry->got);
  if (verbose)
    add_row (table, "", CLI_STYLE_FAINT, entry->got_source);
  cli_table_print (table);
}

/* Emulated ones, as a rule: QEMU never has those interpreted. */
static void
print_others (const HostdevVerdict *verdict)
{
  const char *const titles[] = { _ ("ALSO IN THE GUEST"), "", "" };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));

  if (verdict->others->len == 0)
    return;
  for (guint i = 0; i < verdict->others->len; i++)
    {
      const HostdevZpciFunction *function = verdict->others->pdata[i];

      cli_table_add_format (table, CLI_STYLE_PLAIN, _ ("uid 0x%04x, fid 0x%08x"), function->uid,
                            function->fid);
      cli_table_add (table, CLI_STYLE_PLAIN, function->target);
      cli_table_add (table, CLI_STYLE_FAINT, function->kind);
    }
  if (verdict->devices->len > 0)
    g_print ("\n");
  cli_table_print (table);
}

void
cli_zpci_print (const HostdevVerdict *verdict, const char *guest, gboolean verbose)
{
  if (verdict->devices->len == 0)
    {
      g_autofree char *text
          = g_strdup_printf (_ ("The guest “%s” has no PCI device of the host."), guest);

      cli_text_print (0, CLI_STYLE_PLAIN, text);
    }
  for (guint i = 0; i < verdict->devices->len; i++)
    {
      if (i > 0)
        g_print ("\n");
      print_device (verdict->devices->pdata[i], verbose);
    }
  print_others (verdict);
  cli_plan_print_reasons (verdict->said);
}
