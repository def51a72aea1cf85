/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * KvmHelperSim: a simulated POWER host, the other side of the kernel seam. It answers as Linux does
 * on the host that a file describes (schemas/simulated-host.rng): the same files, the same errno
 * for the same mistake, the same effect on everybody else. tests/conformance holds it to the real
 * kernel.
 *
 * A process on it sees it through a KvmHelperKernel of its own, with its own handles and its own
 * address space (mm). All calls may come from any thread; one is made at a time.
 */
typedef struct _KvmHelperSim KvmHelperSim;
typedef struct _KvmHelperSimProcess KvmHelperSimProcess;

/**
 * kvmhelper_sim_new_from_file, _from_xml: the host that is described in @path, or in @xml, which
 * messages call @name. NULL with COMMON_ERROR_INVALID_XML or COMMON_ERROR_INVALID_HOST, which have
 * the line, or COMMON_ERROR_INVALID_ARGUMENT where the file cannot be read.
 */
KvmHelperSim *kvmhelper_sim_new_from_file (const char *path, GError **error);
KvmHelperSim *kvmhelper_sim_new_from_xml (const char *xml, const char *name, GError **error);

/** kvmhelper_sim_free: ends every process of it, then it. */
void kvmhelper_sim_free (KvmHelperSim *sim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperSim, kvmhelper_sim_free)

/**
 * kvmhelper_sim_to_xml: a description of the host as it is now: what is bound to what, overrides,
 * frozen PEs, the id of the boot; of processes nothing. A host made from it goes on where this one
 * was, as if every process had been killed.
 */
char *kvmhelper_sim_to_xml (KvmHelperSim *sim);

typedef struct
{
  const char *command;          /* what /proc/PID/comm says */
  guint uid;                    /* 0 may open every node and passes by modes */
  gboolean ipc_lock;            /* has CAP_IPC_LOCK, and so no limit to locked memory */
  guint64 memlock;              /* RLIMIT_MEMLOCK, bytes */
  guint parent;                 /* the process that started it; 0: the first one */
  const char *const *arguments; /* behind the command, in /proc/PID/cmdline; NULL: none */
} KvmHelperSimProcessConfig;

/** kvmhelper_sim_process_new: starts a process. */
KvmHelperSimProcess *
kvmhelper_sim_process_new (KvmHelperSim *sim, const KvmHelperSimProcessConfig *config);

/** kvmhelper_sim_process_kernel: the host as the process sees it; as long as the process. */
const KvmHelperKernel *kvmhelper_sim_process_kernel (KvmHelperSimProcess *process);

/* What a descriptor of this machine is called that stands for a process on a simulated host where
 * one comes in a message, and so by receive of the seam: a memfd of this name, with its PID. */
#define KVMHELPER_SIM_STAND_IN "simulated-process-"

/** kvmhelper_sim_process_exit: ends a process, however it came: closes and unmaps all it had. */
void kvmhelper_sim_process_exit (KvmHelperSimProcess *process);

/**
 * kvmhelper_sim_process_pass: gives a handle to another process, as SCM_RIGHTS or pidfd_getfd do:
 * both then share one open file. The handle in @to, or -EBADF.
 */
int kvmhelper_sim_process_pass (KvmHelperSimProcess *from, int handle, KvmHelperSimProcess *to);

/**
 * Time. A host's clock is the machine's, until kvmhelper_sim_advance is called: from then on it
 * stands still but for what it is advanced by. What is due is done.
 */
void kvmhelper_sim_advance (KvmHelperSim *sim, gint64 usec);

/** kvmhelper_sim_handles: how many handles are open, of all processes; a test for leaks. */
guint kvmhelper_sim_handles (KvmHelperSim *sim);

/** kvmhelper_sim_kernel_log: the last lines of the kernel's log; to be freed. */
GStrv kvmhelper_sim_kernel_log (KvmHelperSim *sim);
