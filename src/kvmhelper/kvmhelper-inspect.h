/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-lease.h"
#include "kvmhelper/kvmhelper-locked.h"
#include "kvmhelper/kvmhelper-rehearsed.h"
#include "kvmhelper/kvmhelper-vectors.h"

/**
 * What the process that holds a group has of it, read from the kernel: nothing is asked of that
 * process, and no ioctl is made on anything of its. What the kernel shows nowhere, or cannot show
 * without danger (docs/kernel-defects.rst), is inferred, and says so.
 */

/* An interrupt that is enabled on a function of the group. */
typedef struct
{
  KvmHelperVector vector;
  KvmHelperWay way;
} KvmHelperInspectedVector;

typedef struct
{
  PciAddress address;
  guint group;
  guint holder_pid; /* 0: nobody holds it; nothing below is set then */
  KvmHelperFact interrupts;
  guint vectors;        /* enabled on the function */
  guint passed_through; /* of the group's: those whose path is "guest" */
  char *passed_source;
  GArray *list;             /* KvmHelperInspectedVector: the group's */
  KvmHelperPassing passing; /* … of all groups that the holder has */
  KvmHelperLocked locked;   /* the holder's */
  KvmHelperFact dma;
  guint tce_tables;
  KvmHelperFact tce_linked;
  KvmHelperFact eeh;
  KvmHelperFact pe_state;
} KvmHelperInspection;

/**
 * kvmhelper_inspection_new: @rehearsed: what rehearsals found, or NULL. NULL with
 * COMMON_ERROR_DEVICE_UNKNOWN, COMMON_ERROR_NOT_ENDPOINT or COMMON_ERROR_NO_IOMMU_GROUP.
 */
KvmHelperInspection *
kvmhelper_inspection_new (const KvmHelperKernel *kernel, const PciAddress *address,
                          KvmHelperRehearsed *rehearsed, GError **error);
void kvmhelper_inspection_free (KvmHelperInspection *inspection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperInspection, kvmhelper_inspection_free)

/** kvmhelper_inspection_to_variant: a floating a{sv}, as Inspect has it. @lease may be NULL. */
GVariant *kvmhelper_inspection_to_variant (const KvmHelperInspection *inspection,
                                           const KvmHelperLease *lease);

/** kvmhelper_inspection_summary: in a line, for the lease's record. */
char *kvmhelper_inspection_summary (const KvmHelperInspection *inspection);
