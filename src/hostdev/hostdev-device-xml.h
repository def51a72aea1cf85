/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-network.h"

/**
 * hostdev_device_new_from_node: as hostdev_device_new_from_xml, from an element that is a device.
 * @device: (out): NULL where it is a device of another kind
 */
gboolean hostdev_device_new_from_node (const xmlNode *node, HostdevDevice **device, GError **error);

/** hostdev_device_read_guest_address: where the guest is to have it, into @device: its
 * <address type='pci'>, where there is one. FALSE with COMMON_ERROR_INVALID_DEVICE. */
gboolean
hostdev_device_read_guest_address (const xmlNode *node, HostdevDevice *device, GError **error);

/** hostdev_network_device_new_from_node: as hostdev_network_device_new, from the element. */
HostdevDevice *hostdev_network_device_new_from_node (const xmlNode *node, char **network);

/**
 * hostdev_network_resolve: an <interface type='network'> as the device that its network hands out.
 * @uuid: the guest's
 * @device: (out): NULL where it is something else, or the network hands out none
 *
 * FALSE with an error of @networks'.
 */
gboolean hostdev_network_resolve (const HostdevNetworks *networks, const xmlNode *node,
                                  const char *uuid, HostdevDevice **device, GError **error);
