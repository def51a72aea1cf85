/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-helper.h"
#include "driver/driver-transaction.h"

/**
 * DriverHook: answers the hook program, and so owns the cold path: a guest that starts, and one
 * that stopped. libvirt holds the domain while its hook runs, so nothing here asks libvirt, or
 * waits for something that might. Each request is answered in a thread of its own.
 *
 *   prepare    plan, and take every group from the host; a refusal stops the start
 *   started    note what the guest got
 *   release    give the groups back. Not at `stopped`: after that libvirt still resets the devices
 *              (libvirt src/qemu/qemu_process.c: qemuProcessStop calls the hook, then
 *              qemuHostdevReAttachDomainDevices, then the hook with `release`), and that must not
 *              hit a device that the host uses again
 *   port-created, port-deleted (of networks)
 *              take the function that a network chose for an interface (driver-ports.h); look at
 * the leases of the guest that had it reconnect  look at the leases, soon: when libvirt has let go
 * of the domain
 */
typedef struct _DriverHook DriverHook;

/** driver_hook_new: @listener is a listening socket, taken. The others must outlive it. */
DriverHook *driver_hook_new (int listener, DriverHelper *helper, DriverTransactions *transactions,
                             GError **error);

/** driver_hook_stop: takes no more requests: they wait for who has the same listener next, as
 * systemd sees to. Those that are being answered go on. */
void driver_hook_stop (DriverHook *hook);

/** driver_hook_free: takes no more requests; waits for those that are being answered. */
void driver_hook_free (DriverHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverHook, driver_hook_free)
