/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * Why the host cannot do without a PCI function now: what is mounted, swapped to or stacked on its
 * disks, the default route, the console. The host is looked at once for all of its functions.
 *
 * Mounts and routes are those of process 1: what a container or a guest's own namespace has is not
 * the host's need.
 */
typedef struct _KvmHelperBusy KvmHelperBusy;

typedef struct
{
  char *kind;   /* "mounted", "swap", "storage", "route", "console", "vfs" */
  char *detail; /* "/dev/vda on /"; as the D-Bus interface has it */
} KvmHelperNeed;

KvmHelperBusy *kvmhelper_busy_new (const KvmHelperKernel *kernel);
void kvmhelper_busy_free (KvmHelperBusy *busy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperBusy, kvmhelper_busy_free)

/** kvmhelper_busy_get: the needs for @function, elements KvmHelperNeed; empty when there is none.
 */
GPtrArray *kvmhelper_busy_get (const KvmHelperBusy *busy, const KvmHelperFunction *function);
