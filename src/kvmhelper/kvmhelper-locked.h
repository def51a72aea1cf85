/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * The memory that a process has locked, against what it may lock: VFIO accounts what it pins, and
 * its tables, as locked memory (mm/util.c: __account_locked_vm). Where it may not, QEMU says
 * "Memory registering failed: Operation not permitted" whatever the kernel's errno was, or "Bad
 * file descriptor" of a TCE table that could not be made.
 */
typedef struct
{
  gboolean known;    /* all below was read */
  guint64 locked;    /* bytes: VmLck, pinned by VFIO, and locked by the process itself */
  guint64 pinned;    /* bytes: VmPin, by others, as RDMA */
  guint64 limit;     /* bytes: RLIMIT_MEMLOCK, the soft one; G_MAXUINT64: none */
  gboolean ipc_lock; /* it has CAP_IPC_LOCK: the kernel does not hold it to the limit */
} KvmHelperLocked;

/** kvmhelper_locked_read: of process @pid, from /proc/PID/status and /proc/PID/limits. */
KvmHelperLocked kvmhelper_locked_read (const KvmHelperKernel *kernel, guint pid);

/** kvmhelper_locked_is_near: whether the limit counts for it and less than a tenth is left. */
gboolean kvmhelper_locked_is_near (const KvmHelperLocked *locked);

/** kvmhelper_locked_parse: the same of the texts of both files; what is left out is not known. */
KvmHelperLocked kvmhelper_locked_parse (const char *status, const char *limits);
