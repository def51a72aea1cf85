/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/*
 * The calls of the seam. Each takes the host's lock, does what is due, and answers as Linux does
 * where kvmhelper-kernel-linux.c asks it: paths are resolved as openat2 does beneath a directory.
 */

/* read and write take no more at once. */
#define MAX_TRANSFER (1 << 20)

static KvmHelperSimProcess *
enter (gpointer data)
{
  KvmHelperSimProcess *process = data;

  g_mutex_lock (&process->sim->lock);
  process->calls++;
  kvmhelper_sim_run_due (process->sim);
  process->sim->caller = process;
  return process;
}

static void
leave (KvmHelperSimProcess *process)
{
  process->sim->caller = NULL;
  if (--process->calls == 0)
    g_cond_broadcast (&process->sim->changed);
  g_mutex_unlock (&process->sim->lock);
}

/* --- paths --- */

/* What openat2 refuses before it looks (fs/open.c: build_open_flags). The seam adds O_NOCTTY, and
 * so cannot have O_PATH. */
static int
check_flags (int flags)
{
  const int known = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK
                    | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_DIRECTORY | O_NOFOLLOW | O_NOATIME
                    | O_CLOEXEC;

  return (flags & ~known) == 0 ? 0 : -EINVAL;
}

/*
 * Where a path is walked from: *@from, or where that is NULL the directory behind @handle. What is
 * refused before the walk, in openat2's order: the path, a handle for what is to be opened, an
 * absolute path, and only then the handle that it begins at (fs/namei.c: getname_flags, path_init;
 * fs/open.c: do_sys_openat2).
 */
static int
find_start (KvmHelperSimProcess *process, int handle, const char *path, KvmHelperSimNode **from)
{
  const KvmHelperSimFile *file = kvmhelper_sim_process_file (process, handle);

  if (*path == '\0')
    return -ENOENT;
  if (strlen (path) >= PATH_MAX)
    return -ENAMETOOLONG;
  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  if (*path == '/')
    return -EXDEV;
  if (*from == NULL && file == NULL)
    return -EBADF;
  if (*from == NULL)
    *from = kvmhelper_sim_directory_of (file);
  return *from == NULL ? -ENOTDIR : 0;
}

/* From @from, or where that is NULL from the directory behind @handle. */
static int
open_path (KvmHelperSimProcess *process, KvmHelperSimNode *from, int handle, const char *path,
           int flags)
{
  KvmHelperSimWalk how
      = KVMHELPER_SIM_BENEATH | ((flags & O_NOFOLLOW) != 0 ? KVMHELPER_SIM_NOFOLLOW : 0);
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  KvmHelperSimFile *file;
  int result = check_flags (flags);

  if (result == 0)
    result = find_start (process, handle, path, &from);
  if (result != 0)
    return result;
  result = kvmhelper_sim_walk_at (process, from, path, how, &entry);
  if (result == -ENOENT && (flags & O_CREAT) != 0 && from->filesystem == KVMHELPER_SIM_SYSFS)
    return -EACCES; /* fs/namei.c: lookup_open, of a directory without create */
  if (result == 0)
    result = kvmhelper_sim_entry_open (process, &entry, flags, &file);
  return result == 0 ? kvmhelper_sim_process_install (process, file) : result;
}

static int
sim_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  KvmHelperSimProcess *process = enter (data);
  int result = open_path (process, process->sim->roots[root], -1, path, flags);

  leave (process);
  return result;
}

static int
sim_open_at (gpointer data, int directory, const char *path, int flags)
{
  KvmHelperSimProcess *process = enter (data);
  int result = open_path (process, NULL, directory, path, flags);

  leave (process);
  return result;
}

/* It opens the link itself (O_PATH | O_NOFOLLOW), and reads that. */
static gssize
read_link (KvmHelperSimProcess *process, KvmHelperSimNode *from, int handle, const char *path,
           char *buffer, gsize size)
{
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  int result = find_start (process, handle, path, &from);
  gsize length;

  if (result == 0)
    result = kvmhelper_sim_walk_at (process, from, path,
                                    KVMHELPER_SIM_BENEATH | KVMHELPER_SIM_NOFOLLOW, &entry);
  if (result != 0)
    return result;
  if ((gssize) size <= 0 || entry.attribute != NULL
      || (entry.node->type != KVMHELPER_SIM_LINK && entry.node->type != KVMHELPER_SIM_MAGIC_LINK))
    return -EINVAL;
  length = MIN (size, entry.node->length);
  result = kvmhelper_sim_copy_out ((gulong) buffer, entry.node->text, length);
  return result != 0 ? result : (gssize) length;
}

