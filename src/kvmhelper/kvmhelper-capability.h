/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * What this host can do for a passed-through device, each with where it was read, as GetHost of
 * the D-Bus interface has it.
 */
typedef enum
{
  KVMHELPER_PLATFORM_POWERNV,
  KVMHELPER_PLATFORM_PSERIES, /* a partition, as under PowerVM */
  KVMHELPER_PLATFORM_OTHER
} KvmHelperPlatform;

/** kvmhelper_platform_read: powernv by the device tree's "ibm,powernv", pseries by /proc/cpuinfo.
 */
KvmHelperPlatform kvmhelper_platform_read (const KvmHelperKernel *kernel);
const char *kvmhelper_platform_name (KvmHelperPlatform platform);

/** kvmhelper_cpuinfo: the value of @key in a /proc/cpuinfo's text ("model"); "" where it has none.
 */
char *kvmhelper_cpuinfo (const char *cpuinfo, const char *key);
/** kvmhelper_meminfo: what /proc/meminfo says of @key ("MemTotal"), in bytes; 0: it is not known.
 */
guint64 kvmhelper_meminfo (const KvmHelperKernel *kernel, const char *key);

/** kvmhelper_capabilities_read: a{s(ss)}, as GetHost has it. Creates a VM for a moment. */
GVariant *kvmhelper_capabilities_read (const KvmHelperKernel *kernel, KvmHelperPlatform platform);

#define KVMHELPER_BYPASS_PARAMETER "module/kvm_hv/parameters/kvm_irq_bypass"
/** kvmhelper_irq_bypass_off: whether kvm_hv.kvm_irq_bypass is there and 0. */
gboolean kvmhelper_irq_bypass_off (const KvmHelperKernel *kernel);
