/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

/**
 * What libvirt is asked for, on a connection, in a thread that may wait for it. NULL without @error
 * where there is no such thing; COMMON_ERROR_LIBVIRT_UNAVAILABLE.
 */

/** driver_reading_domain: one text, the domain's XML. While libvirt holds that domain, as until the
 * hooks of its start are done, this waits, and so does everybody who defines or undefines any
 * (src/conf/virdomainobjlist.c: virDomainObjListFindByUUID waits for the domain with the list of
 * all locked). */
GStrv driver_reading_domain (virConnectPtr connection, const char *uuid, GError **error);

/** driver_reading_resting_domain: the same, for who has time: it waits first until no domain is
 * held, by which nobody else is kept waiting. */
GStrv driver_reading_resting_domain (virConnectPtr connection, const char *uuid, GError **error);

/** driver_reading_network: its XML, and that of each of its ports. */
GStrv driver_reading_network (virConnectPtr connection, const char *name, GError **error);

void driver_reading_set_unavailable (GError **error, const char *why);
