/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-xml.h"

/**
 * CliEdit: changes to XML where it stands. libxml2 reads it, and tells what is in it; what is
 * changed is changed in the text, so that all else stays as it was, byte for byte: comments,
 * quotes, line ends, elements of namespaces that nobody here knows.
 *
 * Every change reads the text anew: nodes from before are gone with it.
 */
typedef struct _CliEdit CliEdit;

/** cli_edit_new: @xml of at most @max bytes. NULL with COMMON_ERROR_INVALID_XML, whose message has
 * the line. */
CliEdit *cli_edit_new (const char *xml, gsize length, gsize max, GError **error);
void cli_edit_free (CliEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliEdit, cli_edit_free)

/** cli_edit_get_text: as it is now, and its @length in bytes; until the next change. */
const char *cli_edit_get_text (const CliEdit *edit, gsize *length);
/** cli_edit_get_root: its first element, until the next change. */
xmlNode *cli_edit_get_root (const CliEdit *edit);

/**
 * cli_edit_set_attribute: gives the element @node the attribute, or another value.
 * @name: with its prefix, where it has one
 * @value: without anything that would have to be escaped; NULL: takes the attribute away
 */
void
cli_edit_set_attribute (CliEdit *edit, const xmlNode *node, const char *name, const char *value);

/** cli_edit_set_content: what is between the tags of @node; @content is XML. */
void cli_edit_set_content (CliEdit *edit, const xmlNode *node, const char *content);

/**
 * cli_edit_add_after: an element after @node, on a line of its own and as deep, where @node has
 * one. cli_edit_add_within: as the last one in @parent.
 * @element: its lines, each as deep as it is within the element, without a line end at the end
 */
void cli_edit_add_after (CliEdit *edit, const xmlNode *node, const char *element);
void cli_edit_add_within (CliEdit *edit, const xmlNode *parent, const char *element);

/** cli_edit_remove: takes @node away with all in it, and its lines, where it has them alone. */
void cli_edit_remove (CliEdit *edit, const xmlNode *node);
