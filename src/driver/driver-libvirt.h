/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-domains.h"

/**
 * DriverLibvirt: the driver's own connection to libvirt, read-only, kept up by a thread: it comes
 * again, with growing pauses, when libvirt goes away. On it come the events, and the XML of the
 * domains is read. A client's rights never go over it.
 */
typedef struct _DriverLibvirt DriverLibvirt;

typedef struct
{
  /* Connected (again): events may have been missed. Runs in a thread. */
  void (*connected) (gpointer data);
  /* As in DriverEvents. */
  void (*changed) (const char *domain_uuid, gpointer data);
  void (*defined) (const char *domain_uuid, gpointer data);
} DriverLibvirtFuncs;

/**
 * driver_libvirt_new: @uri of the connection. driver_events_start_loop comes first.
 */
DriverLibvirt *driver_libvirt_new (const char *uri);

/** driver_libvirt_start: connects, and calls @funcs from then on. */
void driver_libvirt_start (DriverLibvirt *libvirt, const DriverLibvirtFuncs *funcs, gpointer data);

/** driver_libvirt_stop: calls nothing any more; waits for the thread. */
void driver_libvirt_stop (DriverLibvirt *libvirt);
void driver_libvirt_free (DriverLibvirt *libvirt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverLibvirt, driver_libvirt_free)

const DriverDomains *driver_libvirt_get_domains (const DriverLibvirt *libvirt);

/** driver_libvirt_uri: of the QEMU driver behind the socket at @path; to be freed. */
char *driver_libvirt_uri (const char *path);
