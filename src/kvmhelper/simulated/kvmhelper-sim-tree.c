/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/stat.h>

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

static KvmHelperSimNode *
new_node (KvmHelperSim *sim, KvmHelperSimNodeType type, guint mode)
{
  KvmHelperSimNode *node = g_new0 (KvmHelperSimNode, 1);

  node->sim = sim;
  node->type = type;
  node->references = 1;
  node->mode = mode;
  return node;
}

KvmHelperSimNode *
kvmhelper_sim_node_ref (KvmHelperSimNode *node)
{
  node->references++;
  return node;
}

void
kvmhelper_sim_node_free (KvmHelperSimNode *node)
{
  if (node == NULL || --node->references > 0)
    return;
  g_clear_pointer (&node->children, g_hash_table_unref);
  g_clear_pointer (&node->tables, g_array_unref);
  g_clear_pointer (&node->acl, g_bytes_unref);
  g_free (node->name);
  g_free (node->text);
  g_free (node);
}

/* It is gone for those who have it open; so is what is below it. */
static void
mark_removed (KvmHelperSimNode *node)
{
  GHashTableIter iter;
  gpointer child;

  node->removed = TRUE;
  node->parent = NULL;
  if (node->children == NULL)
    return;
  g_hash_table_iter_init (&iter, node->children);
  while (g_hash_table_iter_next (&iter, NULL, &child))
    mark_removed (child);
}

static void
drop_child (gpointer data)
{
  KvmHelperSimNode *node = data;

  mark_removed (node);
  kvmhelper_sim_node_free (node);
}

KvmHelperSimNode *
kvmhelper_sim_tree_new (KvmHelperSim *sim, KvmHelperSimFilesystem filesystem)
{
  KvmHelperSimNode *root = new_node (sim, KVMHELPER_SIM_DIRECTORY, 0755);

  root->filesystem = filesystem;
  return root;
}

void
kvmhelper_sim_tree_free (KvmHelperSimNode *root)
{
  drop_child (root);
}

KvmHelperSimNode *
kvmhelper_sim_tree_root (KvmHelperSim *sim, KvmHelperRoot root)
{
  return sim->roots[root];
}

/* What is mounted in the trees, and whom its modes let in. */
static void
set_filesystem (KvmHelperSimNode *node)
{
  const KvmHelperSimNode *parent = node->parent;

  node->filesystem = parent->filesystem;
  if (parent->filesystem == KVMHELPER_SIM_SYSFS && g_str_equal (node->name, "debug")
      && g_strcmp0 (parent->name, "kernel") == 0)
    {
      node->filesystem = KVMHELPER_SIM_DEBUGFS;
      node->mode = 0700;
    }
  else if (parent->filesystem == KVMHELPER_SIM_PROCFS && parent->name == NULL
           && g_str_equal (node->name, "sys"))
    node->filesystem = KVMHELPER_SIM_SYSCTL;
  else if (parent->filesystem == KVMHELPER_SIM_PROCFS && parent->name == NULL
           && g_ascii_isdigit (*node->name))
    node->filesystem = KVMHELPER_SIM_PIDFS;
  else if (parent->filesystem == KVMHELPER_SIM_PIDFS && parent->name == NULL
           && g_str_equal (node->name, "net")) /* of what every process has */
    node->filesystem = KVMHELPER_SIM_PROCNET;
}

/* Takes @node. */
static KvmHelperSimNode *
add_child (KvmHelperSimNode *directory, const char *name, KvmHelperSimNode *node)
{
  if (directory->children == NULL)
    directory->children = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, drop_child);
  node->name = g_strdup (name);
  node->parent = directory;
  set_filesystem (node);
  g_hash_table_replace (directory->children, node->name, node);
  return node;
}

static KvmHelperSimNode *
get_child (const KvmHelperSimNode *directory, const char *name)
{
  return directory->children == NULL ? NULL : g_hash_table_lookup (directory->children, name);
}

KvmHelperSimNode *
kvmhelper_sim_directory (KvmHelperSimNode *parent, const char *path,
                         const KvmHelperSimAttribute *attributes, gpointer object)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  KvmHelperSimNode *node = parent;

  for (guint i = 0; names[i] != NULL; i++)
    {
      KvmHelperSimNode *next;

      if (*names[i] == '\0' || g_str_equal (names[i], "."))
        continue;
      next = get_child (node, names[i]);
      if (next == NULL || next->type != KVMHELPER_SIM_DIRECTORY)
        next = add_child (node, names[i], new_node (parent->sim, KVMHELPER_SIM_DIRECTORY, 0755));
      node = next;
    }
  if (attributes != NULL && node->tables == NULL)
    kvmhelper_sim_directory_add (node, attributes, object);
  return node;
}

