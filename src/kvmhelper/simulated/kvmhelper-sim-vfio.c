/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* VFIO of a host: its state is the list of its groups (KvmHelperSimVfioGroup). */

/* linux/miscdevice.h: MISC_MAJOR, VFIO_MINOR */
#define MISC_MAJOR 10
#define VFIO_MINOR 196

void
kvmhelper_sim_vfio_start (KvmHelperSim *sim)
{
  KvmHelperSimNode *directory
      = kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_DEV), "vfio", NULL, NULL);

  sim->vfio = g_ptr_array_new ();
  for (guint i = 0; i < sim->groups->len; i++)
    kvmhelper_sim_tce_release_ownership (sim->groups->pdata[i]);
  kvmhelper_sim_device_node (directory, "vfio", 0666, MISC_MAJOR, VFIO_MINOR,
                             kvmhelper_sim_container_open, sim);
}

void
kvmhelper_sim_vfio_free (KvmHelperSim *sim)
{
  GPtrArray *groups = sim->vfio;

  if (groups == NULL)
    return;
  for (guint i = 0; i < sim->groups->len; i++)
    {
      KvmHelperSimGroup *group = sim->groups->pdata[i];

      for (guint j = 0; j < group->functions->len; j++)
        kvmhelper_sim_vfio_remove (group->functions->pdata[j]);
      for (guint j = 0; j < G_N_ELEMENTS (group->tables); j++)
        g_clear_pointer (&group->tables[j], kvmhelper_sim_table_unref);
    }
  g_ptr_array_unref (groups);
  sim->vfio = NULL;
}

guint
kvmhelper_sim_vfio_lowest_free (const GArray *taken)
{
  g_autofree gboolean *is_taken = g_new0 (gboolean, taken->len + 1);
  guint number = 0;

  for (guint i = 0; i < taken->len; i++)
    if (g_array_index (taken, guint, i) < taken->len)
      is_taken[g_array_index (taken, guint, i)] = TRUE;
  while (is_taken[number])
    number++;
  return number;
}
