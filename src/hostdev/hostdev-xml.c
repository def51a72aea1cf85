/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-xml.h"

#include <string.h>

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

gboolean
hostdev_xml_get_address (const xmlNode *node, CommonErrorCode code, PciAddress *address,
                         GError **error)
{
  guint domain = 0, bus = 0, slot = 0, function = 0;

  if (!common_xml_get_number (node, "domain", 0xffff, code, &domain, error)
      || !common_xml_get_number (node, "bus", 0xff, code, &bus, error)
      || !common_xml_get_number (node, "slot", 0x1f, code, &slot, error)
      || !common_xml_get_number (node, "function", 7, code, &function, error))
    return FALSE;
  *address = (PciAddress){ (guint16) domain, (guint8) bus, (guint8) slot, (guint8) function };
  return TRUE;
}

gboolean
hostdev_xml_is_qemu (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && node->ns != NULL && node->ns->href != NULL
         && strcmp ((const char *) node->ns->href, QEMU_NAMESPACE) == 0
         && strcmp ((const char *) node->name, name) == 0;
}