void
kvmhelper_sim_directory_add (KvmHelperSimNode *directory, const KvmHelperSimAttribute *attributes,
                             gpointer object)
{
  const KvmHelperSimTableOfAttributes table = { attributes, object };

  if (directory->tables == NULL)
    directory->tables = g_array_sized_new (FALSE, FALSE, sizeof table, 1);
  g_array_append_val (directory->tables, table);
}

KvmHelperSimNode *
kvmhelper_sim_directory_dynamic (KvmHelperSimNode *parent, const char *path,
                                 const KvmHelperSimDirectoryKind *kind, gpointer object)
{
  KvmHelperSimNode *node = kvmhelper_sim_directory (parent, path, NULL, NULL);

  node->kind = kind;
  node->object = object;
  return node;
}

static void
set_text (KvmHelperSimNode *node, const char *text, gssize length)
{
  node->length = length < 0 ? strlen (text) : (gsize) length;
  node->text = g_memdup2 (text, node->length + (length < 0));
}

void
kvmhelper_sim_text (KvmHelperSimNode *directory, const char *name, guint mode, const char *text,
                    gssize length)
{
  KvmHelperSimNode *node = new_node (directory->sim, KVMHELPER_SIM_TEXT, mode);

  set_text (node, text, length);
  add_child (directory, name, node);
}

void
kvmhelper_sim_link (KvmHelperSimNode *directory, const char *name, const char *target)
{
  KvmHelperSimNode *node = new_node (directory->sim, KVMHELPER_SIM_LINK, 0777);

  set_text (node, target, -1);
  add_child (directory, name, node);
}

static guint
depth_of (const KvmHelperSimNode *node)
{
  guint depth = 0;

  for (; node->parent != NULL; node = node->parent)
    depth++;
  return depth;
}

/* fs/kernfs/symlink.c: kernfs_get_target_path: up to a directory that the target is somewhere in,
 * and down to it by name, also where the link is inside of the target. */
void
kvmhelper_sim_link_to (KvmHelperSimNode *directory, const char *name, KvmHelperSimNode *target)
{
  const KvmHelperSimNode *from = directory, *to = target->parent;
  g_autoptr (GString) text = g_string_new (NULL);
  gsize up = 0;

  for (guint depth = depth_of (directory); depth > depth_of (target->parent); depth--, up += 3)
    from = from->parent;
  for (guint depth = depth_of (target->parent); depth > depth_of (directory); depth--)
    to = to->parent;
  for (; from != to; from = from->parent, to = to->parent)
    up += 3;
  for (gsize i = 0; i < up; i += 3)
    g_string_append (text, "../");
  for (to = target; to != from; to = to->parent)
    {
      g_string_insert_c (text, (gssize) up, '/');
      g_string_insert (text, (gssize) up, to->name);
    }
  g_string_truncate (text, text->len - 1);
  kvmhelper_sim_link (directory, name, text->str);
}

void
kvmhelper_sim_device_node (KvmHelperSimNode *directory, const char *name, guint mode, guint major,
                           guint minor, KvmHelperSimOpen open, gpointer object)
{
  KvmHelperSimNode *node = new_node (directory->sim, KVMHELPER_SIM_DEVICE, mode);

  node->major = major;
  node->minor = minor;
  node->open = open;
  node->object = object;
  add_child (directory, name, node);
}

void
kvmhelper_sim_remove (KvmHelperSimNode *directory, const char *name)
{
  if (directory->children != NULL)
    g_hash_table_remove (directory->children, name);
}

KvmHelperSimNode *
kvmhelper_sim_node_new_link (KvmHelperSim *sim, const char *target, const KvmHelperStat *stat)
{
  KvmHelperSimNode *node
      = new_node (sim, stat == NULL ? KVMHELPER_SIM_LINK : KVMHELPER_SIM_MAGIC_LINK, 0777);

  set_text (node, target, -1);
  if (stat != NULL)
    node->stat = *stat;
  return node;
}

