/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-domain.h"

/**
 * HostdevBuses: the PCI topology of a guest: its PHBs, and the bridges behind them. A bus is a
 * <controller type='pci'>, and its number the controller's index.
 *
 * What libvirt fills in when it defines a domain is filled in here as well, so that a file that
 * was never defined reads the same: PHB 0, indexes, target indexes.
 */
typedef struct _HostdevBuses HostdevBuses;

/* A PCI address of a guest has 8 bits for the bus. */
#define HOSTDEV_BUS_MAX 255

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

/** hostdev_buses_count_emulated: notes that a device that is no PCI hostdev sits on @bus. */
void hostdev_buses_count_emulated (HostdevBuses *buses, guint bus);
