/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-private.h"

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

/* From a description to a host that runs. */

/* In the order of a kernel's: hardware, what serves it, then the drivers take it. */
static void
start_parts (KvmHelperSim *sim)
{
  kvmhelper_sim_pci_start (sim);
  kvmhelper_sim_eeh_start (sim);
  kvmhelper_sim_vfio_start (sim);
  kvmhelper_sim_kvm_start (sim);
  kvmhelper_sim_pci_bind (sim);
}

void
kvmhelper_sim_stop_parts (KvmHelperSim *sim)
{
  kvmhelper_sim_kvm_free (sim);
  kvmhelper_sim_vfio_free (sim);
  kvmhelper_sim_eeh_free (sim);
  kvmhelper_sim_pci_free (sim);
}

KvmHelperSim *
kvmhelper_sim_new_from_xml (const char *xml, const char *name, GError **error)
{
  g_autoptr (KvmHelperSim) sim = kvmhelper_sim_new_bare (name);

  if (!kvmhelper_sim_description_load (sim, xml, error))
    return NULL;
  g_mutex_lock (&sim->lock);
  start_parts (sim);
  g_mutex_unlock (&sim->lock);
  return g_steal_pointer (&sim);
}

KvmHelperSim *
kvmhelper_sim_new_from_file (const char *path, GError **error)
{
  g_autofree char *xml = NULL;
  g_autoptr (GError) local = NULL;

  if (!g_file_get_contents (path, &xml, NULL, &local))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("The description of the host cannot be read: %s"), local->message);
      return NULL;
    }
  return kvmhelper_sim_new_from_xml (xml, path, error);
}
