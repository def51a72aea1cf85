/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-description.h"

#include <string.h>

#include "common/common-vfio.h"
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

#include <glib/gi18n-lib.h>

#define MAX_VECTORS_MSI  32
#define MAX_VECTORS_MSIX 2048

/* include/linux/pci_ids.h: PCI_CLASS_BRIDGE_PCI_NORMAL */
#define CLASS_BRIDGE 0x060400

#define VF_OFFSET 128

/* Where the elements are that are being read. */
typedef struct
{
  KvmHelperSimLoad *load;
  KvmHelperSimPhb *phb;
  KvmHelperSimFunction *parent; /* NULL: the root bus */
  guint bus;
} Place;

static gboolean load_bus (Place *place, const xmlNode *node, GError **error);

/* --- what functions are used for --- */

static gboolean
take_name (KvmHelperSimLoad *load, const xmlNode *node, const char *name, GError **error)
{
  if (g_hash_table_add (load->names, (gpointer) name))
    return TRUE;
  return kvmhelper_sim_load_fail (node, error, _ ("There are two of the name %s"), name);
}

static gboolean
load_interface (KvmHelperSimLoad *load, KvmHelperSimUses *uses, const xmlNode *node, GError **error)
{
  g_autofree char *name = common_xml_get (node, "name");
  KvmHelperSimInterface *interface = kvmhelper_sim_uses_add_interface (uses, name);

  interface->address = kvmhelper_sim_load_string (node, "address", "00:00:00:00:00:00");
  interface->up = kvmhelper_sim_load_flag (node, "up", FALSE);
  interface->route = kvmhelper_sim_load_flag (node, "default-route", FALSE);
  if (interface->route && !interface->up)
    return kvmhelper_sim_load_fail (
        node, error, _ ("No route leads through %s, which is not up (up=\"yes\")"), name);
  return take_name (load, node, interface->name, error);
}

static gboolean
load_disk (KvmHelperSimLoad *load, GPtrArray *disks, const xmlNode *node, GError **error)
{
  g_autofree char *name = common_xml_get (node, "name");
  g_autofree char *sectors = kvmhelper_sim_load_string (node, "sectors", "0");
  KvmHelperSimDisk *disk = kvmhelper_sim_disk_add (load->sim, disks, name);

  g_free (disk->mount);
  disk->mount = kvmhelper_sim_load_string (node, "mount", "");
  disk->size = g_ascii_strtoull (sectors, NULL, 10);
  disk->swap = kvmhelper_sim_load_flag (node, "swap", FALSE);
  if (!take_name (load, node, disk->name, error))
    return FALSE;
  for (const xmlNode *part = common_xml_child (node, "partition"); part != NULL;
       part = common_xml_next (part, "partition"))
    if (!load_disk (load, disk->partitions, part, error))
      return FALSE;
  return TRUE;
}

static gboolean
load_uses (KvmHelperSimLoad *load, KvmHelperSimFunction *function, const xmlNode *node,
           GError **error)
{
  const xmlNode *interface = common_xml_child (node, "interface");
  const xmlNode *disk = common_xml_child (node, "disk");

  if (interface == NULL && disk == NULL)
    return TRUE;
  function->uses = kvmhelper_sim_uses_new ();
  for (; interface != NULL; interface = common_xml_next (interface, "interface"))
    if (!load_interface (load, function->uses, interface, error))
      return FALSE;
  for (; disk != NULL; disk = common_xml_next (disk, "disk"))
    if (!load_disk (load, function->uses->disks, disk, error))
      return FALSE;
  return TRUE;
}

/* --- the drivers of a function --- */

