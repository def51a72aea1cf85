/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

/* A file of a tree that is open. */
typedef struct
{
  KvmHelperSimEntry entry;
  char *text; /* made by the first read, and kept (seq_file); NULL: not yet */
  gsize length;
} OpenEntry;

/* What those who have a file open hear when it is removed. */
static int
gone_errno (KvmHelperSimFilesystem filesystem)
{
  switch (filesystem)
    {
    case KVMHELPER_SIM_SYSFS:
      return -ENODEV; /* fs/kernfs/file.c: kernfs_get_active */
    case KVMHELPER_SIM_PIDFS:
      return -ESRCH;            /* fs/proc/base.c: get_proc_task */
    case KVMHELPER_SIM_DEBUGFS: /* fs/debugfs/file.c: debugfs_file_get */
    case KVMHELPER_SIM_PROCFS:  /* fs/proc/inode.c: use_pde */
    case KVMHELPER_SIM_PROCNET:
    case KVMHELPER_SIM_SYSCTL:
    case KVMHELPER_SIM_DEVTMPFS:
      break;
    }
  return -EIO;
}

static gboolean
is_gone (const KvmHelperSimEntry *entry)
{
  return entry->node->removed
         || (entry->attribute != NULL && entry->attribute->visible != NULL
             && !entry->attribute->visible (entry->object));
}

static int
make_text (OpenEntry *self)
{
  const KvmHelperSimNode *node = self->entry.node;
  const KvmHelperSimAttribute *attribute = self->entry.attribute;
  gsize length = G_MAXSIZE;
  int errnum = EIO;

  if (attribute == NULL)
    {
      self->text = g_memdup2 (node->text, node->length);
      self->length = node->length;
      if (self->text == NULL)
        self->text = g_strdup ("");
      return 0;
    }
  self->text = attribute->show (self->entry.object, &length, &errnum);
  if (self->text == NULL)
    return -errnum;
  self->length = length == G_MAXSIZE ? strlen (self->text) : length;
  return 0;
}

static gssize
entry_read (KvmHelperSimFile *file, void *buffer, gsize length)
{
  OpenEntry *self = file->object;
  gsize n;

  if (is_gone (&self->entry))
    return gone_errno (self->entry.node->filesystem);
  if (self->text == NULL)
    {
      int result = make_text (self);

      if (result != 0)
        return result;
    }
  if (file->position >= self->length)
    return 0;
  n = MIN (length, self->length - file->position);
  memcpy (buffer, self->text + file->position, n);
  file->position += n;
  return (gssize) n;
}

static gssize
entry_write (KvmHelperSimFile *file, const void *buffer, gsize length)
{
  OpenEntry *self = file->object;
  const KvmHelperSimAttribute *attribute = self->entry.attribute;
  KvmHelperSimFilesystem filesystem = self->entry.node->filesystem;
  g_autofree char *text = NULL;
  int result;

  if (is_gone (&self->entry))
    return gone_errno (filesystem);
  if (attribute == NULL || attribute->store == NULL)
    /* proc_reg_write without proc_write; vfs_write of a file that has no write at all */
    return filesystem == KVMHELPER_SIM_DEBUGFS || filesystem == KVMHELPER_SIM_PIDFS ? -EINVAL
                                                                                    : -EIO;
  if (length == 0)
    return 0;
  if (filesystem == KVMHELPER_SIM_SYSFS)
    length = MIN (length, file->sim->page_size); /* kernfs_fop_write_iter */
  text = g_strndup (buffer, length);
  result = attribute->store (self->entry.object, text, length);
  return result < 0 ? result : (gssize) length;
}

static void
entry_release (KvmHelperSimFile *file)
{
  OpenEntry *self = file->object;

  kvmhelper_sim_entry_clear (&self->entry);
  g_free (self->text);
  g_free (self);
}

static const KvmHelperSimFileKind entry_kind = {
  .release = entry_release,
  .read = entry_read,
  .write = entry_write,
};

static gssize
directory_read (KvmHelperSimFile *file, void *buffer, gsize length)
{
  return -EISDIR;
}

static const KvmHelperSimFileKind directory_kind = {
  .release = entry_release,
  .read = directory_read,
};

KvmHelperSimNode *
kvmhelper_sim_directory_of (const KvmHelperSimFile *file)
{
  return file->kind == &directory_kind ? file->node : NULL;
}

/* Whether the file system itself allows it, whoever asks: sysfs refuses root what no mode and no
 * function is there for (fs/kernfs/file.c: kernfs_fop_open), sysctl and /proc/net what root's bits
 * do not have (fs/proc/proc_sysctl.c: test_perm; fs/proc/proc_net.c: seq_open_net). */
