/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-network.h"

#include <string.h>

#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-xml.h"

HostdevDevice *
hostdev_network_device_new_from_node (const xmlNode *root, char **network)
{
  if (strcmp ((const char *) root->name, "interface") != 0
      || !common_xml_attribute_is (root, "type", "network"))
    return NULL;

  const xmlNode *source = common_xml_child (root, "source");
  g_autofree char *name = source != NULL ? common_xml_get (source, "network") : NULL;
  g_autoptr (HostdevDevice) device = g_new0 (HostdevDevice, 1);
  if (name == NULL || !hostdev_device_read_guest_address (root, device, NULL))
    return NULL;
  const xmlNode *teaming = common_xml_child (root, "teaming");
  const xmlNode *alias = common_xml_child (root, "alias");
  device->interface = TRUE;
  device->teaming = teaming != NULL && common_xml_attribute_is (teaming, "type", "transient");
  if (alias != NULL)
    device->alias = common_xml_get (alias, "name");
  *network = g_steal_pointer (&name);
  return g_steal_pointer (&device);
}

HostdevDevice *
hostdev_network_device_new (const char *xml, gssize length, char **network)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DEVICE_XML_MAX, NULL);

  return document == NULL
             ? NULL
             : hostdev_network_device_new_from_node (xmlDocGetRootElement (document), network);
}

gboolean
hostdev_network_resolve (const HostdevNetworks *networks, const xmlNode *node, const char *uuid,
                         HostdevDevice **device, GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (HostdevDevice) read = hostdev_network_device_new_from_node (node, &name);
  gboolean hands_out = FALSE;

  *device = NULL;
  if (read == NULL)
    return TRUE;
  if (!networks->find (networks->data, name, uuid, read, &hands_out, error))
    return FALSE;
  if (!hands_out)
    return TRUE;
  read->network = g_steal_pointer (&name);
  *device = g_steal_pointer (&read);
  return TRUE;
}

/* The function that a port has: <plug type='hostdev-pci'><address/></plug>. */
static gboolean
read_plug (const xmlNode *port, PciAddress *address)
{
  const xmlNode *plug = port != NULL ? common_xml_child (port, "plug") : NULL;
  const xmlNode *node = plug != NULL ? common_xml_child (plug, "address") : NULL;

  return node != NULL && common_xml_attribute_is (plug, "type", "hostdev-pci")
         && hostdev_xml_get_address (node, COMMON_ERROR_INVALID_DEVICE, address, NULL);
}

void
hostdev_network_port_clear (HostdevNetworkPort *port)
{
  g_clear_pointer (&port->domain_uuid, g_free);
  g_clear_pointer (&port->domain_name, g_free);
}

static char *
child_text (const xmlNode *node, const char *name)
{
  const xmlNode *child = node != NULL ? common_xml_child (node, name) : NULL;
  xmlChar *text = child != NULL ? xmlNodeGetContent (child) : NULL;
  char *copy = g_strdup ((const char *) text);

  xmlFree (text);
  return copy;
}

gboolean
hostdev_network_read_hook (const char *xml, gssize length, HostdevNetworkPort *port)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DOMAIN_XML_MAX, NULL);
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  const xmlNode *node = root != NULL ? common_xml_child (root, "networkport") : NULL;
  const xmlNode *owner = node != NULL ? common_xml_child (node, "owner") : NULL;
  g_autofree char *uuid = child_text (owner, "uuid");

  *port = (HostdevNetworkPort){ NULL, NULL };
  if (uuid == NULL || !g_uuid_string_is_valid (uuid) || !read_plug (node, &port->address))
    return FALSE;
  port->domain_uuid = g_ascii_strdown (uuid, -1);
  port->domain_name = child_text (owner, "name");
  if (port->domain_name == NULL)
    port->domain_name = g_strdup ("");
  return TRUE;
}

/* Whether a port, of another guest than @owner, has it. */
static gboolean
has_function (const char *port, const char *owner, const PciAddress *address)
{
  g_autoptr (xmlDoc) document = common_xml_read (port, -1, HOSTDEV_DEVICE_XML_MAX, NULL);
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  g_autofree char *uuid
      = root != NULL ? child_text (common_xml_child (root, "owner"), "uuid") : NULL;
  PciAddress taken;

  return read_plug (root, &taken) && pci_address_equal (&taken, address)
         && (owner == NULL || uuid == NULL || g_ascii_strcasecmp (uuid, owner) != 0);
}

static gboolean
is_taken (const char *const *ports, const char *owner, const GArray *given,
          const PciAddress *address)
{
  for (guint i = 0; given != NULL && i < given->len; i++)
    if (pci_address_equal (&g_array_index (given, PciAddress, i), address))
      return TRUE;
  for (gsize i = 0; ports[i] != NULL; i++)
    if (has_function (ports[i], owner, address))
      return TRUE;
  return FALSE;
}

static const xmlNode *
find_forward (xmlDoc *document)
{
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  const xmlNode *forward = root != NULL ? common_xml_child (root, "forward") : NULL;

  return forward != NULL && common_xml_attribute_is (forward, "mode", "hostdev") ? forward : NULL;
}

gboolean
hostdev_network_hands_out (const char *xml)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, -1, HOSTDEV_DEVICE_XML_MAX, NULL);

  return find_forward (document) != NULL;
}

gboolean
hostdev_network_choose (const char *const *texts, HostdevDevice *device)
{
  return hostdev_network_choose_next (texts, NULL, NULL, device);
}

gboolean
hostdev_network_choose_next (const char *const *texts, const char *owner, const GArray *given,
                             HostdevDevice *device)
{
  g_autoptr (xmlDoc) document = common_xml_read (texts[0], -1, HOSTDEV_DEVICE_XML_MAX, NULL);
  const xmlNode *forward = find_forward (document);

  if (forward == NULL)
    return FALSE;
  device->managed = common_xml_attribute_is (forward, "managed", "yes");
  const xmlNode *driver = common_xml_child (forward, "driver");
  g_clear_pointer (&device->driver_name, g_free);
  g_clear_pointer (&device->driver_model, g_free);
  if (driver != NULL)
    {
      device->driver_name = common_xml_get (driver, "name");
      device->driver_model = common_xml_get (driver, "model");
    }
  for (const xmlNode *node = common_xml_child (forward, "address"); node != NULL;
       node = common_xml_next (node, "address"))
    if (common_xml_attribute_is (node, "type", "pci")
        && hostdev_xml_get_address (node, COMMON_ERROR_INVALID_DEVICE, &device->address, NULL)
        && !is_taken (texts + 1, owner, given, &device->address))
      return TRUE;
  return FALSE;
}