KvmHelperSimNode *
kvmhelper_sim_node_new_text (KvmHelperSim *sim, guint mode, const char *text, gssize length)
{
  KvmHelperSimNode *node = new_node (sim, KVMHELPER_SIM_TEXT, mode);

  set_text (node, text, length);
  return node;
}

char *
kvmhelper_sim_node_path (const KvmHelperSimNode *node)
{
  GString *path = g_string_new (NULL);

  for (; node->name != NULL; node = node->parent)
    {
      g_string_prepend (path, node->name);
      g_string_prepend_c (path, '/');
      if (node->parent == NULL)
        break;
    }
  return g_string_free (path, FALSE);
}

/* --- what is in a directory --- */

static gboolean
is_visible (const KvmHelperSimAttribute *attribute, gpointer object)
{
  return attribute->visible == NULL || attribute->visible (object);
}

static gboolean
find_attribute (KvmHelperSimNode *directory, const char *name, KvmHelperSimEntry *entry)
{
  for (guint i = 0; directory->tables != NULL && i < directory->tables->len; i++)
    {
      const KvmHelperSimTableOfAttributes *table
          = &g_array_index (directory->tables, KvmHelperSimTableOfAttributes, i);

      for (const KvmHelperSimAttribute *a = table->attributes; a->name != NULL; a++)
        if (g_str_equal (a->name, name) && is_visible (a, table->object))
          {
            *entry = (KvmHelperSimEntry){ kvmhelper_sim_node_ref (directory), a, table->object };
            return TRUE;
          }
    }
  return FALSE;
}

gboolean
kvmhelper_sim_node_find (KvmHelperSimNode *directory, KvmHelperSimProcess *process,
                         const char *name, KvmHelperSimEntry *entry)
{
  KvmHelperSimNode *node = get_child (directory, name);

  if (node == NULL && find_attribute (directory, name, entry))
    return TRUE;
  if (node == NULL && directory->kind != NULL)
    {
      node = directory->kind->lookup (directory->object, process, name);
      if (node != NULL && node->parent == NULL)
        node->filesystem = directory->filesystem;
    }
  if (node == NULL)
    return FALSE;
  *entry = (KvmHelperSimEntry){ kvmhelper_sim_node_ref (node), NULL, NULL };
  return TRUE;
}

void
kvmhelper_sim_node_list (KvmHelperSimNode *directory, KvmHelperSimProcess *process,
                         GPtrArray *names)
{
  GHashTableIter iter;
  gpointer name;

  for (guint i = 0; directory->tables != NULL && i < directory->tables->len; i++)
    {
      const KvmHelperSimTableOfAttributes *table
          = &g_array_index (directory->tables, KvmHelperSimTableOfAttributes, i);

      for (const KvmHelperSimAttribute *a = table->attributes; a->name != NULL; a++)
        if (is_visible (a, table->object) && get_child (directory, a->name) == NULL)
          g_ptr_array_add (names, g_strdup (a->name));
    }
  if (directory->children != NULL)
    {
      g_hash_table_iter_init (&iter, directory->children);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        g_ptr_array_add (names, g_strdup (name));
    }
  if (directory->kind != NULL)
    directory->kind->list (directory->object, process, names);
}

void
kvmhelper_sim_entry_clear (KvmHelperSimEntry *entry)
{
  g_clear_pointer (&entry->node, kvmhelper_sim_node_free);
}

KvmHelperStat
kvmhelper_sim_entry_stat (const KvmHelperSimEntry *entry)
{
  const KvmHelperSimNode *node = entry->node;

  if (entry->attribute != NULL)
    return (KvmHelperStat){ S_IFREG | entry->attribute->mode, 0, 0 };
  switch (node->type)
    {
    case KVMHELPER_SIM_DIRECTORY:
      return (KvmHelperStat){ S_IFDIR | node->mode, 0, 0 };
    case KVMHELPER_SIM_LINK:
      return (KvmHelperStat){ S_IFLNK | node->mode, 0, 0 };
    case KVMHELPER_SIM_MAGIC_LINK:
      return node->stat;
    case KVMHELPER_SIM_DEVICE:
      return (KvmHelperStat){ S_IFCHR | node->mode, node->major, node->minor };
    case KVMHELPER_SIM_TEXT:
      break;
    }
  return (KvmHelperStat){ S_IFREG | node->mode, 0, 0 };
}

guint
kvmhelper_sim_entry_owner (const KvmHelperSimEntry *entry)
{
  return entry->node->owner;
}
