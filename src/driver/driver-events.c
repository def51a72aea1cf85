/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-events.h"

#include <glib/gi18n-lib.h>
#include <libvirt/virterror.h>

#include "common/common-error.h"
#include "driver/driver-domains.h"

static gpointer
run_loop (gpointer unused)
{
  for (;;)
    if (virEventRunDefaultImpl () < 0)
      g_usleep (G_USEC_PER_SEC);
  return NULL;
}

/* Without it every error of libvirt's goes to stderr as well. */
static void
be_quiet (void *data, virErrorPtr error)
{
}

void
driver_events_start_loop (void)
{
  virSetErrorFunc (NULL, be_quiet);
  virEventRegisterDefaultImpl ();
  g_thread_unref (g_thread_new ("libvirt-events", run_loop, NULL));
}

static void
tell (const DriverEvents *events, virDomainPtr domain,
      void (*what) (const char *domain_uuid, gpointer data))
{
  char uuid[VIR_UUID_STRING_BUFLEN];

  if (virDomainGetUUIDString (domain, uuid) == 0)
    what (uuid, events->data);
}

static void
on_device_removed (virConnectPtr connection, virDomainPtr domain, const char *alias, void *data)
{
  const DriverEvents *events = data;

  if (driver_alias_may_be_hostdev (alias))
    tell (events, domain, events->changed);
}

static int
on_lifecycle (virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
  const DriverEvents *events = data;

  if (event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_CRASHED)
    tell (events, domain, events->changed);
  else if (event == VIR_DOMAIN_EVENT_DEFINED)
    tell (events, domain, events->defined);
  return 0;
}

gboolean
driver_events_register (virConnectPtr connection, const DriverEvents *events, DriverEventsIds *ids,
                        GError **error)
{
  ids->ids[0] = virConnectDomainEventRegisterAny (
      connection, NULL, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
      VIR_DOMAIN_EVENT_CALLBACK (on_device_removed), (void *) events, NULL);
  ids->ids[1] = virConnectDomainEventRegisterAny (connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                  VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle),
                                                  (void *) events, NULL);
  if (ids->ids[0] >= 0 && ids->ids[1] >= 0)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE,
               _ ("libvirt does not tell its events: %s"), virGetLastErrorMessage ());
  return FALSE;
}

void
driver_events_unregister (virConnectPtr connection, const DriverEventsIds *ids)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ids->ids); i++)
    if (ids->ids[i] >= 0)
      virConnectDomainEventDeregisterAny (connection, ids->ids[i]);
}
