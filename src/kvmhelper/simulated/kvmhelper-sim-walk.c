/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

/* fs/namei.c: MAXSYMLINKS */
#define MAX_LINKS 40

/*
 * Where a path has got to: the nodes from the root to where it is now. NULL stands for "/" itself,
 * which has the three roots and nothing else; only paths that may leave their root get there.
 */
typedef struct
{
  KvmHelperSimProcess *process;
  KvmHelperSimWalk how;
  GPtrArray *stack; /* elements KvmHelperSimNode, or NULL */
  guint links;
} Walk;

static void
free_element (gpointer data)
{
  kvmhelper_sim_node_free (data);
}

/* Modes; root passes by them (CAP_DAC_OVERRIDE), except to execute. */
gboolean
kvmhelper_sim_may (const KvmHelperSimProcess *process, const KvmHelperSimEntry *entry, guint wanted)
{
  guint mode = entry->attribute != NULL ? entry->attribute->mode : entry->node->mode;

  if (process->uid == 0)
    return TRUE;
  if (process->uid == kvmhelper_sim_entry_owner (entry))
    mode >>= 6;
  else if (entry->attribute == NULL && entry->node->secret)
    return FALSE;
  else if (entry->attribute == NULL)
    {
      KvmHelperSimAnswer answer = kvmhelper_sim_acl_ask (entry->node, process->uid, wanted);

      if (answer != KVMHELPER_SIM_UNSAID)
        return answer == KVMHELPER_SIM_ALLOWED;
    }
  return (mode & wanted) == wanted;
}

/* "..": to the directory above, or out of the root. */
static int
go_up (Walk *walk)
{
  guint length = walk->stack->len;

  if (length > 1)
    {
      g_ptr_array_set_size (walk->stack, (int) length - 1);
      return 0;
    }
  if ((walk->how & KVMHELPER_SIM_BENEATH) != 0)
    return -EXDEV;
  g_ptr_array_set_size (walk->stack, 0);
  g_ptr_array_add (walk->stack, NULL);
  return 0;
}

/* What @name is in the directory that the walk is in. */
static int
find (Walk *walk, const char *name, KvmHelperSimEntry *entry)
{
  KvmHelperSimNode *directory = walk->stack->pdata[walk->stack->len - 1];
  KvmHelperSimEntry here = { directory, NULL, NULL };

  if (directory == NULL)
    {
      for (guint i = 0; i < 3; i++)
        if (g_str_equal (name, kvmhelper_kernel_root_name ((KvmHelperRoot) i) + 1))
          {
            KvmHelperSimNode *root = walk->process->sim->roots[i];

            *entry = (KvmHelperSimEntry){ kvmhelper_sim_node_ref (root), NULL, NULL };
            return 0;
          }
      return -ENOENT;
    }
  if (!kvmhelper_sim_may (walk->process, &here, 1))
    return -EACCES;
  /* A directory that was removed has nothing any more (fs/kernfs/dir.c: kernfs_remove takes what is
   * below it out first). */
  if (directory->removed || !kvmhelper_sim_node_find (directory, walk->process, name, entry))
    return -ENOENT;
  return 0;
}

static int
follow_path (Walk *walk, const char *path, gboolean follow_last, KvmHelperSimEntry *entry);

/* Follows the link @entry, which is replaced by what it leads to. */
static int
follow_link (Walk *walk, KvmHelperSimEntry *entry)
{
  g_auto (KvmHelperSimEntry) link = *entry;

  entry->node = NULL;
  if (++walk->links > MAX_LINKS)
    return -ELOOP;
  if (link.node->type == KVMHELPER_SIM_MAGIC_LINK)
    {
      if ((walk->how & KVMHELPER_SIM_BENEATH) != 0)
        return -ELOOP;
      /* What it leads to is known by its numbers alone. */
      *entry = link;
      link.node = NULL;
      return 0;
    }
  return follow_path (walk, link.node->text, TRUE, entry);
}

static gboolean
is_link (const KvmHelperSimEntry *entry)
{
  return entry->attribute == NULL && entry->node->type == KVMHELPER_SIM_LINK;
}

static gboolean
is_magic (const KvmHelperSimEntry *entry)
{
  return entry->attribute == NULL && entry->node->type == KVMHELPER_SIM_MAGIC_LINK;
}

static gboolean
is_directory (const KvmHelperSimEntry *entry)
{
  return entry->attribute == NULL && entry->node->type == KVMHELPER_SIM_DIRECTORY;
}

/* fs/libfs.c: simple_lookup; kernfs and procfs just do not find it. */
static gboolean
minds_length (const KvmHelperSimNode *directory)
{
  return directory != NULL
         && (directory->filesystem == KVMHELPER_SIM_DEBUGFS
             || directory->filesystem == KVMHELPER_SIM_DEVTMPFS);
}

