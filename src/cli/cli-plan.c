/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-guest.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-plan-text.h"

/* What the command line asks for. */
typedef struct
{
  CliGuest guest;
  char *device;
  char *attach;
  gboolean start;
  gboolean detach;
} Request;

static void
request_clear (Request *request)
{
  cli_guest_clear (&request->guest);
  g_free (request->device);
  g_free (request->attach);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
usage (GError **error, const char *message)
{
  g_set_error_literal (error, CLI_USAGE_ERROR, 0, message);
  return FALSE;
}

/* Takes --attach for --device, and no device for a start. */
static gboolean
check (Request *request, GError **error)
{
  if (!cli_guest_check (&request->guest, error))
    return FALSE;
  if (request->attach != NULL && (request->detach || request->device != NULL))
    return usage (error, _ ("--attach names the device to attach; --device and --detach do not go "
                            "with it."));
  if (request->attach != NULL)
    request->device = g_steal_pointer (&request->attach);
  if (request->start && (request->detach || request->device != NULL))
    return usage (error, _ ("--start plans the start of a guest with the devices of its XML; "
                            "--attach, --device and --detach do not go with it."));
  if (request->detach && request->device == NULL)
    return usage (error, _ ("A device is missing: name it with --device, by its PCI address or a "
                            "file with its XML."));
  request->start = request->device == NULL;
  return TRUE;
}

/* What is to be attached: *device, or, of one that no guest like this can have, *plan. */
static gboolean
read_attached (const Request *request, const HostdevDomain *domain, HostdevDevice **device,
               HostdevPlan **plan, GError **error)
{
  g_autofree char *xml = NULL;

  if (!cli_input_device_or_xml (request->device, device, &xml, error))
    return FALSE;
  if (*device != NULL)
    return TRUE;
  *plan = hostdev_plan_attach_other (domain, xml, -1);
  if (*plan != NULL)
    return TRUE;
  if (!cli_guest_resolve (&request->guest, xml, device, error))
    return FALSE;
  if (*device == NULL)
    cli_input_set_no_device (request->device, error);
  return *device != NULL;
}

static HostdevPlan *
make_plan (const Request *request, const HostdevDomain *domain, const CliOptions *options,
           GError **error)
{
  g_autoptr (HostdevDevice) device = NULL;
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (HostdevPlan) plan = NULL;

  if (request->detach && (device = cli_input_device (request->device, error)) == NULL)
    return NULL;
  if (!request->detach && !request->start
      && !read_attached (request, domain, &device, &plan, error))
    return NULL;
  host = cli_guest_read_host (&request->guest, options, error);
  if (host == NULL)
    return NULL;
  if (plan != NULL)
    return g_steal_pointer (&plan);
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
  JsonObject *document = json_node_dup_object (node);
  CliVerdict verdict = cli_plan_verdict (plan);

  json_object_set_string_member (document, "verdict",
                                 verdict == CLI_VERDICT_NO    ? "no"
                                 : verdict == CLI_VERDICT_BUT ? "yes-but"
                                                              : "yes");
  cli_json_print (document);
}

/* The guest is a word by itself, or named by an option. */
static gboolean
parse (Request *request, CliOptions *options, GStrv *argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "attach", 'a', 0, G_OPTION_ARG_FILENAME, &request->attach,
      N_ ("Plan to attach a device: its PCI address, or a file with its XML"),
      N_ ("ADDRESS|FILE") },
    { "domain", 'd', 0, G_OPTION_ARG_STRING, &request->guest.domain,
      N_ ("The guest, by its name or UUID in libvirt"), N_ ("DOMAIN") },
    { "domain-xml", 0, 0, G_OPTION_ARG_FILENAME, &request->guest.file,
      N_ ("The guest, by a file with its XML"), N_ ("FILE") },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &request->guest.connect,
      N_ ("Which libvirt to ask; as virsh by default"), N_ ("URI") },
    { "device", 0, 0, G_OPTION_ARG_FILENAME, &request->device,
      N_ ("The device, by its PCI address or a file with its XML"), N_ ("ADDRESS|FILE") },
    { "start", 0, 0, G_OPTION_ARG_NONE, &request->start,
      N_ ("Plan the start of the guest with the devices of its XML"), NULL },
    { "detach", 0, 0, G_OPTION_ARG_NONE, &request->detach,
      N_ ("Plan to take the device from the guest"), NULL },
    { NULL },
  };

  if (!cli_options_parse (options, &cli_plan_command, entries, argv, error)
      || !cli_options_expect (&cli_plan_command, *argv, 0, 1, error))
    return FALSE;
  if ((*argv)[1] != NULL && !cli_guest_take (&request->guest, (*argv)[1], error))
    return FALSE;
  return check (request, error);
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (HostdevPlan) plan = NULL;

  if (!parse (&request, options, argv, error))
    return CLI_EXIT_OK;
  /* A start takes the XML that libvirt keeps, all else happens to the guest as it is now. */
  domain = cli_guest_read (&request.guest, request.start, error);
  if (domain == NULL)
    return CLI_EXIT_FAILED;
  plan = make_plan (&request, domain, options, error);
  if (plan == NULL)
    return CLI_EXIT_FAILED;
  if (options->json)
    print_json (plan);
  else if (!options->quiet)
    cli_plan_print (plan, domain, options->verbose);
  return cli_exit_for_plan (plan);
}

const CliCommand cli_plan_command = {
  "plan",
  "DOMAIN|FILE [--attach ADDRESS|FILE | --detach --device ADDRESS|FILE]",
  N_ ("Tell whether a guest can get a device, and what it will have"),
  run,
  cli_exit_for_refusal,
};