static gssize
sim_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  KvmHelperSimProcess *process = enter (data);
  gssize result = read_link (process, process->sim->roots[root], -1, path, buffer, size);

  leave (process);
  return result;
}

static gssize
sim_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  KvmHelperSimProcess *process = enter (data);
  gssize result = read_link (process, NULL, directory, path, buffer, size);

  leave (process);
  return result;
}

static int
list (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  int result;

  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  result = kvmhelper_sim_walk (process, root, path, KVMHELPER_SIM_BENEATH, &entry);
  if (result != 0)
    return result;
  if (entry.attribute != NULL || entry.node->type != KVMHELPER_SIM_DIRECTORY)
    return -ENOTDIR;
  if (!kvmhelper_sim_may (process, &entry, 4))
    return -EACCES;
  kvmhelper_sim_node_list (entry.node, process, names);
  return 0;
}

static int
sim_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  KvmHelperSimProcess *process = enter (data);
  int result = list (process, root, path, names);

  leave (process);
  return result;
}

static int
sim_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  KvmHelperSimProcess *process = enter (data);
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  int errnum = kvmhelper_sim_walk (process, root, path, 0, &entry);

  if (errnum == 0)
    *result = kvmhelper_sim_entry_stat (&entry);
  kvmhelper_sim_entry_clear (&entry);
  leave (process);
  return errnum;
}

/* --- handles --- */

static void
sim_close (gpointer data, int handle)
{
  KvmHelperSimProcess *process = enter (data);

  kvmhelper_sim_process_close (process, handle);
  leave (process);
}

/* The open file of a handle, with a reference: a call that waits must not lose it. */
static KvmHelperSimFile *
hold (KvmHelperSimProcess *process, int handle)
{
  KvmHelperSimFile *file = kvmhelper_sim_process_file (process, handle);

  return file == NULL ? NULL : kvmhelper_sim_file_ref (file);
}

static gssize
read_file (KvmHelperSimFile *file, void *buffer, gsize length)
{
  const guint64 position = file->position;
  g_autofree guint8 *bytes = NULL;
  gssize n;

  if ((file->flags & O_ACCMODE) == O_WRONLY)
    return -EBADF;
  if (file->kind->read == NULL || (gssize) length < 0)
    return -EINVAL;
  length = MIN (length, MAX_TRANSFER);
  bytes = g_malloc (length);
  n = file->kind->read (file, bytes, length);
  if (n <= 0 || kvmhelper_sim_copy_out ((gulong) buffer, bytes, (gsize) n) == 0)
    return n;
  file->position = position; /* fs/seq_file.c: seq_read_iter goes on by what was copied */
  return -EFAULT;
}

static gssize
sim_read (gpointer data, int handle, void *buffer, gsize length)
{
  KvmHelperSimProcess *process = enter (data);
  KvmHelperSimFile *file = hold (process, handle);
  gssize result = -EBADF;

  if (file != NULL)
    {
      result = read_file (file, buffer, length);
      kvmhelper_sim_file_unref (file);
    }
  leave (process);
  return result;
}

static gssize
write_file (KvmHelperSimFile *file, const void *buffer, gsize length)
{
  g_autofree guint8 *bytes = NULL;

  if ((file->flags & O_ACCMODE) == O_RDONLY)
    return -EBADF;
  if (file->kind->write == NULL || (gssize) length < 0)
    return -EINVAL;
  length = MIN (length, MAX_TRANSFER);
  bytes = g_malloc (length + 1);
  if (kvmhelper_sim_copy_in ((gulong) buffer, bytes, length) != 0)
    return -EFAULT;
  return file->kind->write (file, bytes, length);
}

static gssize
sim_write (gpointer data, int handle, const void *buffer, gsize length)
{
  KvmHelperSimProcess *process = enter (data);
  KvmHelperSimFile *file = hold (process, handle);
  gssize result = -EBADF;

  if (file != NULL)
    {
      result = write_file (file, buffer, length);
      kvmhelper_sim_file_unref (file);
    }
  leave (process);
  return result;
}

