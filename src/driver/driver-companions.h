/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-call.h"
#include "driver/driver-domains.h"
#include "driver/driver-helper.h"
#include "hostdev/hostdev-plan.h"

/**
 * DriverCompanions: the other functions of an IOMMU group, which a guest gets by the request for
 * one of them, and gives back with it, where its policy says so (companions="attach"). They are
 * attached and detached by calls of our own on the client's connection, with its rights and in the
 * form of its call; it sees nothing but the reply to that, and libvirt's events.
 *
 * Each is a device of its own, at an address that libvirt chooses: libvirt takes no function of a
 * guest's multifunction device from a running guest (src/qemu/qemu_hotplug.c:
 * qemuDomainDetachDeviceLive). Function 0 comes last all the same, as guests know it.
 *
 * For a worker thread.
 */
typedef struct
{
  DriverCall *call;
  PciAddress wanted; /* what the client asks for */
  gboolean managed, has_address;
  GArray *along;    /* PciAddress, in the order in which they are attached; NULL: none */
  GArray *attached; /* PciAddress: those of them that libvirt attached; as along */
} DriverCompanions;

/** driver_companions_init: @plan is that of the attachment of @device, by @call. */
void driver_companions_init (DriverCompanions *companions, DriverCall *call,
                             const HostdevDevice *device, const HostdevPlan *plan);
void driver_companions_clear (DriverCompanions *companions);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DriverCompanions, driver_companions_clear)

/** driver_companions_attach_first: those that come before the client's call;
 * driver_companions_attach_rest: the others, after its success. FALSE with
 * COMMON_ERROR_COMPANION_FAILED where one was not attached, or COMMON_ERROR_TIMED_OUT where that is
 * not known. */
gboolean driver_companions_attach_first (DriverCompanions *companions, GError **error);
gboolean driver_companions_attach_rest (DriverCompanions *companions, GError **error);

/** driver_companions_undo: libvirt is asked to detach those that it attached. */
void driver_companions_undo (DriverCompanions *companions);

/**
 * driver_companions_find: before a detachment: which other functions the guest has of the group of
 * the device at @address, or where that is NULL, of that @alias, and gives back with it.
 *
 * Returns: NULL: none; also where nothing can be asked.
 */
GArray *
driver_companions_find (DriverHelper *helper, const DriverDomains *domains, const char *domain_uuid,
                        const PciAddress *address, const char *alias);
/** driver_companions_detach: libvirt is asked to detach these; what it refuses is logged. */
void driver_companions_detach (DriverCall *call, const GArray *addresses);
