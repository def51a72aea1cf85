/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * What a function is made of, as far as sysfs tells: nothing that decides about anything, but what
 * a description needs from which the host can be simulated. A handful of small reads.
 */
typedef struct
{
  gboolean has_parent;
  PciAddress parent;   /* the bridge above; none on a root bus */
  guint secondary_bus; /* of a bridge; 0: none */
  guint revision;
  guint intx;           /* 1 where it has an interrupt pin */
  guint msi, msix;      /* how many it has, or at least … */
  gboolean in_use_only; /* … as many as its driver uses, as the rest could not be read */
  guint total_vfs;
  int numa_node;       /* -1: none */
  guint dma_bits;      /* how far the driver of the host's that it has addresses; 0: it has none, or
                          one of VFIO's, which leave that as it was */
  char *reset_methods; /* "pm bus"; "": none; NULL: the kernel does not tell */
} KvmHelperHardware;

/** kvmhelper_hardware_read: of a function that is there; what cannot be read is 0. */
void kvmhelper_hardware_read (const KvmHelperKernel *kernel, const PciAddress *address,
                              KvmHelperHardware *hardware);
void kvmhelper_hardware_clear (KvmHelperHardware *hardware);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperHardware, kvmhelper_hardware_clear)

/** kvmhelper_hardware_add: its keys, for a dictionary as GetHost has it. */
void kvmhelper_hardware_add (const KvmHelperHardware *hardware, GVariantBuilder *builder);
