/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* What block devices are used for. */
typedef struct
{
  KvmHelperBusy *busy;
  KvmHelperBlocks blocks;
  GHashTable *swaps; /* "sda2" -> "/dev/sda2" */
  GPtrArray *lost;   /* char *: swaps that are on a disk, nobody knows on which */
  GHashTable *loops; /* "sda1" -> "loop0", a disk that is made of it */
} Disks;

static const char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash == NULL ? path : slash + 1;
}

/* --- names --- */

void
kvmhelper_blocks_read (KvmHelperBlocks *blocks, const KvmHelperBusy *busy)
{
  *blocks = (KvmHelperBlocks){
    .names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, "class/block"),
    .numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    .aliases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    .mounts
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref),
  };
  for (guint i = 0; i < blocks->names->len; i++)
    {
      char *name = blocks->names->pdata[i];
      g_autofree char *number_path = g_strdup_printf ("class/block/%s/dev", name);
      g_autofree char *alias_path = g_strdup_printf ("class/block/%s/dm/name", name);
      char *number = kvmhelper_kernel_read_line (busy->kernel, KVMHELPER_SYS, number_path);
      char *alias = kvmhelper_kernel_read_line (busy->kernel, KVMHELPER_SYS, alias_path);

      if (number != NULL)
        g_hash_table_insert (blocks->numbers, number, name);
      if (alias != NULL)
        g_hash_table_insert (blocks->aliases, alias, name);
    }
}

void
kvmhelper_blocks_clear (KvmHelperBlocks *blocks)
{
  g_hash_table_unref (blocks->numbers);
  g_hash_table_unref (blocks->aliases);
  g_hash_table_unref (blocks->mounts);
  g_ptr_array_unref (blocks->names);
  g_free (blocks->doubt);
}

const char *
kvmhelper_blocks_find (const KvmHelperBlocks *blocks, const char *path)
{
  const char *name = base_name (path);

  for (guint i = 0; i < blocks->names->len; i++)
    if (g_str_equal (blocks->names->pdata[i], name))
      return blocks->names->pdata[i];
  return g_hash_table_lookup (blocks->aliases, name);
}

/* --- whose they are --- */

/* An NVMe namespace with several paths belongs to its subsystem, a virtual device, which links its
 * controllers (drivers/nvme/host/core.c: nvme_init_subsystem); so do its partitions. */
static void
add_nvme_owners (const KvmHelperBusy *busy, const char *link, GPtrArray *owners)
{
  g_auto (GStrv) parts = g_strsplit (link, "/", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *path = NULL;
      g_autoptr (GPtrArray) names = NULL;

      if (!g_str_has_prefix (parts[i], "nvme-subsys") || !g_ascii_isdigit (parts[i][11]))
        continue;
      path = g_strconcat ("class/nvme-subsystem/", parts[i], NULL);
      names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, path);
      for (guint j = 0; j < names->len; j++)
        {
          g_autofree char *controller
              = g_strdup_printf ("%s/%s", path, (const char *) names->pdata[j]);
          char *owner = g_str_has_prefix (names->pdata[j], "nvme")
                            ? kvmhelper_busy_owner (busy, controller)
                            : NULL;

          if (owner != NULL)
            g_ptr_array_add (owners, owner);
        }
      return;
    }
}

/* The PCI functions that the block device @name is of; none for one that is made of others. */
static GPtrArray *
get_owners (const KvmHelperBusy *busy, const char *name)
{
  GPtrArray *owners = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_strconcat ("class/block/", name, NULL);
  g_autofree char *link = kvmhelper_kernel_readlink (busy->kernel, KVMHELPER_SYS, path);
  char *owner = kvmhelper_busy_owner (busy, path);

  if (owner != NULL)
    g_ptr_array_add (owners, owner);
  else if (link != NULL)
    add_nvme_owners (busy, link, owners);
  return owners;
}

/* --- what they are used for --- */

/* Filename Type Size Used Priority; a file is on what is mounted (mm/swapfile.c: swap_show). */
static void
read_swaps (Disks *disks)
{
  g_autofree char *text = kvmhelper_kernel_read (disks->busy->kernel, KVMHELPER_PROC, "swaps",
                                                 KVMHELPER_MAX_LIST, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *space = strpbrk (lines[i], " \t");
      g_autofree char *path = NULL;
      const char *name;

      if (space == NULL || lines[i][0] != '/' || strstr (space, "partition") == NULL)
        continue;
      *space = '\0';
      path = kvmhelper_busy_unmangle (lines[i]);
      name = kvmhelper_blocks_find (&disks->blocks, path);
      if (name == NULL)
        g_ptr_array_add (disks->lost, g_steal_pointer (&path));
      else
        g_hash_table_insert (disks->swaps, g_strdup (name), g_steal_pointer (&path));
    }
}

