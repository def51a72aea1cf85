/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "common/common-error.h"

/**
 * The one place where XML is read. What comes in is from whoever may talk to libvirt, so it is read
 * with bounds, without network, without entities and without a word on stderr.
 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlDoc, xmlFreeDoc)

/* What libxml2 hands to an xmlStructuredErrorFunc. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *CommonXmlError;
#else
typedef xmlError *CommonXmlError;
#endif

/**
 * common_xml_read: @xml of at most @max bytes (@length -1: NUL-terminated) as a tree.
 *
 * Refused are: anything with a document type (and with it every entity of its own), a NUL within,
 * and what libxml2's own limits refuse (XML_PARSE_HUGE is not given: depth 256, text of 10 MB).
 *
 * Returns: a document with a root element; NULL with COMMON_ERROR_INVALID_XML, whose message has
 * the line.
 */
xmlDoc *common_xml_read (const char *xml, gssize length, gsize max, GError **error);

/**
 * common_xml_schema_load: the RELAX NG at @path of @resource, for good. One that cannot be read is
 * a fault of the build, which the tests would show: it ends the program.
 */
xmlRelaxNG *common_xml_schema_load (GResource *resource, const char *path);

/**
 * common_xml_validate: @node and what is in it against @schema.
 *
 * Returns: FALSE with @code; the message has the line.
 */
gboolean
common_xml_validate (xmlNode *node, xmlRelaxNG *schema, CommonErrorCode code, GError **error);

/**
 * common_xml_is: whether @node is an element @name in no namespace, which is what libvirt's own
 * XPath expressions take.
 */
gboolean common_xml_is (const xmlNode *node, const char *name);

/** common_xml_child: the first child element @name; NULL where there is none. */
xmlNode *common_xml_child (const xmlNode *node, const char *name);

/** common_xml_next: the next sibling element @name; NULL where there is none. */
xmlNode *common_xml_next (const xmlNode *node, const char *name);

/** common_xml_get: an attribute's value, to be freed with g_free; NULL where there is none. */
char *common_xml_get (const xmlNode *node, const char *attribute);

/** common_xml_get_or_empty: as common_xml_get, "" where there is none. */
char *common_xml_get_or_empty (const xmlNode *node, const char *attribute);

/** common_xml_attribute_is: whether the attribute is there and has that value. */
gboolean common_xml_attribute_is (const xmlNode *node, const char *attribute, const char *value);

/**
 * common_xml_get_number: a number as libvirt reads one (src/util/virxml.c: virXMLPropUInt with
 * base 0, src/util/virstring.c: virStrToLong_uip): decimal, hexadecimal after 0x, octal after 0,
 * with white space or a plus before it, never negative.
 * @value: as it was where the attribute is not there
 *
 * Returns: FALSE with @code where the attribute is no such number or is above @max.
 */
gboolean common_xml_get_number (const xmlNode *node, const char *attribute, guint max,
                                CommonErrorCode code, guint *value, GError **error);