/* One name of a path; @last: what it is goes to @entry, else the walk goes into it. */
static int
step (Walk *walk, const char *name, gboolean last, gboolean follow, KvmHelperSimEntry *entry)
{
  g_auto (KvmHelperSimEntry) found = { NULL, NULL, NULL };
  int result;

  if (strlen (name) > NAME_MAX && minds_length (walk->stack->pdata[walk->stack->len - 1]))
    return -ENAMETOOLONG;
  result = find (walk, name, &found);
  if (result == 0 && (is_link (&found) || is_magic (&found)) && (follow || !last))
    result = follow_link (walk, &found);
  if (result != 0)
    return result;
  if (!last)
    {
      /* A link has moved the walk to where it leads already. */
      if (!is_directory (&found))
        return -ENOTDIR;
      if (walk->stack->pdata[walk->stack->len - 1] != found.node)
        g_ptr_array_add (walk->stack, g_steal_pointer (&found.node));
      return 0;
    }
  *entry = found;
  found.node = NULL;
  return 0;
}

/* The directory that the walk is in, as what was found. */
static void
take_here (Walk *walk, KvmHelperSimEntry *entry)
{
  KvmHelperSimNode *here = walk->stack->pdata[walk->stack->len - 1];

  if (here == NULL) /* "/" itself: a directory, of which no more is told */
    here = walk->process->sim->roots[KVMHELPER_SYS];
  *entry = (KvmHelperSimEntry){ kvmhelper_sim_node_ref (here), NULL, NULL };
}

/* The names in @path: "a//b/" is a/b. */
static GPtrArray *
split_path (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      g_ptr_array_add (names, g_strdup (parts[i]));
  return names;
}

/* The last name of a path. */
static int
step_last (Walk *walk, const char *name, gboolean follow, gboolean directory_wanted,
           KvmHelperSimEntry *entry)
{
  int result = step (walk, name, TRUE, follow || directory_wanted, entry);

  if (result != 0)
    return result;
  if (is_directory (entry))
    {
      if (walk->stack->pdata[walk->stack->len - 1] != entry->node)
        g_ptr_array_add (walk->stack, kvmhelper_sim_node_ref (entry->node));
      return 0;
    }
  if (!directory_wanted)
    return 0;
  kvmhelper_sim_entry_clear (entry);
  return -ENOTDIR;
}

/*
 * Walks @path from where the walk is. At the end the walk is in the directory that was found, if it
 * is one.
 */
static int
follow_path (Walk *walk, const char *path, gboolean follow_last, KvmHelperSimEntry *entry)
{
  g_autoptr (GPtrArray) names = split_path (path);
  gboolean directory_wanted = g_str_has_suffix (path, "/");
  int result = 0;

  if (*path == '\0')
    return -ENOENT;
  if (*path == '/')
    {
      if ((walk->how & KVMHELPER_SIM_BENEATH) != 0)
        return -EXDEV;
      g_ptr_array_set_size (walk->stack, 0);
      g_ptr_array_add (walk->stack, NULL);
    }
  for (guint i = 0; i < names->len && result == 0; i++)
    {
      const char *name = names->pdata[i];

      if (g_str_equal (name, ".."))
        result = go_up (walk);
      else if (g_str_equal (name, "."))
        continue;
      else if (i + 1 == names->len)
        return step_last (walk, name, follow_last, directory_wanted, entry);
      else
        result = step (walk, name, FALSE, TRUE, NULL);
    }
  if (result == 0)
    take_here (walk, entry);
  return result;
}

int
kvmhelper_sim_walk_at (KvmHelperSimProcess *process, KvmHelperSimNode *from, const char *path,
                       KvmHelperSimWalk how, KvmHelperSimEntry *entry)
{
  Walk walk = { process, how, g_ptr_array_new_with_free_func (free_element), 0 };
  int result;

  *entry = (KvmHelperSimEntry){ NULL, NULL, NULL };
  g_ptr_array_add (walk.stack, kvmhelper_sim_node_ref (from));
  /* A directory of a process can be held longer than that lives. */
  result = strlen (path) >= PATH_MAX ? -ENAMETOOLONG
           : from->removed && from->of_process
               ? -ESRCH
               : follow_path (&walk, path, (how & KVMHELPER_SIM_NOFOLLOW) == 0, entry);
  g_ptr_array_unref (walk.stack);
  return result;
}

int
kvmhelper_sim_walk (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                    KvmHelperSimWalk how, KvmHelperSimEntry *entry)
{
  return kvmhelper_sim_walk_at (process, process->sim->roots[root], path, how, entry);
}
