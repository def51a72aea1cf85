/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-host.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "hostdev/hostdev-host-build.h"
#include "hostdev/hostdev-xml.h"

/* A host of 4000 functions takes about 2 MB. */
#define HOST_XML_MAX (64 * 1024 * 1024)

static void
take_text (const xmlNode *node, const char *attribute, char **text)
{
  char *value = common_xml_get (node, attribute);

  if (value == NULL)
    return;
  g_free (*text);
  *text = value;
}

static gboolean
take_number (const xmlNode *node, const char *attribute, guint max, guint *number, GError **error)
{
  return common_xml_get_number (node, attribute, max, COMMON_ERROR_INVALID_HOST, number, error);
}

static gboolean
take_address (const xmlNode *node, const char *attribute, PciAddress *address, GError **error)
{
  g_autofree char *text = common_xml_get (node, attribute);
  g_autoptr (GError) local = NULL;

  if (pci_address_parse (text, address, &local))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST, _ ("Line %ld: %s"),
               xmlGetLineNo (node), local->message);
  return FALSE;
}

static HostdevFunction *
read_function (const xmlNode *node, GError **error)
{
  g_autoptr (HostdevFunction) function = hostdev_function_new ();

  if (!take_address (node, "address", &function->address, error)
      || !take_number (node, "vendor", 0xffff, &function->vendor, error)
      || !take_number (node, "device", 0xffff, &function->device, error)
      || !take_number (node, "subsystem-vendor", 0xffff, &function->subsystem_vendor, error)
      || !take_number (node, "subsystem-device", 0xffff, &function->subsystem_device, error)
      || !take_number (node, "class", 0xffffff, &function->class, error)
      || !take_number (node, "numvfs", 0xffff, &function->numvfs, error)
      || !take_number (node, "total-vfs", 0xffff, &function->total_vfs, error)
      || !take_number (node, "intx", 0xffff, &function->intx, error)
      || !take_number (node, "msi", 0xffff, &function->msi, error)
      || !take_number (node, "msix", 0xffff, &function->msix, error)
      || !take_number (node, "numa-node", 0xffff, &function->numa_node, error)
      || !take_number (node, "dma-bits", 64, &function->dma_bits, error)
      || !take_number (node, "fid", G_MAXUINT, &function->fid, error))
    return NULL;
  function->has_fid = xmlHasProp ((xmlNode *) node, BAD_CAST "fid") != NULL;
  function->has_numa_node = xmlHasProp ((xmlNode *) node, BAD_CAST "numa-node") != NULL;
  function->in_use_only = common_xml_attribute_is (node, "interrupts-in-use-only", "yes");
  take_text (node, "reset-methods", &function->reset_methods);
  take_text (node, "vendor-name", &function->vendor_name);
  take_text (node, "device-name", &function->device_name);
  take_text (node, "class-name", &function->class_name);
  take_text (node, "driver", &function->driver);
  take_text (node, "driver-override", &function->driver_override);
  function->endpoint = !common_xml_attribute_is (node, "endpoint", "no");
  function->is_vf = xmlHasProp ((xmlNode *) node, BAD_CAST "physfn") != NULL;
  if (function->is_vf && !take_address (node, "physfn", &function->physfn, error))
    return NULL;

  for (const xmlNode *child = common_xml_child (node, "busy"); child != NULL;
       child = common_xml_next (child, "busy"))
    {
      g_autofree char *kind = common_xml_get_or_empty (child, "kind");
      g_autofree char *detail = common_xml_get_or_empty (child, "detail");

      hostdev_function_add_busy (function, kind, detail);
    }
  for (const xmlNode *child = common_xml_child (node, "companion"); child != NULL;
       child = common_xml_next (child, "companion"))
    {
      g_autofree char *address = common_xml_get_or_empty (child, "address");

      hostdev_function_add_companion (function, address); /* the schema knows it for one */
    }
  return g_steal_pointer (&function);
}

static gboolean
read_windows (const xmlNode *node, HostdevGroup *group, GError **error)
{
  g_autofree char *pages = common_xml_get_or_empty (node, "page-sizes");

  /* the schema knows it for a number */
  group->page_sizes = g_ascii_strtoull (pages, NULL, 0);
  group->has_windows = TRUE;
  return take_number (node, "dma32-start", G_MAXUINT, &group->dma32_start, error)
         && take_number (node, "dma32-size", G_MAXUINT, &group->dma32_size, error)
         && take_number (node, "windows", G_MAXUINT, &group->windows, error)
         && take_number (node, "levels", G_MAXUINT, &group->levels, error);
}

