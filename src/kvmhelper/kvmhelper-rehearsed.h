/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-vectors.h"

/**
 * KvmHelperRehearsed: what rehearsals found, by function, its identity and its address, under this
 * kernel and in this boot. It stands in a file of the state directory, so that it survives the
 * helper; one of another boot or kernel counts for nothing. Losing it costs a rehearsal: no error
 * is made of it.
 *
 * From any thread.
 */
typedef struct _KvmHelperRehearsed KvmHelperRehearsed;

/* What one rehearsal found. */
typedef struct
{
  gboolean passed;
  KvmHelperBypassTrial bypass;

  /* The DMA windows that the group offers (VFIO_IOMMU_SPAPR_TCE_GET_INFO). */
  gboolean has_windows;
  guint dma32_start;
  guint dma32_size;   /* bytes */
  guint64 page_sizes; /* a bit for each, as 0x1000 for 4 KiB */
  guint windows;      /* at a time, the first one included */
  guint levels;       /* of a table */
} KvmHelperFound;

KvmHelperRehearsed *
kvmhelper_rehearsed_open (const KvmHelperKernel *kernel, const char *state_directory);
void kvmhelper_rehearsed_free (KvmHelperRehearsed *rehearsed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperRehearsed, kvmhelper_rehearsed_free)

/** kvmhelper_rehearsed_recall: FALSE, and *found is empty, where none was made. @rehearsed may be
 * NULL: none was. */
gboolean kvmhelper_rehearsed_recall (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                                     const KvmHelperIdentity *identity, KvmHelperFound *found);

/** kvmhelper_rehearsed_note: a rehearsal's end, in the place of what was noted before. */
void kvmhelper_rehearsed_note (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                               const KvmHelperIdentity *identity, const KvmHelperFound *found);

/** kvmhelper_found_windows: a floating a{sv}, as GetHost has it of a group. */
GVariant *kvmhelper_found_windows (const KvmHelperFound *found);

/** kvmhelper_found_read: what @steps (elements KvmHelperStep) found. */
void kvmhelper_found_read (const GPtrArray *steps, KvmHelperFound *found);
