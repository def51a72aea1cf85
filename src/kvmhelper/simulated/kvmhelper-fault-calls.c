/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-fault-private.h"

/* A kernel under the rules. */
typedef struct
{
  KvmHelperFaults *faults;
  const KvmHelperKernel *base;
  GMutex lock;
  GHashTable *paths; /* handle -> "/sys/…", of those that were opened by a path */
} Layer;

static KvmHelperVerdict
judge_path (const Layer *layer, KvmHelperCall call, KvmHelperRoot root, const char *path,
            gsize length)
{
  g_autofree char *full = g_strconcat (kvmhelper_kernel_root_name (root), "/", path, NULL);

  return kvmhelper_faults_judge (layer->faults, call, full, 0, length);
}

static KvmHelperVerdict
judge_handle (Layer *layer, KvmHelperCall call, int handle, gulong request, gsize length)
{
  g_autofree char *path = NULL;

  g_mutex_lock (&layer->lock);
  path = g_strdup (g_hash_table_lookup (layer->paths, GINT_TO_POINTER (handle)));
  g_mutex_unlock (&layer->lock);
  return kvmhelper_faults_judge (layer->faults, call, path, request, length);
}

static int
fault_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_OPEN, root, path, 0);
  int handle;

  if (verdict.refused)
    return -verdict.errnum;
  handle = layer->base->calls->open (layer->base->data, root, path, flags);
  if (handle >= 0)
    {
      g_mutex_lock (&layer->lock);
      g_hash_table_replace (layer->paths, GINT_TO_POINTER (handle),
                            g_strconcat (kvmhelper_kernel_root_name (root), "/", path, NULL));
      g_mutex_unlock (&layer->lock);
    }
  return handle;
}

/* Under the names that the rules have for them: the directory's path and what is below. */
static char *
path_at (Layer *layer, int directory, const char *path)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&layer->lock);
  const char *above = g_hash_table_lookup (layer->paths, GINT_TO_POINTER (directory));

  return above == NULL ? NULL : g_strconcat (above, "/", path, NULL);
}

static int
fault_open_at (gpointer data, int directory, const char *path, int flags)
{
  Layer *layer = data;
  g_autofree char *full = path_at (layer, directory, path);
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_OPEN, full, 0, 0);
  int handle;

  if (verdict.refused)
    return -verdict.errnum;
  handle = layer->base->calls->open_at (layer->base->data, directory, path, flags);
  if (handle >= 0 && full != NULL)
    {
      g_mutex_lock (&layer->lock);
      g_hash_table_replace (layer->paths, GINT_TO_POINTER (handle), g_steal_pointer (&full));
      g_mutex_unlock (&layer->lock);
    }
  return handle;
}

static gssize
fault_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  Layer *layer = data;
  g_autofree char *full = path_at (layer, directory, path);
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_READLINK, full, 0, size);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->readlink_at (layer->base->data, directory, path, buffer,
                                          verdict.length);
}

static void
fault_close (gpointer data, int handle)
{
  Layer *layer = data;

  judge_handle (layer, KVMHELPER_CALL_CLOSE, handle, 0, 0);
  /* Before the handle may be another's. */
  g_mutex_lock (&layer->lock);
  g_hash_table_remove (layer->paths, GINT_TO_POINTER (handle));
  g_mutex_unlock (&layer->lock);
  layer->base->calls->close (layer->base->data, handle);
}

static gssize
fault_read (gpointer data, int handle, void *buffer, gsize length)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_handle (layer, KVMHELPER_CALL_READ, handle, 0, length);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->read (layer->base->data, handle, buffer, verdict.length);
}

static gssize
fault_write (gpointer data, int handle, const void *buffer, gsize length)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_handle (layer, KVMHELPER_CALL_WRITE, handle, 0, length);

  if (verdict.refused)
    return verdict.errnum == 0 ? (gssize) verdict.length : -verdict.errnum;
  return layer->base->calls->write (layer->base->data, handle, buffer, verdict.length);
}

static gssize
fault_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_READLINK, root, path, size);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->readlink (layer->base->data, root, path, buffer, verdict.length);
}

static int
fault_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_LIST, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->list (layer->base->data, root, path, names);
}

static int
fault_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_STAT, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->stat (layer->base->data, root, path, result);
}

static int
fault_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_handle (layer, KVMHELPER_CALL_IOCTL, handle, request, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->ioctl (layer->base->data, handle, request, argument);
}

static int
fault_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_handle (layer, KVMHELPER_CALL_MMAP, handle, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->mmap (layer->base->data, handle, length, offset, address);
}

static int
fault_munmap (gpointer data, void *address, gsize length)
{
  Layer *layer = data;
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_MUNMAP, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->munmap (layer->base->data, address, length);
}

static guint64
fault_load (gpointer data, const void *address)
{
  Layer *layer = data;

  kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_LOAD, NULL, 0, 0);
  return layer->base->calls->load (layer->base->data, address);
}

static int
fault_eventfd (gpointer data)
{
  Layer *layer = data;
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_EVENTFD, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->eventfd (layer->base->data);
}

static gssize
fault_get_acl (gpointer data, KvmHelperRoot root, const char *path, void *acl, gsize size)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_GET_ACL, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->get_acl (layer->base->data, root, path, acl, size);
}

static int
fault_set_acl (gpointer data, KvmHelperRoot root, const char *path, const void *acl, gsize size)
{
  Layer *layer = data;
  KvmHelperVerdict verdict = judge_path (layer, KVMHELPER_CALL_SET_ACL, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->set_acl (layer->base->data, root, path, acl, size);
}

static int
fault_pidfd (gpointer data, guint pid)
{
  Layer *layer = data;
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_PIDFD, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->pidfd (layer->base->data, pid);
}

static int
fault_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  Layer *layer = data;
  KvmHelperVerdict verdict
      = kvmhelper_faults_judge (layer->faults, KVMHELPER_CALL_MEMLOCK, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->memlock (layer->base->data, pid, limit, before);
}

/* No call of the kernel's. */
static int
fault_receive (gpointer data, int fd)
{
  const Layer *layer = data;

  return layer->base->calls->receive (layer->base->data, fd);
}

static const KvmHelperKernelCalls fault_calls = {
  .open = fault_open,
  .open_at = fault_open_at,
  .readlink_at = fault_readlink_at,
  .close = fault_close,
  .read = fault_read,
  .write = fault_write,
  .readlink = fault_readlink,
  .list = fault_list,
  .stat = fault_stat,
  .ioctl = fault_ioctl,
  .mmap = fault_mmap,
  .munmap = fault_munmap,
  .load = fault_load,
  .eventfd = fault_eventfd,
  .get_acl = fault_get_acl,
  .set_acl = fault_set_acl,
  .pidfd = fault_pidfd,
  .memlock = fault_memlock,
  .receive = fault_receive,
};

KvmHelperKernel *
kvmhelper_faults_wrap (KvmHelperFaults *faults, const KvmHelperKernel *base)
{
  KvmHelperKernel *kernel = g_new0 (KvmHelperKernel, 1);
  Layer *layer = g_new0 (Layer, 1);

  layer->faults = faults;
  layer->base = base;
  layer->paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_mutex_init (&layer->lock);
  *kernel = *base;
  kernel->calls = &fault_calls;
  kernel->data = layer;
  return kernel;
}

void
kvmhelper_faults_unwrap (KvmHelperKernel *kernel)
{
  Layer *layer = kernel->data;

  g_hash_table_unref (layer->paths);
  g_mutex_clear (&layer->lock);
  g_free (layer);
  g_free (kernel);
}
