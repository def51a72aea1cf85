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
  /* As get_xml, for who has time: nobody waits for it. NULL: get_xml. */
  gboolean (*get_resting_xml) (gpointer data, const char *uuid, guint timeout, char **xml,
                               GError **error);
} DriverDomains;

/**
 * driver_domains_get: a domain as it is now; *@domain is NULL where there is none. For worker
 * threads. Fails as get_xml, or as hostdev_domain_new_from_xml.
 */
gboolean driver_domains_get (const DriverDomains *domains, const char *uuid, HostdevDomain **domain,
                             GError **error);

/** driver_domains_get_resting: the same, once libvirt works at no domain: so that others are not
 * kept waiting by a hook of somebody else's (driver-reading.h). */
gboolean driver_domains_get_resting (const DriverDomains *domains, const char *uuid,
                                     HostdevDomain **domain, GError **error);

/** driver_domains_get_guest: as driver_domains_get, where it is a pSeries KVM guest that runs; else
 * NULL, and with @error only where that is not known, or what its metadata say of us cannot be
 * read. */
HostdevDomain *
driver_domains_get_guest (const DriverDomains *domains, const char *uuid, GError **error);

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
