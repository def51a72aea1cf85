/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

/**
 * Inside the core: between the calls, the processes and their part of /proc.
 */

/* The other side of the seam; its data is a KvmHelperSimProcess. */
extern const KvmHelperKernelCalls kvmhelper_sim_calls;

/** kvmhelper_sim_proc_start: /proc/self and what every process has. _add, _remove: /proc/PID. */
void kvmhelper_sim_proc_start (KvmHelperSim *sim);
void kvmhelper_sim_proc_add (KvmHelperSimProcess *process);
void kvmhelper_sim_proc_remove (KvmHelperSimProcess *process);

/* ACLs of nodes in /dev: kvmhelper-sim-acl.c. What the seam's calls do. */
gssize kvmhelper_sim_get_acl (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                              void *acl, gsize size);
int kvmhelper_sim_set_acl (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                           const void *acl, gsize size);

/* Handles of processes, and their limit of locked memory: kvmhelper-sim-limit.c */
int kvmhelper_sim_pidfd (KvmHelperSimProcess *process, guint pid);
int kvmhelper_sim_memlock (KvmHelperSimProcess *process, guint pid, const KvmHelperLimit *limit,
                           KvmHelperLimit *before);
int kvmhelper_sim_receive (gpointer data, int fd);
/** kvmhelper_sim_pidfd_info: what fdinfo has of a pidfd beside what all files have; NULL: none. */
char *kvmhelper_sim_pidfd_info (const KvmHelperSimFile *file);

/** kvmhelper_sim_null_start: /dev/null. */
void kvmhelper_sim_null_start (KvmHelperSim *sim);

/** kvmhelper_sim_stop_parts: all that kvmhelper_sim_new_from_xml started beside the core. */
void kvmhelper_sim_stop_parts (KvmHelperSim *sim);
