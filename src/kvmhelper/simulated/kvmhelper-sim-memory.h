/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-file.h"

/**
 * Memory that is registered (pinned) for DMA, struct mm_iommu_table_group_mem_t of
 * arch/powerpc/mm/book3s64/iommu_api.c. It belongs to the address space; containers hold it, and
 * every TCE that points into it counts.
 */
typedef struct
{
  guint64 address;  /* of the user */
  guint64 pages;    /* of the kernel's size */
  guint64 used;     /* by containers */
  guint64 mapped;   /* 1, and each TCE */
  guint page_shift; /* the largest IOMMU page that can be mapped in it */
} KvmHelperSimMemory;

/** kvmhelper_sim_memory_get: the region that is just that, with one more use; NULL: none. */
KvmHelperSimMemory *kvmhelper_sim_memory_get (KvmHelperSimMm *mm, guint64 address, guint64 pages);

/**
 * kvmhelper_sim_memory_new: pins memory of @process, in its mm. -ENOMEM: limit; -EFAULT: no memory
 * there; -EINVAL: overlaps another region. Where the memory ends too soon: the number of pages that
 * there are.
 */
int kvmhelper_sim_memory_new (KvmHelperSimProcess *process, guint64 address, guint64 pages,
                              KvmHelperSimMemory **memory);

/** kvmhelper_sim_memory_put: one use less; the last one unpins. -EBUSY: TCEs point into it, and the
 * use stays. */
int kvmhelper_sim_memory_put (KvmHelperSim *sim, KvmHelperSimMm *mm, KvmHelperSimMemory *memory);

/** kvmhelper_sim_memory_lookup: the region that has all of [@address, +@size); NULL: none. */
KvmHelperSimMemory *kvmhelper_sim_memory_lookup (KvmHelperSimMm *mm, guint64 address, guint64 size);

/** kvmhelper_sim_memory_map, _unmap: a TCE begins, or ceases, to point into it. */
void kvmhelper_sim_memory_map (KvmHelperSimMemory *memory);
void kvmhelper_sim_memory_unmap (KvmHelperSimMemory *memory);
