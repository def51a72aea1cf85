/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include "kvmhelper/simulated/kvmhelper-sim-machine.h"
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

/*
 * The hardware: host bridges, partitionable endpoints, IOMMU groups and functions.
 */

void
kvmhelper_sim_pe_free (gpointer data)
{
  KvmHelperSimPe *pe = data;

  g_ptr_array_unref (pe->functions);
  g_free (pe);
}

static void
group_free (gpointer data)
{
  KvmHelperSimGroup *group = data;

  g_ptr_array_unref (group->functions);
  g_free (group);
}

static void
phb_free (gpointer data)
{
  KvmHelperSimPhb *phb = data;

  g_ptr_array_unref (phb->pes);
  g_free (phb);
}

void
kvmhelper_sim_pci_init (KvmHelperSim *sim)
{
  sim->phbs = g_ptr_array_new_with_free_func (phb_free);
  sim->groups = g_ptr_array_new_with_free_func (group_free);
  sim->functions = g_hash_table_new (NULL, NULL);
  sim->drivers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                        (GDestroyNotify) kvmhelper_sim_driver_free);
  sim->irqs = g_ptr_array_new ();
  sim->machine = kvmhelper_sim_machine_new ();
}

static void
function_free (KvmHelperSimFunction *function)
{
  g_ptr_array_unref (function->vfs);
  g_clear_pointer (&function->uses, kvmhelper_sim_uses_free);
  g_free (function->reset_methods);
  g_free (function->all_reset_methods);
  g_free (function->natural_driver);
  g_free (function->vf_driver);
  g_free (function->driver_override);
  g_free (function->bound);
  g_free (function);
}

