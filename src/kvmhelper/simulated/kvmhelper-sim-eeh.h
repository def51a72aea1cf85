/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * EEH, Enhanced Error Handling, within itself: hardware stops a partitionable endpoint (PE) that
 * made an error, and nothing of it gets in or out until somebody lets it go again. What is where
 * (files are kvmhelper-sim-NAME.c, the kernel's are of arch/powerpc/kernel):
 *
 *   eeh              what the platform can do with a PE: calls of OPAL and RTAS
 *   eeh-core         what the kernel makes of that, and VFIO offers (eeh.c)
 *   eeh-event        how the host hears of errors (eeh_event.c)
 *   eeh-recovery     how it recovers what is its own (eeh_driver.c)
 *   eeh-sysfs, eeh-debugfs   its files (eeh_sysfs.c)
 *
 * Two words tell of each PE: what the hardware says (pe->state), and what the kernel holds
 * (pe->flags). VFIO and eeh_pe_state show the first; the second says who works on it.
 */

/* What get_state answers, and the first number of eeh_pe_state (arch/powerpc/include/asm/eeh.h:
 * EEH_STATE_*). */
#define EEH_STATE_UNAVAILABLE  (1 << 0)
#define EEH_STATE_NOT_SUPPORT  (1 << 1)
#define EEH_STATE_RESET_ACTIVE (1 << 2)
#define EEH_STATE_MMIO_ACTIVE  (1 << 3)
#define EEH_STATE_DMA_ACTIVE   (1 << 4)
#define EEH_STATE_MMIO_ENABLED (1 << 5)
#define EEH_STATE_DMA_ENABLED  (1 << 6)
#define EEH_STATE_ACTIVE       (EEH_STATE_MMIO_ACTIVE | EEH_STATE_DMA_ACTIVE)
#define EEH_STATE_ALL          (EEH_STATE_ACTIVE | EEH_STATE_MMIO_ENABLED | EEH_STATE_DMA_ENABLED)

/* pe->flags, the second number (EEH_PE_*). */
#define EEH_PE_ISOLATED       (1 << 0)  /* known to be frozen */
#define EEH_PE_RECOVERING     (1 << 1)  /* the host works on it */
#define EEH_PE_CFG_BLOCKED    (1 << 2)  /* no configuration space: it is reset */
#define EEH_PE_RESET          (1 << 3)  /* by the host */
#define EEH_PE_KEEP           (1 << 8)  /* stays though its functions go */
#define EEH_PE_CFG_RESTRICTED (1 << 9)  /* its configuration space must not be read while frozen */
#define EEH_PE_REMOVED        (1 << 10) /* given up for good */
#define EEH_PE_PRI_BUS        (1 << 11) /* its bus is known */

typedef enum
{
  EEH_THAW_MMIO,
  EEH_THAW_DMA,
  EEH_FREEZE
} EehOption;

typedef enum
{
  EEH_RESET_DEACTIVATE,
  EEH_RESET_HOT,
  EEH_RESET_FUNDAMENTAL
} EehReset;

/* sim->eeh. */
typedef struct
{
  gboolean forced_off;  /* eeh=off, or 0 was written to eeh_enable */
  guint32 max_freezes;  /* eeh_max_freezes */
  gboolean no_recovery; /* eeh_disable_recovery */
  /* of /proc/powerpc/eeh */
  guint64 total_mmio_ffs, false_positives, slot_resets;
  GPtrArray *phbs;       /* each PHB's own PE, owned */
  GPtrArray *recoveries; /* that are under way (kvmhelper-sim-eeh-recovery.c), owned */
} KvmHelperSimEeh;

static inline KvmHelperSimEeh *
kvmhelper_sim_eeh (const KvmHelperSimPe *pe)
{
  return pe->phb->sim->eeh;
}

/** kvmhelper_sim_eeh_is_phb: whether it is that of a whole PHB. */
static inline gboolean
kvmhelper_sim_eeh_is_phb (const KvmHelperSimPe *pe)
{
  return pe == pe->phb->pe;
}

/** kvmhelper_sim_eeh_has: whether the kernel made an EEH device of the function. */
gboolean kvmhelper_sim_eeh_has (const KvmHelperSimFunction *function);

/** kvmhelper_sim_eeh_tree: the PE and all below it, elements KvmHelperSimPe. */
GPtrArray *kvmhelper_sim_eeh_tree (KvmHelperSimPe *root);
/** kvmhelper_sim_eeh_parent: the PE above, at last that of the PHB; NULL above that. */
KvmHelperSimPe *kvmhelper_sim_eeh_parent (const KvmHelperSimPe *pe);
/** kvmhelper_sim_eeh_find: the PE of that number; NULL. */
KvmHelperSimPe *kvmhelper_sim_eeh_find (const KvmHelperSimPhb *phb, guint number);

/* --- the platform: eeh_ops --- */

/** kvmhelper_sim_eeh_state: EEH_STATE_*; as a side effect a frozen PE is then known to be so. */
guint kvmhelper_sim_eeh_state (KvmHelperSimPe *pe);
int kvmhelper_sim_eeh_set_option (KvmHelperSimPe *pe, EehOption option);
int kvmhelper_sim_eeh_platform_reset (KvmHelperSimPe *pe, EehReset reset);
int kvmhelper_sim_eeh_inject (KvmHelperSimPe *pe, int type, int function, guint64 address,
                              guint64 mask);

/* --- the core --- */

void kvmhelper_sim_eeh_mark (KvmHelperSimPe *root, guint flags);
void kvmhelper_sim_eeh_clear (KvmHelperSimPe *root, guint flags, gboolean include_passed);
void kvmhelper_sim_eeh_isolate (KvmHelperSimPe *root);
int kvmhelper_sim_eeh_thaw (KvmHelperSimPe *pe, EehOption option);
int kvmhelper_sim_eeh_unfreeze (KvmHelperSimPe *pe);
int kvmhelper_sim_eeh_reset_full (KvmHelperSimPe *pe, gboolean include_passed);
/** kvmhelper_sim_eeh_break: an access goes wrong, and the function's PE stops; -ENXIO: it has no
 * memory to access. */
int kvmhelper_sim_eeh_break (KvmHelperSimFunction *function);

/* --- events and recovery --- */

/** kvmhelper_sim_eeh_check: somebody read all ones; 1: the PE is frozen, and the host works on it.
 */
int kvmhelper_sim_eeh_check (KvmHelperSimFunction *function);
/** kvmhelper_sim_eeh_look: whatever has stopped is looked for, as the kernel does when OPAL says
 * that there are errors. */
void kvmhelper_sim_eeh_look (KvmHelperSim *sim);
/** kvmhelper_sim_eeh_send: the PE is to be recovered; with @forced whatever is set. */
void kvmhelper_sim_eeh_send (KvmHelperSimPe *pe, gboolean forced);
/** kvmhelper_sim_eeh_recover: as eeh_handle_normal_event: begins to. */
void kvmhelper_sim_eeh_recover (KvmHelperSimPe *pe);
/** kvmhelper_sim_eeh_driver_recovers: whether a driver has both error_detected and slot_reset. */
gboolean kvmhelper_sim_eeh_driver_recovers (const KvmHelperSimDriver *driver);
void kvmhelper_sim_eeh_recovery_free (gpointer recovery);

/* --- files --- */

void kvmhelper_sim_eeh_make_proc (KvmHelperSim *sim);
void kvmhelper_sim_eeh_make_debugfs (KvmHelperSim *sim);
