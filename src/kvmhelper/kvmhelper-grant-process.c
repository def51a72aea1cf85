/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-grant-process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

/* Fields of /proc/PID/stat behind the name, from 0 (fs/proc/array.c: do_task_stat). */
#define STAT_STATE   0
#define STAT_THREADS 17
#define STAT_START   19

/* The PID behind a handle, as our files have it; 0: it has ended, or is in none of our namespaces;
 * -1: it is no handle of a process. */
static int
get_pid (const KvmHelperKernel *kernel, int handle)
{
  g_autofree char *link_path = g_strdup_printf ("%u/fd/%d", kernel->pid, handle);
  g_autofree char *link = kvmhelper_kernel_readlink (kernel, KVMHELPER_PROC, link_path);
  g_autofree char *path = g_strdup_printf ("%u/fdinfo/%d", kernel->pid, handle);
  g_autofree char *text = NULL;
  const char *line;
  int pid;

  /* kernel/fork.c: pidfd_prepare; fs/pidfs.c: pidfs_dname. A file's name begins with a slash. */
  if (g_strcmp0 (link, "anon_inode:[pidfd]") != 0)
    return -1;
  text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, path);
  line = text == NULL ? NULL : strstr (text, "\nPid:");
  if (line == NULL || sscanf (line, "\nPid: %d", &pid) != 1)
    return -1;
  return MAX (pid, 0);
}

/* Whether a process has ended, and when it began; FALSE: there is none. One that its parent has not
 * heard of yet has given up all it had; but not where its first thread alone came to its end. */
static gboolean
read_stat (const KvmHelperKernel *kernel, guint pid, gboolean *ended, guint64 *start)
{
  g_autofree char *path = g_strdup_printf ("%u/stat", pid);
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, path);
  /* PID (NAME) STATE …; a name may have brackets */
  const char *rest = text == NULL ? NULL : strrchr (text, ')');
  g_auto (GStrv) fields = rest == NULL ? NULL : g_strsplit (g_strchug ((char *) rest + 1), " ", -1);
  guint64 threads;

  if (fields == NULL || g_strv_length (fields) <= STAT_START
      || !g_ascii_string_to_unsigned (fields[STAT_THREADS], 10, 0, G_MAXUINT64, &threads, NULL))
    return FALSE;
  *ended = *fields[STAT_STATE] == 'X' || (*fields[STAT_STATE] == 'Z' && threads <= 1);
  return g_ascii_string_to_unsigned (fields[STAT_START], 10, 0, G_MAXUINT64, start, NULL);
}

gboolean
kvmhelper_grant_process_start (const KvmHelperKernel *kernel, guint pid, guint64 *start)
{
  gboolean ended;

  return read_stat (kernel, pid, &ended, start);
}

/* The number of the process that @pid is of, which is another one for a thread, and its user ids:
 * real, effective, saved, and of files. */
typedef struct
{
  guint group;
  guint users[4];
} Status;

static gboolean
read_status (const KvmHelperKernel *kernel, guint pid, Status *status)
{
  g_autofree char *path = g_strdup_printf ("%u/status", pid);
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, path);
  const char *group = text == NULL ? NULL : strstr (text, "\nTgid:");
  const char *users = text == NULL ? NULL : strstr (text, "\nUid:");

  return group != NULL && sscanf (group, "\nTgid: %u", &status->group) == 1 && users != NULL
         && sscanf (users, "\nUid: %u %u %u %u", &status->users[0], &status->users[1],
                    &status->users[2], &status->users[3])
                == 4;
}

static gboolean
is_of_user (const Status *status, guint user)
{
  for (guint i = 0; i < G_N_ELEMENTS (status->users); i++)
    if (status->users[i] != user)
      return FALSE;
  return TRUE;
}

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static gboolean
fail (GError **error, guint pid, int result)
{
  common_error_set_errno (error, -result, _ ("The limit of locked memory of process %u"), pid);
  return FALSE;
}

/* What @process says is so of the one behind the handle, start to end of the look. */
static gboolean
check (const KvmHelperKernel *kernel, int handle, guint user, KvmHelperGrantProcess *process,
       GError **error)
{
  int pid = get_pid (kernel, handle);
  Status status;
  gboolean ended;

  if (pid < 0)
    return refuse (error, _ ("The descriptor is none of a process (pidfd_open)"));
  if (pid == 0 || !read_stat (kernel, (guint) pid, &ended, &process->start) || ended
      || !read_status (kernel, (guint) pid, &status))
    return refuse (error, _ ("The process has ended"));
  process->pid = (guint) pid;
  /* A thread (PIDFD_THREAD) ends before its process, which has the limit. */
  if (status.group != process->pid)
    return refuse (error, _ ("The descriptor is none of a process (pidfd_open)"));
  if (!is_of_user (&status, user))
    return refuse (error, _ ("The process is not the caller's own"));
  if (get_pid (kernel, handle) != pid)
    return refuse (error, _ ("The process has ended"));
  return TRUE;
}

