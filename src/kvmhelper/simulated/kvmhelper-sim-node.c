/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-node.h"

#include <glib/gi18n-lib.h>

#include "kvmhelper/simulated/kvmhelper-sim-tree.h"

/* CONFIG_NODES_SHIFT of powerpc is 8. */
#define MAX_NODE 255

typedef struct
{
  guint number;
  char *cpus, *distances;
} Node;

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->cpus);
  g_free (node->distances);
  g_free (node);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const Node *first = *(const Node *const *) a, *second = *(const Node *const *) b;

  return (first->number > second->number) - (first->number < second->number);
}

gboolean
kvmhelper_sim_nodes_load (KvmHelperSim *sim, const xmlNode *root, GError **error)
{
  GPtrArray *nodes = g_ptr_array_new_with_free_func (node_free);

  sim->machine->nodes = nodes;
  for (const xmlNode *element = common_xml_child (root, "node"); element != NULL;
       element = common_xml_next (element, "node"))
    {
      Node *node = g_new0 (Node, 1);

      g_ptr_array_add (nodes, node);
      node->cpus = kvmhelper_sim_load_string (element, "cpus", "");
      node->distances = kvmhelper_sim_load_string (element, "distances", "");
      if (!kvmhelper_sim_load_number (element, "number", MAX_NODE, &node->number, error))
        return FALSE;
      for (guint i = 0; i + 1 < nodes->len; i++)
        if (((const Node *) nodes->pdata[i])->number == node->number)
          return kvmhelper_sim_load_fail (element, error, _ ("There are two NUMA nodes %u"),
                                          node->number);
    }
  g_ptr_array_sort (nodes, compare);
  return TRUE;
}

void
kvmhelper_sim_nodes_save (const KvmHelperSim *sim, GString *text)
{
  for (guint i = 0; i < sim->machine->nodes->len; i++)
    {
      const Node *node = sim->machine->nodes->pdata[i];

      g_string_append_printf (text, "  <node number=\"%u\" cpus=\"%s\" distances=\"%s\"/>\n",
                              node->number, node->cpus, node->distances);
    }
}

/* drivers/base/node.c; a node without CPUs has an empty line. */
void
kvmhelper_sim_nodes_start (KvmHelperSim *sim)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);

  for (guint i = 0; i < sim->machine->nodes->len; i++)
    {
      const Node *node = sim->machine->nodes->pdata[i];
      g_autofree char *path = g_strdup_printf ("devices/system/node/node%u", node->number);
      g_autofree char *cpus = g_strconcat (node->cpus, "\n", NULL);
      g_autofree char *distances = g_strconcat (node->distances, "\n", NULL);
      KvmHelperSimNode *directory = kvmhelper_sim_directory (sys, path, NULL, NULL);

      kvmhelper_sim_text (directory, "cpulist", 0444, cpus, -1);
      kvmhelper_sim_text (directory, "distance", 0444, distances, -1);
    }
}
