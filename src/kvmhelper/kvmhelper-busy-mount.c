/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* What of one process' mounts is looked at. */
typedef struct
{
  KvmHelperBlocks *blocks;
  const KvmHelperKernel *kernel;
  guint pid;         /* 0: process 1, whose mounts are the host's */
  GHashTable *known; /* what process 1 has mounted: its other copies are not news */
} Reading;

static void
add_mount (const Reading *reading, const char *name, const char *point)
{
  KvmHelperBlocks *blocks = reading->blocks;
  GPtrArray *points = g_hash_table_lookup (blocks->mounts, name);

  if (reading->pid != 0 && g_hash_table_contains (reading->known, name))
    return;
  if (points == NULL)
    {
      points = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (blocks->mounts, g_strdup (name), points);
    }
  else if (reading->pid != 0)
    return; /* one is enough */
  g_ptr_array_add (points, reading->pid == 0
                               ? g_strdup_printf (_ ("/dev/%s on %s"), name, point)
                               : g_strdup_printf (_ ("/dev/%s on %s, for process %u and others in "
                                                     "its mount namespace"),
                                                  name, point, reading->pid));
}

/* A file system on several disks, as btrfs, has no number of a disk; its source names one, or all
 * ("/dev/sda:/dev/sdb", bcachefs). */
static void
add_sources (const Reading *reading, const char *source, const char *point)
{
  g_auto (GStrv) parts = g_strsplit (source, ":", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      const char *name = g_str_has_prefix (parts[i], "/dev/")
                             ? kvmhelper_blocks_find (reading->blocks, parts[i])
                             : NULL;

      if (name != NULL)
        add_mount (reading, name, point);
    }
}

/* XFS keeps its log and its real-time part on other disks (fs/xfs/xfs_super.c:
 * xfs_fs_show_options).
 */