gboolean
kvmhelper_grant_process_read (const KvmHelperKernel *kernel, int handle, guint user,
                              KvmHelperGrantProcess *process, GError **error)
{
  int result;

  *process = (KvmHelperGrantProcess){ 0 };
  if (!check (kernel, handle, user, process, error))
    return FALSE;
  result = kernel->calls->memlock (kernel->data, process->pid, NULL, &process->before);
  if (result != 0)
    return fail (error, process->pid, result);
  /* It may have been another's that was read. */
  if (get_pid (kernel, handle) != (int) process->pid)
    return refuse (error, _ ("The process has ended"));
  return TRUE;
}

gboolean
kvmhelper_grant_process_lives (const KvmHelperKernel *kernel, const KvmHelperGrantProcess *process)
{
  g_autofree char *path = g_strdup_printf ("%u", process->pid);
  guint64 start;
  gboolean ended;

  if (read_stat (kernel, process->pid, &ended, &start))
    return start == process->start && !ended;
  return kvmhelper_kernel_exists (kernel, KVMHELPER_PROC, path);
}

static gboolean
is_same_limit (const KvmHelperLimit *a, const KvmHelperLimit *b)
{
  return a->soft == b->soft && a->hard == b->hard;
}

gboolean
kvmhelper_grant_process_raise (const KvmHelperKernel *kernel, int handle, guint user,
                               const KvmHelperGrantProcess *process, guint64 limit, GError **error)
{
  KvmHelperGrantProcess now;
  KvmHelperLimit wanted, replaced;
  g_autoptr (GError) local = NULL;
  int result;

  if (!kvmhelper_grant_process_read (kernel, handle, user, &now, error))
    return FALSE;
  wanted.soft = MAX (now.before.soft, limit);
  wanted.hard = MAX (now.before.hard, limit);
  if (is_same_limit (&wanted, &now.before))
    return TRUE;
  result = kernel->calls->memlock (kernel->data, process->pid, &wanted, &replaced);
  if (result != 0)
    return fail (error, process->pid, result);
  /* It may have ended, or have begun another user's program, meanwhile. */
  if (check (kernel, handle, user, &now, &local) && now.start == process->start)
    return TRUE;
  kernel->calls->memlock (kernel->data, process->pid, &replaced, NULL);
  if (local == NULL)
    return refuse (error, _ ("The process has ended"));
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
lower (const KvmHelperKernel *kernel, int handle, const KvmHelperGrantProcess *process,
       const KvmHelperLimit *target, GError **error)
{
  KvmHelperLimit now, wanted, replaced;
  guint64 start;
  gboolean ended;
  int result;

  /* What cannot be read has not ended for that. */
  if (!read_stat (kernel, process->pid, &ended, &start))
    return get_pid (kernel, handle) == 0 || fail (error, process->pid, -EIO);
  if (start != process->start || get_pid (kernel, handle) == 0)
    return TRUE;
  result = kernel->calls->memlock (kernel->data, process->pid, NULL, &now);
  if (result == 0)
    {
      wanted.hard = MIN (now.hard, target->hard);
      wanted.soft = MIN (MIN (now.soft, target->soft), wanted.hard);
      if (is_same_limit (&wanted, &now))
        return TRUE;
      result = kernel->calls->memlock (kernel->data, process->pid, &wanted, &replaced);
      if (result == 0 && get_pid (kernel, handle) == 0)
        kernel->calls->memlock (kernel->data, process->pid, &replaced, NULL);
    }
  return result == 0 || result == -ESRCH || fail (error, process->pid, result);
}

gboolean
kvmhelper_grant_process_lower (const KvmHelperKernel *kernel, const KvmHelperGrantProcess *process,
                               const KvmHelperLimit *target, GError **error)
{
  int handle = kernel->calls->pidfd (kernel->data, process->pid);
  gboolean done;

  if (handle == -ESRCH)
    return TRUE;
  if (handle < 0)
    return fail (error, process->pid, handle);
  done = lower (kernel, handle, process, target, error);
  kvmhelper_kernel_close (kernel, handle);
  return done;
}
