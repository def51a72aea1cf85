/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"

/**
 * Where a function sits. An address is made of bus numbers, which are given anew when a bridge
 * goes and comes; the chain of bridges above a function is its place, and another chain is another
 * place, whatever sits there.
 */

/**
 * kvmhelper_slot_path: "pci0003:00/0003:00:00.0/0003:01:00.0": the host bridge, each bridge below
 * it, and the function, as the kernel's tree has them (/sys/devices). "" where there is no such
 * function. To be freed; NULL with COMMON_ERROR_KERNEL_FAILED.
 */
char *
kvmhelper_slot_path (const KvmHelperKernel *kernel, const PciAddress *address, GError **error);

/**
 * kvmhelper_slot_name: what the kernel calls the slot, as it is written on the machine ("C4"), of
 * /sys/bus/pci/slots/NAME/address (drivers/pci/slot.c: address_read_file; pnv_php and rpaphp name
 * them by the firmware's label); "" for none. To be freed.
 */
char *kvmhelper_slot_name (const KvmHelperKernel *kernel, const PciAddress *address);

/**
 * kvmhelper_slot_note: fills in where the members of @lease sit, and of what modules their drivers
 * came, before any of them is touched. FALSE with COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_slot_note (const KvmHelperKernel *kernel, KvmHelperLease *lease, GError **error);

/**
 * kvmhelper_slot_check: that @member sits where it was taken. One whose place is not known does.
 * FALSE with COMMON_ERROR_DEVICE_CHANGED or COMMON_ERROR_KERNEL_FAILED.
 */
gboolean
kvmhelper_slot_check (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error);
