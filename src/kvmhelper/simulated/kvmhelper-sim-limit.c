/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/*
 * Handles of processes (kernel/pid.c: pidfd_open; fs/pidfs.c), and the limit of locked memory of
 * another process (kernel/sys.c: prlimit64).
 */

/* The name of a descriptor of this machine that stands for a process on the host, before its PID:
 * Simulation1.OpenProcess gives such. */
#define STAND_IN "/memfd:" KVMHELPER_SIM_STAND_IN

static KvmHelperSimProcess *
find_process (KvmHelperSim *sim, guint pid)
{
  return g_hash_table_lookup (sim->processes, GUINT_TO_POINTER (pid));
}

static const KvmHelperSimFileKind pidfd_kind = { .link = "anon_inode:[pidfd]" };

int
kvmhelper_sim_pidfd (KvmHelperSimProcess *process, guint pid)
{
  KvmHelperSim *sim = process->sim;
  KvmHelperSimFile *file;

  if ((gint) pid <= 0)
    return -EINVAL;
  if (find_process (sim, pid) == NULL)
    return -ESRCH;
  file = kvmhelper_sim_file_new (sim, &pidfd_kind, GUINT_TO_POINTER (pid));
  file->flags = O_RDWR;
  return kvmhelper_sim_process_install (process, file);
}

/* pidfd_show_fdinfo. A PID is not used again on a simulated host. */
char *
kvmhelper_sim_pidfd_info (const KvmHelperSimFile *file)
{
  guint pid = GPOINTER_TO_UINT (file->object);
  int number;

  if (file->kind != &pidfd_kind)
    return NULL;
  number = find_process (file->sim, pid) != NULL ? (int) pid : -1;
  return g_strdup_printf ("Pid:\t%d\nNSpid:\t%d\n", number, number);
}

/* check_prlimit_permission, do_prlimit. Root has CAP_SYS_RESOURCE. What is wanted is the caller's
 * own: the seam copies it before it asks, so there is no EFAULT. */
int
kvmhelper_sim_memlock (KvmHelperSimProcess *process, guint pid, const KvmHelperLimit *limit,
                       KvmHelperLimit *before)
{
  KvmHelperSimProcess *target = pid == 0 ? process : find_process (process->sim, pid);

  if (target == NULL)
    return -ESRCH;
  if (target != process && process->uid != 0 && process->uid != target->uid)
    return -EPERM;
  if (limit != NULL && limit->soft > limit->hard)
    return -EINVAL;
  if (limit != NULL && limit->hard > target->memlock_hard && process->uid != 0)
    return -EPERM;
  if (before != NULL)
    *before = (KvmHelperLimit){ target->memlock, target->memlock_hard };
  if (limit != NULL)
    {
      target->memlock = limit->soft;
      target->memlock_hard = limit->hard;
    }
  return 0;
}

/* What comes from outside is a descriptor of this machine, of which the host knows nothing: one
 * that was made to stand for a process becomes a handle of that. */
int
kvmhelper_sim_receive (gpointer data, int fd)
{
  KvmHelperSimProcess *process = data;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *link = g_file_read_link (path, NULL);
  guint pid;

  close (fd);
  if (link == NULL || !g_str_has_prefix (link, STAND_IN)
      || sscanf (link + strlen (STAND_IN), "%u", &pid) != 1)
    return -EBADF;
  return process->kernel.calls->pidfd (process, pid);
}
