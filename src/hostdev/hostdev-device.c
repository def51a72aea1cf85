/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-device.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-xml.h"

void
hostdev_device_free (HostdevDevice *device)
{
  if (device == NULL)
    return;
  g_free (device->alias);
  g_free (device->driver_name);
  g_free (device->driver_model);
  g_free (device->network);
  g_free (device);
}

/* The same question for both forms; libvirt's default of mode is subsystem
 * (src/conf/domain_conf.c: virDomainHostdevDefParseXML). */
static gboolean
is_pci_hostdev (const xmlNode *node)
{
  const char *name = (const char *) node->name;

  if (strcmp (name, "hostdev") == 0)
    {
      g_autofree char *mode = common_xml_get (node, "mode");

      return (mode == NULL || strcmp (mode, "subsystem") == 0)
             && common_xml_attribute_is (node, "type", "pci");
    }
  if (strcmp (name, "interface") == 0 && common_xml_attribute_is (node, "type", "hostdev"))
    {
      const xmlNode *source = common_xml_child (node, "source");
      const xmlNode *address = source != NULL ? common_xml_child (source, "address") : NULL;

      /* Anything but another bus: the address decides, and one that is not there is an error. */
      g_autofree char *type = address != NULL ? common_xml_get (address, "type") : NULL;
      return type == NULL || strcmp (type, "pci") == 0;
    }
  return FALSE;
}

static gboolean
refuse (const xmlNode *node, GError **error, const char *why)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE, _ ("Line %ld: %s"),
               xmlGetLineNo (node), why);
  return FALSE;
}

/* The one <source><address/></source>. Of two, libvirt takes the first; which one was meant is not
 * for us to guess. */
static gboolean
read_source (const xmlNode *node, HostdevDevice *device, GError **error)
{
  const xmlNode *source = common_xml_child (node, "source");
  const xmlNode *address = source != NULL ? common_xml_child (source, "address") : NULL;

  if (address == NULL)
    return refuse (node, error, _ ("the PCI device has no <source><address/></source>"));
  if (common_xml_next (source, "source") != NULL || common_xml_next (address, "address") != NULL)
    return refuse (address, error, _ ("the PCI device has more than one source address"));
  return hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DEVICE, &device->address, error);
}

/* <address type='pci'> of the guest; one that is all zero is none to libvirt, which then chooses
 * (src/conf/device_conf.c: virDeviceInfoPCIAddressIsWanted). */
gboolean
hostdev_device_read_guest_address (const xmlNode *node, HostdevDevice *device, GError **error)
{
  const xmlNode *address = common_xml_child (node, "address");
  PciAddress guest;

  if (address == NULL || !common_xml_attribute_is (address, "type", "pci"))
    return TRUE;
  if (!hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DEVICE, &guest, error))
    return FALSE;
  hostdev_zpci_ids_read (address, &device->zpci);
  device->has_guest_bus = guest.domain != 0 || guest.bus != 0 || guest.slot != 0;
  device->guest_domain = guest.domain;
  device->guest_bus = guest.bus;
  device->guest_slot = guest.slot;
  device->guest_function = guest.function;
  return TRUE;
}

gboolean
hostdev_device_new_from_node (const xmlNode *node, HostdevDevice **device, GError **error)
{
  *device = NULL;
  if (!is_pci_hostdev (node))
    return TRUE;

  g_autoptr (HostdevDevice) read = g_new0 (HostdevDevice, 1);
  if (!read_source (node, read, error) || !hostdev_device_read_guest_address (node, read, error))
    return FALSE;

  const xmlNode *alias = common_xml_child (node, "alias");
  const xmlNode *driver = common_xml_child (node, "driver");
  read->interface = strcmp ((const char *) node->name, "interface") == 0;
  const xmlNode *teaming = common_xml_child (node, "teaming");
  read->managed = common_xml_attribute_is (node, "managed", "yes");
  read->teaming = teaming != NULL && common_xml_attribute_is (teaming, "type", "transient");
  if (alias != NULL)
    read->alias = common_xml_get (alias, "name");
  if (driver != NULL)
    {
      read->driver_name = common_xml_get (driver, "name");
      read->driver_model = common_xml_get (driver, "model");
      read->iommufd = common_xml_attribute_is (driver, "iommufd", "yes");
    }
  *device = g_steal_pointer (&read);
  return TRUE;
}

gboolean
hostdev_device_new_from_xml (const char *xml, gssize length, HostdevDevice **device, GError **error)
{
  *device = NULL;
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DEVICE_XML_MAX, error);

  return document != NULL
         && hostdev_device_new_from_node (xmlDocGetRootElement (document), device, error);
}

gboolean
hostdev_device_xml_is_nvme (const char *xml, gssize length)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DEVICE_XML_MAX, NULL);
  const xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;

  return root != NULL && strcmp ((const char *) root->name, "disk") == 0
         && common_xml_attribute_is (root, "type", "nvme");
}
