/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * HostdevSlots: which slots of a guest's PCI buses are taken, and which one libvirt takes next: its
 * address set, as far as it matters to a pSeries guest.
 *
 * Source: libvirt 9.0 to 11.3, src/conf/domain_addr.c: virDomainPCIAddressGetNextAddr and
 * virDomainPCIAddressReserveAddrInternal; the same in both.
 *
 * A bus has an isolation group: 0 is that of emulated devices and of no group at all, N + 1 that of
 * IOMMU group N of the host. The first device on a bus decides; one of another group that the XML
 * puts there makes it 0. PHB 0 is locked: it stays 0. libvirt keeps the group of a bus that has
 * become empty until its daemon is started anew, which no XML tells.
 */

/* A PCI address of a guest has 8 bits for the bus. */
#define HOSTDEV_BUS_MAX 255

typedef enum
{
  HOSTDEV_BUS_MISSING, /* no controller has that index */
  HOSTDEV_BUS_OPEN,    /* a PHB, or a bridge of conventional PCI: libvirt chooses slots of it */
  HOSTDEV_BUS_CLOSED   /* a port of PCI Express and the like: only what the XML puts there */
} HostdevBusKind;

typedef struct
{
  HostdevBusKind kind;
  guint isolation;
  guint32 used; /* a bit for each slot */
} HostdevSlotBus;

/* To be copied by assignment; all zero: a guest without buses. */
typedef struct
{
  guint count; /* the highest index of a bus there is, and 1 */
  HostdevSlotBus bus[HOSTDEV_BUS_MAX + 1];
} HostdevSlots;

/** hostdev_slots_add_bus: a controller with that index, at most HOSTDEV_BUS_MAX. */
void hostdev_slots_add_bus (HostdevSlots *slots, guint bus, HostdevBusKind kind);

/** hostdev_slots_mark: an address that the XML has; the bus need not be there. */
void hostdev_slots_mark (HostdevSlots *slots, guint bus, guint slot, guint isolation);

/** hostdev_slots_grow: PHBs, so that there are @count buses. */
void hostdev_slots_grow (HostdevSlots *slots, guint count);

/** Whether no bus has a slot that is free. */
gboolean hostdev_slots_are_full (const HostdevSlots *slots);

/**
 * hostdev_slots_take: the next free slot for a device of that isolation group.
 * @grow: as libvirt does when it defines a domain, add a PHB where there is none
 *
 * Returns: FALSE where there is none ("No more available PCI slots")
 */
gboolean
hostdev_slots_take (HostdevSlots *slots, guint isolation, gboolean grow, guint *bus, guint *slot);
