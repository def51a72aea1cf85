/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <errno.h>

/*
 * SR-IOV: a PF makes VFs (drivers/pci/iov.c), each of which powernv gives a PE of its own, below
 * the PF's (arch/powerpc/platforms/powernv/pci-sriov.c: pnv_pci_vf_assign_m64,
 * pnv_ioda_setup_vf_PE).
 */

/* The vectors of a VF: as igbvf and mlx5 have them at least. */
#define VF_MSIX 3

/* virtfn_bus, virtfn_devfn: by its routing id */
static PciAddress
vf_address (const KvmHelperSimFunction *physfn, guint number)
{
  PciAddress address = physfn->address;
  guint id = (kvmhelper_sim_key (&physfn->address) & 0xffff) + physfn->vf_offset
             + physfn->vf_stride * number;

  address.bus = (guint8) (id >> 8);
  address.slot = (id >> 3) & 0x1f;
  address.function = id & 7;
  return address;
}

static KvmHelperSimFunction *
new_vf (KvmHelperSimFunction *physfn, const PciAddress *address)
{
  KvmHelperSimFunction *vf = kvmhelper_sim_function_new (physfn->phb, address);

  vf->physfn = physfn;
  vf->parent = physfn->parent;
  vf->vendor = physfn->vendor;
  vf->device = physfn->vf_device;
  vf->subsystem_vendor = physfn->subsystem_vendor;
  vf->subsystem_device = physfn->subsystem_device;
  vf->class = physfn->class;
  vf->revision = physfn->revision;
  vf->numa_node = physfn->numa_node;
  vf->dma_bits = physfn->dma_bits;
  vf->msix = MIN (physfn->msix, VF_MSIX);
  vf->regions = MIN (physfn->regions, 1);
  g_free (vf->natural_driver);
  vf->natural_driver = g_strdup (physfn->vf_driver);
  g_free (vf->reset_methods);
  vf->reset_methods = g_strdup ("flr"); /* that a VF has to have */
  vf->all_reset_methods = g_strdup ("flr");
  vf->can_reset = TRUE;
  vf->vf_autoprobe = TRUE;
  return vf;
}

KvmHelperSimFunction *
kvmhelper_sim_sriov_vf (KvmHelperSimFunction *physfn, guint number)
{
  GPtrArray *vfs = physfn->vfs;

  while (vfs->len <= number)
    {
      const PciAddress address = vf_address (physfn, vfs->len);
      const guint key = kvmhelper_sim_key (&address);

      if (key < kvmhelper_sim_key (&physfn->address)
          || g_hash_table_contains (physfn->sim->functions, GUINT_TO_POINTER (key)))
        return NULL;
      g_ptr_array_add (vfs, new_vf (physfn, &address));
    }
  return vfs->pdata[number];
}

void
kvmhelper_sim_sriov_join (KvmHelperSimFunction *vf, guint pe, guint group)
{
  KvmHelperSimFunction *physfn = vf->physfn;

  /* Switched on again: it gets what it had. */
  if (vf->pe == NULL && vf->sim->profile.powernv)
    {
      vf->pe = kvmhelper_sim_pe_new (vf->phb, pe);
      if (vf->pe != NULL)
        {
          vf->pe->parent = physfn->pe;
          vf->group = kvmhelper_sim_group_new (vf->pe, group);
        }
    }
  else if (vf->pe == NULL)
    {
      vf->pe = physfn->pe;
      vf->group = physfn->group;
    }
  g_hash_table_insert (vf->sim->functions, GUINT_TO_POINTER (kvmhelper_sim_key (&vf->address)), vf);
  if (vf->pe != NULL)
    kvmhelper_sim_function_join (vf, vf->pe, vf->group);
}

/* "virtfn3"; to be freed. */
static char *
link_name (const KvmHelperSimFunction *vf)
{
  guint number = 0;

  g_ptr_array_find (vf->physfn->vfs, vf, &number);
  return g_strdup_printf ("virtfn%u", number);
}

void
kvmhelper_sim_sriov_link (KvmHelperSimFunction *vf)
{
  g_autofree char *name = link_name (vf);

  kvmhelper_sim_link_to (vf->physfn->node, name, vf->node);
  kvmhelper_sim_link_to (vf->node, "physfn", vf->physfn->node);
}

void
kvmhelper_sim_sriov_unlink (KvmHelperSimFunction *vf)
{
  g_autofree char *name = link_name (vf);

  if (vf->physfn->node != NULL)
    kvmhelper_sim_remove (vf->physfn->node, name);
}

/* pci_iov_add_virtfn */
static void
add_vf (KvmHelperSimFunction *vf)
{
  kvmhelper_sim_sriov_join (vf, KVMHELPER_SIM_ANY_NUMBER, KVMHELPER_SIM_ANY_NUMBER);
  vf->absent = FALSE;
  kvmhelper_sim_function_publish (vf);
  kvmhelper_sim_device_come (vf);
}

