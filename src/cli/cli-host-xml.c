/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-host-xml.h"

#include "hostdev/hostdev-xml.h"

static xmlNode *
add (xmlNode *parent, const char *name)
{
  return xmlNewChild (parent, NULL, BAD_CAST name, NULL);
}

/* An attribute; none where there is nothing to say. */
static void
set (xmlNode *node, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    xmlNewProp (node, BAD_CAST name, BAD_CAST value);
}

static void
set_decimal (xmlNode *node, const char *name, guint number)
{
  g_autofree char *text = g_strdup_printf ("%u", number);

  set (node, name, text);
}

/* A number; none where it is 0. */
static void
set_count (xmlNode *node, const char *name, guint number)
{
  if (number != 0)
    set_decimal (node, name, number);
}

static void
set_hexadecimal (xmlNode *node, const char *name, guint digits, guint number)
{
  g_autofree char *text = g_strdup_printf ("0x%0*x", (int) digits, number);

  set (node, name, text);
}

static void
set_address (xmlNode *node, const char *name, const PciAddress *address)
{
  char text[PCI_ADDRESS_LEN];

  set (node, name, pci_address_format (address, text));
}

static void
add_capabilities (xmlNode *root, const HostdevHost *host)
{
  static const char *const answers[]
      = { [HOSTDEV_UNKNOWN] = "unknown", [HOSTDEV_NO] = "no", [HOSTDEV_YES] = "yes" };

  for (int i = 0; i < HOSTDEV_CAP_POWER_LAST; i++)
    {
      HostdevFact fact = hostdev_host_get_capability (host, (HostdevCapability) i);
      xmlNode *node = add (root, "capability");

      set (node, "name", hostdev_capability_name ((HostdevCapability) i));
      set (node, "answer", answers[fact.answer]);
      xmlNewProp (node, BAD_CAST "source", BAD_CAST fact.source);
    }
}

static void
add_eeh (xmlNode *root, const HostdevHost *host)
{
  const GPtrArray *settings = hostdev_host_get_eeh (host);

  for (guint i = 0; i < settings->len; i++)
    {
      const HostdevSetting *setting = g_ptr_array_index (settings, i);
      xmlNode *node = add (root, "eeh");

      set (node, "name", setting->name);
      xmlNewProp (node, BAD_CAST "value", BAD_CAST setting->value);
      xmlNewProp (node, BAD_CAST "source", BAD_CAST setting->source);
    }
}

static void
add_nodes (xmlNode *root, const HostdevHost *host)
{
  const GPtrArray *nodes = hostdev_host_get_nodes (host);

  for (guint i = 0; i < nodes->len; i++)
    {
      const HostdevNode *node = g_ptr_array_index (nodes, i);
      xmlNode *element = add (root, "node");

      set_decimal (element, "number", node->number);
      set (element, "cpus", node->cpus);
      set (element, "distances", node->distances);
    }
}

static void
add_function (xmlNode *parent, const HostdevFunction *function)
{
  xmlNode *node = add (parent, "function");

  set_address (node, "address", &function->address);
  set_hexadecimal (node, "vendor", 4, function->vendor);
  set_hexadecimal (node, "device", 4, function->device);
  set_hexadecimal (node, "subsystem-vendor", 4, function->subsystem_vendor);
  set_hexadecimal (node, "subsystem-device", 4, function->subsystem_device);
  set_hexadecimal (node, "class", 6, function->class);
  set (node, "vendor-name", function->vendor_name);
  set (node, "device-name", function->device_name);
  set (node, "class-name", function->class_name);
  set (node, "endpoint", function->endpoint ? "yes" : "no");
  set (node, "driver", function->driver);
  set (node, "driver-override", function->driver_override);
  set_count (node, "intx", function->intx);
  set_count (node, "msi", function->msi);
  set_count (node, "msix", function->msix);
  set (node, "interrupts-in-use-only", function->in_use_only ? "yes" : NULL);
  if (function->has_numa_node)
    set_decimal (node, "numa-node", function->numa_node);
  set_count (node, "dma-bits", function->dma_bits);
  if (function->has_fid)
    set_decimal (node, "fid", function->fid);
  if (function->reset_methods != NULL)
    xmlNewProp (node, BAD_CAST "reset-methods", BAD_CAST function->reset_methods);
  if (function->is_vf)
    set_address (node, "physfn", &function->physfn);
  if (function->numvfs > 0)
    set_decimal (node, "numvfs", function->numvfs);
  set_count (node, "total-vfs", function->total_vfs);
  for (guint i = 0; i < function->busy->len; i++)
    {
      const HostdevBusy *reason = g_ptr_array_index (function->busy, i);
      xmlNode *busy = add (node, "busy");

      set (busy, "kind", reason->kind);
      xmlNewProp (busy, BAD_CAST "detail", BAD_CAST reason->detail);
    }
  for (guint i = 0; i < function->companions->len; i++)
    set (add (node, "companion"), "address", function->companions->pdata[i]);
}