static gboolean
filesystem_allows (const KvmHelperSimEntry *entry, int access)
{
  gboolean reads = access != O_WRONLY, writes = access != O_RDONLY;
  KvmHelperSimFilesystem filesystem = entry->node->filesystem;
  guint mode = kvmhelper_sim_entry_stat (entry).mode;
  const KvmHelperSimAttribute *attribute = entry->attribute;

  if (filesystem == KVMHELPER_SIM_SYSCTL || filesystem == KVMHELPER_SIM_PROCNET)
    return (!reads || (mode & 0400) != 0) && (!writes || (mode & 0200) != 0);
  if (filesystem != KVMHELPER_SIM_SYSFS)
    return TRUE;
  if (reads && ((mode & 0444) == 0 || (attribute != NULL && attribute->show == NULL)))
    return FALSE;
  return !writes || ((mode & 0222) != 0 && attribute != NULL && attribute->store != NULL);
}

static int
open_device (KvmHelperSimProcess *process, const KvmHelperSimEntry *entry, int flags,
             KvmHelperSimFile **file)
{
  KvmHelperSimNode *node = entry->node;

  return node->open (node->object, process, flags, file);
}

static KvmHelperSimFile *
open_here (KvmHelperSimProcess *process, const KvmHelperSimEntry *entry,
           const KvmHelperSimFileKind *kind)
{
  OpenEntry *self = g_new0 (OpenEntry, 1);

  self->entry = *entry;
  kvmhelper_sim_node_ref (self->entry.node);
  return kvmhelper_sim_file_new (process->sim, kind, self);
}

static const char *
root_name (const KvmHelperSimNode *node)
{
  switch (node->filesystem)
    {
    case KVMHELPER_SIM_SYSFS:
    case KVMHELPER_SIM_DEBUGFS:
      return "/sys";
    case KVMHELPER_SIM_DEVTMPFS:
      return "/dev";
    case KVMHELPER_SIM_PROCFS:
    case KVMHELPER_SIM_PROCNET:
    case KVMHELPER_SIM_SYSCTL:
    case KVMHELPER_SIM_PIDFS:
      break;
    }
  return "/proc";
}

/* What /proc/PID/fd/N shows: where the file is, not how it was come to. */
static void
note_opened (KvmHelperSimFile *file, const KvmHelperSimEntry *entry, int flags)
{
  g_autofree char *path = kvmhelper_sim_node_path (entry->node);

  file->flags = flags & ~O_CLOEXEC;
  file->node = kvmhelper_sim_node_ref (entry->node);
  file->stat = kvmhelper_sim_entry_stat (entry);
  g_free (file->path);
  file->path = g_strconcat (root_name (entry->node), path, entry->attribute == NULL ? NULL : "/",
                            entry->attribute == NULL ? NULL : entry->attribute->name, NULL);
}

int
kvmhelper_sim_entry_open (KvmHelperSimProcess *process, const KvmHelperSimEntry *entry, int flags,
                          KvmHelperSimFile **file)
{
  int access = flags & O_ACCMODE;
  gboolean is_directory = entry->attribute == NULL && entry->node->type == KVMHELPER_SIM_DIRECTORY;
  guint wanted = (access != O_WRONLY ? 4 : 0) | (access != O_RDONLY ? 2 : 0);
  int result = 0;

  /* fs/namei.c: do_open, may_open, in their order */
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
    return -EEXIST;
  if ((flags & O_CREAT) != 0 && is_directory)
    return -EISDIR;
  if ((flags & O_DIRECTORY) != 0 && !is_directory)
    return -ENOTDIR;
  if (entry->attribute == NULL
      && (entry->node->type == KVMHELPER_SIM_LINK || entry->node->type == KVMHELPER_SIM_MAGIC_LINK))
    return -ELOOP;
  if (is_directory && access != O_RDONLY)
    return -EISDIR;
  if (!kvmhelper_sim_may (process, entry, wanted))
    return -EACCES;
  if (is_directory)
    *file = open_here (process, entry, &directory_kind);
  else if (entry->attribute == NULL && entry->node->type == KVMHELPER_SIM_DEVICE)
    result = open_device (process, entry, flags, file);
  else if (filesystem_allows (entry, access))
    *file = open_here (process, entry, &entry_kind);
  else
    result = -EACCES;
  if (result == 0)
    note_opened (*file, entry, flags);
  return result;
}
