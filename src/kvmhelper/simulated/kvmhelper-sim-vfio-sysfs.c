/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* What sysfs has of VFIO: the classes vfio, of groups (drivers/vfio/group.c), and vfio-dev, of
 * functions (drivers/vfio/vfio_main.c). */

static void
add_class_link (KvmHelperSim *sim, const char *class, const char *name, KvmHelperSimNode *node)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);
  g_autofree char *path = g_strdup_printf ("class/%s", class);
  KvmHelperSimNode *directory = kvmhelper_sim_directory (sys, path, NULL, NULL);

  kvmhelper_sim_link_to (node, "subsystem", directory);
  kvmhelper_sim_link_to (directory, name, node);
}

static void
remove_class_link (KvmHelperSim *sim, const char *class, const char *name)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);
  g_autofree char *path = g_strdup_printf ("class/%s", class);

  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, path, NULL, NULL), name);
}

void
kvmhelper_sim_vfio_publish_group (const KvmHelperSimVfioGroup *group)
{
  g_autofree char *name = g_strdup_printf ("%u", group->group->number);
  g_autofree char *path = g_strdup_printf ("devices/virtual/vfio/%s", name);
  g_autofree char *device = g_strdup_printf ("%u:%u\n", KVMHELPER_SIM_VFIO_MAJOR, group->minor);
  g_autofree char *event = g_strdup_printf ("MAJOR=%u\nMINOR=%u\nDEVNAME=vfio/%s\n",
                                            KVMHELPER_SIM_VFIO_MAJOR, group->minor, name);
  KvmHelperSimNode *node = kvmhelper_sim_directory (
      kvmhelper_sim_tree_root (group->sim, KVMHELPER_SYS), path, NULL, NULL);

  kvmhelper_sim_text (node, "dev", 0444, device, -1);
  kvmhelper_sim_text (node, "uevent", 0644, event, -1);
  add_class_link (group->sim, "vfio", name, node);
}

void
kvmhelper_sim_vfio_withdraw_group (const KvmHelperSimVfioGroup *group)
{
  g_autofree char *name = g_strdup_printf ("%u", group->group->number);

  remove_class_link (group->sim, "vfio", name);
  kvmhelper_sim_remove (
      kvmhelper_sim_directory (kvmhelper_sim_tree_root (group->sim, KVMHELPER_SYS),
                               "devices/virtual/vfio", NULL, NULL),
      name);
}

void
kvmhelper_sim_vfio_publish_device (const KvmHelperSimVfioDevice *device)
{
  g_autofree char *name = g_strdup_printf ("vfio%u", device->index);
  g_autofree char *path = g_strdup_printf ("vfio-dev/%s", name);
  KvmHelperSimNode *node = kvmhelper_sim_directory (device->function->node, path, NULL, NULL);

  kvmhelper_sim_text (node, "uevent", 0644, "", -1);
  add_class_link (device->function->sim, "vfio-dev", name, node);
}

void
kvmhelper_sim_vfio_withdraw_device (const KvmHelperSimVfioDevice *device)
{
  g_autofree char *name = g_strdup_printf ("vfio%u", device->index);

  remove_class_link (device->function->sim, "vfio-dev", name);
  if (device->function->node != NULL)
    kvmhelper_sim_remove (device->function->node, "vfio-dev");
}
