/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * KvmHelperHold: a PCI function from the first look at it to the last write, by its directory in
 * sysfs, which stays open meanwhile.
 *
 * An address can change hands between a look and a write: somebody pulls the card and puts in
 * another, even one of the same kind. The directory cannot: when its function goes, all that was in
 * it goes (fs/kernfs/dir.c: kernfs_remove), also when another function has the name already. And
 * while it is there nobody else has its name, on the bus neither: a bus refuses a second device of
 * one name until the first one's directory is gone (drivers/base/core.c: device_del ends with
 * kobject_del). So what a function is, is read from that directory right before each write; its own
 * attributes are written in it.
 */
typedef struct
{
  const KvmHelperKernel *kernel;
  PciAddress address;
  KvmHelperIdentity identity;
  int directory;
} KvmHelperHold;

/**
 * kvmhelper_hold_new: holds the function at @address, which is to have @identity. NULL with
 * COMMON_ERROR_DEVICE_UNKNOWN (nothing is there), COMMON_ERROR_DEVICE_CHANGED (something else is)
 * or COMMON_ERROR_KERNEL_FAILED.
 */
KvmHelperHold *kvmhelper_hold_new (const KvmHelperKernel *kernel, const PciAddress *address,
                                   const KvmHelperIdentity *identity, GError **error);
void kvmhelper_hold_free (KvmHelperHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperHold, kvmhelper_hold_free)

/**
 * kvmhelper_hold_group: holds every endpoint among @functions (elements KvmHelperFunction); what
 * they are is what was read of them. NULL as kvmhelper_hold_new. Elements KvmHelperHold.
 */
GPtrArray *
kvmhelper_hold_group (const KvmHelperKernel *kernel, const GPtrArray *functions, GError **error);

/** kvmhelper_hold_find: the one of the function at @address; NULL: none. */
const KvmHelperHold *kvmhelper_hold_find (const GPtrArray *holds, const PciAddress *address);

/** kvmhelper_hold_check: that it is still the same function. FALSE with COMMON_ERROR_DEVICE_CHANGED
 * or COMMON_ERROR_KERNEL_FAILED. */
gboolean kvmhelper_hold_check (const KvmHelperHold *hold, GError **error);

/**
 * kvmhelper_hold_write: after kvmhelper_hold_check, writes @text to an attribute of its own.
 * kvmhelper_hold_write_name: …, writes its address to @path, a file of the bus or of a driver
 * ("bus/pci/drivers_probe"). Errors as of kvmhelper_hold_check.
 */
gboolean kvmhelper_hold_write (const KvmHelperHold *hold, const char *attribute, const char *text,
                               GError **error);
gboolean kvmhelper_hold_write_name (const KvmHelperHold *hold, const char *path, GError **error);
