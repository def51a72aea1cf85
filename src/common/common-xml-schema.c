/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-xml.h"

#include <glib/gi18n-lib.h>

xmlRelaxNG *
common_xml_schema_load (GResource *resource, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes
      = g_resource_lookup_data (resource, path, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);
  if (bytes == NULL)
    g_error ("%s: %s", path, error->message);

  xmlRelaxNGParserCtxt *parser
      = xmlRelaxNGNewMemParserCtxt (g_bytes_get_data (bytes, NULL), (int) g_bytes_get_size (bytes));
  xmlRelaxNG *schema = xmlRelaxNGParse (parser);
  xmlRelaxNGFreeParserCtxt (parser);
  if (schema == NULL)
    g_error ("%s is no RELAX NG", path);
  return schema;
}

typedef struct
{
  GString *text;
  long line;
} ValidationLog;

/* libxml2 tells the most exact thing first and its context after it; of the first it does not
 * always know the line. */
static void
note_error (void *data, CommonXmlError error)
{
  ValidationLog *log = data;

  if (log->line == 0)
    log->line = error->node != NULL ? xmlGetLineNo (error->node) : error->line;
  if (log->text->len > 0)
    return;
  /* "Invalid attribute" is said of a wrong value as well; show it. */
  if (error->code == XML_RELAXNG_ERR_INVALIDATTR && error->node != NULL && error->str1 != NULL)
    {
      const xmlNode *node = error->node;
      g_autofree char *value = common_xml_get_or_empty (node, error->str1);

      g_string_append_printf (log->text, _ ("<%s> cannot have %s=“%.40s”"),
                              (const char *) node->name, error->str1, value);
      return;
    }
  g_autofree char *message = g_utf8_make_valid (error->message != NULL ? error->message : "", -1);
  g_string_append (log->text, g_strstrip (message));
}

gboolean
common_xml_validate (xmlNode *node, xmlRelaxNG *schema, CommonErrorCode code, GError **error)
{
  ValidationLog log = { g_string_new (NULL), 0 };
  /* A document of its own: libxml2 validates nothing smaller. Lines are kept in the copy. */
  g_autoptr (xmlDoc) document = xmlNewDoc (NULL);
  xmlDocSetRootElement (document, xmlDocCopyNode (node, document, 1));

  xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt (schema);
  xmlRelaxNGSetValidStructuredErrors (context, note_error, &log);
  gboolean valid = xmlRelaxNGValidateDoc (context, document) == 0;
  xmlRelaxNGFreeValidCtxt (context);

  g_autofree char *text = g_string_free (log.text, FALSE);
  if (!valid)
    g_set_error (error, COMMON_ERROR, code, _ ("Line %ld: %s"),
                 log.line > 0 ? log.line : xmlGetLineNo (node),
                 *text != '\0' ? text : _ ("this does not fit the schema"));
  return valid;
}
