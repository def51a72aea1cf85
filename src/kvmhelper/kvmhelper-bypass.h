/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * kvmhelper_bypass_ensure: how kvm_hv.kvm_irq_bypass stands: "on", "off", "unknown", "set" where
 * it was off and this has switched it on; NULL on a host where it means nothing, as under PowerVM.
 *
 * It is switched on only with @may_set (irq-bypass=set in the helper's configuration), and never
 * off. It counts for interrupts that guests set up from now on; those that they have keep their
 * way. That it could not be is a warning in the log: a guest runs without, more slowly.
 */
const char *kvmhelper_bypass_ensure (const KvmHelperKernel *kernel, gboolean may_set);
