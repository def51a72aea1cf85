/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * IOMMU groups. On powernv a group is a partitionable endpoint (PE), under PowerVM a host bridge.
 */
typedef struct
{
  guint number;
  char *name; /* "domain0-pe1fd", or "" */
  guint phb;  /* PCI domain of the host bridge */
  gboolean has_pe;
  guint pe;
  GPtrArray *members; /* KvmHelperFunction, by address; bridges too */
} KvmHelperGroup;

/* A fact, and where it was read. */
typedef struct
{
  const char *value;
  char *source;
} KvmHelperFact;

void kvmhelper_fact_clear (KvmHelperFact *fact);

/**
 * kvmhelper_group_new: a group without members. "domain%d-pe%lx" is the kernel's name for it
 * (arch/powerpc/kernel/iommu.c: iommu_register_group); where it has another, @phb is taken from
 * @first.
 */
KvmHelperGroup *
kvmhelper_group_new (const KvmHelperKernel *kernel, guint number, const PciAddress *first);

/**
 * kvmhelper_group_read: the group of the endpoint at @address, with its members.
 *
 * NULL with COMMON_ERROR_DEVICE_UNKNOWN, COMMON_ERROR_NOT_ENDPOINT, COMMON_ERROR_NO_IOMMU_GROUP,
 * COMMON_ERROR_KERNEL_FAILED, COMMON_ERROR_MEMBER_NOT_TAKEABLE where the group has more functions
 * than KVMHELPER_MAX_MEMBERS or, where it is not among the members, COMMON_ERROR_DEVICE_CHANGED.
 */
KvmHelperGroup *
kvmhelper_group_read (const KvmHelperKernel *kernel, const PciAddress *address, GError **error);

void kvmhelper_group_free (KvmHelperGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperGroup, kvmhelper_group_free)
