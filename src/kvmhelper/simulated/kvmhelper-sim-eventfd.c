/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/* fs/eventfd.c, of one that does not block: a counter that stops one short of the largest. */
#define MOST (G_MAXUINT64 - 1)

static void
eventfd_release (KvmHelperSimFile *file)
{
  g_free (file->object);
}

static gssize
eventfd_read (KvmHelperSimFile *file, void *buffer, gsize length)
{
  guint64 *count = file->object;

  if (length < sizeof *count)
    return -EINVAL;
  if (*count == 0)
    return -EAGAIN;
  memcpy (buffer, count, sizeof *count);
  *count = 0;
  return sizeof *count;
}

static gssize
eventfd_write (KvmHelperSimFile *file, const void *buffer, gsize length)
{
  guint64 *count = file->object;
  guint64 more;

  if (length < sizeof more)
    return -EINVAL;
  memcpy (&more, buffer, sizeof more);
  if (more == G_MAXUINT64)
    return -EINVAL;
  if (more > MOST - *count)
    return -EAGAIN;
  *count += more;
  if (more > 0)
    kvmhelper_sim_kvm_irqfd (file);
  return sizeof more;
}

static const KvmHelperSimFileKind eventfd_kind = {
  .link = "anon_inode:[eventfd]",
  .hang_up = kvmhelper_sim_kvm_hang_up,
  .release = eventfd_release,
  .read = eventfd_read,
  .write = eventfd_write,
};

KvmHelperSimFile *
kvmhelper_sim_eventfd_new (KvmHelperSim *sim)
{
  KvmHelperSimFile *file = kvmhelper_sim_file_new (sim, &eventfd_kind, g_new0 (guint64, 1));

  file->flags = O_RDWR | O_NONBLOCK;
  return file;
}

gboolean
kvmhelper_sim_file_is_eventfd (const KvmHelperSimFile *file)
{
  return file->kind == &eventfd_kind;
}

guint64
kvmhelper_sim_eventfd_take (KvmHelperSimFile *eventfd)
{
  guint64 *count = eventfd->object;
  guint64 taken = *count;

  *count = 0;
  return taken;
}

void
kvmhelper_sim_eventfd_signal (KvmHelperSimFile *eventfd)
{
  guint64 *count = eventfd->object;

  if (*count < MOST)
    ++*count;
  kvmhelper_sim_kvm_irqfd (eventfd);
}
