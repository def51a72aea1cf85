/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-description.h"

#include <string.h>

#include <glib/gi18n-lib.h>

/*
 * What the kernel makes of the functions of a description: PEs and IOMMU groups.
 */

const char *const kvmhelper_sim_pe_states[]
    = { "mmio-frozen", "dma-frozen", "reset", "unavailable", "dead", NULL };

/* A PE while functions are put into it. */
typedef struct
{
  KvmHelperSimPe *pe;
  KvmHelperSimGroup *group; /* from its first endpoint on; NULL */
} Unit;

/* The functions of a PHB, by address. */
typedef struct
{
  KvmHelperSimLoad *load;
  KvmHelperSimPhb *phb;
  GPtrArray *functions;
  GHashTable *claimed; /* PEs that have a place in it */
} Walk;

static const KvmHelperSimWish *
wish_of (const KvmHelperSimLoad *load, const KvmHelperSimFunction *function)
{
  return g_hash_table_lookup (load->wishes, function);
}

/* --- numbers --- */

/* The lowest that is free and that nobody wishes for. */
static guint
choose_group (KvmHelperSimLoad *load)
{
  KvmHelperSim *sim = load->sim;

  while (g_hash_table_contains (load->groups, GUINT_TO_POINTER (sim->next_group))
         || kvmhelper_sim_find_group (sim, sim->next_group) != NULL)
    sim->next_group++;
  return sim->next_group++;
}

static KvmHelperSimGroup *
make_group (KvmHelperSimLoad *load, KvmHelperSimPe *pe, const KvmHelperSimWish *wish,
            GError **error)
{
  guint number = wish == NULL ? KVMHELPER_SIM_ANY_NUMBER : wish->group;

  if (number == KVMHELPER_SIM_ANY_NUMBER)
    return kvmhelper_sim_group_new (pe, choose_group (load));
  if (kvmhelper_sim_find_group (load->sim, number) == NULL)
    return kvmhelper_sim_group_new (pe, number);
  kvmhelper_sim_load_fail (wish->node, error, _ ("Another PE is IOMMU group %u already"), number);
  return NULL;
}

/* The PE of a bus whose first function is @wish's. */
static KvmHelperSimPe *
make_pe (Walk *walk, const KvmHelperSimWish *wish, gboolean root, GError **error)
{
  guint number = wish->pe;
  KvmHelperSimPe *pe;

  if (number == KVMHELPER_SIM_ANY_NUMBER && root
      && kvmhelper_sim_phb_find_pe (walk->phb, kvmhelper_sim_phb_root_pe (walk->phb)) == NULL)
    number = kvmhelper_sim_phb_root_pe (walk->phb);
  pe = number == KVMHELPER_SIM_ANY_NUMBER ? NULL : kvmhelper_sim_phb_find_pe (walk->phb, number);
  if (pe == NULL)
    pe = kvmhelper_sim_pe_new (walk->phb, number);
  if (pe == NULL)
    kvmhelper_sim_load_fail (wish->node, error,
                             _ ("The host bridge of domain %04x has no more than %u PEs"),
                             walk->phb->domain, walk->phb->pe_count);
  else if (!g_hash_table_add (walk->claimed, pe))
    {
      kvmhelper_sim_load_fail (wish->node, error,
                               _ ("Functions of another bus are PE 0x%x already"), pe->number);
      return NULL;
    }
  return pe;
}

static gboolean
agrees (const KvmHelperSimWish *wish, const Unit *unit, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&wish->function->address, name);
  if (wish->pe != KVMHELPER_SIM_ANY_NUMBER && wish->pe != unit->pe->number)
    return kvmhelper_sim_load_fail (wish->node, error,
                                    _ ("%s belongs to the PE 0x%x, not 0x%x, by where it is"), name,
                                    unit->pe->number, wish->pe);
  if (wish->group != KVMHELPER_SIM_ANY_NUMBER && unit->group == NULL)
    return kvmhelper_sim_load_fail (wish->node, error, _ ("%s is in no IOMMU group"), name);
  if (wish->group != KVMHELPER_SIM_ANY_NUMBER && wish->group != unit->group->number)
    return kvmhelper_sim_load_fail (wish->node, error,
                                    _ ("%s is in IOMMU group %u, not %u, with the rest of its PE"),
                                    name, unit->group->number, wish->group);
  return TRUE;
}

