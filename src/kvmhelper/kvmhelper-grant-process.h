/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-grant.h"

/**
 * Processes of a user's, and their limit of locked memory (RLIMIT_MEMLOCK), under which a guest's
 * memory is pinned (mm/util.c: account_locked_vm).
 *
 * A caller names a process by a descriptor of it (pidfd_open), never by its PID: the PID is read
 * from the kernel, and after each step that needs it the descriptor is asked whether that was its
 * process all the while. A PID is not used again before its process is gone. One of a thread
 * (PIDFD_THREAD, Linux 6.9) is refused: the limit is its process's, which lives on without it.
 */

/**
 * kvmhelper_grant_process_read: the process behind @handle, as it is now: its PID, its start and
 * its limit. It has to live, and all its user ids (real, effective, saved, of files) have to be
 * @user: what runs a setuid program is not his. FALSE with COMMON_ERROR_INVALID_ARGUMENT, or
 * COMMON_ERROR_KERNEL_FAILED.
 */
gboolean kvmhelper_grant_process_read (const KvmHelperKernel *kernel, int handle, guint user,
                                       KvmHelperGrantProcess *process, GError **error);

/** kvmhelper_grant_process_start: when @pid was started, in ticks since the host was, as polkit
 * and libvirt tell processes of one PID apart; FALSE: there is none. */
gboolean kvmhelper_grant_process_start (const KvmHelperKernel *kernel, guint pid, guint64 *start);

/** kvmhelper_grant_process_lives: whether @process has not ended yet. What cannot be told does. */
gboolean
kvmhelper_grant_process_lives (const KvmHelperKernel *kernel, const KvmHelperGrantProcess *process);

/**
 * kvmhelper_grant_process_raise: lifts the limit of the process behind @handle, which was read as
 * @process, to @limit; nothing is ever made less. Whoever is hit in its place by a PID that was
 * used again gets his own back. FALSE as of kvmhelper_grant_process_read.
 */
gboolean
kvmhelper_grant_process_raise (const KvmHelperKernel *kernel, int handle, guint user,
                               const KvmHelperGrantProcess *process, guint64 limit, GError **error);

/**
 * kvmhelper_grant_process_lower: takes down the limit of @process to @target where it is more;
 * nothing is ever raised. One that has ended needs nothing. FALSE with COMMON_ERROR_KERNEL_FAILED.
 */
gboolean
kvmhelper_grant_process_lower (const KvmHelperKernel *kernel, const KvmHelperGrantProcess *process,
                               const KvmHelperLimit *target, GError **error);
