/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <stdio.h>

#include "cli/cli-commands.h"
#include "cli/cli-guest.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-map-view.h"
#include "cli/cli-plan-text.h"

/* What the command line asks for. */
typedef struct
{
  CliGuest guest;
  char *attach;
  gboolean svg, dot;
  gboolean all;
} Request;

static void
request_clear (Request *request)
{
  cli_guest_clear (&request->guest);
  g_free (request->attach);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static JsonObject *
seat_to_json (const CliMapSeat *seat)
{
  JsonObject *object = json_object_new ();
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = cli_map_device_name (seat->function);

  json_object_set_string_member (object, "address",
                                 pci_address_format (&seat->function->address, address));
  json_object_set_string_member (object, "name", name);
  cli_json_set_text (object, "driver", seat->function->driver);
  json_object_set_string_member (object, "where", cli_map_where_name (seat->where));
  json_object_set_boolean_member (object, "changed", seat->changed);
  if (seat->where == CLI_MAP_AT_OTHERS)
    cli_json_set_text (object, "domain-name", seat->group->domain_name);
  if (seat->function->has_fid)
    json_object_set_int_member (object, "host-fid", seat->function->fid);
  if (seat->has_zpci)
    {
      json_object_set_int_member (object, "uid", seat->uid);
      json_object_set_int_member (object, "fid", seat->fid);
    }
  else if (seat->has_phb)
    json_object_set_int_member (object, "phb", seat->phb);
  if (seat->has_slot)
    {
      json_object_set_int_member (object, "slot", seat->slot);
      json_object_set_int_member (object, "function", seat->slot_function);
    }
  return object;
}

static JsonObject *
group_to_json (const CliMap *map, const HostdevGroup *group, JsonArray *functions)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "phb", cli_map_host_bridge (map, group));
  if (group->has_pe)
    json_object_set_int_member (object, "pe", group->pe);
  json_object_set_int_member (object, "group", group->number);
  cli_json_set_text (object, "name", group->name);
  cli_json_set_text (object, "pe-state", group->pe_state);
  json_object_set_array_member (object, "functions", functions);
  return object;
}

static JsonArray *
host_to_json (const CliMapView *view, const CliMap *map)
{
  JsonArray *groups = json_array_new ();
  JsonArray *functions = NULL;
  const HostdevGroup *group = NULL;

  for (guint i = 0; i < map->seats->len; i++)
    {
      const CliMapSeat *seat = map->seats->pdata[i];

      if (!cli_map_is_shown (view, seat->group))
        continue;
      if (seat->group != group)
        {
          group = seat->group;
          functions = json_array_new ();
          json_array_add_object_element (groups, group_to_json (map, group, functions));
        }
      json_array_add_object_element (functions, seat_to_json (seat));
    }
  return groups;
}

static JsonArray *
guest_to_json (const CliMap *map)
{
  JsonArray *phbs = json_array_new ();

  for (guint i = 0; i < map->phbs->len; i++)
    {
      const CliMapPhb *phb = map->phbs->pdata[i];
      JsonObject *object = json_object_new ();
      JsonArray *functions = json_array_new ();

      json_object_set_int_member (object, "phb", phb->index);
      json_object_set_int_member (object, "emulated", phb->emulated);
      for (guint j = 0; j < phb->seats->len; j++)
        json_array_add_object_element (functions, seat_to_json (phb->seats->pdata[j]));
      json_object_set_array_member (object, "functions", functions);
      json_array_add_object_element (phbs, object);
    }
  return phbs;
}

JsonObject *
cli_map_to_json (const CliMapView *view, const CliMap *map)
{
  JsonObject *object = json_object_new ();

  json_object_set_array_member (object, "host", host_to_json (view, map));
  if (view->guest != NULL)
    json_object_set_array_member (object, "guest", guest_to_json (map));
  return object;
}

static void
print_json (const CliMapView *view)
{
  JsonObject *document = cli_json_document_new ();

  cli_json_set_text (document, "guest", view->guest);
  json_object_set_object_member (document, "now", cli_map_to_json (view, view->now));
  if (view->after != NULL)
    json_object_set_object_member (document, "after", cli_map_to_json (view, view->after));
  cli_json_print (document);
}