static gboolean
join (const KvmHelperSimWish *wish, const Unit *unit, GError **error)
{
  KvmHelperSimFunction *function = wish->function;

  if (!agrees (wish, unit, error))
    return FALSE;
  function->pe = unit->pe;
  function->group = unit->group;
  if (!function->removed)
    kvmhelper_sim_function_join (function, unit->pe, unit->group);
  return TRUE;
}

/* --- powernv (arch/powerpc/platforms/powernv/pci-ioda.c) --- */

/* pnv_pci_ioda_dma_dev_setup: a PE has a group from its first function on that is no bridge. */
static gboolean
join_bus (Walk *walk, guint bus, KvmHelperSimPe *above, Unit *unit, GError **error)
{
  for (guint i = 0; i < walk->functions->len; i++)
    {
      KvmHelperSimFunction *function = walk->functions->pdata[i];
      const KvmHelperSimWish *wish = wish_of (walk->load, function);

      if (function->address.bus != bus)
        continue;
      if (unit->pe == NULL)
        {
          unit->pe = make_pe (walk, wish, bus == walk->phb->bus, error);
          if (unit->pe == NULL)
            return FALSE;
          unit->pe->parent = above;
        }
      if (unit->group == NULL && !function->bridge)
        {
          unit->group = make_group (walk->load, unit->pe, wish, error);
          if (unit->group == NULL)
            return FALSE;
        }
      if (!join (wish, unit, error))
        return FALSE;
    }
  return TRUE;
}

