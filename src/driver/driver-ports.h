/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-helper.h"

/**
 * DriverPorts: the ports of libvirt's networks that hand out functions of the host (<forward
 * mode='hostdev'>). libvirt's network driver calls its hook when it has chosen a function for an
 * interface, of a guest that starts or of one that runs, and before it touches that function
 * (src/network/bridge_driver.c: networkAllocatePort). The guest's XML does not have it by then, and
 * cannot be asked for: its owner is known by UUID alone. So the guests that are ours are noted when
 * they start; a guest that has a lease already is one as well. Another's ports are left alone.
 *
 * Safe in any thread.
 */
typedef struct _DriverPorts DriverPorts;

/** driver_ports_new: @helper has the leases; it outlives what is returned. */
DriverPorts *driver_ports_new (DriverHelper *helper);
void driver_ports_free (DriverPorts *ports);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverPorts, driver_ports_free)

/** driver_ports_note: a pSeries KVM guest that starts. */
void driver_ports_note (DriverPorts *ports, const char *domain_uuid);

/**
 * driver_ports_take: takes the function of a port that is to be from the host, with its group.
 * @xml: the hook's: <hookData> with <network> and <networkport>
 *
 * Returns: FALSE with an error of driver_helper_prepare: libvirt is to choose no such port. TRUE
 * also where it is none of ours, or gives no function of the host.
 */
gboolean driver_ports_take (DriverPorts *ports, const char *xml, GError **error);

/** driver_ports_get_owner: whose port it is that gives a function of the host; NULL: no such port.
 * To be freed. */
char *driver_ports_get_owner (const char *xml);
