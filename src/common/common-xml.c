/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-xml.h"

#include <errno.h>
#include <string.h>

#include <glib/gi18n-lib.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

/* What a parse that failed has to say: the first error, which the others follow from. */
typedef struct
{
  char *message;
  int line;
  gboolean doctype;
} ParseLog;

static void
note_error (void *data, CommonXmlError error)
{
  ParseLog *log = ((xmlParserCtxt *) data)->_private;

  if (log->message != NULL || error->level < XML_ERR_ERROR)
    return;
  log->message = g_utf8_make_valid (error->message != NULL ? error->message : "", -1);
  g_strstrip (log->message);
  log->line = error->line;
}

/* At the first sight of <!DOCTYPE, before any declaration in it is looked at. */
static void
stop_at_doctype (void *data, const xmlChar *name, const xmlChar *public_id,
                 const xmlChar *system_id)
{
  xmlParserCtxt *context = data;

  ((ParseLog *) context->_private)->doctype = TRUE;
  xmlStopParser (context);
}

xmlDoc *
common_xml_read (const char *xml, gssize length, gsize max, GError **error)
{
  ParseLog log = { 0 };
  gsize size;

  /* No further than one byte beyond what is allowed, whatever there is. */
  size = length < 0 ? strnlen (xml, max + 1) : (gsize) length;
  if (size > max)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML,
                   _ ("The XML is larger than %zu bytes"), max);
      return NULL;
    }
  if (length > 0 && memchr (xml, '\0', size) != NULL)
    {
      /* libvirt would stop reading here, and we would not. */
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML,
                           _ ("The XML has a NUL byte in it"));
      return NULL;
    }

  xmlParserCtxt *context = xmlNewParserCtxt ();
  context->_private = &log;
  context->sax->serror = note_error;
  context->sax->internalSubset = stop_at_doctype;
  g_autoptr (xmlDoc) document
      = xmlCtxtReadMemory (context, xml, (int) size, NULL, NULL,
                           XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
  if (document == NULL && context->myDoc != NULL)
    {
      xmlFreeDoc (context->myDoc);
      context->myDoc = NULL;
    }
  xmlFreeParserCtxt (context);

  g_autofree char *message = log.message;
  if (log.doctype)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML,
                           _ ("The XML has a document type (<!DOCTYPE), which is not allowed"));
      return NULL;
    }
  if (document == NULL || xmlDocGetRootElement (document) == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML, _ ("Line %d: %s"), log.line,
                   message != NULL ? message : _ ("this is no XML"));
      return NULL;
    }
  return g_steal_pointer (&document);
}

gboolean
common_xml_is (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && node->ns == NULL
         && strcmp ((const char *) node->name, name) == 0;
}

static xmlNode *
first_from (xmlNode *node, const char *name)
{
  while (node != NULL && !common_xml_is (node, name))
    node = node->next;
  return node;
}

xmlNode *
common_xml_child (const xmlNode *node, const char *name)
{
  return first_from (node->children, name);
}

xmlNode *
common_xml_next (const xmlNode *node, const char *name)
{
  return first_from (node->next, name);
}

char *
common_xml_get (const xmlNode *node, const char *attribute)
{
  xmlChar *value = xmlGetProp (node, BAD_CAST attribute);
  char *copy = g_strdup ((const char *) value);

  xmlFree (value);
  return copy;
}

char *
common_xml_get_or_empty (const xmlNode *node, const char *attribute)
{
  char *value = common_xml_get (node, attribute);

  return value != NULL ? value : g_strdup ("");
}

gboolean
common_xml_attribute_is (const xmlNode *node, const char *attribute, const char *value)
{
  g_autofree char *found = common_xml_get (node, attribute);

  return g_strcmp0 (found, value) == 0;
}

gboolean
common_xml_get_number (const xmlNode *node, const char *attribute, guint max, CommonErrorCode code,
                       guint *value, GError **error)
{
  g_autofree char *text = common_xml_get (node, attribute);
  char *end;

  if (text == NULL)
    return TRUE;
  errno = 0;
  guint64 number = g_ascii_strtoull (text, &end, 0);
  if (errno != 0 || end == text || *end != '\0' || strchr (text, '-') != NULL || number > max)
    {
      g_set_error (error, COMMON_ERROR, code,
                   _ ("Line %ld: %s=“%.40s” of <%s> is not a number from 0 to %u"),
                   xmlGetLineNo (node), attribute, text, (const char *) node->name, max);
      return FALSE;
    }
  *value = (guint) number;
  return TRUE;
}