static int
sim_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  KvmHelperSimProcess *process = enter (data);
  KvmHelperSimFile *file = hold (process, handle);
  int result = -EBADF;

  if (file != NULL)
    {
      result = file->kind->ioctl == NULL ? -ENOTTY
                                         : file->kind->ioctl (file, process, request, argument);
      kvmhelper_sim_file_unref (file);
    }
  leave (process);
  return result;
}

static int
sim_eventfd (gpointer data)
{
  KvmHelperSimProcess *process = enter (data);
  int result = kvmhelper_sim_process_install (process, kvmhelper_sim_eventfd_new (process->sim));

  leave (process);
  return result;
}

/* --- ACLs and processes --- */

static gssize
sim_get_acl (gpointer data, KvmHelperRoot root, const char *path, void *acl, gsize size)
{
  KvmHelperSimProcess *process = enter (data);
  gssize result = kvmhelper_sim_get_acl (process, root, path, acl, size);

  leave (process);
  return result;
}

static int
sim_set_acl (gpointer data, KvmHelperRoot root, const char *path, const void *acl, gsize size)
{
  KvmHelperSimProcess *process = enter (data);
  int result = kvmhelper_sim_set_acl (process, root, path, acl, size);

  leave (process);
  return result;
}

static int
sim_pidfd (gpointer data, guint pid)
{
  KvmHelperSimProcess *process = enter (data);
  int result = kvmhelper_sim_pidfd (process, pid);

  leave (process);
  return result;
}

static int
sim_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  KvmHelperSimProcess *process = enter (data);
  int result = kvmhelper_sim_memlock (process, pid, limit, before);

  leave (process);
  return result;
}

/* --- mappings --- */

static int
sim_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  KvmHelperSimProcess *process = enter (data);
  KvmHelperSimFile *file = hold (process, handle);
  int result = -EBADF;

  if (file != NULL)
    {
      result = kvmhelper_sim_map (process, file, length, offset, address);
      kvmhelper_sim_file_unref (file);
    }
  leave (process);
  return result;
}

static int
sim_munmap (gpointer data, void *address, gsize length)
{
  KvmHelperSimProcess *process = enter (data);
  gsize page_size = process->sim->page_size;
  int result = -EINVAL;

  if ((gsize) address % page_size == 0 && length > 0 && length <= G_MAXSSIZE - page_size)
    {
      length = (length + page_size - 1) / page_size * page_size;
      kvmhelper_sim_unmap (process, address, length);
      result = 0;
    }
  leave (process);
  return result;
}

static guint64
sim_load (gpointer data, const void *address)
{
  /* As a processor does: a handler of SIGBUS that returns comes back to the same load. */
  for (;;)
    {
      KvmHelperSimProcess *process = enter (data);
      KvmHelperSimVma *vma;
      guint64 offset, value = 0;
      guint8 *page = kvmhelper_sim_fault (process, address, &vma, &offset);

      if (page != NULL && vma->file->kind->load != NULL)
        value = vma->file->kind->load (vma->file, page, offset);
      else if (page != NULL)
        memcpy (&value, page + offset, sizeof value);
      if (page != NULL && vma->file->kind->load == NULL)
        value = GUINT64_FROM_BE (value);
      leave (process);
      if (page != NULL)
        return value;
      /* No mapping of the model's: the caller's own memory, or none (SIGSEGV). */
      if (vma == NULL)
        return GUINT64_FROM_BE (*(const volatile guint64 *) address);
      raise (SIGBUS);
    }
}

const KvmHelperKernelCalls kvmhelper_sim_calls = {
  .open = sim_open,
  .open_at = sim_open_at,
  .readlink_at = sim_readlink_at,
  .close = sim_close,
  .read = sim_read,
  .write = sim_write,
  .readlink = sim_readlink,
  .list = sim_list,
  .stat = sim_stat,
  .ioctl = sim_ioctl,
  .mmap = sim_mmap,
  .munmap = sim_munmap,
  .load = sim_load,
  .eventfd = sim_eventfd,
  .get_acl = sim_get_acl,
  .set_acl = sim_set_acl,
  .pidfd = sim_pidfd,
  .memlock = sim_memlock,
  .receive = kvmhelper_sim_receive,
};
