/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* The groups that have a node now, by the number of that node. */
typedef struct
{
  guint64 node;
  guint group;
} Node;

static guint64
node_of (const KvmHelperStat *stat)
{
  return S_ISCHR (stat->mode) ? ((guint64) stat->major << 32) | stat->minor : 0;
}

static gboolean
parse_number (const char *name, guint *number)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT, &value, NULL))
    return FALSE;
  *number = (guint) value;
  return TRUE;
}

static GHashTable *
read_nodes (const KvmHelperKernel *kernel)
{
  GHashTable *nodes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_DEV, "vfio");

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_strconcat ("vfio/", names->pdata[i], NULL);
      KvmHelperStat stat;
      guint group;

      if (parse_number (names->pdata[i], &group)
          && kvmhelper_kernel_stat (kernel, KVMHELPER_DEV, path, &stat) == 0
          && node_of (&stat) != 0)
        {
          Node *node = g_new0 (Node, 1);

          node->node = node_of (&stat);
          node->group = group;
          /* The key is within the value: the older of two goes with its key. */
          g_hash_table_replace (nodes, node, node);
        }
    }
  return nodes;
}

/* Whether a descriptor only names its file: anybody who can see the node can have such a one (it
 * takes no right to the node), and it holds nothing. What cannot be told is none. */
static gboolean
is_name_only (const KvmHelperKernel *kernel, guint pid, const char *descriptor)
{
  g_autofree char *path = g_strdup_printf ("%u/fdinfo/%s", pid, descriptor);
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, path);
  const char *line = text == NULL ? NULL : strstr (text, "flags:");
  guint flags;

  return line != NULL && sscanf (line, "flags: %o", &flags) == 1 && (flags & O_PATH) != 0;
}

/* Adds the groups that @pid has open to @groups (guint -> pid). */
static void
scan_process (const KvmHelperKernel *kernel, guint pid, GHashTable *nodes, GHashTable *groups)
{
  g_autofree char *directory = g_strdup_printf ("%u/fd", pid);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_PROC, directory);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s", directory, (char *) names->pdata[i]);
      KvmHelperStat stat;
      guint64 number;
      const Node *node;

      if (kvmhelper_kernel_stat (kernel, KVMHELPER_PROC, path, &stat) != 0)
        continue;
      number = node_of (&stat);
      node = number == 0 ? NULL : g_hash_table_lookup (nodes, &number);
      if (node != NULL && !is_name_only (kernel, pid, names->pdata[i]))
        g_hash_table_insert (groups, GUINT_TO_POINTER (node->group), GUINT_TO_POINTER (pid));
    }
}

/* Whether @pid is this process, or a worker that it started. */
static gboolean
is_ours (const KvmHelperKernel *kernel, guint pid)
{
  g_autofree char *path = g_strdup_printf ("%u/stat", pid);
  g_autofree char *text = NULL;
  const char *rest;
  guint parent;

  if (pid == kernel->pid)
    return TRUE;
  text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, path);
  /* PID (NAME) STATE PARENT; a name may have brackets */
  rest = text == NULL ? NULL : strrchr (text, ')');
  return rest != NULL && sscanf (rest, ") %*c %u", &parent) == 1 && parent == kernel->pid;
}

static GHashTable *
scan_for (const KvmHelperKernel *kernel, GHashTable *nodes)
{
  GHashTable *found = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) names = NULL;

  if (g_hash_table_size (nodes) == 0)
    return found;
  names = kvmhelper_kernel_list (kernel, KVMHELPER_PROC, ".");
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GHashTable) groups = g_hash_table_new (NULL, NULL);
      GHashTableIter iter;
      gpointer group;
      guint pid;

      if (!parse_number (names->pdata[i], &pid))
        continue;
      scan_process (kernel, pid, nodes, groups);
      if (g_hash_table_size (groups) == 0 || is_ours (kernel, pid))
        continue;
      g_hash_table_iter_init (&iter, groups);
      while (g_hash_table_iter_next (&iter, &group, NULL))
        if (!g_hash_table_contains (found, group))
          g_hash_table_insert (found, group, GUINT_TO_POINTER (pid));
    }
  return found;
}

GHashTable *
kvmhelper_holder_scan (const KvmHelperKernel *kernel)
{
  g_autoptr (GHashTable) nodes = read_nodes (kernel);

  return scan_for (kernel, nodes);
}

