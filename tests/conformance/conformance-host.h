/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-condition.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * ConformanceHost: what a host has for scripts: facts that conditions ask for, and variables. What
 * a kernel cannot tell stands in a hosts file (powernv.host): which functions are free for scripts.
 */
typedef struct
{
  ConformanceFacts facts;
  GHashTable *variables; /* char * to char * */
} ConformanceHost;

/**
 * conformance_host_new: @directory has the hosts files, of which the host's platform takes one,
 * unless @file is given.
 */
ConformanceHost *conformance_host_new (const KvmHelperKernel *kernel, gboolean real,
                                       const char *directory, const char *file, GError **error);
void conformance_host_free (ConformanceHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceHost, conformance_host_free)

/** conformance_host_has: whether the host has what a script needs. */
gboolean conformance_host_has (const ConformanceHost *host, const char *need);

/** conformance_host_bind: @bdf to vfio-pci, by its override. _back: to the driver that the kernel
 * chooses. COMMON_ERROR_BIND_FAILED. */
gboolean conformance_host_bind (const KvmHelperKernel *kernel, const char *bdf, GError **error);
gboolean
conformance_host_bind_back (const KvmHelperKernel *kernel, const char *bdf, GError **error);