static void
print (const CliMapView *view, const CliOptions *options, const Request *request)
{
  if (options->json)
    print_json (view);
  else if (request->svg || request->dot)
    {
      g_autofree char *text = request->svg ? cli_map_to_svg (view) : cli_map_to_dot (view);

      /* Not g_print: it is UTF-8, whatever the locale says. */
      fputs (text, stdout);
    }
  else if (!options->quiet)
    cli_map_print (view);
}

static gboolean
parse (Request *request, CliOptions *options, GStrv *argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "attach", 'a', 0, G_OPTION_ARG_FILENAME, &request->attach,
      N_ ("Show what it will be like with a device: its PCI address, or a file with its XML"),
      N_ ("ADDRESS|FILE") },
    { "all", 0, 0, G_OPTION_ARG_NONE, &request->all,
      N_ ("Show the groups that the guest has nothing to do with as well"), NULL },
    { "svg", 0, 0, G_OPTION_ARG_NONE, &request->svg, N_ ("Write a picture, as SVG"), NULL },
    { "dot", 0, 0, G_OPTION_ARG_NONE, &request->dot, N_ ("Write a graph, for graphviz"), NULL },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &request->guest.connect,
      N_ ("Which libvirt to ask; as virsh by default"), N_ ("URI") },
    { NULL },
  };

  if (!cli_options_parse (options, &cli_map_command, entries, argv, error)
      || !cli_options_expect (&cli_map_command, *argv, 0, 1, error))
    return FALSE;
  if ((*argv)[1] != NULL && !cli_guest_take (&request->guest, (*argv)[1], error))
    return FALSE;
  if ((options->json ? 1 : 0) + (request->svg ? 1 : 0) + (request->dot ? 1 : 0) > 1)
    {
      g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                           _ ("--json, --svg and --dot are three forms: one of them."));
      return FALSE;
    }
  return ((*argv)[1] == NULL && request->attach == NULL && request->guest.connect == NULL)
         || cli_guest_check (&request->guest, error);
}

/* The map of a guest; what is to come of it is in the exit code, as of a plan. */
static CliExit
show_guest (const Request *request, const CliOptions *options, GError **error)
{
  g_autoptr (HostdevDomain) domain = cli_guest_read (&request->guest, FALSE, error);
  g_autoptr (HostdevDevice) device = NULL;
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (HostdevPlan) start = NULL;
  g_autoptr (HostdevPlan) plan = NULL;
  g_autoptr (CliMap) now = NULL;
  g_autoptr (CliMap) after = NULL;
  g_autofree char *remark = NULL;
  CliMapView view = { NULL };

  if (domain == NULL)
    return CLI_EXIT_FAILED;
  if (request->attach != NULL && (device = cli_input_device (request->attach, error)) == NULL)
    return CLI_EXIT_FAILED;
  host = cli_guest_read_host (&request->guest, options, error);
  if (host == NULL)
    return CLI_EXIT_FAILED;
  now = cli_map_now (host, domain);
  if (device != NULL || !hostdev_domain_is_running (domain))
    plan = device != NULL ? hostdev_plan_attach (domain, device, host)
                          : hostdev_plan_start (domain, host);
  if (device != NULL && !hostdev_domain_is_running (domain))
    start = hostdev_plan_start (domain, host);
  if (plan != NULL && hostdev_plan_is_allowed (plan))
    after = cli_map_after (host, domain, device, start, plan, now);
  else if (plan != NULL)
    remark = hostdev_plan_get_refusal (plan);
  view = (CliMapView){ now, after, hostdev_domain_get_name (domain), remark, request->all };
  print (&view, options, request);
  return plan == NULL ? CLI_EXIT_OK : cli_exit_for_plan (plan);
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (CliMap) now = NULL;
  CliMapView view = { NULL };

  if (!parse (&request, options, argv, error))
    return CLI_EXIT_OK;
  if (request.guest.domain != NULL || request.guest.file != NULL)
    return show_guest (&request, options, error);
  host = cli_input_host (options, error);
  if (host == NULL)
    return CLI_EXIT_FAILED;
  now = cli_map_now (host, NULL);
  view = (CliMapView){ now, NULL, NULL, NULL, TRUE };
  print (&view, options, &request);
  return CLI_EXIT_OK;
}

const CliCommand cli_map_command = {
  "map",
  "[DOMAIN|FILE [--attach ADDRESS|FILE]] [--all] [--svg | --dot]",
  N_ ("Show where each function of the host is, in which guest and on which slot"),
  run,
  cli_exit_for_error,
};