static HostdevGroup *
read_group (const xmlNode *node, GError **error)
{
  g_autoptr (HostdevGroup) group = hostdev_group_new ();
  const xmlNode *pe_state = common_xml_child (node, "pe-state");
  const xmlNode *holder = common_xml_child (node, "holder");
  const xmlNode *lease = common_xml_child (node, "lease");
  const xmlNode *windows = common_xml_child (node, "dma-windows");

  group->has_pe = xmlHasProp ((xmlNode *) node, BAD_CAST "pe") != NULL;
  if (!take_number (node, "number", G_MAXUINT, &group->number, error)
      || !take_number (node, "phb", 0xffff, &group->phb, error)
      || !take_number (node, "pe", G_MAXUINT, &group->pe, error)
      || (holder != NULL && !take_number (holder, "pid", G_MAXUINT, &group->holder_pid, error))
      || (windows != NULL && !read_windows (windows, group, error)))
    return NULL;
  take_text (node, "name", &group->name);
  if (pe_state != NULL)
    {
      take_text (pe_state, "value", &group->pe_state);
      take_text (pe_state, "source", &group->pe_state_source);
    }
  if (holder != NULL)
    take_text (holder, "kind", &group->holder);
  if (lease != NULL)
    {
      take_text (lease, "id", &group->lease);
      take_text (lease, "domain-uuid", &group->domain_uuid);
      take_text (lease, "domain-name", &group->domain_name);
    }

  for (const xmlNode *child = common_xml_child (node, "function"); child != NULL;
       child = common_xml_next (child, "function"))
    {
      HostdevFunction *function = read_function (child, error);

      if (function == NULL)
        return NULL;
      g_ptr_array_add (group->members, function);
    }
  return g_steal_pointer (&group);
}

static gboolean
read_node (HostdevHost *host, const xmlNode *node, GError **error)
{
  g_autofree char *cpus = common_xml_get_or_empty (node, "cpus");
  g_autofree char *distances = common_xml_get_or_empty (node, "distances");
  guint number = 0;

  if (!take_number (node, "number", 0xffff, &number, error))
    return FALSE;
  if (hostdev_host_add_node (host, number, cpus, distances))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST,
               _ ("Line %ld: “%.40s” is no list of CPUs"), xmlGetLineNo (node), cpus);
  return FALSE;
}

static gboolean
read_child (HostdevHost *host, const xmlNode *node, GError **error)
{
  if (common_xml_is (node, "capability"))
    {
      g_autofree char *name = common_xml_get_or_empty (node, "name");
      g_autofree char *answer = common_xml_get_or_empty (node, "answer");
      g_autofree char *source = common_xml_get_or_empty (node, "source");

      hostdev_host_set_capability (host, name, answer, source);
      return TRUE;
    }
  if (common_xml_is (node, "eeh"))
    {
      g_autofree char *name = common_xml_get_or_empty (node, "name");
      g_autofree char *value = common_xml_get_or_empty (node, "value");
      g_autofree char *source = common_xml_get_or_empty (node, "source");

      hostdev_host_add_eeh (host, name, value, source);
      return TRUE;
    }
  if (common_xml_is (node, "node"))
    return read_node (host, node, error);
  if (common_xml_is (node, "group"))
    {
      HostdevGroup *group = read_group (node, error);

      if (group != NULL)
        hostdev_host_add_group (host, group);
      return group != NULL;
    }
  if (common_xml_is (node, "function"))
    {
      HostdevFunction *function = read_function (node, error);

      if (function != NULL)
        hostdev_host_add_ungrouped (host, function);
      return function != NULL;
    }
  return TRUE;
}

HostdevHost *
hostdev_host_new_from_xml (const char *xml, gssize length, GError **error)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOST_XML_MAX, error);
  if (document == NULL)
    return NULL;

  xmlNode *root = xmlDocGetRootElement (document);
  if (!hostdev_xml_validate (root, HOSTDEV_SCHEMA_HOST, COMMON_ERROR_INVALID_HOST, error))
    return NULL;

  g_autoptr (HostdevHost) host = hostdev_host_new ();
  HostdevHostFacts *facts = hostdev_host_get_facts (host);
  take_text (root, "platform", &facts->platform);
  take_text (root, "kernel", &facts->kernel);
  take_text (root, "cpu", &facts->cpu);
  take_text (root, "model", &facts->model);
  take_text (root, "firmware", &facts->firmware);
  take_text (root, "simulated", &facts->simulated);
  if (!take_number (root, "page-size", G_MAXUINT, &facts->page_size, error)
      || !take_number (root, "memory", G_MAXUINT, &facts->memory, error)
      || !take_number (root, "memory-available", G_MAXUINT, &facts->memory_available, error))
    return NULL;
  for (const xmlNode *node = root->children; node != NULL; node = node->next)
    if (!read_child (host, node, error))
      return NULL;
  return hostdev_host_finish (host, error) ? g_steal_pointer (&host) : NULL;
}
