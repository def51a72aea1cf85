/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <stdio.h>
#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* What block devices are used for, by their names in /sys/class/block. */
typedef struct
{
  KvmHelperBusy *busy;
  GHashTable *numbers; /* "8:1" -> "sda1" */
  GHashTable *mounts;  /* "sda1" -> GPtrArray of "/dev/sda1 on /" */
  GHashTable *swaps;   /* "sda2" -> "/dev/sda2" */
  gboolean cut;        /* there are more mounts than were read */
} Disks;

/* The kernel writes white space in names as octal (fs/seq_file.c: mangle_path). */
static char *
unmangle (const char *text)
{
  g_autofree char *name = g_strcompress (text);

  return g_utf8_make_valid (name, -1); /* it goes into messages */
}

static const char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash == NULL ? path : slash + 1;
}

static void
add_mount (Disks *disks, const char *name, const char *point)
{
  GPtrArray *points = g_hash_table_lookup (disks->mounts, name);

  if (points == NULL)
    {
      points = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (disks->mounts, g_strdup (name), points);
    }
  g_ptr_array_add (points, g_strdup_printf (_ ("/dev/%s on %s"), name, point));
}

static void
read_numbers (Disks *disks, const GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *path = g_strdup_printf ("class/block/%s/dev", name);
      char *number = kvmhelper_kernel_read_line (disks->busy->kernel, KVMHELPER_SYS, path);

      if (number != NULL)
        g_hash_table_insert (disks->numbers, number, g_strdup (name));
    }
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG… - TYPE SOURCE SUPER (proc(5)) */
static void
read_mount (Disks *disks, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", -1);
  const char *name, *source = NULL;
  g_autofree char *point = NULL;

  if (g_strv_length (fields) < 10)
    return;
  for (guint i = 6; fields[i] != NULL; i++)
    if (g_str_equal (fields[i], "-") && fields[i + 1] != NULL)
      source = fields[i + 2];
  point = unmangle (fields[4]);
  name = g_hash_table_lookup (disks->numbers, fields[2]);
  /* A file system on several disks, as btrfs, has no number of a disk; its source names one. */
  if (name == NULL && g_str_has_prefix (fields[2], "0:") && source != NULL
      && g_str_has_prefix (source, "/dev/"))
    {
      g_autofree char *path = g_strconcat ("class/block/", base_name (source), NULL);

      if (kvmhelper_kernel_exists (disks->busy->kernel, KVMHELPER_SYS, path))
        name = base_name (source);
    }
  if (name != NULL)
    add_mount (disks, name, point);
}

static void
read_mounts (Disks *disks)
{
  gsize length = 0;
  g_autofree char *text = kvmhelper_kernel_read (disks->busy->kernel, KVMHELPER_PROC, "1/mountinfo",
                                                 KVMHELPER_MAX_LIST, &length, NULL);
  g_auto (GStrv) lines = NULL;

  if (text == NULL)
    text = kvmhelper_kernel_read (disks->busy->kernel, KVMHELPER_PROC, "self/mountinfo",
                                  KVMHELPER_MAX_LIST, &length, NULL);
  disks->cut = length >= KVMHELPER_MAX_LIST;
  lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    read_mount (disks, lines[i]);
}

static void
read_swaps (Disks *disks)
{
  g_autofree char *text = kvmhelper_kernel_read (disks->busy->kernel, KVMHELPER_PROC, "swaps",
                                                 KVMHELPER_MAX_LIST, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *space = strpbrk (lines[i], " \t");
      char *path;

      if (space == NULL || lines[i][0] != '/')
        continue;
      *space = '\0';
      path = unmangle (lines[i]);
      g_hash_table_insert (disks->swaps, g_strdup (base_name (path)), path);
    }
}