static void
add_options (const Reading *reading, const char *options, const char *point)
{
  g_auto (GStrv) parts = g_strsplit (options, ",", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    if (g_str_has_prefix (parts[i], "logdev=") || g_str_has_prefix (parts[i], "rtdev="))
      add_sources (reading, strchr (parts[i], '=') + 1, point);
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG… - TYPE SOURCE SUPER (proc(5)) */
static void
read_mount (const Reading *reading, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", -1);
  g_autofree char *point = NULL;
  const char *name;
  guint dash = 6;

  if (g_strv_length (fields) < 10)
    return;
  while (fields[dash] != NULL && !g_str_equal (fields[dash], "-"))
    dash++;
  point = kvmhelper_busy_unmangle (fields[4]);
  name = g_hash_table_lookup (reading->blocks->numbers, fields[2]);
  if (name != NULL)
    add_mount (reading, name, point);
  if (fields[dash] == NULL || fields[dash + 1] == NULL || fields[dash + 2] == NULL)
    return;
  if (name == NULL && g_str_has_prefix (fields[2], "0:"))
    {
      g_autofree char *source = kvmhelper_busy_unmangle (fields[dash + 2]);

      add_sources (reading, source, point);
    }
  if (fields[dash + 3] != NULL)
    add_options (reading, fields[dash + 3], point);
}

static void
read_list (const Reading *reading, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    read_mount (reading, lines[i]);
}

/* Takes @doubt; the first one stays. */
static void
set_doubt (KvmHelperBlocks *blocks, char *doubt)
{
  if (blocks->doubt == NULL)
    blocks->doubt = doubt;
  else
    g_free (doubt);
}

/* The mounts of @pid, unless its namespace is one of those @seen. *left: how much may be read. */
static void
read_namespace (Reading *reading, GHashTable *seen, gsize *left)
{
  g_autofree char *link = g_strdup_printf ("%u/ns/mnt", reading->pid);
  g_autofree char *path = g_strdup_printf ("%u/mountinfo", reading->pid);
  char *namespace = kvmhelper_kernel_readlink (reading->kernel, KVMHELPER_PROC, link);
  g_autofree char *text = NULL;
  gsize length = 0;

  /* One that ends has none any more. */
  if (namespace == NULL || !g_hash_table_add (seen, namespace))
    return;
  text = kvmhelper_kernel_read (reading->kernel, KVMHELPER_PROC, path, *left, &length, NULL);
  if (text == NULL)
    {
      /* It may have ended meanwhile: another one may be in the same namespace. */
      g_hash_table_remove (seen, namespace);
      return;
    }
  if (length >= *left)
    set_doubt (reading->blocks, g_strdup (_ ("there are too many mounts to read them all")));
  *left -= length;
  read_list (reading, text);
}

/* A disk stays in use while any namespace has it mounted, as that of a container, or of a service
 * that was started before the host unmounted it. Users can make namespaces: what they put into them
 * must neither hide anything nor fail a call, and so makes a doubt at most. */
static void
read_namespaces (KvmHelperBlocks *blocks, const KvmHelperBusy *busy, GHashTable *known)
{
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_PROC, ".");
  g_autoptr (GError) error = NULL;
  gsize left = KVMHELPER_MAX_LIST;
  char *init;

  kvmhelper_watch_init (&watch, busy->watch.base);
  init = kvmhelper_kernel_readlink (&watch.kernel, KVMHELPER_PROC, "1/ns/mnt");
  if (init != NULL)
    g_hash_table_add (seen, init);
  for (guint i = 0; i < names->len && left > 0; i++)
    {
      Reading reading = { blocks, &watch.kernel, 0, known };
      guint64 pid;

      if (!g_ascii_string_to_unsigned (names->pdata[i], 10, 2, G_MAXUINT, &pid, NULL))
        continue;
      reading.pid = (guint) pid;
      read_namespace (&reading, seen, &left);
    }
  if (!kvmhelper_watch_check (&watch, &error))
    set_doubt (blocks, g_strdup_printf (_ ("the mounts of another namespace cannot be read (%s)"),
                                        error->message));
}

/* File systems that are mounted, whoever can see where: also one that was unmounted lazily and is
 * still used (fs/ext4/sysfs.c: ext4_register_sysfs, and the like). */
static void
read_file_systems (KvmHelperBlocks *blocks, const KvmHelperBusy *busy)
{
  static const char *const types[] = { "ext4", "xfs", "f2fs", "erofs", "nilfs2" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *path = g_strconcat ("fs/", types[i], NULL);
      g_autoptr (GPtrArray) names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, path);

      for (guint j = 0; j < names->len; j++)
        {
          const char *name = kvmhelper_blocks_find (blocks, names->pdata[j]);
          GPtrArray *points;

          if (name == NULL || g_hash_table_contains (blocks->mounts, name))
            continue;
          points = g_ptr_array_new_with_free_func (g_free);
          g_ptr_array_add (
              points, g_strdup_printf (_ ("/dev/%s, where cannot be seen (%s)"), name, types[i]));
          g_hash_table_insert (blocks->mounts, g_strdup (name), points);
        }
    }
}

void
kvmhelper_blocks_read_mounts (KvmHelperBlocks *blocks, const KvmHelperBusy *busy)
{
  gboolean cut = FALSE;
  g_autofree char *text = kvmhelper_busy_file (busy, "mountinfo", &cut);
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const Reading reading = { blocks, busy->kernel, 0, known };
  GHashTableIter iter;
  gpointer name;

  /* Users mount, too (FUSE): whoever fills the list must not hide what comes after. */
  if (cut)
    set_doubt (blocks, g_strdup (_ ("there are too many mounts to read them all")));
  read_list (&reading, text);
  g_hash_table_iter_init (&iter, blocks->mounts);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (known, g_strdup (name));
  read_namespaces (blocks, busy, known);
  read_file_systems (blocks, busy);
}