gboolean
kvmhelper_sim_load_bound (KvmHelperSimLoad *load, KvmHelperSimFunction *function,
                          const xmlNode *node, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  function->driver_override = common_xml_get (node, "driver-override");
  if (function->driver_override != NULL && *function->driver_override == '\0')
    g_clear_pointer (&function->driver_override, g_free);
  function->bound = common_xml_get (node, "bound");
  if (function->bound == NULL || *function->bound == '\0')
    return TRUE;
  pci_address_format (&function->address, name);
  if (g_hash_table_lookup (load->sim->drivers, function->bound) == NULL)
    return kvmhelper_sim_load_fail (
        node, error,
        _ ("%s is bound to the driver %s, which is not there; add <driver name=\"%s\"/>"), name,
        function->bound, function->bound);
  if (common_driver_is_vfio (function->bound) && !load->sim->profile.vfio_binds)
    return kvmhelper_sim_load_fail (node, error,
                                    _ ("%s is bound to %s, which takes nothing under Linux %s"),
                                    name, function->bound, load->sim->profile.name);
  return TRUE;
}

/* --- functions and bridges --- */

gboolean
kvmhelper_sim_load_wish (KvmHelperSimLoad *load, KvmHelperSimFunction *function,
                         const xmlNode *node, GError **error)
{
  KvmHelperSimWish *wish = g_new0 (KvmHelperSimWish, 1);

  *wish = (KvmHelperSimWish){ function, node, KVMHELPER_SIM_ANY_NUMBER, KVMHELPER_SIM_ANY_NUMBER };
  g_hash_table_insert (load->wishes, function, wish);
  if (!kvmhelper_sim_load_number (node, "pe", 0xffff, &wish->pe, error)
      || !kvmhelper_sim_load_number (node, "group", G_MAXINT, &wish->group, error))
    return FALSE;
  if (wish->group != KVMHELPER_SIM_ANY_NUMBER)
    g_hash_table_add (load->groups, GUINT_TO_POINTER (wish->group));
  return TRUE;
}

/* The function that @node describes, at its address; NULL: it cannot be there. */
static KvmHelperSimFunction *
place_function (const Place *place, const xmlNode *node, GError **error)
{
  g_autofree char *text = common_xml_get (node, "address");
  GHashTable *functions = place->load->sim->functions;
  PciAddress address;
  KvmHelperSimFunction *function;

  if (!pci_address_parse (text, &address, error))
    return NULL;
  if (address.domain != place->phb->domain)
    {
      kvmhelper_sim_load_fail (node, error, _ ("%s is not in the domain %04x of its host bridge"),
                               text, place->phb->domain);
      return NULL;
    }
  if (address.bus != place->bus)
    {
      kvmhelper_sim_load_fail (node, error,
                               place->parent == NULL
                                   ? _ ("%s is not on the bus %02x of its host bridge")
                                   : _ ("%s is not on the bus %02x of the bridge above it"),
                               text, place->bus);
      return NULL;
    }
  if (g_hash_table_contains (functions, GUINT_TO_POINTER (kvmhelper_sim_key (&address))))
    {
      kvmhelper_sim_load_fail (node, error, _ ("There are two functions %s"), text);
      return NULL;
    }
  function = kvmhelper_sim_function_new (place->phb, &address);
  function->parent = place->parent;
  g_hash_table_insert (functions, GUINT_TO_POINTER (kvmhelper_sim_key (&address)), function);
  return function;
}

static gboolean
load_common (const Place *place, KvmHelperSimFunction *function, const xmlNode *node,
             GError **error)
{
  KvmHelperSimLoad *load = place->load;
  guint node_number = G_MAXUINT;

  g_free (function->natural_driver);
  function->natural_driver = common_xml_get_or_empty (node, "driver");
  kvmhelper_sim_load_driver (load, function->natural_driver);
  function->removed = kvmhelper_sim_load_flag (node, "removed", FALSE);
  if (!kvmhelper_sim_load_number (node, "vendor", 0xffff, &function->vendor, error)
      || !kvmhelper_sim_load_number (node, "device", 0xffff, &function->device, error)
      || !kvmhelper_sim_load_number (node, "subsystem-vendor", 0xffff, &function->subsystem_vendor,
                                     error)
      || !kvmhelper_sim_load_number (node, "subsystem-device", 0xffff, &function->subsystem_device,
                                     error)
      || !kvmhelper_sim_load_number (node, "class", 0xffffff, &function->class, error)
      || !kvmhelper_sim_load_number (node, "revision", 0xff, &function->revision, error)
      || !kvmhelper_sim_load_number (node, "enabled", G_MAXINT, &function->enabled, error)
      || !kvmhelper_sim_load_number (node, "numa-node", 255, &node_number, error))
    return FALSE;
  function->numa_node = (int) node_number;
  return kvmhelper_sim_load_wish (load, function, node, error);
}