guint
kvmhelper_holder_find (const KvmHelperKernel *kernel, guint group)
{
  g_autoptr (GHashTable) found = kvmhelper_holder_scan (kernel);

  return GPOINTER_TO_UINT (g_hash_table_lookup (found, GUINT_TO_POINTER (group)));
}

static void
note_link (KvmHelperHolding *holding, const char *link, int descriptor)
{
  if (g_str_equal (link, "anon_inode:kvm-vm"))
    holding->vm = descriptor;
  else if (g_str_equal (link, "anon_inode:kvm-xive-native"))
    holding->xive_native = descriptor;
  else if (g_str_equal (link, "anon_inode:kvm-xive"))
    holding->xive = descriptor;
  else if (g_str_equal (link, "anon_inode:kvm-xics"))
    holding->xics = descriptor;
  else if (g_str_equal (link, "anon_inode:kvm-vfio"))
    holding->kvm_vfio = descriptor;
  else if (g_str_equal (link, "anon_inode:kvm-spapr-tce"))
    holding->tce_tables++;
}

KvmHelperHolding *
kvmhelper_holding_read (const KvmHelperKernel *kernel, guint pid)
{
  KvmHelperHolding *holding = g_new0 (KvmHelperHolding, 1);
  g_autoptr (GHashTable) nodes = read_nodes (kernel);
  g_autoptr (GHashTable) groups = g_hash_table_new (NULL, NULL);
  g_autofree char *directory = g_strdup_printf ("%u/fd", pid);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_PROC, directory);
  KvmHelperStat container = { 0 };
  GHashTableIter iter;
  gpointer group;

  *holding = (KvmHelperHolding){ -1, -1, -1, -1, -1, 0, 0, NULL };
  holding->groups = g_array_new (FALSE, FALSE, sizeof (guint));
  kvmhelper_kernel_stat (kernel, KVMHELPER_DEV, "vfio/vfio", &container);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s", directory, (char *) names->pdata[i]);
      g_autofree char *link = kvmhelper_kernel_readlink (kernel, KVMHELPER_PROC, path);
      KvmHelperStat stat;
      guint descriptor;

      if (link == NULL || !parse_number (names->pdata[i], &descriptor))
        continue;
      note_link (holding, link, (int) descriptor);
      if (kvmhelper_kernel_stat (kernel, KVMHELPER_PROC, path, &stat) == 0 && node_of (&stat) != 0
          && node_of (&stat) == node_of (&container))
        holding->containers++;
    }
  scan_process (kernel, pid, nodes, groups);
  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, &group, NULL))
    {
      guint number = GPOINTER_TO_UINT (group);

      g_array_append_val (holding->groups, number);
    }
  return holding;
}

void
kvmhelper_holding_free (KvmHelperHolding *holding)
{
  g_array_unref (holding->groups);
  g_free (holding);
}

int
kvmhelper_holder_seize (const KvmHelperKernel *kernel, guint group, KvmHelperObstacle *obstacle)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", group);
  int handle;

  *obstacle = (KvmHelperObstacle){ FALSE, FALSE, kvmhelper_holder_find (kernel, group), 0 };
  if (obstacle->pid != 0)
    {
      obstacle->held = TRUE;
      return -1;
    }
  /* To read is enough: VFIO does not look at the mode, and a node that libvirt left to QEMU's user
   * can still be read by CAP_DAC_READ_SEARCH. */
  handle = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, path, O_RDONLY);
  if (handle >= 0)
    return handle;
  obstacle->errnum = -handle;
  obstacle->absent = handle == -ENOENT || handle == -ENODEV;
  obstacle->held = !obstacle->absent;
  return -1;
}

char *
kvmhelper_obstacle_to_string (const KvmHelperObstacle *obstacle, guint group)
{
  if (obstacle->pid != 0)
    return g_strdup_printf (_ ("process %u holds IOMMU group %u"), obstacle->pid, group);
  if (obstacle->absent)
    return g_strdup_printf (_ ("no function of IOMMU group %u is on a VFIO driver"), group);
  if (obstacle->errnum == EBUSY)
    return g_strdup_printf (_ ("IOMMU group %u is held, by no process that can be seen"), group);
  return g_strdup_printf ("/dev/vfio/%u: %s", group, g_strerror (obstacle->errnum));
}
