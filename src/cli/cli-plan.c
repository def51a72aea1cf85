/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-libvirt.h"
#include "cli/cli-plan-text.h"

/* What the command line asks for. */
typedef struct
{
  char *domain;
  char *domain_xml;
  char *connect;
  char *device;
  gboolean start;
  gboolean detach;
} Request;

static void
request_clear (Request *request)
{
  g_free (request->domain);
  g_free (request->domain_xml);
  g_free (request->connect);
  g_free (request->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
usage (GError **error, const char *message)
{
  g_set_error_literal (error, CLI_USAGE_ERROR, 0, message);
  return FALSE;
}

static gboolean
check (const Request *request, GError **error)
{
  if ((request->domain == NULL) == (request->domain_xml == NULL))
    return usage (error, _ ("A plan is for one guest: name it with --domain, or give its XML with "
                            "--domain-xml."));
  if (request->connect != NULL && request->domain == NULL)
    return usage (error, _ ("--connect goes with --domain."));
  if (request->start && (request->detach || request->device != NULL))
    return usage (error, _ ("--start plans the start of a guest with the devices of its XML; "
                            "--device and --detach do not go with it."));
  if (!request->start && request->device == NULL)
    return usage (error, _ ("A device is missing: name it with --device, by its PCI address or a "
                            "file with its XML; or plan a start with --start."));
  return TRUE;
}

static HostdevDomain *
read_domain (const Request *request, GError **error)
{
  g_autofree char *xml = NULL;
  const char *where = request->domain != NULL ? request->domain : request->domain_xml;
  HostdevDomain *domain;
  gsize length;

  if (request->domain != NULL)
    {
      /* A start takes the XML that libvirt keeps, all else happens to the guest as it is now. */
      xml = cli_libvirt_get_xml (request->connect, request->domain, request->start, error);
      length = xml != NULL ? strlen (xml) : 0;
    }
  else
    xml = cli_input_read (request->domain_xml, HOSTDEV_DOMAIN_XML_MAX, &length, error);
  if (xml == NULL)
    return NULL;
  domain = hostdev_domain_new_from_xml (xml, (gssize) length, error);
  if (domain == NULL)
    g_prefix_error (error, "%s: ", where);
  return domain;
}

static HostdevPlan *
make_plan (const Request *request, const HostdevDomain *domain, const CliOptions *options,
           GError **error)
{
  g_autoptr (HostdevDevice) device = NULL;
  g_autoptr (HostdevHost) host = NULL;

  if (!request->start)
    {
      device = cli_input_device (request->device, error);
      if (device == NULL)
        return NULL;
    }
  host = cli_input_host (options, error);
  if (host == NULL)
    return NULL;
  if (request->start)
    return hostdev_plan_start (domain, host);
  return request->detach ? hostdev_plan_detach (domain, device, host)
                         : hostdev_plan_attach (domain, device, host);
}

/* A plan in JSON is a document by itself. */
static void
print_json (const HostdevPlan *plan)
{
  g_autoptr (JsonNode) node = hostdev_plan_to_json (plan);

  cli_json_print (json_node_dup_object (node));
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  const GOptionEntry entries[] = {
    { "domain", 'd', 0, G_OPTION_ARG_STRING, &request.domain,
      N_ ("The guest, by its name or UUID in libvirt"), N_ ("DOMAIN") },
    { "domain-xml", 0, 0, G_OPTION_ARG_FILENAME, &request.domain_xml,
      N_ ("The guest, by a file with its XML"), N_ ("FILE") },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &request.connect,
      N_ ("Which libvirt to ask; as virsh by default"), N_ ("URI") },
    { "device", 0, 0, G_OPTION_ARG_FILENAME, &request.device,
      N_ ("The device, by its PCI address or a file with its XML"), N_ ("ADDRESS|FILE") },
    { "start", 0, 0, G_OPTION_ARG_NONE, &request.start,
      N_ ("Plan the start of the guest with the devices of its XML"), NULL },
    { "detach", 0, 0, G_OPTION_ARG_NONE, &request.detach,
      N_ ("Plan to take the device from the guest"), NULL },
    { NULL },
  };
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (HostdevPlan) plan = NULL;

  if (!cli_options_parse (options, &cli_plan_command, entries, argv, error)
      || !cli_options_expect (&cli_plan_command, *argv, 0, 0, error) || !check (&request, error))
    return CLI_EXIT_OK;
  domain = read_domain (&request, error);
  if (domain == NULL)
    return CLI_EXIT_FAILED;
  plan = make_plan (&request, domain, options, error);
  if (plan == NULL)
    return CLI_EXIT_FAILED;
  if (options->json)
    print_json (plan);
  else if (!options->quiet)
    cli_plan_print (plan, domain, options->verbose);
  return hostdev_plan_is_allowed (plan) ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

const CliCommand cli_plan_command = {
  "plan",
  "--domain DOMAIN|--domain-xml FILE --device ADDRESS|FILE [--detach] | --start",
  N_ ("Tell whether a guest can get a device, and what it will have"),
  run,
  cli_exit_for_error,
};
