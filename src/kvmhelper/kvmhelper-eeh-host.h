/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * kvmhelper_eeh_host_read: how the host's own EEH is set and what it has counted, a{s(ss)}, as
 * GetHost has it; floating. From /sys/kernel/debug/powerpc (arch/powerpc/kernel/eeh.c:
 * eeh_init_proc), which root alone can read, and /proc/powerpc/eeh (proc_eeh_show). Asks no
 * firmware, and writes nothing: eeh_force_recover is looked for, not used.
 */
GVariant *kvmhelper_eeh_host_read (const KvmHelperKernel *kernel);
