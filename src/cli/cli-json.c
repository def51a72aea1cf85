/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-json.h"

#include <stdio.h>

#include "cli/cli-simulated.h"

JsonObject *
cli_json_document_new (void)
{
  JsonObject *document = json_object_new ();

  json_object_set_int_member (document, "version", CLI_JSON_VERSION);
  return document;
}

char *
cli_json_to_string (JsonObject *document)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (root, document);
  g_autofree char *text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}

void
cli_json_print (JsonObject *document)
{
  g_autofree char *text = NULL;

  cli_json_set_text (document, "simulated", cli_simulated_get_name ());
  text = cli_json_to_string (document);
  /* Not g_print: JSON is UTF-8 whatever the locale says. */
  fputs (text, stdout);
}

void
cli_json_print_error (const char *code, const char *message)
{
  JsonObject *document = cli_json_document_new ();
  JsonObject *error = json_object_new ();

  json_object_set_string_member (error, "code", code);
  json_object_set_string_member (error, "message", message);
  json_object_set_object_member (document, "error", error);
  cli_json_print (document);
}

void
cli_json_set_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL && *text != '\0')
    json_object_set_string_member (object, name, text);
}

void
cli_json_set_fact (JsonObject *object, const char *name, const char *value, const char *source)
{
  JsonObject *fact = json_object_new ();

  json_object_set_string_member (fact, "value", value);
  json_object_set_string_member (fact, "source", source);
  json_object_set_object_member (object, name, fact);
}
