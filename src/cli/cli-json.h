/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/**
 * JSON of virt-ppc64: each run writes one object. Its "version" is CLI_JSON_VERSION, which grows
 * when a key goes or changes its meaning; new keys may come at any time. The keys are in
 * virt-ppc64(1).
 */
#define CLI_JSON_VERSION 1

/** cli_json_document_new: an object that has its "version". */
JsonObject *cli_json_document_new (void);

/** cli_json_to_string: @document with a line end, to be freed; takes @document. */
char *cli_json_to_string (JsonObject *document);

/**
 * cli_json_print: writes @document on standard output, and takes it. Where the host is simulated it
 * has "simulated", the name of the description.
 */
void cli_json_print (JsonObject *document);

/** cli_json_print_error: writes a document with "error": {"code": …, "message": …}. */
void cli_json_print_error (const char *code, const char *message);

/** cli_json_set_text: a member with @text; none where @text is NULL or "". */
void cli_json_set_text (JsonObject *object, const char *name, const char *text);

/** cli_json_set_fact: a member {"value": …, "source": …}. */
void
cli_json_set_fact (JsonObject *object, const char *name, const char *value, const char *source);
