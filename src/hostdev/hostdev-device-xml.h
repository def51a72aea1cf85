/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-device.h"

/**
 * hostdev_device_new_from_node: as hostdev_device_new_from_xml, from an element that is a device.
 * @device: (out): NULL where it is a device of another kind
 */
gboolean hostdev_device_new_from_node (const xmlNode *node, HostdevDevice **device, GError **error);

/** hostdev_device_read_guest_address: where the guest is to have it, into @device: its
 * <address type='pci'>, where there is one. FALSE with COMMON_ERROR_INVALID_DEVICE. */
gboolean
hostdev_device_read_guest_address (const xmlNode *node, HostdevDevice *device, GError **error);
