/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * Why the host cannot do without a PCI function now: what is mounted, swapped to or stacked on its
 * disks, the default route, the console. The host is looked at once for all of its functions.
 *
 * Mounts are those of process 1, and those of other mount namespaces where it has none of the disk;
 * routes are those of process 1, and an interface in another network namespace counts as one. Not
 * to be seen here: the second hop of a multipath IPv4 route, and routes in other tables than the
 * main one (net/ipv4/fib_trie.c: fib_route_seq_show).
 */
typedef struct _KvmHelperBusy KvmHelperBusy;

typedef struct
{
  char *kind;     /* one of kvmhelper_busy_kinds, or "unknown": it could not be read */
  char *detail;   /* "/dev/vda on /"; as the D-Bus interface has it */
  gboolean final; /* nobody may override it */
} KvmHelperNeed;

/** kvmhelper_busy_new: @kernel outlives it. For one thread. */
KvmHelperBusy *kvmhelper_busy_new (const KvmHelperKernel *kernel);
void kvmhelper_busy_free (KvmHelperBusy *busy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperBusy, kvmhelper_busy_free)

/** kvmhelper_busy_check: whether all that was to be read could be; else FALSE with
 * COMMON_ERROR_KERNEL_FAILED. */
gboolean kvmhelper_busy_check (const KvmHelperBusy *busy, GError **error);

/**
 * kvmhelper_busy_get: the needs for @function, elements KvmHelperNeed; empty when there is none.
 * Where something could not be read each function has one, "unknown".
 */
GPtrArray *kvmhelper_busy_get (KvmHelperBusy *busy, const KvmHelperFunction *function);

/** kvmhelper_busy_kinds: the kinds that can be overridden, NULL-terminated: "mounted", "swap",
 * "storage", "route", "console", "vfs". */
const char *const *kvmhelper_busy_kinds (void);

/** kvmhelper_need_is_accepted: whether @override (kinds, NULL-terminated, or NULL) has it. */
gboolean kvmhelper_need_is_accepted (const KvmHelperNeed *need, const char *const *override);
