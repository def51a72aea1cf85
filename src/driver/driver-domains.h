/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "hostdev/hostdev-domain.h"

/**
 * DriverDomains: where domain XML comes from, which is libvirt (driver-libvirt.h). A seam, so that
 * the transaction can be tested without a POWER host.
 */
typedef struct
{
  /* The domain's XML as it is now, the live one where it runs; blocks, at most @timeout seconds.
     *@xml is NULL where libvirt has no such domain, which is no failure.
     COMMON_ERROR_LIBVIRT_UNAVAILABLE, COMMON_ERROR_TIMED_OUT. */
  gboolean (*get_xml) (gpointer data, const char *uuid, guint timeout, char **xml, GError **error);
  gpointer data;
  /* A network's XML, and then that of each of its ports; *@texts is NULL where libvirt has no such
     network. As get_xml; may be NULL, where there are no networks. */
  gboolean (*get_network) (gpointer data, const char *name, guint timeout, GStrv *texts,
                           GError **error);
} DriverDomains;

/**
 * driver_domains_get: a domain as it is now; *@domain is NULL where there is none. For worker
 * threads. Fails as get_xml, or as hostdev_domain_new_from_xml.
 */
gboolean driver_domains_get (const DriverDomains *domains, const char *uuid, HostdevDomain **domain,
                             GError **error);

/**
 * driver_domains_find_function: of the network @name, which function of the host libvirt will give
 * to the next interface, in @device. For worker threads. FALSE where it gives none, or that cannot
 * be told: then it is libvirt's to do what it does.
 */
gboolean driver_domains_find_function (const DriverDomains *domains, const char *name,
                                       HostdevDevice *device);

/**
 * driver_alias_may_be_hostdev: FALSE for an alias that libvirt gives to another kind of device. A
 * PCI hostdev has "hostdevN" (libvirt src/qemu/qemu_alias.c: qemuAssignDeviceHostdevAlias, also for
 * an <interface type='hostdev'>), or the user's own "ua-…".
 */
gboolean driver_alias_may_be_hostdev (const char *alias);
