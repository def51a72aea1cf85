/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

#include "common/common-error.h"
#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

#include <glib/gi18n-lib.h>

static KvmHelperSimFunction *
find (KvmHelperSim *sim, const PciAddress *address, GError **error)
{
  KvmHelperSimFunction *function = kvmhelper_sim_find (sim, address);
  char name[PCI_ADDRESS_LEN];

  if (function == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN,
                 _ ("%s: the host has no function %s"), sim->name,
                 pci_address_format (address, name));
  return function;
}

static GMutexLocker *
lock (KvmHelperSim *sim)
{
  GMutexLocker *locker = g_mutex_locker_new (&sim->lock);

  kvmhelper_sim_run_due (sim);
  return locker;
}

gboolean
kvmhelper_sim_inject_freeze (KvmHelperSim *sim, const PciAddress *address, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);

  if (function == NULL)
    return FALSE;
  if (function->pe != NULL)
    kvmhelper_sim_eeh_freeze (function->pe);
  return TRUE;
}

gboolean
kvmhelper_sim_inject_fence (KvmHelperSim *sim, const PciAddress *address, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);

  if (function == NULL)
    return FALSE;
  kvmhelper_sim_eeh_fence (function->phb);
  return TRUE;
}

gboolean
kvmhelper_sim_inject_fail (KvmHelperSim *sim, const PciAddress *address, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);

  if (function == NULL)
    return FALSE;
  kvmhelper_sim_eeh_fail (function->phb);
  return TRUE;
}

gboolean
kvmhelper_sim_inject_interrupt (KvmHelperSim *sim, const PciAddress *address, guint index,
                                guint vector, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);
  KvmHelperSimIrq *irq;

  if (function == NULL)
    return FALSE;
  irq = kvmhelper_sim_vfio_irq (function, index, vector);
  if (irq != NULL && !kvmhelper_sim_eeh_blocked (function))
    kvmhelper_sim_irq_raise (irq);
  return TRUE;
}

gboolean
kvmhelper_sim_inject_unplug (KvmHelperSim *sim, const PciAddress *address, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);

  if (function == NULL)
    return FALSE;
  kvmhelper_sim_unplug (function);
  return TRUE;
}

gboolean
kvmhelper_sim_inject_replace (KvmHelperSim *sim, const PciAddress *address, guint vendor,
                              guint device, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimFunction *function = find (sim, address, error);

  if (function == NULL)
    return FALSE;
  kvmhelper_sim_replace (function, vendor, device);
  return TRUE;
}

void
kvmhelper_sim_chown (KvmHelperSim *sim, KvmHelperRoot root, const char *path, guint uid)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = lock (sim);
  KvmHelperSimProcess *init = g_hash_table_lookup (sim->processes, GUINT_TO_POINTER (1));
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };

  if (kvmhelper_sim_walk (init, root, path, KVMHELPER_SIM_BENEATH, &entry) == 0)
    entry.node->owner = uid;
}