/* A bus, then those behind its bridges; @shared: the PE of all that is behind a bridge to PCI. */
static gboolean
walk_bus (Walk *walk, guint bus, KvmHelperSimPe *above, Unit *shared, GError **error)
{
  Unit own = { NULL, NULL };
  Unit *unit = shared == NULL ? &own : shared;

  if (!join_bus (walk, bus, above, unit, error))
    return FALSE;
  for (guint i = 0; i < walk->functions->len; i++)
    {
      const KvmHelperSimFunction *function = walk->functions->pdata[i];
      Unit whole = { NULL, NULL };
      Unit *below = shared != NULL ? shared : function->whole ? &whole : NULL;

      if (function->bridge && function->address.bus == bus
          && !walk_bus (walk, function->secondary_bus, unit->pe, below, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
walk_phb (Walk *walk, GError **error)
{
  /* What is wished for is not given to others. */
  for (guint i = 0; i < walk->functions->len; i++)
    {
      const KvmHelperSimWish *wish = wish_of (walk->load, walk->functions->pdata[i]);

      if (wish->pe != KVMHELPER_SIM_ANY_NUMBER
          && kvmhelper_sim_phb_find_pe (walk->phb, wish->pe) == NULL)
        kvmhelper_sim_pe_new (walk->phb, wish->pe);
    }
  return walk_bus (walk, walk->phb->bus, NULL, NULL, error);
}

/* --- partitions (arch/powerpc/platforms/pseries/iommu.c) --- */

/* RTAS' number of the PE of all that is on bus 0. */
#define PARTITION_PE 1

static gboolean
fill_phb (Walk *walk, GError **error)
{
  Unit unit = { kvmhelper_sim_pe_new (walk->phb, PARTITION_PE), NULL };
  const KvmHelperSimWish *wish = NULL;

  for (guint i = 0; i < walk->functions->len && wish == NULL; i++)
    {
      wish = wish_of (walk->load, walk->functions->pdata[i]);
      if (wish->group == KVMHELPER_SIM_ANY_NUMBER)
        wish = NULL;
    }
  unit.group = make_group (walk->load, unit.pe, wish, error);
  if (unit.group == NULL)
    return FALSE;
  for (guint i = 0; i < walk->functions->len; i++)
    if (!join (wish_of (walk->load, walk->functions->pdata[i]), &unit, error))
      return FALSE;
  return TRUE;
}

/* --- resets --- */

/* When the kernel finds a function it asks whether it is alone on its bus: the first one is, then
 * (drivers/pci/pci.c: pci_init_reset_methods, pci_parent_bus_reset). */
static gboolean
is_first (const Walk *walk, guint index)
{
  const KvmHelperSimFunction *function = walk->functions->pdata[index];
  const KvmHelperSimFunction *before = index == 0 ? NULL : walk->functions->pdata[index - 1];

  return before == NULL || before->address.bus != function->address.bus;
}

static gboolean
set_resets (const Walk *walk, GError **error)
{
  for (guint i = 0; i < walk->functions->len; i++)
    {
      KvmHelperSimFunction *function = walk->functions->pdata[i];
      const xmlNode *node = wish_of (walk->load, function)->node;

      if (function->all_reset_methods == NULL)
        function->all_reset_methods
            = g_strdup (function->parent != NULL && is_first (walk, i) ? "flr bus" : "flr");
      g_free (function->reset_methods);
      function->reset_methods
          = kvmhelper_sim_load_string (node, "reset-enabled", function->all_reset_methods);
      function->can_reset = *function->reset_methods != '\0';
      if (!kvmhelper_sim_load_bound (walk->load, function, node, error))
        return FALSE;
    }
  return TRUE;
}

/* --- virtual functions --- */

static const xmlNode *
find_vf (const xmlNode *node, guint number, GError **error)
{
  const xmlNode *found = NULL;

  for (const xmlNode *vf = common_xml_child (node, "vf"); vf != NULL;
       vf = common_xml_next (vf, "vf"))
    {
      guint value = 0;

      kvmhelper_sim_load_number (vf, "number", G_MAXUINT, &value, NULL);
      if (value != number)
        continue;
      if (found != NULL)
        {
          kvmhelper_sim_load_fail (vf, error, _ ("There are two virtual functions %u"), number);
          return NULL;
        }
      found = vf;
    }
  return found;
}

static gboolean
add_vf (KvmHelperSimLoad *load, KvmHelperSimFunction *physfn, guint number, const xmlNode *node,
        GError **error)
{
  KvmHelperSimFunction *vf = kvmhelper_sim_sriov_vf (physfn, number);
  GError *local = NULL;
  const xmlNode *described = find_vf (node, number, &local);
  KvmHelperSimWish wish = { .pe = KVMHELPER_SIM_ANY_NUMBER, .group = KVMHELPER_SIM_ANY_NUMBER };

  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (vf == NULL)
    return kvmhelper_sim_load_fail (
        node, error, _ ("There is no room for the address of virtual function %u"), number);
  if (described != NULL)
    {
      if (!kvmhelper_sim_load_wish (load, vf, described, error)
          || !kvmhelper_sim_load_bound (load, vf, described, error))
        return FALSE;
      wish = *wish_of (load, vf);
    }
  if (load->sim->profile.powernv && wish.pe != KVMHELPER_SIM_ANY_NUMBER
      && kvmhelper_sim_phb_find_pe (physfn->phb, wish.pe) != NULL)
    return kvmhelper_sim_load_fail (described, error, _ ("Other functions are PE 0x%x already"),
                                    wish.pe);
  if (load->sim->profile.powernv && wish.group != KVMHELPER_SIM_ANY_NUMBER
      && kvmhelper_sim_find_group (load->sim, wish.group) != NULL)
    return kvmhelper_sim_load_fail (described, error, _ ("Another PE is IOMMU group %u already"),
                                    wish.group);
  if (wish.group == KVMHELPER_SIM_ANY_NUMBER && load->sim->profile.powernv)
    wish.group = choose_group (load);
  kvmhelper_sim_sriov_join (vf, wish.pe, wish.group);
  return TRUE;
}

static gboolean
add_vfs (const Walk *walk, GError **error)
{
  for (guint i = 0; i < walk->functions->len; i++)
    {
      KvmHelperSimFunction *physfn = walk->functions->pdata[i];
      const xmlNode *node = wish_of (walk->load, physfn)->node;

      for (const xmlNode *vf = common_xml_child (node, "vf"); vf != NULL;
           vf = common_xml_next (vf, "vf"))
        {
          guint number = 0;

          if (!kvmhelper_sim_load_number (vf, "number", 0xffff, &number, error))
            return FALSE;
          if (number >= physfn->num_vfs)
            return kvmhelper_sim_load_fail (vf, error,
                                            _ ("Virtual function %u is not there: num-vfs is %u"),
                                            number, physfn->num_vfs);
        }
      for (guint number = 0; number < physfn->num_vfs; number++)
        if (!add_vf (walk->load, physfn, number, node, error))
          return FALSE;
    }
  return TRUE;
}

/* --- the state of PEs --- */

static gboolean
load_pe (const Walk *walk, const xmlNode *node, GError **error)
{
  g_autofree char *states = kvmhelper_sim_load_string (node, "state", "");
  g_auto (GStrv) words = g_strsplit_set (states, " \t\n", -1);
  guint number = 0;
  KvmHelperSimPe *pe;

  if (!kvmhelper_sim_load_number (node, "number", 0xffff, &number, error))
    return FALSE;
  pe = kvmhelper_sim_phb_find_pe (walk->phb, number);
  if (pe == NULL)
    return kvmhelper_sim_load_fail (node, error, _ ("No function is PE 0x%x"), number);
  if (!g_hash_table_remove (walk->claimed, pe))
    return kvmhelper_sim_load_fail (node, error, _ ("There are two states of PE 0x%x"), number);
  for (guint i = 0; kvmhelper_sim_pe_states[i] != NULL; i++)
    if (g_strv_contains ((const char *const *) words, kvmhelper_sim_pe_states[i]))
      pe->state |= 1u << i;
  return kvmhelper_sim_load_number (node, "flags", G_MAXUINT, &pe->flags, error)
         && kvmhelper_sim_load_number (node, "freezes", G_MAXINT, &pe->freezes, error);
}

static gboolean
load_states (const Walk *walk, const xmlNode *node, GError **error)
{
  g_hash_table_remove_all (walk->claimed);
  for (guint i = 0; i < walk->phb->pes->len; i++)
    g_hash_table_add (walk->claimed, walk->phb->pes->pdata[i]);
  for (const xmlNode *pe = common_xml_child (node, "pe"); pe != NULL;
       pe = common_xml_next (pe, "pe"))
    if (!load_pe (walk, pe, error))
      return FALSE;
  return TRUE;
}

/* --- all host bridges --- */

/* The functions of each host bridge, by address. */
static GPtrArray *
sort_functions (const KvmHelperSim *sim, const KvmHelperSimPhb *phb)
{
  GPtrArray *functions = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer function;

  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    if (((KvmHelperSimFunction *) function)->phb == phb)
      g_ptr_array_add (functions, function);
  g_ptr_array_sort (functions, kvmhelper_sim_compare_functions);
  return functions;
}

typedef gboolean (*PhbFunc) (Walk *walk, const xmlNode *node, GError **error);

static gboolean
assign (Walk *walk, const xmlNode *node, GError **error)
{
  return set_resets (walk, error)
         && (walk->load->sim->profile.powernv ? walk_phb (walk, error) : fill_phb (walk, error));
}

/* VFs are switched on when all else is there. */
static gboolean
finish (Walk *walk, const xmlNode *node, GError **error)
{
  return add_vfs (walk, error) && load_states (walk, node, error);
}

static gboolean
each_phb (KvmHelperSimLoad *load, const xmlNode *root, PhbFunc func, GError **error)
{
  const xmlNode *node = common_xml_child (root, "phb");

  for (guint i = 0; i < load->sim->phbs->len; i++, node = common_xml_next (node, "phb"))
    {
      KvmHelperSimPhb *phb = load->sim->phbs->pdata[i];
      g_autoptr (GPtrArray) functions = sort_functions (load->sim, phb);
      g_autoptr (GHashTable) claimed = g_hash_table_new (NULL, NULL);
      Walk walk = { load, phb, functions, claimed };

      if (!func (&walk, node, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
kvmhelper_sim_load_topology (KvmHelperSimLoad *load, const xmlNode *root, GError **error)
{
  return each_phb (load, root, assign, error) && each_phb (load, root, finish, error);
}