/* VFs belong to their PF. */
static void
free_functions (GHashTable *functions)
{
  GHashTableIter iter;
  gpointer function;

  g_hash_table_iter_init (&iter, functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    if (((KvmHelperSimFunction *) function)->physfn != NULL)
      g_hash_table_iter_remove (&iter);
  g_hash_table_iter_init (&iter, functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    function_free (function);
  g_hash_table_unref (functions);
}

void
kvmhelper_sim_pci_free (KvmHelperSim *sim)
{
  g_clear_pointer (&sim->irqs, g_ptr_array_unref);
  g_clear_pointer (&sim->functions, free_functions);
  g_clear_pointer (&sim->drivers, g_hash_table_unref);
  g_clear_pointer (&sim->groups, g_ptr_array_unref);
  g_clear_pointer (&sim->phbs, g_ptr_array_unref);
  g_clear_pointer (&sim->machine, kvmhelper_sim_machine_free);
  g_clear_pointer (&sim->release, g_free);
  g_clear_pointer (&sim->command_line, g_free);
  g_clear_pointer (&sim->boot_id, g_free);
}

KvmHelperSimPhb *
kvmhelper_sim_phb_new (KvmHelperSim *sim, guint domain)
{
  KvmHelperSimPhb *phb = g_new0 (KvmHelperSimPhb, 1);

  phb->sim = sim;
  phb->domain = domain;
  phb->pes = g_ptr_array_new_with_free_func (kvmhelper_sim_pe_free);
  g_ptr_array_add (sim->phbs, phb);
  return phb;
}

/* --- PEs and groups --- */

guint
kvmhelper_sim_phb_root_pe (const KvmHelperSimPhb *phb)
{
  return phb->pe_count - 2;
}

/* The element that has @number in its guint at @offset; NULL. */
static gpointer
find_by_number (const GPtrArray *elements, gsize offset, guint number)
{
  for (guint i = 0; i < elements->len; i++)
    if (G_STRUCT_MEMBER (guint, elements->pdata[i], offset) == number)
      return elements->pdata[i];
  return NULL;
}

KvmHelperSimPe *
kvmhelper_sim_phb_find_pe (const KvmHelperSimPhb *phb, guint number)
{
  return find_by_number (phb->pes, G_STRUCT_OFFSET (KvmHelperSimPe, number), number);
}

KvmHelperSimPe *
kvmhelper_sim_pe_new (KvmHelperSimPhb *phb, guint number)
{
  KvmHelperSimPe *pe;

  if (number == KVMHELPER_SIM_ANY_NUMBER)
    {
      number = kvmhelper_sim_phb_root_pe (phb);
      do
        if (number-- == 0)
          return NULL;
      while (kvmhelper_sim_phb_find_pe (phb, number) != NULL);
    }
  pe = g_new0 (KvmHelperSimPe, 1);
  pe->phb = phb;
  pe->number = number;
  pe->functions = g_ptr_array_new ();
  g_ptr_array_add (phb->pes, pe);
  return pe;
}

KvmHelperSimGroup *
kvmhelper_sim_find_group (KvmHelperSim *sim, guint number)
{
  return find_by_number (sim->groups, G_STRUCT_OFFSET (KvmHelperSimGroup, number), number);
}

KvmHelperSimGroup *
kvmhelper_sim_group_new (KvmHelperSimPe *pe, guint number)
{
  KvmHelperSim *sim = pe->phb->sim;
  KvmHelperSimGroup *group;

  /* drivers/iommu/iommu.c: iommu_group_alloc: the lowest free one */
  if (number == KVMHELPER_SIM_ANY_NUMBER)
    {
      while (kvmhelper_sim_find_group (sim, sim->next_group) != NULL)
        sim->next_group++;
      number = sim->next_group;
    }
  group = g_new0 (KvmHelperSimGroup, 1);
  group->sim = sim;
  group->number = number;
  group->pe = pe;
  group->functions = g_ptr_array_new ();
  g_ptr_array_add (sim->groups, group);
  return group;
}

void
kvmhelper_sim_function_join (KvmHelperSimFunction *function, KvmHelperSimPe *pe,
                             KvmHelperSimGroup *group)
{
  function->pe = pe;
  g_ptr_array_add (pe->functions, function);
  function->group = group;
  if (group != NULL)
    g_ptr_array_add (group->functions, function);
}

void
kvmhelper_sim_function_leave (KvmHelperSimFunction *function)
{
  if (function->pe != NULL)
    g_ptr_array_remove (function->pe->functions, function);
  if (function->group != NULL)
    g_ptr_array_remove (function->group->functions, function);
}

/* --- functions --- */

guint
kvmhelper_sim_key (const PciAddress *address)
{
  return ((guint) address->domain << 16) | ((guint) address->bus << 8)
         | ((guint) address->slot << 3) | address->function;
}

KvmHelperSimFunction *
kvmhelper_sim_find (KvmHelperSim *sim, const PciAddress *address)
{
  KvmHelperSimFunction *function
      = g_hash_table_lookup (sim->functions, GUINT_TO_POINTER (kvmhelper_sim_key (address)));

  return function == NULL || function->node == NULL ? NULL : function;
}

KvmHelperSimFunction *
kvmhelper_sim_function_new (KvmHelperSimPhb *phb, const PciAddress *address)
{
  KvmHelperSimFunction *function = g_new0 (KvmHelperSimFunction, 1);

  function->sim = phb->sim;
  function->phb = phb;
  function->address = *address;
  function->reset_methods = g_strdup ("");
  function->natural_driver = g_strdup ("");
  function->vf_driver = g_strdup ("");
  function->vfs = g_ptr_array_new_with_free_func ((GDestroyNotify) function_free);
  function->powered = TRUE;
  function->numa_node = -1;
  function->dma_bits = KVMHELPER_SIM_DMA_BITS;
  function->dma_mask = KVMHELPER_SIM_DMA_MASK;
  return function;
}

int
kvmhelper_sim_compare_functions (gconstpointer a, gconstpointer b)
{
  const KvmHelperSimFunction *first = *(const KvmHelperSimFunction *const *) a;
  const KvmHelperSimFunction *second = *(const KvmHelperSimFunction *const *) b;

  return pci_address_compare (&first->address, &second->address);
}

GPtrArray *
kvmhelper_sim_functions (KvmHelperSim *sim)
{
  GPtrArray *functions = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((KvmHelperSimFunction *) value)->node != NULL)
      g_ptr_array_add (functions, value);
  g_ptr_array_sort (functions, kvmhelper_sim_compare_functions);
  return functions;
}
