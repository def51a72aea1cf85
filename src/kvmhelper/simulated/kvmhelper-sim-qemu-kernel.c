/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>

/* The kernel as the simulated QEMU sees it: it counts the calls, and from the one on before which
 * QEMU is killed none is made any more. What QEMU would do then it does not do; when its function
 * has come back, its process is ended. */

static const KvmHelperKernel *
reach (gpointer data)
{
  KvmHelperSimQemu *qemu = data;

  if (qemu->calls_left > 0 && --qemu->calls_left == 0)
    qemu->killed = TRUE;
  return qemu->killed ? NULL : qemu->base;
}

static int
mortal_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->open (base->data, root, path, flags);
}

static void
mortal_close (gpointer data, int handle)
{
  const KvmHelperKernel *base = reach (data);

  if (base != NULL)
    base->calls->close (base->data, handle);
}

static gssize
mortal_read (gpointer data, int handle, void *buffer, gsize length)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->read (base->data, handle, buffer, length);
}

static gssize
mortal_write (gpointer data, int handle, const void *buffer, gsize length)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->write (base->data, handle, buffer, length);
}

static gssize
mortal_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->readlink (base->data, root, path, buffer, size);
}

static int
mortal_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->list (base->data, root, path, names);
}

static int
mortal_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->stat (base->data, root, path, result);
}

static int
mortal_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->ioctl (base->data, handle, request, argument);
}

static int
mortal_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->mmap (base->data, handle, length, offset, address);
}

static int
mortal_munmap (gpointer data, void *address, gsize length)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->munmap (base->data, address, length);
}

static guint64
mortal_load (gpointer data, const void *address)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? 0 : base->calls->load (base->data, address);
}

static int
mortal_eventfd (gpointer data)
{
  const KvmHelperKernel *base = reach (data);

  return base == NULL ? -EINTR : base->calls->eventfd (base->data);
}

static const KvmHelperKernelCalls mortal_calls = {
  .open = mortal_open,
  .close = mortal_close,
  .read = mortal_read,
  .write = mortal_write,
  .readlink = mortal_readlink,
  .list = mortal_list,
  .stat = mortal_stat,
  .ioctl = mortal_ioctl,
  .mmap = mortal_mmap,
  .munmap = mortal_munmap,
  .load = mortal_load,
  .eventfd = mortal_eventfd,
};

void
kvmhelper_sim_qemu_make_mortal (KvmHelperSimQemu *qemu)
{
  qemu->mortal = *qemu->base;
  qemu->mortal.calls = &mortal_calls;
  qemu->mortal.data = qemu;
  qemu->kernel = &qemu->mortal;
}

gboolean
kvmhelper_sim_qemu_survived (KvmHelperSimQemu *qemu, gboolean done, GError **error)
{
  if (!qemu->killed)
    return done;
  kvmhelper_sim_qemu_crash (qemu);
  g_clear_error (error);
  kvmhelper_sim_qemu_fail (error, NULL, 0, "%s: terminating on signal 9", qemu->name);
  return FALSE;
}

gboolean
kvmhelper_sim_qemu_runs (const KvmHelperSimQemu *qemu, GError **error)
{
  if (qemu->process == NULL)
    kvmhelper_sim_qemu_fail (error, NULL, 0, "%s: not running", qemu->name);
  return qemu->process != NULL;
}