static void
add_group_state (xmlNode *node, const HostdevGroup *group)
{
  xmlNode *state = add (node, "pe-state");
  xmlNode *holder = add (node, "holder");

  set (state, "value", group->pe_state);
  xmlNewProp (state, BAD_CAST "source", BAD_CAST group->pe_state_source);
  set (holder, "kind", group->holder);
  if (group->holder_pid != 0)
    set_decimal (holder, "pid", group->holder_pid);
  if (*group->lease != '\0')
    {
      xmlNode *lease = add (node, "lease");

      set (lease, "id", group->lease);
      set (lease, "domain-uuid", group->domain_uuid);
      set (lease, "domain-name", group->domain_name);
    }
}

static void
add_windows (xmlNode *node, const HostdevGroup *group)
{
  g_autofree char *pages = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", group->page_sizes);
  xmlNode *windows = add (node, "dma-windows");

  set_hexadecimal (windows, "dma32-start", 1, group->dma32_start);
  set_hexadecimal (windows, "dma32-size", 1, group->dma32_size);
  set_decimal (windows, "windows", group->windows);
  set_decimal (windows, "levels", group->levels);
  set (windows, "page-sizes", pages);
}

static void
add_group (xmlNode *root, const HostdevGroup *group)
{
  xmlNode *node = add (root, "group");

  set_decimal (node, "number", group->number);
  set (node, "name", group->name);
  set_decimal (node, "phb", group->phb);
  if (group->has_pe)
    set_hexadecimal (node, "pe", 1, group->pe);
  add_group_state (node, group);
  if (group->has_windows)
    add_windows (node, group);
  for (guint i = 0; i < group->members->len; i++)
    add_function (node, g_ptr_array_index (group->members, i));
}

char *
cli_host_to_xml (const HostdevHost *host)
{
  g_autoptr (xmlDoc) document = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *root = xmlNewNode (NULL, BAD_CAST "host");
  const GPtrArray *groups = hostdev_host_get_groups (host);
  const GPtrArray *ungrouped = hostdev_host_get_ungrouped (host);
  xmlChar *text;
  int length;
  char *xml;

  xmlDocSetRootElement (document, root);
  set (root, "platform", hostdev_host_get_platform (host));
  set (root, "kernel", hostdev_host_get_kernel (host));
  set (root, "cpu", hostdev_host_get_cpu (host));
  set (root, "model", hostdev_host_get_model (host));
  set (root, "firmware", hostdev_host_get_firmware (host));
  set (root, "simulated", hostdev_host_get_simulated (host));
  if (hostdev_host_get_page_size (host) != 0)
    set_decimal (root, "page-size", hostdev_host_get_page_size (host));
  if (hostdev_host_get_memory (host) != 0)
    set_decimal (root, "memory", hostdev_host_get_memory (host));
  if (hostdev_host_get_memory_available (host) != 0)
    set_decimal (root, "memory-available", hostdev_host_get_memory_available (host));
  add_capabilities (root, host);
  add_eeh (root, host);
  add_nodes (root, host);
  for (guint i = 0; i < groups->len; i++)
    add_group (root, g_ptr_array_index (groups, i));
  for (guint i = 0; i < ungrouped->len; i++)
    add_function (root, g_ptr_array_index (ungrouped, i));
  xmlDocDumpFormatMemoryEnc (document, &text, &length, "UTF-8", 1);
  xml = g_strndup ((const char *) text, (gsize) length);
  xmlFree (text);
  return xml;
}
