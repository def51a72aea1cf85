/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-jobs.h"
#include "driver/driver-transaction.h"

/**
 * DriverWork: what is done about one held call, in a worker thread.
 *
 * - An attachment of a PCI hostdev: planned, prepared, forwarded, committed or undone.
 * - An attachment of an interface on a network that hands out functions of the host: the same, for
 *   the function that libvirt will choose. Where it chose another, that is as without us, and the
 *   one that was taken goes back. Its detachment is seen by libvirt's events.
 * - A detachment, and an update: where the client may do it, forwarded, and what came of it is seen
 * to. libvirt itself lets no guest have a PCI device by an update (src/qemu/qemu_driver.c:
 * qemuDomainUpdateDeviceLive), so that nothing is taken from the host for one.
 * - A definition of root's that requires what the host does not have: refused.
 * - An NVMe disk of the host: refused. QEMU's driver for it can use VFIO's Type 1 IOMMU alone
 *   (QEMU util/vfio-helpers.c: qemu_vfio_init_pci), which no POWER host has.
 */
typedef struct _DriverWork DriverWork;

/** driver_work_new: all that is given must outlive it. */
DriverWork *driver_work_new (DriverTransactions *owner, DriverHelper *helper,
                             const DriverDomains *domains, guint grace);
void driver_work_free (DriverWork *work);

/** driver_work_choose: what there is to do about @call; the function's data is @work. NULL:
 * nothing, also where the call cannot be read: that is libvirt's to judge. */
DriverJobFunc driver_work_choose (DriverWork *work, DriverCall *call);

/** driver_work_get_queue: whose calls it waits for. */
const char *driver_work_get_queue (const DriverWork *work);

/** driver_work_may_pass: where there is no time for it, the call had better pass: most likely it is
 * none of ours. */
gboolean driver_work_may_pass (const DriverWork *work);
