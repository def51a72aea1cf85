/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-call.h"
#include "driver/driver-helper.h"

/**
 * driver_require: whether what a guest got with a device is what its policy requires. Where it is
 * known that it is not, libvirt is asked to detach the device again, with the client's rights. What
 * could not be read is no reason for that, and is logged.
 *
 * @asked: (out): libvirt has asked the guest for it
 *
 * For a worker thread, after a success of driver_call_forward.
 *
 * Returns: FALSE with COMMON_ERROR_XIVE_UNAVAILABLE, COMMON_ERROR_TCE_UNAVAILABLE or
 * COMMON_ERROR_EEH_UNAVAILABLE, for the client; it says whether the guest was asked.
 */
gboolean driver_require (DriverCall *call, const DriverLease *lease, const PciAddress *address,
                         const HostdevPolicy *policy, const HostdevGot *got, gboolean *asked,
                         GError **error);