static gboolean
load_bridge (const Place *place, const xmlNode *node, GError **error)
{
  KvmHelperSimFunction *bridge = place_function (place, node, error);
  Place behind = *place;

  if (bridge == NULL)
    return FALSE;
  bridge->bridge = TRUE;
  bridge->class = CLASS_BRIDGE;
  bridge->msi = 1;
  bridge->whole = kvmhelper_sim_load_flag (node, "to-pci", FALSE);
  bridge->all_reset_methods = kvmhelper_sim_load_string (node, "reset", "");
  if (!load_common (place, bridge, node, error)
      || !kvmhelper_sim_load_number (node, "bus", 0xff, &bridge->secondary_bus, error))
    return FALSE;
  if (!g_hash_table_add (place->load->buses,
                         GUINT_TO_POINTER (place->phb->domain << 8 | bridge->secondary_bus)))
    return kvmhelper_sim_load_fail (node, error, _ ("There are two buses %04x:%02x"),
                                    place->phb->domain, bridge->secondary_bus);
  if (bridge->secondary_bus <= place->bus)
    return kvmhelper_sim_load_fail (
        node, error,
        _ ("The bus %02x behind a bridge has a higher number than the bridge's own, %02x"),
        bridge->secondary_bus, place->bus);
  behind.parent = bridge;
  behind.bus = bridge->secondary_bus;
  return load_bus (&behind, node, error);
}

static gboolean
load_sriov (KvmHelperSimLoad *load, KvmHelperSimFunction *function, const xmlNode *node,
            GError **error)
{
  function->vf_device = function->device;
  function->vf_offset = VF_OFFSET;
  function->vf_stride = 1;
  function->vf_autoprobe = kvmhelper_sim_load_flag (node, "vf-autoprobe", TRUE);
  g_free (function->vf_driver);
  function->vf_driver = common_xml_get_or_empty (node, "vf-driver");
  kvmhelper_sim_load_driver (load, function->vf_driver);
  if (!kvmhelper_sim_load_number (node, "total-vfs", 0xffff, &function->total_vfs, error)
      || !kvmhelper_sim_load_number (node, "num-vfs", 0xffff, &function->num_vfs, error)
      || !kvmhelper_sim_load_number (node, "vf-device", 0xffff, &function->vf_device, error)
      || !kvmhelper_sim_load_number (node, "vf-offset", 0xffff, &function->vf_offset, error)
      || !kvmhelper_sim_load_number (node, "vf-stride", 0xffff, &function->vf_stride, error))
    return FALSE;
  for (const xmlNode *vf = common_xml_child (node, "vf"); vf != NULL;
       vf = common_xml_next (vf, "vf"))
    {
      guint group = KVMHELPER_SIM_ANY_NUMBER;

      if (!kvmhelper_sim_load_number (vf, "group", G_MAXINT, &group, error))
        return FALSE;
      g_hash_table_add (load->groups, GUINT_TO_POINTER (group));
    }
  if (function->num_vfs > 0 && function->removed)
    return kvmhelper_sim_load_fail (node, error,
                                    _ ("A function that was removed has no virtual functions"));
  if (function->num_vfs > function->total_vfs)
    return kvmhelper_sim_load_fail (node, error, _ ("%u virtual functions are more than %u"),
                                    function->num_vfs, function->total_vfs);
  if (function->total_vfs > 0 && (function->vf_offset == 0 || function->vf_stride == 0))
    return kvmhelper_sim_load_fail (node, error,
                                    _ ("Virtual functions cannot have the same address"));
  return TRUE;
}

