/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-monitor.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "common/common-error.h"

struct _CliMonitor
{
  virConnectPtr connection;
  virDomainPtr domain;
};

static void
set_error (GError **error)
{
  int code = virGetLastErrorCode ();
  gboolean denied = code == VIR_ERR_ACCESS_DENIED || code == VIR_ERR_OPERATION_DENIED
                    || code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_AUTH_CANCELLED
                    || code == VIR_ERR_AUTH_UNAVAILABLE;

  g_set_error (error, COMMON_ERROR,
               denied ? COMMON_ERROR_NOT_AUTHORIZED : COMMON_ERROR_LIBVIRT_UNAVAILABLE,
               _ ("libvirt does not let QEMU's monitor be asked: %s"), virGetLastErrorMessage ());
}

/* libvirt prints errors by itself unless it is told where they go. */
static void
keep_silent (void *data, virErrorPtr error)
{
}

CliMonitor *
cli_monitor_open (const char *uri, const char *domain, GError **error)
{
  g_autoptr (CliMonitor) monitor = g_new0 (CliMonitor, 1);

  virSetErrorFunc (NULL, keep_silent);
  monitor->connection = virConnectOpenAuth (
      uri != NULL ? uri : g_getenv ("VIRSH_DEFAULT_CONNECT_URI"), virConnectAuthPtrDefault, 0);
  if (monitor->connection != NULL)
    monitor->domain = virDomainLookupByUUIDString (monitor->connection, domain);
  if (monitor->connection != NULL && monitor->domain == NULL)
    monitor->domain = virDomainLookupByName (monitor->connection, domain);
  if (monitor->domain != NULL)
    return g_steal_pointer (&monitor);
  set_error (error);
  return NULL;
}

void
cli_monitor_free (CliMonitor *monitor)
{
  if (monitor->domain != NULL)
    virDomainFree (monitor->domain);
  if (monitor->connection != NULL)
    virConnectClose (monitor->connection);
  g_free (monitor);
}

char *
cli_monitor_ask (const char *command, gpointer data, GError **error)
{
  CliMonitor *monitor = data;
  char *result = NULL, *answer;

  if (virDomainQemuMonitorCommand (monitor->domain, command, &result, 0) < 0)
    {
      set_error (error);
      return NULL;
    }
  answer = g_strdup (result);
  free (result);
  return answer;
}
