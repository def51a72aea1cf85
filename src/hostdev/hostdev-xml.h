/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-xml.h"
#include "common/pci-address.h"

/**
 * What XML of hosts and devices has beside what all XML has (common/common-xml.h).
 */

/* Our schemas, which the library carries within; installed as files of the same name as well. */
typedef enum
{
  HOSTDEV_SCHEMA_DOMAIN, /* schemas/domain-ppc64.rng: the element in <metadata> */
  HOSTDEV_SCHEMA_HOST,   /* schemas/host.rng */
  HOSTDEV_SCHEMA_LAST
} HostdevSchema;

/**
 * hostdev_xml_validate: @node and what is in it against @schema.
 *
 * Returns: FALSE with @code; the message has the line.
 */
gboolean
hostdev_xml_validate (xmlNode *node, HostdevSchema schema, CommonErrorCode code, GError **error);

/**
 * hostdev_xml_get_address: domain, bus, slot and function of @node, each 0 where left out
 * (libvirt src/conf/device_conf.c: virPCIDeviceAddressParseXML).
 */
gboolean hostdev_xml_get_address (const xmlNode *node, CommonErrorCode code, PciAddress *address,
                                  GError **error);

/** hostdev_xml_is_qemu: whether @node is the element @name of libvirt's QEMU namespace, as
 * "commandline". */
gboolean hostdev_xml_is_qemu (const xmlNode *node, const char *name);
