/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-network.h"

#include <string.h>

#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-xml.h"

HostdevDevice *
hostdev_network_device_new (const char *xml, gssize length, char **network)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DEVICE_XML_MAX, NULL);
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  g_autoptr (HostdevDevice) device = NULL;

  if (root == NULL || strcmp ((const char *) root->name, "interface") != 0
      || !common_xml_attribute_is (root, "type", "network"))
    return NULL;

  const xmlNode *source = common_xml_child (root, "source");
  g_autofree char *name = source != NULL ? common_xml_get (source, "network") : NULL;
  device = g_new0 (HostdevDevice, 1);
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

/* The function that a port has: <plug type='hostdev-pci'><address/></plug>. */
static gboolean
read_plug (const xmlNode *port, PciAddress *address)
{
  const xmlNode *plug = port != NULL ? common_xml_child (port, "plug") : NULL;
  const xmlNode *node = plug != NULL ? common_xml_child (plug, "address") : NULL;

  return node != NULL && common_xml_attribute_is (plug, "type", "hostdev-pci")
         && hostdev_xml_get_address (node, COMMON_ERROR_INVALID_DEVICE, address, NULL);
}

static gboolean
read_port (const char *xml, PciAddress *address)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, -1, HOSTDEV_DEVICE_XML_MAX, NULL);

  return document != NULL && read_plug (xmlDocGetRootElement (document), address);
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

static gboolean
is_taken (const char *const *ports, const PciAddress *address)
{
  PciAddress taken;

  for (gsize i = 0; ports[i] != NULL; i++)
    if (read_port (ports[i], &taken) && pci_address_equal (&taken, address))
      return TRUE;
  return FALSE;
}

gboolean
hostdev_network_choose (const char *const *texts, HostdevDevice *device)
{
  g_autoptr (xmlDoc) document = common_xml_read (texts[0], -1, HOSTDEV_DEVICE_XML_MAX, NULL);
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  const xmlNode *forward = root != NULL ? common_xml_child (root, "forward") : NULL;

  if (forward == NULL || !common_xml_attribute_is (forward, "mode", "hostdev"))
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
        && !is_taken (texts + 1, &device->address))
      return TRUE;
  return FALSE;
}
