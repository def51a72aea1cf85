/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-holder.h"

/**
 * TCE tables of a holder's guest. That it has tables in KVM its descriptors tell. Whether a table
 * drives the hardware's (KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE) no file of the kernel's does: neither
 * fdinfo nor debugfs shows the link, and from another process the ioctls answer EIO. One that is
 * not linked is worse than none: KVM answers the guest's H_PUT_TCE with success and the hardware
 * has no mapping. QEMU 10 and newer ends the realizing of the device where it cannot link
 * (hw/vfio/spapr.c); QEMU 7.2 only logs it ("vfio: failed to setup fd") and goes on. So the link is
 * concluded from QEMU's version, of which the kernel shows the machine type on its command line:
 * a QEMU knows no machine type newer than itself.
 */

/** kvmhelper_tce_dma: "in-kernel", "user-space" or "unknown". */
KvmHelperFact kvmhelper_tce_dma (const KvmHelperHolding *holding);

/** kvmhelper_tce_linked: "yes", "no" or "unknown", of the tables of process @pid. */
KvmHelperFact
kvmhelper_tce_linked (const KvmHelperKernel *kernel, const KvmHelperHolding *holding, guint pid);

/**
 * kvmhelper_qemu_machine: the version of the pSeries machine type in a /proc/PID/cmdline, of
 * @length bytes with NULs: "pseries-10.0" is 10 and 0. FALSE where it has none, as "pseries" alone.
 */
gboolean
kvmhelper_qemu_machine (const char *command_line, gsize length, guint *major, guint *minor);
