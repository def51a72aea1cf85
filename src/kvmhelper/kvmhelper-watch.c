/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-watch.h"

#include <errno.h>

#include "common/common-error.h"

/* Answers that say that there is nothing: the file, the directory, or what it is of (sysfs: ENODEV;
 * /proc/PID: ESRCH); and readlink of what is no link. */
static gboolean
is_answer (gssize result)
{
  return result >= 0 || result == -ENOENT || result == -ENOTDIR || result == -ENODEV
         || result == -ENXIO || result == -ESRCH || result == -EINVAL;
}

static gssize
note (KvmHelperWatch *self, gssize result)
{
  if (!is_answer (result) && self->errnum == 0)
    self->errnum = (int) -result;
  return result;
}

/* What is asked now: kept, once it has failed. */
static void
set_path (KvmHelperWatch *self, KvmHelperRoot root, const char *path)
{
  if (self->errnum != 0)
    return;
  g_free (self->path);
  self->path = g_strconcat (kvmhelper_kernel_root_name (root), "/", path, NULL);
}

static int
watch_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  KvmHelperWatch *self = data;

  set_path (self, root, path);
  return (int) note (self, self->base->calls->open (self->base->data, root, path, flags));
}

/* Only its name is known: what is open is not asked where it is. */
static void
set_path_at (KvmHelperWatch *self, const char *path)
{
  if (self->errnum != 0)
    return;
  g_free (self->path);
  self->path = g_strconcat ("…/", path, NULL);
}

static int
watch_open_at (gpointer data, int directory, const char *path, int flags)
{
  KvmHelperWatch *self = data;

  set_path_at (self, path);
  return (int) note (self, self->base->calls->open_at (self->base->data, directory, path, flags));
}

static gssize
watch_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  KvmHelperWatch *self = data;

  set_path_at (self, path);
  return note (self,
               self->base->calls->readlink_at (self->base->data, directory, path, buffer, size));
}

static void
watch_close (gpointer data, int handle)
{
  const KvmHelperWatch *self = data;

  self->base->calls->close (self->base->data, handle);
}

static gssize
watch_read (gpointer data, int handle, void *buffer, gsize length)
{
  KvmHelperWatch *self = data;

  return note (self, self->base->calls->read (self->base->data, handle, buffer, length));
}

static gssize
watch_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  KvmHelperWatch *self = data;

  set_path (self, root, path);
  return note (self, self->base->calls->readlink (self->base->data, root, path, buffer, size));
}

static int
watch_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  KvmHelperWatch *self = data;

  set_path (self, root, path);
  return (int) note (self, self->base->calls->list (self->base->data, root, path, names));
}

static int
watch_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  KvmHelperWatch *self = data;

  set_path (self, root, path);
  return (int) note (self, self->base->calls->stat (self->base->data, root, path, result));
}

/* To look, and to do nothing else. */
static const KvmHelperKernelCalls watch_calls = {
  .open = watch_open,
  .open_at = watch_open_at,
  .readlink_at = watch_readlink_at,
  .close = watch_close,
  .read = watch_read,
  .readlink = watch_readlink,
  .list = watch_list,
  .stat = watch_stat,
};

void
kvmhelper_watch_init (KvmHelperWatch *watch, const KvmHelperKernel *base)
{
  *watch = (KvmHelperWatch){ *base, base, NULL, 0 };
  watch->kernel.calls = &watch_calls;
  watch->kernel.data = watch;
}

void
kvmhelper_watch_clear (KvmHelperWatch *watch)
{
  g_clear_pointer (&watch->path, g_free);
}

gboolean
kvmhelper_watch_check (const KvmHelperWatch *watch, GError **error)
{
  if (watch->errnum == 0)
    return TRUE;
  common_error_set_errno (error, watch->errnum, "%s", watch->path);
  return FALSE;
}
