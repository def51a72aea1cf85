/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-status-zpci.h"

#include <glib/gi18n.h>

#include "cli/cli-json.h"
#include "cli/cli-libvirt.h"
#include "cli/cli-monitor.h"
#include "cli/cli-plan-text.h"
#include "cli/cli-zpci-host.h"
#include "cli/cli-zpci-view.h"
#include "common/common-error.h"
#include "hostdev/hostdev-verify.h"

static gboolean
check (const HostdevDomain *domain, GError **error)
{
  const char *name = hostdev_domain_get_name (domain);

  if (!hostdev_domain_is_s390x (domain))
    g_set_error (
        error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
        _ ("“%s” is no s390x guest: what it has is told by the helper. Leave out --connect "
           "and --monitor."),
        name);
  else if (!hostdev_domain_is_running (domain))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” does not run, so it has nothing yet: see “virt-ppc64 plan”."), name);
  else
    return TRUE;
  return FALSE;
}

static GPtrArray *
ask_monitor (const CliGuest *guest, GError **error)
{
  g_autoptr (CliMonitor) monitor = cli_monitor_open (guest->connect, guest->domain, error);

  return monitor == NULL ? NULL : hostdev_monitor_read (cli_monitor_ask, monitor, error);
}

CliExit
cli_status_zpci (const CliZpciRequest *request, const CliOptions *options, GError **error)
{
  const CliGuest *guest = &request->guest;
  g_autoptr (HostdevDomain) domain = cli_guest_read (guest, FALSE, error);
  g_autoptr (GPtrArray) functions = NULL;
  g_autoptr (GPtrArray) host = NULL;
  g_autoptr (HostdevVerdict) verdict = NULL;
  HostdevSeen seen = { NULL };

  if (domain == NULL || !check (domain, error))
    return CLI_EXIT_FAILED;
  if (request->monitor && (functions = ask_monitor (guest, error)) == NULL)
    return CLI_EXIT_FAILED;
  host = cli_zpci_read_host ("/sys/bus/pci/devices", domain);
  seen.functions = functions;
  seen.host = host;
  seen.has_forwarded = cli_libvirt_get_forwarded (guest->connect, guest->domain, &seen.forwarded);
  verdict = hostdev_verify (domain, &seen);
  if (options->json)
    cli_json_print (cli_zpci_to_json (verdict, &seen));
  else if (!options->quiet)
    cli_zpci_print (verdict, hostdev_domain_get_name (domain), options->verbose);
  return cli_exit_for_plan (verdict->said);
}
