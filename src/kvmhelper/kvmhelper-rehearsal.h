/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/kvmhelper-kernel.h"
#include "kvmhelper/kvmhelper-step.h"

/**
 * The rehearsal: the whole kernel sequence of a passthrough, on a real function, with a throw-away
 * VM that this process owns. The group's members are on vfio-pci and nobody holds the group.
 *
 * A step whose own ground was not laid (a step before it failed, or the host has no such thing) is
 * skipped, with the reason. What was made is undone in any case.
 *
 * It proves that kernel, firmware and device can do it, and that the windows fit. It says nothing
 * of the limit of locked memory or the permissions of QEMU.
 *
 * On Linux it belongs into a process of its own (kvmhelper-worker.h): KVM and the container bind
 * themselves to the address space that uses them first (virt/kvm/kvm_main.c: kvm->mm;
 * drivers/vfio/vfio_iommu_spapr_tce.c: container->mm), and the end of the process undoes it all.
 */
void kvmhelper_rehearsal_run (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                              KvmHelperStepFunc step, gpointer data);

/**
 * KvmHelperRehearse: how a service has a rehearsal made: the steps, elements KvmHelperStep; each is
 * also given to @step as it is done. NULL with an error where it could not be begun, or was
 * cancelled.
 */
typedef GPtrArray *(*KvmHelperRehearse) (const KvmHelperKernel *kernel, guint group,
                                         const PciAddress *address, KvmHelperStepFunc step,
                                         gpointer data, GCancellable *cancellable, GError **error);

/** kvmhelper_rehearsal_here: a KvmHelperRehearse in this process, for a kernel that is simulated.
 */
GPtrArray *kvmhelper_rehearsal_here (const KvmHelperKernel *kernel, guint group,
                                     const PciAddress *address, KvmHelperStepFunc step,
                                     gpointer data, GCancellable *cancellable, GError **error);

/** kvmhelper_rehearsal_meaning: what @errnum means as the answer to the step @name; "" not known.
 */
const char *kvmhelper_rehearsal_meaning (const char *name, int errnum);
