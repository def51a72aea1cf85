/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-machine.h"

/*
 * Where functions, buses and groups stand in /sys.
 */

/* /sys/devices/…/pci_bus/DDDD:BB, and its link in /sys/class. */
static KvmHelperSimNode *
publish_bus (KvmHelperSimPhb *phb, KvmHelperSimNode *parent, guint number)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (phb->sim, KVMHELPER_SYS);
  g_autofree char *name = g_strdup_printf ("%04x:%02x", phb->domain, number);
  g_autofree char *path = g_strconcat ("pci_bus/", name, NULL);
  KvmHelperSimNode *bus = kvmhelper_sim_directory (parent, path, NULL, NULL);
  KvmHelperSimNode *class = kvmhelper_sim_directory (sys, "class/pci_bus", NULL, NULL);

  kvmhelper_sim_link_to (bus, "subsystem", class);
  kvmhelper_sim_link_to (class, name, bus);
  return bus;
}

/* Linux 6.4 and later: an IOMMU for each PHB (arch/powerpc/kernel/pci-common.c). */
static char *
iommu_path (const KvmHelperSimPhb *phb)
{
  return g_strdup_printf ("devices/virtual/iommu/iommu-phb%04x", phb->domain);
}

void
kvmhelper_sim_publish_phb (KvmHelperSimPhb *phb)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (phb->sim, KVMHELPER_SYS);
  g_autofree char *path = g_strdup_printf ("devices/pci%04x:%02x", phb->domain, phb->bus);
  g_autofree char *iommu = iommu_path (phb);
  KvmHelperSimNode *bus;

  phb->node = kvmhelper_sim_directory (sys, path, NULL, NULL);
  bus = publish_bus (phb, phb->node, phb->bus);
  kvmhelper_sim_link_to (bus, "of_node", kvmhelper_sim_phb_of_node (phb));
  if (phb->sim->profile.vfio_binds)
    kvmhelper_sim_directory (sys, iommu, NULL, NULL);
}

/* /sys/kernel/iommu_groups/N (drivers/iommu/iommu.c); a group of powernv's bears the number of its
 * PE in its name, a partition's always 0 (arch/powerpc/kernel/iommu.c: iommu_register_group). */
static char *
show_group_name (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimGroup *group = object;

  return g_strdup_printf ("domain%u-pe%x\n", group->pe->phb->domain,
                          group->sim->profile.powernv ? group->pe->number : 0);
}

/* No domain type of its own is known to it: "unknown" (iommu_group_show_type). */
static char *
show_group_type (gpointer object, gsize *length, int *errnum)
{
  return g_strdup ("unknown\n");
}

/* iommu_group_store_type: its domain is the platform's, which there is no other for. */
static int
store_group_type (gpointer object, const char *text, gsize length)
{
  const KvmHelperSimGroup *group = object;
  static const char *const types[] = { "identity", "DMA", "DMA-FQ", "auto", NULL };
  g_autofree char *type = kvmhelper_sim_line (text);

  if (!g_strv_contains (types, type))
    return -EINVAL;
  return group->functions->len == 0 || group->dma_users > 0 || group->dma_owner != NULL ? -EPERM
                                                                                        : -EINVAL;
}

static char *
show_reserved_regions (gpointer object, gsize *length, int *errnum)
{
  return g_strdup ("");
}

static const KvmHelperSimAttribute group_attributes[] = {
  { "name", 0444, show_group_name, NULL, NULL },
  { "type", 0644, show_group_type, store_group_type, NULL },
  { "reserved_regions", 0444, show_reserved_regions, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

void
kvmhelper_sim_publish_group (KvmHelperSimGroup *group)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (group->sim, KVMHELPER_SYS);
  g_autofree char *path = g_strdup_printf ("kernel/iommu_groups/%u", group->number);

  group->node = kvmhelper_sim_directory (sys, path, group_attributes, group);
  group->devices = kvmhelper_sim_directory (group->node, "devices", NULL, NULL);
}

static void
withdraw_group (KvmHelperSimGroup *group)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (group->sim, KVMHELPER_SYS);
  g_autofree char *name = g_strdup_printf ("%u", group->number);

  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "kernel/iommu_groups", NULL, NULL), name);
  group->node = NULL;
  group->devices = NULL;
}

static void
publish_links (KvmHelperSimFunction *function, const char *name)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (function->sim, KVMHELPER_SYS);
  KvmHelperSimNode *bus = kvmhelper_sim_directory (sys, "bus/pci", NULL, NULL);

  kvmhelper_sim_link_to (function->node, "subsystem", bus);
  kvmhelper_sim_link_to (kvmhelper_sim_directory (bus, "devices", NULL, NULL), name,
                         function->node);
  if (function->group == NULL)
    return;
  if (function->group->node == NULL)
    kvmhelper_sim_publish_group (function->group);
  kvmhelper_sim_link_to (function->node, "iommu_group", function->group->node);
  kvmhelper_sim_link_to (function->group->devices, name, function->node);
  if (function->sim->profile.vfio_binds)
    {
      g_autofree char *path = iommu_path (function->phb);

      kvmhelper_sim_link_to (function->node, "iommu",
                             kvmhelper_sim_directory (sys, path, NULL, NULL));
    }
}

void
kvmhelper_sim_function_publish (KvmHelperSimFunction *function)
{
  KvmHelperSimNode *above = function->parent == NULL ? function->phb->node : function->parent->node;
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&function->address, name);
  function->node
      = kvmhelper_sim_directory (above, name, kvmhelper_sim_function_attributes, function);
  kvmhelper_sim_directory_add (function->node, kvmhelper_sim_sriov_attributes, function);
  kvmhelper_sim_directory_add (function->node, kvmhelper_sim_eeh_attributes, function);
  publish_links (function, name);
  if (function->bridge)
    publish_bus (function->phb, function->node, function->secondary_bus);
  if (function->physfn != NULL)
    kvmhelper_sim_sriov_link (function);
}

void
kvmhelper_sim_function_withdraw (KvmHelperSimFunction *function)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (function->sim, KVMHELPER_SYS);
  KvmHelperSimNode *above = function->parent == NULL ? function->phb->node : function->parent->node;
  KvmHelperSimGroup *group = function->group;
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&function->address, name);
  if (function->bridge)
    {
      g_autofree char *bus
          = g_strdup_printf ("%04x:%02x", function->phb->domain, function->secondary_bus);

      kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "class/pci_bus", NULL, NULL), bus);
    }
  if (function->physfn != NULL)
    kvmhelper_sim_sriov_unlink (function);
  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "bus/pci/devices", NULL, NULL), name);
  kvmhelper_sim_remove (above, name);
  function->node = NULL;
  if (group == NULL || group->devices == NULL)
    return;
  kvmhelper_sim_remove (group->devices, name);
  /* A PE without functions is released, and its group; a partition's PHB keeps its own. */
  if (group->functions->len == 0 && group->sim->profile.powernv)
    withdraw_group (group);
}