static gboolean
load_function (const Place *place, const xmlNode *node, GError **error)
{
  KvmHelperSimFunction *function = place_function (place, node, error);

  if (function == NULL)
    return FALSE;
  function->regions = 1;
  function->intx = kvmhelper_sim_load_flag (node, "intx", TRUE) ? 1 : 0;
  function->all_reset_methods = common_xml_get (node, "reset");
  return load_common (place, function, node, error)
         && kvmhelper_sim_load_number (node, "msi", MAX_VECTORS_MSI, &function->msi, error)
         && kvmhelper_sim_load_number (node, "msix", MAX_VECTORS_MSIX, &function->msix, error)
         && kvmhelper_sim_load_number (node, "bars", 6, &function->regions, error)
         && kvmhelper_sim_load_number (node, "dma-bits", 64, &function->dma_bits, error)
         && load_sriov (place->load, function, node, error)
         && load_uses (place->load, function, node, error);
}

/* Those directly on one bus, in the order of the document. */
static gboolean
load_bus (Place *place, const xmlNode *node, GError **error)
{
  for (const xmlNode *child = node->children; child != NULL; child = child->next)
    {
      if (common_xml_is (child, "function") && !load_function (place, child, error))
        return FALSE;
      if (common_xml_is (child, "bridge") && !load_bridge (place, child, error))
        return FALSE;
    }
  return TRUE;
}

/* PHB4 comes in two sizes: the first and the fourth of a chip have 512 PEs and 4096 interrupts, the
 * others half of both. skiboot gives interrupts from above; the last 8 are INTx (hw/phb4.c). */
static void
set_size (KvmHelperSimPhb *phb)
{
  static const guint32 firsts[] = { 0xfe000, 0xfd800, 0xfd000, 0xfc000, 0xfb800, 0xfb000 };
  const guint index = phb->domain % G_N_ELEMENTS (firsts);
  const gboolean large = index == 0 || index == 3;

  phb->pe_count = large ? 512 : 256;
  phb->msi_count = large ? 0xff8 : 0x7f8;
  phb->msi_base = firsts[index] + phb->domain / G_N_ELEMENTS (firsts) * 0x100000;
  if (phb->sim->profile.powernv)
    return;
  /* A partition has what the hypervisor has for it (QEMU, include/hw/ppc/spapr_irq.h). */
  phb->msi_base = 0x1300;
  phb->msi_count = 0xd00;
}

gboolean
kvmhelper_sim_load_phb (KvmHelperSimLoad *load, const xmlNode *node, GError **error)
{
  Place place = { load, NULL, NULL, 0 };
  guint domain = 0;

  if (!kvmhelper_sim_load_number (node, "domain", 0xffff, &domain, error)
      || !kvmhelper_sim_load_number (node, "bus", 0xff, &place.bus, error))
    return FALSE;
  for (guint i = 0; i < load->sim->phbs->len; i++)
    if (((KvmHelperSimPhb *) load->sim->phbs->pdata[i])->domain == domain)
      return kvmhelper_sim_load_fail (node, error, _ ("There are two host bridges of domain %04x"),
                                      domain);
  place.phb = kvmhelper_sim_phb_new (load->sim, domain);
  place.phb->bus = place.bus;
  g_hash_table_add (load->buses, GUINT_TO_POINTER (domain << 8 | place.bus));
  place.phb->fenced = common_xml_attribute_is (node, "state", "fenced");
  place.phb->dead = common_xml_attribute_is (node, "state", "dead");
  set_size (place.phb);
  if (!kvmhelper_sim_load_number (node, "pes", 0xffff, &place.phb->pe_count, error)
      || !kvmhelper_sim_load_number (node, "msi-first", 0xfffffff, &place.phb->msi_base, error)
      || !kvmhelper_sim_load_number (node, "msi-count", 0xffff, &place.phb->msi_count, error))
    return FALSE;
  if (place.phb->msi_count == 0 || place.phb->pe_count < 3)
    return kvmhelper_sim_load_fail (node, error, _ ("A host bridge has interrupts, and three PEs"));
  return load_bus (&place, node, error);
}
