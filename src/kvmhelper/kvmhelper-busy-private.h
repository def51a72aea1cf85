/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-busy.h"

/**
 * Shared by the parts that look for needs: disks (kvmhelper-busy-disk.c), network and console.
 */
struct _KvmHelperBusy
{
  const KvmHelperKernel *kernel;
  GHashTable *needs; /* "0001:01:00.0" -> GPtrArray of KvmHelperNeed */
};

/** kvmhelper_busy_add: @owner's function is needed; takes @detail. The same need is noted once. */
void kvmhelper_busy_add (KvmHelperBusy *busy, const char *owner, const char *kind, char *detail);

/**
 * kvmhelper_busy_owner: the PCI function that @path, a link into /sys/devices as
 * /sys/class/block/sda, leads below: the nearest one. NULL where there is none.
 */
char *kvmhelper_busy_owner (const KvmHelperBusy *busy, const char *path);

void kvmhelper_busy_find_disks (KvmHelperBusy *busy);
