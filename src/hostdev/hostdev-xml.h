/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "common/common-error.h"
#include "common/pci-address.h"

/**
 * The one place where XML is read. What comes in is from whoever may talk to libvirt, so it is read
 * with bounds, without network, without entities and without a word on stderr.
 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlDoc, xmlFreeDoc)

/* What libxml2 hands to an xmlStructuredErrorFunc. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *HostdevXmlError;
#else
typedef xmlError *HostdevXmlError;
#endif

/**
 * hostdev_xml_read: @xml of at most @max bytes (@length -1: NUL-terminated) as a tree.
 *
 * Refused are: anything with a document type (and with it every entity of its own), a NUL within,
 * and what libxml2's own limits refuse (XML_PARSE_HUGE is not given: depth 256, text of 10 MB).
 *
 * Returns: a document with a root element; NULL with COMMON_ERROR_INVALID_XML, whose message has
 * the line.
 */
xmlDoc *hostdev_xml_read (const char *xml, gssize length, gsize max, GError **error);

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
 * hostdev_xml_is: whether @node is an element @name in no namespace, which is what libvirt's own
 * XPath expressions take.
 */
gboolean hostdev_xml_is (const xmlNode *node, const char *name);

/** hostdev_xml_child: the first child element @name; NULL where there is none. */
xmlNode *hostdev_xml_child (const xmlNode *node, const char *name);

/** hostdev_xml_next: the next sibling element @name; NULL where there is none. */
xmlNode *hostdev_xml_next (const xmlNode *node, const char *name);

/** hostdev_xml_get: an attribute's value, to be freed with g_free; NULL where there is none. */
char *hostdev_xml_get (const xmlNode *node, const char *attribute);

/** hostdev_xml_get_or_empty: as hostdev_xml_get, "" where there is none. */
char *hostdev_xml_get_or_empty (const xmlNode *node, const char *attribute);

/** hostdev_xml_attribute_is: whether the attribute is there and has that value. */
gboolean hostdev_xml_attribute_is (const xmlNode *node, const char *attribute, const char *value);

/**
 * hostdev_xml_get_number: a number as libvirt reads one (src/util/virxml.c: virXMLPropUInt with
 * base 0, src/util/virstring.c: virStrToLong_uip): decimal, hexadecimal after 0x, octal after 0,
 * with white space or a plus before it, never negative.
 * @value: as it was where the attribute is not there
 *
 * Returns: FALSE with @code where the attribute is no such number or is above @max.
 */
gboolean hostdev_xml_get_number (const xmlNode *node, const char *attribute, guint max,
                                 CommonErrorCode code, guint *value, GError **error);

/**
 * hostdev_xml_get_address: domain, bus, slot and function of @node, each 0 where left out
 * (libvirt src/conf/device_conf.c: virPCIDeviceAddressParseXML).
 */
gboolean hostdev_xml_get_address (const xmlNode *node, CommonErrorCode code, PciAddress *address,
                                  GError **error);
