/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-machine.h"

/*
 * The kernels that are modelled, and what they make of a platform.
 */

#define SHIFT(shift) ((guint64) 1 << (shift))

typedef struct
{
  const char *name;
  const char *release;
  gboolean
      vfio_binds; /* Linux 5.19 to 6.3 asked every IOMMU for coherent DMA (commit a940904443e4) */
  gboolean msi_devices;
  gboolean autoprobe_added;
  gboolean no_pseries_bypass; /* merged for 6.18 */
} Kernel;

static const Kernel kernels[] = {
  { "6.1", "6.1.0-37-powerpc64le", FALSE, FALSE, FALSE, FALSE },
  { "6.12", "6.12.107+deb13-powerpc64le-64k", TRUE, FALSE, FALSE, FALSE },
  { "7.2", "7.2.13+deb14-powerpc64le-64k", TRUE, TRUE, TRUE, TRUE },
};

static const Kernel *
find_kernel (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++)
    if (g_str_equal (kernels[i].name, name))
      return &kernels[i];
  return NULL;
}

gboolean
kvmhelper_sim_profile_init (KvmHelperSimProfile *profile, const char *name, gboolean powernv)
{
  const Kernel *kernel = find_kernel (name);

  if (kernel == NULL)
    return FALSE;
  *profile = (KvmHelperSimProfile){
    .name = kernel->name,
    .powernv = powernv,
    .vfio_binds = kernel->vfio_binds,
    .msi_devices = kernel->msi_devices,
    .autoprobe_added = kernel->autoprobe_added,
    .kvm_hv = TRUE,
    .xive = TRUE,
    .xive_native = powernv,
    .eeh = TRUE,
    /* arch/powerpc/platforms/powernv/pci-ioda.c: pnv_pci_ioda2_setup_dma_pe; a partition's is what
     * the hypervisor gives it */
    .dma32_size = powernv ? 0x80000000 : 0x40000000,
    .tce_page_sizes = SHIFT (12) | SHIFT (16) | SHIFT (21) | (powernv ? SHIFT (30) : SHIFT (24)),
    .tce_windows = 2,
    .tce_levels = powernv ? 5 : 1,
    .no_bypass = !powernv && kernel->no_pseries_bypass,
    .bypass = powernv ? KVMHELPER_SIM_BYPASS_ON : KVMHELPER_SIM_BYPASS_REFUSED,
  };
  return TRUE;
}

const char *
kvmhelper_sim_profile_release (const KvmHelperSimProfile *profile)
{
  return find_kernel (profile->name)->release;
}

gboolean
kvmhelper_sim_command_line_has (const KvmHelperSim *sim, const char *word)
{
  g_auto (GStrv) words = g_strsplit (sim->command_line, " ", -1);

  return g_strv_contains ((const char *const *) words, word);
}
