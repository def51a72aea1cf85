/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-libvirt-schema.h"

#include <glib/gi18n.h>
#include <libxml/relaxng.h>

#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-xml.h"

#define SCHEMA LIBVIRT_SCHEMA_DIR "/domain.rng"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

static void
collect (void *data, CommonXmlError error)
{
  g_autofree char *message = g_strstrip (g_strdup (error->message));

  /* Of an error in a tree libxml2 knows the node, and seldom the line. */
  long line = error->node != NULL ? xmlGetLineNo (error->node) : error->line;

  if (line > 0)
    g_ptr_array_add (data, g_strdup_printf (_ ("Line %ld: %s"), line, message));
  else
    g_ptr_array_add (data, g_steal_pointer (&message));
}

/* What is wrong with a schema is told in one sentence of ours. */
static void
ignore (void *data, CommonXmlError error)
{
}

/* Once for all files: reading it takes longer than most of them do. */
static xmlRelaxNG *
get_schema (GError **error)
{
  static xmlRelaxNG *schema;
  g_autoptr (xmlRelaxNGParserCtxt) parser
      = schema == NULL ? xmlRelaxNGNewParserCtxt (SCHEMA) : NULL;

  if (parser != NULL)
    {
      xmlRelaxNGSetParserStructuredErrors (parser, ignore, NULL);
      schema = xmlRelaxNGParse (parser);
    }
  if (schema == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE,
                 _ ("libvirt's schema %s cannot be read; install the package of libvirt that has "
                    "it."),
                 SCHEMA);
  return schema;
}

gboolean
cli_libvirt_schema_check (const char *xml, gsize length, GPtrArray *findings, GError **error)
{
  g_autoptr (xmlDoc) document
      = common_xml_read (xml, (gssize) length, HOSTDEV_DOMAIN_XML_MAX, error);
  xmlRelaxNG *schema = document != NULL ? get_schema (error) : NULL;
  g_autoptr (xmlRelaxNGValidCtxt) context = NULL;

  if (schema == NULL)
    return FALSE;
  context = xmlRelaxNGNewValidCtxt (schema);
  xmlRelaxNGSetValidStructuredErrors (context, collect, findings);
  if (xmlRelaxNGValidateDoc (context, document) != 0 && findings->len == 0)
    g_ptr_array_add (findings, g_strdup (_ ("does not fit libvirt's schema")));
  return TRUE;
}
