/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-libvirt-schema.h"
#include "cli/cli-terminal.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-xml.h"

/* What was found in a file: a message each. */
static void
note (GPtrArray *findings, const char *message)
{
  g_ptr_array_add (findings, g_strdup (message));
}

/* A domain's element, or a description of a host, whichever it is. */
static gboolean
check_content (const char *xml, gsize length, GPtrArray *findings, gboolean *is_domain)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (xmlDoc) document
      = common_xml_read (xml, (gssize) length, HOSTDEV_DOMAIN_XML_MAX, &error);
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (HostdevHost) host = NULL;

  *is_domain = FALSE;
  if (document != NULL && common_xml_is (xmlDocGetRootElement (document), "host"))
    host = hostdev_host_new_from_xml (xml, (gssize) length, &error);
  else if (document != NULL)
    {
      *is_domain = TRUE;
      domain = hostdev_domain_new_from_xml (xml, (gssize) length, &error);
    }
  if (error != NULL)
    note (findings, error->message);
  return document != NULL;
}

static gboolean
check_file (const char *file, gboolean with_libvirt, GPtrArray *findings, GError **error)
{
  gsize length;
  g_autofree char *xml = cli_input_read (file, HOSTDEV_DOMAIN_XML_MAX, &length, error);
  gboolean is_domain;

  if (xml == NULL)
    return FALSE;
  if (check_content (xml, length, findings, &is_domain) && is_domain && with_libvirt)
    return cli_libvirt_schema_check (xml, length, findings, error);
  return TRUE;
}

static void
print_text (const char *file, const GPtrArray *findings)
{
  if (findings->len == 0)
    {
      g_autofree char *text = g_strdup_printf (_ ("%s: valid"), file);

      cli_text_print (0, CLI_STYLE_GOOD, text);
    }
  for (guint i = 0; i < findings->len; i++)
    {
      g_autofree char *text
          = g_strdup_printf ("%s: %s", file, (char *) g_ptr_array_index (findings, i));

      cli_text_print (0, CLI_STYLE_BAD, text);
    }
}

static JsonObject *
file_to_json (const char *file, const GPtrArray *findings)
{
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < findings->len; i++)
    json_array_add_string_element (array, g_ptr_array_index (findings, i));
  json_object_set_string_member (object, "file", file);
  json_object_set_boolean_member (object, "valid", findings->len == 0);
  json_object_set_array_member (object, "errors", array);
  return object;
}

/* All the files, each with what was found, into @files; FALSE where one could not be looked at. */
static gboolean
check_files (char **names, const CliOptions *options, gboolean with_libvirt, JsonArray *files,
             gboolean *valid, GError **error)
{
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func (g_free);

      if (!check_file (names[i], with_libvirt, findings, error))
        return FALSE;
      *valid = *valid && findings->len == 0;
      json_array_add_object_element (files, file_to_json (names[i], findings));
      if (!options->json && !options->quiet)
        print_text (names[i], findings);
    }
  return TRUE;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  gboolean with_libvirt = FALSE;
  gboolean valid = TRUE;
  const GOptionEntry entries[] = {
    { "libvirt", 0, 0, G_OPTION_ARG_NONE, &with_libvirt,
      N_ ("Check all of a domain's XML, against libvirt's installed schema too"), NULL },
    { NULL },
  };
  JsonArray *files;
  gboolean done;

  if (!cli_options_parse (options, &cli_validate_command, entries, argv, error)
      || !cli_options_expect (&cli_validate_command, *argv, 1, G_MAXUINT, error))
    return CLI_EXIT_OK;
  files = json_array_new ();
  done = check_files (*argv + 1, options, with_libvirt, files, &valid, error);
  if (done && options->json)
    {
      JsonObject *document = cli_json_document_new ();

      json_object_set_array_member (document, "files", files);
      cli_json_print (document);
    }
  else
    json_array_unref (files);
  return done && valid ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

const CliCommand cli_validate_command = {
  "validate",
  "FILE...",
  N_ ("Check the passthrough element of a domain's XML, or the description of a host"),
  run,
  cli_exit_for_error,
};
