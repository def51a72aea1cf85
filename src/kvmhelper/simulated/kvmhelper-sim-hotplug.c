/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-machine.h"
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

/*
 * Functions come and go: at the start, by "remove" and "rescan" of sysfs (drivers/pci/remove.c,
 * probe.c), and by hand.
 */

/* How often it is looked whether a user has let go of a function that was pulled, µs. */
#define LOOK_AGAIN 10000

/* --- the start --- */

/* With its bridge, and its PF, before it. */
static void
start_tree (KvmHelperSimFunction *function)
{
  if (function->node != NULL || function->removed)
    return;
  if (function->parent != NULL)
    start_tree (function->parent);
  if (function->physfn != NULL)
    start_tree (function->physfn);
  kvmhelper_sim_function_publish (function);
}

void
kvmhelper_sim_pci_start (KvmHelperSim *sim)
{
  GHashTableIter iter;
  gpointer function;

  kvmhelper_sim_machine_start (sim);
  kvmhelper_sim_drivers_start (sim);
  for (guint i = 0; i < sim->phbs->len; i++)
    kvmhelper_sim_publish_phb (sim->phbs->pdata[i]);
  if (!sim->profile.powernv)
    for (guint i = 0; i < sim->groups->len; i++)
      kvmhelper_sim_publish_group (sim->groups->pdata[i]);
  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    start_tree (function);
}

void
kvmhelper_sim_pci_bind (KvmHelperSim *sim)
{
  g_autoptr (GPtrArray) functions = kvmhelper_sim_functions (sim);

  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperSimFunction *function = functions->pdata[i];
      const char *name = function->bound == NULL ? function->natural_driver : function->bound;
      KvmHelperSimDriver *driver = g_hash_table_lookup (sim->drivers, name);

      if (driver != NULL)
        kvmhelper_sim_driver_take (driver, function);
      g_clear_pointer (&function->bound, g_free);
    }
}

/* --- remove and rescan --- */

/* Those directly behind a bridge; VFs come after their PF. */
static GPtrArray *
functions_behind (KvmHelperSimFunction *bridge)
{
  GPtrArray *functions = kvmhelper_sim_functions (bridge->sim);

  for (guint i = functions->len; i > 0; i--)
    {
      const KvmHelperSimFunction *function = functions->pdata[i - 1];

      if (function->parent != bridge)
        g_ptr_array_remove_index (functions, i - 1);
    }
  return functions;
}

/* Nothing of a function stays but the hardware. */
static void
forget (KvmHelperSimFunction *function)
{
  kvmhelper_sim_function_leave (function);
  kvmhelper_sim_function_withdraw (function);
  g_clear_pointer (&function->driver_override, g_free);
  g_free (function->reset_methods);
  function->reset_methods = g_strdup (function->all_reset_methods);
  function->can_reset = *function->reset_methods != '\0';
  function->enabled = 0;
  function->dma_mask = KVMHELPER_SIM_DMA_MASK;
  function->powered = TRUE;
}

void
kvmhelper_sim_function_remove (KvmHelperSimFunction *function)
{
  if (function->node == NULL)
    return;
  if (function->bridge)
    {
      g_autoptr (GPtrArray) functions = functions_behind (function);

      for (guint i = functions->len; i > 0; i--)
        kvmhelper_sim_function_remove (functions->pdata[i - 1]);
    }
  kvmhelper_sim_device_lock (function);
  kvmhelper_sim_device_release (function);
  if (function->node != NULL)
    forget (function);
  kvmhelper_sim_device_unlock (function);
}

/* It is found: directory, driver. */
static void
function_add (KvmHelperSimFunction *function)
{
  if (function->pe != NULL)
    kvmhelper_sim_function_join (function, function->pe, function->group);
  kvmhelper_sim_function_publish (function);
  kvmhelper_sim_device_come (function);
}

