/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-device.h"

/**
 * <interface type='network'>, where the network hands out functions of the host: <forward
 * mode='hostdev'>, in practice the virtual functions of an adapter.
 */

/**
 * hostdev_network_device_new: device XML that names such a network, or one of another kind.
 * @network: (out): its name
 *
 * Returns: what it says of the device, all but the address on the host and managed, which are the
 * network's; NULL where it is another device, or cannot be read.
 */
HostdevDevice *hostdev_network_device_new (const char *xml, gssize length, char **network);

/* What a network gives to an interface. */
typedef struct
{
  char *domain_uuid, *domain_name; /* of the owner */
  PciAddress address;              /* on the host */
} HostdevNetworkPort;

void hostdev_network_port_clear (HostdevNetworkPort *port);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HostdevNetworkPort, hostdev_network_port_clear)

/**
 * hostdev_network_read_hook: what libvirt's network hook has on stdin when a port is made or
 * removed (libvirt docs/hooks.rst).
 *
 * Returns: FALSE where the port gives no function of the host, or cannot be read.
 */
gboolean hostdev_network_read_hook (const char *xml, gssize length, HostdevNetworkPort *port);

/**
 * hostdev_network_choose: fills in @device the function that libvirt takes for the next interface:
 * the first of the network's that no port of it has (src/network/bridge_driver.c: “pick first dev
 * with 0 connections”, in networkAllocatePort, before libvirt 5.5 in networkAllocateActualDevice).
 * @texts: the network's XML, and then its ports'
 *
 * Returns: FALSE where the network hands out none, has none left, or cannot be read.
 */
gboolean hostdev_network_choose (const char *const *texts, HostdevDevice *device);

/**
 * hostdev_network_choose_next: the same of a guest that is to start: libvirt then takes a function
 * for each of its interfaces, in their order.
 * @owner: (nullable): the guest's UUID: what it has now it has no more when it starts
 * @given: (nullable): PciAddress, what its interfaces before this one took
 */
gboolean hostdev_network_choose_next (const char *const *texts, const char *owner,
                                      const GArray *given, HostdevDevice *device);

/** hostdev_network_hands_out: whether a network's XML has <forward mode='hostdev'>. */
gboolean hostdev_network_hands_out (const char *xml);

/* Who can tell of libvirt's networks. */
typedef struct
{
  /**
   * find: what network @name has for @device, into it, as hostdev_network_choose_next does.
   * @uuid: of the guest whose XML has the device
   * @hands_out: (out): FALSE: it is a network of another kind
   *
   * FALSE with an error where that cannot be told, or nothing is left.
   */
  gboolean (*find) (gpointer data, const char *name, const char *uuid, HostdevDevice *device,
                    gboolean *hands_out, GError **error);
  gpointer data;
} HostdevNetworks;
