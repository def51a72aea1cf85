/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

/**
 * DriverEvents: what libvirt tells of its domains, as far as leases are concerned. The functions
 * run in the thread of libvirt's event loop.
 */
typedef struct
{
  /* The domain has lost a device that may be a PCI hostdev, or has stopped. */
  void (*changed) (const char *domain_uuid, gpointer data);
  /* The domain was defined, or its definition changed. */
  void (*defined) (const char *domain_uuid, gpointer data);
  gpointer data;
} DriverEvents;

/** driver_events_start_loop: registers libvirt's default event loop, and runs it in a thread of its
 * own until the process ends. Before the first connection; once. */
void driver_events_start_loop (void);

/* What was registered: with it, libvirt holds the connection open. */
typedef struct
{
  int ids[2]; /* -1: none */
} DriverEventsIds;

/** driver_events_register: FALSE with COMMON_ERROR_LIBVIRT_UNAVAILABLE; *@ids is to be unregistered
 * in any case. @events must outlive the connection. */
gboolean driver_events_register (virConnectPtr connection, const DriverEvents *events,
                                 DriverEventsIds *ids, GError **error);
void driver_events_unregister (virConnectPtr connection, const DriverEventsIds *ids);