static int
compare_functions (gconstpointer a, gconstpointer b)
{
  return pci_address_compare (&((const KvmHelperSimFunction *) a)->address,
                              &((const KvmHelperSimFunction *) b)->address);
}

/* A VF answers to nobody who looks for functions; its PF makes it. What is frozen gives all ones,
 * as an empty slot does. */
static gboolean
can_be_found (const KvmHelperSimFunction *function)
{
  return function->node == NULL && !function->absent && function->physfn == NULL
         && !kvmhelper_sim_eeh_silent (function)
         && (function->parent == NULL || function->parent->node != NULL);
}

void
kvmhelper_sim_rescan (KvmHelperSim *sim)
{
  g_autoptr (GList) functions
      = g_list_sort (g_hash_table_get_values (sim->functions), compare_functions);
  gboolean found = TRUE;

  /* What is behind a bridge is found once the bridge is. */
  while (found)
    {
      found = FALSE;
      for (GList *i = functions; i != NULL; i = i->next)
        if (can_be_found (i->data))
          {
            function_add (i->data);
            found = TRUE;
          }
    }
}

/* --- by hand --- */

/* Where the bridge above is not there, a rescan finds it later. */
static void
put_in (KvmHelperSimFunction *function)
{
  const guint key = kvmhelper_sim_key (&function->address);

  function->absent = FALSE;
  function->vendor = function->next_vendor;
  function->device = function->next_device;
  function->next_vendor = 0;
  g_hash_table_insert (function->sim->functions, GUINT_TO_POINTER (key), function);
  if (function->parent == NULL || function->parent->node != NULL)
    function_add (function);
}

/* Whether somebody is still at it: a write to sysfs, a function behind it, or the user that has it
 * open, who is asked to give it back. */
static gboolean
is_held (KvmHelperSimFunction *function)
{
  if (function->locked)
    return TRUE;
  if (function->bridge)
    {
      g_autoptr (GPtrArray) functions = functions_behind (function);

      if (functions->len > 0)
        return TRUE;
    }
  return function->driver != NULL && function->driver->vfio
         && !kvmhelper_sim_vfio_remove (function);
}

/* What was pulled goes, at once or when it is let go of. */
static void
let_go (gpointer data)
{
  KvmHelperSimFunction *function = data;
  KvmHelperSim *sim = function->sim;

  if (function->node != NULL && is_held (function))
    {
      kvmhelper_sim_at (sim, kvmhelper_sim_now (sim) + LOOK_AGAIN, let_go, function);
      return;
    }
  if (function->node != NULL)
    {
      kvmhelper_sim_driver_drop (function);
      forget (function);
    }
  if (function->physfn != NULL)
    g_hash_table_remove (sim->functions, GUINT_TO_POINTER (kvmhelper_sim_key (&function->address)));
  if (function->next_vendor != 0)
    put_in (function);
}

static void
unplug_vfs (KvmHelperSimFunction *physfn)
{
  for (; physfn->num_vfs > 0; physfn->num_vfs--)
    kvmhelper_sim_unplug (physfn->vfs->pdata[physfn->num_vfs - 1]);
}

void
kvmhelper_sim_unplug (KvmHelperSimFunction *function)
{
  gboolean there = function->node != NULL && !function->absent;

  function->absent = TRUE;
  unplug_vfs (function);
  if (function->bridge)
    {
      g_autoptr (GPtrArray) functions = functions_behind (function);

      for (guint i = functions->len; i > 0; i--)
        kvmhelper_sim_unplug (functions->pdata[i - 1]);
    }
  if (!there)
    return;
  kvmhelper_sim_driver_unlink (function);
  let_go (function);
}

void
kvmhelper_sim_replace (KvmHelperSimFunction *function, guint vendor, guint device)
{
  function->next_vendor = vendor;
  function->next_device = device;
  if (function->node == NULL)
    put_in (function);
  else if (!function->absent)
    kvmhelper_sim_unplug (function);
}