/* pci_iov_remove_virtfn */
static void
remove_vf (KvmHelperSimFunction *vf)
{
  kvmhelper_sim_function_remove (vf);
  g_hash_table_remove (vf->sim->functions, GUINT_TO_POINTER (kvmhelper_sim_key (&vf->address)));
}

/* The driver's sriov_configure: sriov_enable, sriov_disable */
int
kvmhelper_sim_sriov_set (KvmHelperSimFunction *physfn, guint count)
{
  if (count > 0 && kvmhelper_sim_sriov_vf (physfn, count - 1) == NULL)
    return -ENOMEM; /* "SR-IOV: bus number out of range" */
  while (physfn->num_vfs < count)
    {
      add_vf (physfn->vfs->pdata[physfn->num_vfs]);
      physfn->num_vfs++;
    }
  while (physfn->num_vfs > count)
    {
      remove_vf (physfn->vfs->pdata[physfn->num_vfs - 1]);
      physfn->num_vfs--;
    }
  return 0;
}

/* --- attributes (drivers/pci/iov.c: sriov_pf_dev_attrs) --- */

static gboolean
is_physfn (gpointer object)
{
  return ((KvmHelperSimFunction *) object)->total_vfs > 0;
}

#define SHOW(name, ...)                                                                            \
  static char *show_##name (gpointer object, gsize *length, int *errnum)                           \
  {                                                                                                \
    const KvmHelperSimFunction *function = object;                                                 \
                                                                                                   \
    return g_strdup_printf (__VA_ARGS__);                                                          \
  }

SHOW (totalvfs, "%u\n", function->total_vfs)
SHOW (numvfs, "%u\n", function->num_vfs)
SHOW (offset, "%u\n", function->vf_offset)
SHOW (stride, "%u\n", function->vf_stride)
SHOW (vf_device, "%x\n", function->vf_device)
SHOW (autoprobe, "%u\n", function->vf_autoprobe)

/* With the PF's lock. */
static int
configure (KvmHelperSimFunction *function, guint count)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&function->address, name);
  if (count == function->num_vfs)
    return 0;
  if (function->driver == NULL)
    {
      kvmhelper_sim_log (function->sim,
                         "pci %s: no driver bound to device; cannot configure SR-IOV", name);
      return -ENOENT;
    }
  /* vfio_pci_sriov_configure, unless its parameter enable_sriov is set; pci-stub has it not */
  if (function->driver->manages_dma)
    return -ENOENT;
  if (count > 0 && function->num_vfs > 0)
    {
      kvmhelper_sim_log (function->sim,
                         "%s %s: %u VFs already enabled. Disable before enabling %u VFs",
                         function->driver->name, name, function->num_vfs, count);
      return -EBUSY;
    }
  return kvmhelper_sim_sriov_set (function, count);
}

/* sriov_numvfs_store */
static int
store_numvfs (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;
  guint64 count;
  int result;

  if (!kvmhelper_sim_parse_ul (text, &count) || count > G_MAXUINT16)
    return -EINVAL;
  if (count > function->total_vfs)
    return -ERANGE;
  kvmhelper_sim_device_lock (function);
  result = configure (function, (guint) count);
  kvmhelper_sim_device_unlock (function);
  return result;
}

/* sriov_drivers_autoprobe_store: kstrtobool */
static int
store_autoprobe (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;

  switch (*text)
    {
    case 'y':
    case 'Y':
    case 't':
    case 'T':
    case '1':
      function->vf_autoprobe = TRUE;
      return 0;
    case 'n':
    case 'N':
    case 'f':
    case 'F':
    case '0':
      function->vf_autoprobe = FALSE;
      return 0;
    case 'o':
    case 'O':
      if (g_ascii_tolower (text[1]) != 'n' && g_ascii_tolower (text[1]) != 'f')
        return -EINVAL;
      function->vf_autoprobe = g_ascii_tolower (text[1]) == 'n';
      return 0;
    default:
      return -EINVAL;
    }
}

const KvmHelperSimAttribute kvmhelper_sim_sriov_attributes[] = {
  { "sriov_totalvfs", 0444, show_totalvfs, NULL, is_physfn },
  { "sriov_numvfs", 0644, show_numvfs, store_numvfs, is_physfn },
  { "sriov_offset", 0444, show_offset, NULL, is_physfn },
  { "sriov_stride", 0444, show_stride, NULL, is_physfn },
  { "sriov_vf_device", 0444, show_vf_device, NULL, is_physfn },
  { "sriov_drivers_autoprobe", 0644, show_autoprobe, store_autoprobe, is_physfn },
  { NULL, 0, NULL, NULL, NULL },
};
