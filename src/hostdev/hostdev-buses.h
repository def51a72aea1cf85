/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-emulated.h"

/**
 * HostdevBuses: the PCI topology of a guest: its PHBs, and the bridges behind them. A bus is a
 * <controller type='pci'>, and its number the controller's index.
 *
 * What libvirt fills in when it defines a domain is filled in here as well, so that a file that
 * was never defined reads the same: PHB 0, indexes, the PHBs that only an address names or that a
 * higher index leaves out, target indexes.
 */
typedef struct _HostdevBuses HostdevBuses;

/**
 * hostdev_buses_new: @devices is the domain's <devices>, or NULL.
 *
 * Returns: NULL with COMMON_ERROR_INVALID_DOMAIN where a controller's numbers cannot be read.
 */
HostdevBuses *hostdev_buses_new (const xmlNode *devices, GError **error);
void hostdev_buses_free (HostdevBuses *buses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevBuses, hostdev_buses_free)

/** The PHBs by index, elements HostdevPhb. */
const GPtrArray *hostdev_buses_get_phbs (const HostdevBuses *buses);

/** The PHB that @bus is, or is behind; FALSE where there is none. */
gboolean hostdev_buses_find_phb (const HostdevBuses *buses, guint bus, guint *phb_index);

/** The lowest number from @from on that no bus has; above HOSTDEV_BUS_MAX where all are taken. */
guint hostdev_buses_get_free (const HostdevBuses *buses, guint from);

/** hostdev_buses_add_emulated: a device that is no PCI hostdev: a child of <devices>.
 * @address: its own in the guest, or NULL: libvirt chooses one, if it is a PCI device at all */
void
hostdev_buses_add_emulated (HostdevBuses *buses, const xmlNode *node, const PciAddress *address);

/** hostdev_buses_name: a PCI hostdev has an address on that bus, at most HOSTDEV_BUS_MAX. */
void hostdev_buses_name (HostdevBuses *buses, guint bus);

/** hostdev_buses_finish: after all devices. */
void hostdev_buses_finish (HostdevBuses *buses);

/** The slots that emulated devices with an address of their own have taken. */
const HostdevSlots *hostdev_buses_get_slots (const HostdevBuses *buses);

/** The emulated devices without one. */
const HostdevEmulated *hostdev_buses_get_emulated (const HostdevBuses *buses);