/* A loop device over another block device has no link to it (drivers/block/loop.c). */
static void
read_loops (Disks *disks)
{
  const GPtrArray *names = disks->blocks.names;

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("class/block/%s/loop/backing_file", (char *) names->pdata[i]);
      g_autofree char *file
          = g_str_has_prefix (names->pdata[i], "loop")
                ? kvmhelper_kernel_read_line (disks->busy->kernel, KVMHELPER_SYS, path)
                : NULL;
      const char *lower = file != NULL && g_str_has_prefix (file, "/dev/")
                              ? kvmhelper_blocks_find (&disks->blocks, file)
                              : NULL;

      if (lower != NULL)
        g_hash_table_insert (disks->loops, g_strdup (lower), names->pdata[i]);
    }
}

/* @holder is on top of @name, for the function @owner. */
static void
add_holder (Disks *disks, const char *owner, const char *name, const char *holder,
            KvmHelperWalk *walk)
{
  kvmhelper_busy_add (disks->busy, owner, "storage",
                      g_strdup_printf (_ ("%s uses /dev/%s"), holder, name));
  kvmhelper_walk_add (walk, holder);
}

/* What @name itself is used for, for the function @owner; what is on top of it goes to @walk. */
static void
add_uses (Disks *disks, const char *owner, const char *name, KvmHelperWalk *walk)
{
  const GPtrArray *points = g_hash_table_lookup (disks->blocks.mounts, name);
  const char *swap = g_hash_table_lookup (disks->swaps, name);
  const char *loop = g_hash_table_lookup (disks->loops, name);
  g_autofree char *path = g_strdup_printf ("class/block/%s/holders", name);
  g_autoptr (GPtrArray) holders = kvmhelper_kernel_list (disks->busy->kernel, KVMHELPER_SYS, path);

  for (guint i = 0; points != NULL && i < points->len; i++)
    kvmhelper_busy_add (disks->busy, owner, "mounted", g_strdup (points->pdata[i]));
  if (disks->blocks.doubt != NULL)
    kvmhelper_busy_add (disks->busy, owner, "mounted",
                        g_strdup_printf (_ ("/dev/%s may be: %s"), name, disks->blocks.doubt));
  if (swap != NULL)
    kvmhelper_busy_add (disks->busy, owner, "swap", g_strdup (swap));
  for (guint i = 0; i < disks->lost->len; i++)
    kvmhelper_busy_add (
        disks->busy, owner, "swap",
        g_strdup_printf (_ ("%s may be on /dev/%s"), (char *) disks->lost->pdata[i], name));
  for (guint i = 0; i < holders->len; i++)
    add_holder (disks, owner, name, holders->pdata[i], walk);
  if (loop != NULL)
    add_holder (disks, owner, name, loop, walk);
}

/* What @name is used for, and what is stacked on it (md, dm), for the function @owner. */
static void
add_stack (Disks *disks, const char *owner, const char *name)
{
  g_auto (KvmHelperWalk) walk = { NULL };

  kvmhelper_walk_add (&walk, name);
  for (guint i = 0; i < walk.names->len; i++)
    add_uses (disks, owner, walk.names->pdata[i], &walk);
}

/* Adds a use that is known by the name of the disk alone. */
static void
add_storage (Disks *disks, const char *name, const char *user)
{
  g_autoptr (GPtrArray) owners = get_owners (disks->busy, name);

  for (guint i = 0; i < owners->len; i++)
    kvmhelper_busy_add (disks->busy, owners->pdata[i], "storage",
                        g_strdup_printf (_ ("%s uses /dev/%s"), user, name));
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
      g_autofree char *user = g_strconcat ("btrfs ", systems->pdata[i], NULL);
      g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, path);

      for (guint j = 0; j < names->len; j++)
        add_storage (disks, names->pdata[j], user);
    }
}

void
kvmhelper_busy_find_disks (KvmHelperBusy *busy)
{
  Disks disks = {
    .busy = busy,
    .swaps = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .lost = g_ptr_array_new_with_free_func (g_free),
    .loops = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
  };

  kvmhelper_blocks_read (&disks.blocks, busy);
  kvmhelper_blocks_read_mounts (&disks.blocks, busy);
  read_swaps (&disks);
  read_loops (&disks);
  for (guint i = 0; i < disks.blocks.names->len; i++)
    {
      const char *name = disks.blocks.names->pdata[i];
      g_autoptr (GPtrArray) owners = get_owners (busy, name);

      for (guint j = 0; j < owners->len; j++)
        add_stack (&disks, owners->pdata[j], name);
    }
  find_btrfs (&disks);
  kvmhelper_blocks_clear (&disks.blocks);
  g_hash_table_unref (disks.swaps);
  g_ptr_array_unref (disks.lost);
  g_hash_table_unref (disks.loops);
}
