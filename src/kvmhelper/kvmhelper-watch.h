/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * KvmHelperWatch: a kernel that remembers whether all that was asked of it could be answered. Code
 * that takes "cannot be read" for "is not there" may be right for a list that people read; what is
 * decided on, such as the driver that a function gets back, must not come from a failure.
 *
 * What is not there, or goes meanwhile, is an answer; so is a file that is no link.
 */
typedef struct
{
  KvmHelperKernel kernel; /* what those who read get */
  const KvmHelperKernel *base;
  char *path; /* that was opened last, or that failed */
  int errnum; /* of the first failure; 0: none */
} KvmHelperWatch;

/** kvmhelper_watch_init: @base outlives it. For one thread. */
void kvmhelper_watch_init (KvmHelperWatch *watch, const KvmHelperKernel *base);
void kvmhelper_watch_clear (KvmHelperWatch *watch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperWatch, kvmhelper_watch_clear)

/** kvmhelper_watch_check: FALSE with COMMON_ERROR_KERNEL_FAILED where something failed. */
gboolean kvmhelper_watch_check (const KvmHelperWatch *watch, GError **error);
