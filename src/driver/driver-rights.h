/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-call.h"

/**
 * driver_rights_check: whether libvirt's access control lets the client do what it calls for,
 * before anything is told to the client, or prepared: libvirt itself finds out only when it has the
 * call.
 *
 * It is asked, on the client's connection, to do the same (the same procedure and flags, and so the
 * same permissions: domain:write, and domain:save with VIR_DOMAIN_AFFECT_CONFIG;
 * src/remote/remote_protocol.x) with a device that no libvirt knows. Rights come first, then the
 * device XML (src/qemu/qemu_driver.c: qemuDomainAttachDeviceFlags), so that who is told that there
 * is no such device may. Nothing changes by it; libvirtd logs an error.
 *
 * Not where access control cannot matter: of who is root, and where nobody told libvirt who the
 * client is (driver_call_is_limited). For a worker thread.
 *
 * Returns: FALSE where the client has its answer, mostly libvirt's own words, and is done with.
 */
gboolean driver_rights_check (DriverCall *call);

/* The device that is none. It stands in libvirtd's log. */
#define DRIVER_RIGHTS_DEVICE "virtppc64d-rights-check"
