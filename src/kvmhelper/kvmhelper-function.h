/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * A PCI function, as /sys/bus/pci/devices/ADDRESS has it.
 */

/* What a function is. Two that agree in all of this, at the same address, are taken for the same.
 */
typedef struct
{
  guint vendor, device, subsystem_vendor, subsystem_device;
  guint class; /* 24 bits */
} KvmHelperIdentity;

typedef struct
{
  PciAddress address;
  KvmHelperIdentity identity;
  gboolean endpoint;     /* header type 0; FALSE for bridges, and where it cannot be read */
  char *driver;          /* "": none */
  char *driver_override; /* "": none */
  gboolean is_vf;
  PciAddress physfn; /* of a VF */
  guint numvfs;
  int group; /* IOMMU group, -1: none */
} KvmHelperFunction;

/** kvmhelper_function_path: "bus/pci/devices/ADDRESS", or with "/@attribute"; to be freed. */
char *kvmhelper_function_path (const PciAddress *address, const char *attribute);

/**
 * kvmhelper_function_read: NULL with COMMON_ERROR_DEVICE_UNKNOWN where there is none, or with
 * COMMON_ERROR_KERNEL_FAILED where something of it could not be read: a lease is made of it.
 */
KvmHelperFunction *
kvmhelper_function_read (const KvmHelperKernel *kernel, const PciAddress *address, GError **error);

void kvmhelper_function_free (KvmHelperFunction *function);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperFunction, kvmhelper_function_free)

/** kvmhelper_function_read_all: every function of the host, by address, as far as it can be read.
 */
GPtrArray *kvmhelper_function_read_all (const KvmHelperKernel *kernel);

/** kvmhelper_function_read_identity: FALSE with COMMON_ERROR_DEVICE_UNKNOWN or
 * COMMON_ERROR_KERNEL_FAILED. */
gboolean kvmhelper_function_read_identity (const KvmHelperKernel *kernel, const PciAddress *address,
                                           KvmHelperIdentity *identity, GError **error);

gboolean kvmhelper_identity_equal (const KvmHelperIdentity *a, const KvmHelperIdentity *b);

/**
 * kvmhelper_function_read_binding: the driver that is bound now and driver_override, "" for none.
 * FALSE with COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_function_read_binding (const KvmHelperKernel *kernel, const PciAddress *address,
                                          char **driver, char **override, GError **error);

/** kvmhelper_function_driver: the driver that is bound now, "" for none, or where it cannot be
 * read. */
char *kvmhelper_function_driver (const KvmHelperKernel *kernel, const PciAddress *address);

/** kvmhelper_function_read_group: the number of its IOMMU group, -1 for none. FALSE with
 * COMMON_ERROR_KERNEL_FAILED. */
gboolean kvmhelper_function_read_group (const KvmHelperKernel *kernel, const PciAddress *address,
                                        int *group, GError **error);

/** kvmhelper_function_read_vfs: the addresses of the VFs that a PF has now. Elements PciAddress. */
GArray *kvmhelper_function_read_vfs (const KvmHelperKernel *kernel, const PciAddress *physfn);
