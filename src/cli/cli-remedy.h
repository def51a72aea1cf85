/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

typedef struct
{
  gboolean xml; /* one or more whole elements, to be pasted as they are */
  char *text;   /* without white space at its ends */
} CliRemedyPart;

/**
 * cli_remedy_split: takes a remedy apart into sentences and the XML elements in them, in order, so
 * that the XML can stand on lines of its own. A "<" that begins no element is text. Elements
 * CliRemedyPart, freed with the array.
 */
GPtrArray *cli_remedy_split (const char *remedy);

/** cli_remedy_lay_out: elements that stand on one line, a line and a depth each; to be freed. */
char *cli_remedy_lay_out (const char *xml);

/** cli_remedy_print: prints a remedy behind @indent spaces; XML is not folded. */
void cli_remedy_print (guint indent, const char *remedy);
