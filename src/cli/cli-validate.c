/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-libvirt-schema.h"
#include "cli/cli-simulated-schema.h"
#include "cli/cli-terminal.h"
#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-policy-set.h"
#include "hostdev/hostdev-xml.h"

/* What was found in a file: a message each. */
static void
note (GPtrArray *findings, const char *message)
{
  g_ptr_array_add (findings, g_strdup (message));
}

/* What a file is, by its root: as in JSON; NULL: nothing that we know. */
static const char *
kind_of (const xmlNode *root)
{
  static const char *const roots[][2] = {
    { "domain", "domain" },  { "host", "host" },        { "simulated-host", "simulated-host" },
    { "hostdev", "device" }, { "interface", "device" },
  };

  if (hostdev_policy_is_element (root))
    return "metadata";
  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    if (common_xml_is (root, roots[i][0]))
      return roots[i][1];
  return NULL;
}

static void
check_metadata (xmlNode *root, GError **error)
{
  HostdevPolicySet *set = hostdev_policy_set_new ();

  hostdev_policy_set_read (set, root, error);
  hostdev_policy_set_free (set);
}

static void
check_device (const xmlNode *root, GError **error)
{
  g_autoptr (HostdevDevice) device = NULL;

  if (hostdev_device_new_from_node (root, &device, error) && device == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE,
                 _ ("Line %ld: this is no PCI device of the host, and nothing here to check"),
                 xmlGetLineNo ((xmlNode *) root));
}

static void
check_document (const char *kind, xmlNode *root, const char *xml, gsize length, GError **error)
{
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (HostdevHost) host = NULL;

  if (kind == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML,
                 _ ("Line %ld: <%.40s> is none of the elements that are checked: <domain>, "
                    "<hostdev>, <interface>, <passthrough>, <host>, <simulated-host>"),
                 xmlGetLineNo (root), (const char *) root->name);
  else if (g_str_equal (kind, "metadata"))
    check_metadata (root, error);
  else if (g_str_equal (kind, "device"))
    check_device (root, error);
  else if (g_str_equal (kind, "host"))
    host = hostdev_host_new_from_xml (xml, (gssize) length, error);
  else if (g_str_equal (kind, "simulated-host"))
    cli_simulated_schema_check (root, error);
  else
    domain = hostdev_domain_new_from_xml (xml, (gssize) length, error);
}

static gboolean
check_file (const char *file, gboolean with_libvirt, GPtrArray *findings, const char **kind,
            GError **error)
{
  gsize length;
  g_autofree char *xml = cli_input_read (file, HOSTDEV_DOMAIN_XML_MAX, &length, error);
  g_autoptr (GError) wrong = NULL;
  g_autoptr (xmlDoc) document = NULL;

  *kind = NULL;
  if (xml == NULL)
    return FALSE;
  document = common_xml_read (xml, (gssize) length, HOSTDEV_DOMAIN_XML_MAX, &wrong);
  if (document != NULL)
    {
      *kind = kind_of (xmlDocGetRootElement (document));
      check_document (*kind, xmlDocGetRootElement (document), xml, length, &wrong);
    }
  if (wrong != NULL)
    note (findings, wrong->message);
  if (with_libvirt && g_strcmp0 (*kind, "domain") == 0)
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
file_to_json (const char *file, const char *kind, const GPtrArray *findings)
{
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < findings->len; i++)
    json_array_add_string_element (array, g_ptr_array_index (findings, i));
  json_object_set_string_member (object, "file", file);
  cli_json_set_text (object, "kind", kind);
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
      const char *kind;

      if (!check_file (names[i], with_libvirt, findings, &kind, error))
        return FALSE;
      *valid = *valid && findings->len == 0;
      json_array_add_object_element (files, file_to_json (names[i], kind, findings));
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
      || !cli_options_expect (&cli_validate_command, *argv, 1, G_MAXUINT, error)
      || !cli_options_need_no_host (options, &cli_validate_command, error))
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
  "[--libvirt] FILE...",
  N_ ("Check files with the XML of a domain, a device, our metadata or a host"),
  run,
  cli_exit_for_error,
};