/* A file system with a name of its own for its disks: they are in use while it is there. */
static void
find_btrfs (Disks *disks)
{
  const KvmHelperKernel *kernel = disks->busy->kernel;
  g_autoptr (GPtrArray) systems = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "fs/btrfs");

  for (guint i = 0; i < systems->len; i++)
    {
      g_autofree char *path = g_strdup_printf ("fs/btrfs/%s/devices", (char *) systems->pdata[i]);
      g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, path);

      for (guint j = 0; j < names->len; j++)
        {
          g_autofree char *disk = g_strdup_printf ("class/block/%s", (char *) names->pdata[j]);
          g_autofree char *owner = kvmhelper_busy_owner (disks->busy, disk);

          if (owner != NULL)
            kvmhelper_busy_add (disks->busy, owner, "storage",
                                g_strdup_printf (_ ("btrfs %s uses /dev/%s"),
                                                 (char *) systems->pdata[i],
                                                 (char *) names->pdata[j]));
        }
    }
}

/* What @name is used for, and what is stacked on it (md, dm), for the function @owner. */
static void
add_uses (Disks *disks, const char *owner, const char *name, guint depth)
{
  const GPtrArray *points = g_hash_table_lookup (disks->mounts, name);
  const char *swap = g_hash_table_lookup (disks->swaps, name);
  g_autofree char *path = g_strdup_printf ("class/block/%s/holders", name);
  g_autoptr (GPtrArray) holders = kvmhelper_kernel_list (disks->busy->kernel, KVMHELPER_SYS, path);

  for (guint i = 0; points != NULL && i < points->len; i++)
    kvmhelper_busy_add (disks->busy, owner, "mounted", g_strdup (points->pdata[i]));
  /* Users mount, too (FUSE): whoever fills the list must not hide what comes after. */
  if (disks->cut)
    kvmhelper_busy_add (disks->busy, owner, "mounted",
                        g_strdup_printf (_ ("/dev/%s may be: there are too many mounts"), name));
  if (swap != NULL)
    kvmhelper_busy_add (disks->busy, owner, "swap", g_strdup (swap));
  for (guint i = 0; i < holders->len && depth < KVMHELPER_MAX_STACK; i++)
    {
      const char *holder = holders->pdata[i];

      kvmhelper_busy_add (disks->busy, owner, "storage",
                          g_strdup_printf (_ ("%s uses /dev/%s"), holder, name));
      add_uses (disks, owner, holder, depth + 1);
    }
}

/* An NVMe namespace with several paths belongs to its subsystem, a virtual device, which links its
 * controllers (drivers/nvme/host/core.c: nvme_init_subsystem); so do its partitions. */
static void
add_nvme_owners (Disks *disks, const char *name, const char *link)
{
  const KvmHelperKernel *kernel = disks->busy->kernel;
  g_auto (GStrv) parts = g_strsplit (link, "/", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *path = NULL;
      g_autoptr (GPtrArray) names = NULL;

      if (!g_str_has_prefix (parts[i], "nvme-subsys") || !g_ascii_isdigit (parts[i][11]))
        continue;
      path = g_strconcat ("class/nvme-subsystem/", parts[i], NULL);
      names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, path);
      for (guint j = 0; j < names->len; j++)
        {
          g_autofree char *controller
              = g_strdup_printf ("%s/%s", path, (const char *) names->pdata[j]);
          g_autofree char *owner = NULL;

          if (!g_str_has_prefix (names->pdata[j], "nvme"))
            continue;
          owner = kvmhelper_busy_owner (disks->busy, controller);
          if (owner != NULL)
            add_uses (disks, owner, name, 0);
        }
      return;
    }
}

void
kvmhelper_busy_find_disks (KvmHelperBusy *busy)
{
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, "class/block");
  Disks disks = {
    .busy = busy,
    .numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .mounts
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref),
    .swaps = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };

  read_numbers (&disks, names);
  read_mounts (&disks);
  read_swaps (&disks);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *path = g_strconcat ("class/block/", name, NULL);
      g_autofree char *link = kvmhelper_kernel_readlink (busy->kernel, KVMHELPER_SYS, path);
      g_autofree char *owner = kvmhelper_busy_owner (busy, path);

      if (owner != NULL)
        add_uses (&disks, owner, name, 0);
      else if (link != NULL)
        add_nvme_owners (&disks, name, link);
    }
  find_btrfs (&disks);
  g_hash_table_unref (disks.numbers);
  g_hash_table_unref (disks.mounts);
  g_hash_table_unref (disks.swaps);
}
