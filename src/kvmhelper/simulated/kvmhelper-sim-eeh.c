/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

/* The four Broadcom adapters whose configuration space fences the PHB when it is read while frozen
 * (arch/powerpc/platforms/powernv/eeh-powernv.c: pnv_eeh_probe). */
static const guint restricted_devices[] = { 0x1656, 0x1657, 0x168a, 0x168e };

static gboolean
is_restricted (const KvmHelperSimFunction *function)
{
  for (guint i = 0; i < G_N_ELEMENTS (restricted_devices); i++)
    if (function->vendor == 0x14e4 && function->device == restricted_devices[i])
      return TRUE;
  return FALSE;
}

static void
set_up_pe (KvmHelperSimPe *pe)
{
  if (pe->phb->sim->profile.powernv && pe->functions->len > 0)
    pe->flags |= EEH_PE_PRI_BUS;
  for (guint i = 0; i < pe->functions->len; i++)
    if (is_restricted (pe->functions->pdata[i]))
      pe->flags |= EEH_PE_CFG_RESTRICTED;
}

/* The host was described in the middle of a recovery: it goes on with that. What else is frozen
 * stays so until somebody looks. */
static void
resume_work (KvmHelperSim *sim)
{
  for (guint i = 0; i < sim->phbs->len; i++)
    {
      const KvmHelperSimPhb *phb = sim->phbs->pdata[i];

      for (guint j = 0; phb->pe != NULL && j < phb->pes->len; j++)
        {
          KvmHelperSimPe *pe = phb->pes->pdata[j];

          if ((pe->flags & (EEH_PE_RECOVERING | EEH_PE_REMOVED)) == EEH_PE_RECOVERING)
            kvmhelper_sim_eeh_send (pe, TRUE);
        }
    }
}

void
kvmhelper_sim_eeh_start (KvmHelperSim *sim)
{
  KvmHelperSimEeh *self = g_new0 (KvmHelperSimEeh, 1);

  self->forced_off = !sim->profile.eeh;
  self->max_freezes = 5;
  self->phbs = g_ptr_array_new_with_free_func (kvmhelper_sim_pe_free);
  self->recoveries = g_ptr_array_new_with_free_func (kvmhelper_sim_eeh_recovery_free);
  sim->eeh = self;
  for (guint i = 0; sim->profile.eeh && i < sim->phbs->len; i++)
    {
      KvmHelperSimPhb *phb = sim->phbs->pdata[i];
      KvmHelperSimPe *pe = g_new0 (KvmHelperSimPe, 1);

      pe->phb = phb;
      pe->functions = g_ptr_array_new ();
      g_ptr_array_add (self->phbs, pe);
      phb->pe = pe;
      for (guint j = 0; j < phb->pes->len; j++)
        set_up_pe (phb->pes->pdata[j]);
    }
  kvmhelper_sim_eeh_make_proc (sim);
  kvmhelper_sim_eeh_make_debugfs (sim);
  if (sim->profile.powernv)
    resume_work (sim);
}

void
kvmhelper_sim_eeh_free (KvmHelperSim *sim)
{
  KvmHelperSimEeh *self = sim->eeh;

  if (self == NULL)
    return;
  kvmhelper_sim_forget (sim, self);
  g_ptr_array_unref (self->recoveries);
  for (guint i = 0; i < self->phbs->len; i++)
    kvmhelper_sim_forget (sim, self->phbs->pdata[i]);
  g_ptr_array_unref (self->phbs);
  g_free (self);
  sim->eeh = NULL;
}

gboolean
kvmhelper_sim_eeh_enabled (KvmHelperSim *sim)
{
  const KvmHelperSimEeh *self = sim->eeh;

  /* eeh_enabled (asm/eeh.h): EEH_ENABLED, which the first device set, and not EEH_FORCE_DISABLED */
  return sim->profile.eeh && !self->forced_off;
}

gboolean
kvmhelper_sim_eeh_has (const KvmHelperSimFunction *function)
{
  return function->sim->profile.eeh && function->pe != NULL;
}

KvmHelperSimPe *
kvmhelper_sim_eeh_parent (const KvmHelperSimPe *pe)
{
  if (kvmhelper_sim_eeh_is_phb (pe))
    return NULL;
  return pe->parent != NULL ? pe->parent : pe->phb->pe;
}

static gboolean
is_below (const KvmHelperSimPe *pe, const KvmHelperSimPe *root)
{
  for (; pe != NULL; pe = kvmhelper_sim_eeh_parent (pe))
    if (pe == root)
      return TRUE;
  return FALSE;
}

GPtrArray *
kvmhelper_sim_eeh_tree (KvmHelperSimPe *root)
{
  GPtrArray *tree = g_ptr_array_new ();

  g_ptr_array_add (tree, root);
  for (guint i = 0; i < root->phb->pes->len; i++)
    if (root->phb->pes->pdata[i] != root && is_below (root->phb->pes->pdata[i], root))
      g_ptr_array_add (tree, root->phb->pes->pdata[i]);
  return tree;
}

KvmHelperSimPe *
kvmhelper_sim_eeh_find (const KvmHelperSimPhb *phb, guint number)
{
  for (guint i = 0; phb->pe != NULL && i < phb->pes->len; i++)
    {
      KvmHelperSimPe *pe = phb->pes->pdata[i];

      if (pe->number == number && pe->functions->len > 0)
        return pe;
    }
  return NULL;
}

gboolean
kvmhelper_sim_eeh_blocked (const KvmHelperSimFunction *function)
{
  const KvmHelperSimPhb *phb = function->phb;

  return phb->fenced || phb->dead
         || (function->pe != NULL
             && (function->pe->state & ~(guint) KVMHELPER_SIM_PE_MMIO_FROZEN) != 0);
}

gboolean
kvmhelper_sim_eeh_silent (const KvmHelperSimFunction *function)
{
  const KvmHelperSimPhb *phb = function->phb;

  return phb->fenced || phb->dead
         || (function->pe != NULL
             && (function->pe->state & ~(guint) KVMHELPER_SIM_PE_DMA_FROZEN) != 0);
}

/* pnv_eeh_get_phb_state: of a PHB that is fenced nothing is enabled; a dead one answers no more. */
static guint
phb_state (KvmHelperSimPe *pe)
{
  if (pe->phb->dead)
    return EEH_STATE_NOT_SUPPORT;
  if (!pe->phb->fenced)
    return EEH_STATE_ALL;
  if ((pe->flags & EEH_PE_ISOLATED) == 0)
    kvmhelper_sim_eeh_isolate (pe);
  return 0;
}

/* pnv_eeh_get_pe_state; what OPAL says of a PE of a fenced PHB: all frozen, of a dead one: that it
 * cannot tell, which is then "temporarily unavailable" (skiboot, hw/phb4.c: phb4_eeh_freeze_status;
 * pci-ioda.c: pnv_ioda_get_pe_state). */
static guint
powernv_state (KvmHelperSimPe *pe)
{
  guint state;

  /* While the host resets it, it passes for sound, so that the core goes on. */
  if ((pe->flags & EEH_PE_RESET) != 0)
    return EEH_STATE_ALL;
  if (pe->phb->dead || (pe->state & KVMHELPER_SIM_PE_UNAVAILABLE) != 0)
    return EEH_STATE_UNAVAILABLE;
  if ((pe->state & KVMHELPER_SIM_PE_DEAD) != 0)
    return EEH_STATE_NOT_SUPPORT;
  if ((pe->state & KVMHELPER_SIM_PE_RESET) != 0)
    state = EEH_STATE_RESET_ACTIVE;
  else if (pe->phb->fenced)
    state = 0;
  else
    {
      state = EEH_STATE_ALL;
      if ((pe->state & KVMHELPER_SIM_PE_MMIO_FROZEN) != 0)
        state &= ~(EEH_STATE_MMIO_ACTIVE | EEH_STATE_MMIO_ENABLED);
      if ((pe->state & KVMHELPER_SIM_PE_DMA_FROZEN) != 0)
        state &= ~(EEH_STATE_DMA_ACTIVE | EEH_STATE_DMA_ENABLED);
    }
  if ((state & EEH_STATE_ACTIVE) == 0 && (pe->flags & EEH_PE_ISOLATED) == 0)
    {
      kvmhelper_sim_eeh_set_option (pe, EEH_FREEZE);
      kvmhelper_sim_eeh_isolate (pe);
    }
  return state;
}

/* What RTAS' ibm,read-slot-reset-state2 says: 0, 1, 2, 4, 5
 * (arch/powerpc/platforms/pseries/eeh_pseries.c: pseries_eeh_get_state). */
static guint
pseries_state (const KvmHelperSimPe *pe)
{
  if ((pe->state & KVMHELPER_SIM_PE_DEAD) != 0)
    return EEH_STATE_NOT_SUPPORT;
  if ((pe->state & KVMHELPER_SIM_PE_UNAVAILABLE) != 0)
    return EEH_STATE_UNAVAILABLE;
  if ((pe->state & KVMHELPER_SIM_PE_RESET) != 0)
    return EEH_STATE_RESET_ACTIVE | EEH_STATE_ACTIVE;
  if ((pe->state & KVMHELPER_SIM_PE_MMIO_FROZEN) != 0)
    return 0;
  if ((pe->state & KVMHELPER_SIM_PE_DMA_FROZEN) != 0)
    return EEH_STATE_MMIO_ENABLED;
  return EEH_STATE_ALL;
}

guint
kvmhelper_sim_eeh_state (KvmHelperSimPe *pe)
{
  if (kvmhelper_sim_eeh_is_phb (pe))
    return phb_state (pe);
  return pe->phb->sim->profile.powernv ? powernv_state (pe) : pseries_state (pe);
}

int
kvmhelper_sim_eeh_set_option (KvmHelperSimPe *pe, EehOption option)
{
  if (option == EEH_FREEZE)
    {
      /* pnv_ioda_freeze_pe; a partition cannot, and does not say so */
      if (pe->phb->sim->profile.powernv)
        pe->state |= KVMHELPER_SIM_PE_MMIO_FROZEN | KVMHELPER_SIM_PE_DMA_FROZEN;
      return 0;
    }
  /* pnv_ioda_unfreeze_pe: OPAL_HARDWARE (skiboot, hw/phb4.c: phb4_eeh_freeze_clear) */
  if (pe->phb->dead || pe->phb->fenced)
    return -EIO;
  pe->state
      &= ~(option == EEH_THAW_MMIO ? KVMHELPER_SIM_PE_MMIO_FROZEN : KVMHELPER_SIM_PE_DMA_FROZEN);
  return 0;
}

/* pnv_eeh_phb_reset: a complete reset: nothing is frozen after it. */
static int
reset_phb (KvmHelperSimPhb *phb)
{
  if (phb->dead)
    return -EIO;
  phb->fenced = FALSE;
  for (guint i = 0; i < phb->pes->len; i++)
    {
      KvmHelperSimPe *pe = phb->pes->pdata[i];

      pe->state &= ~(KVMHELPER_SIM_PE_MMIO_FROZEN | KVMHELPER_SIM_PE_DMA_FROZEN);
    }
  return 0;
}

int
kvmhelper_sim_eeh_platform_reset (KvmHelperSimPe *pe, EehReset reset)
{
  if (kvmhelper_sim_eeh_is_phb (pe))
    return reset_phb (pe->phb);
  if (pe->phb->dead || pe->phb->fenced || (pe->state & KVMHELPER_SIM_PE_DEAD) != 0)
    return -EIO;
  if (pe->phb->sim->profile.powernv)
    return 0; /* the PE stays frozen: pnv_eeh_reset says why */
  /* ibm,set-slot-reset of PAPR: held in reset, then sound */
  pe->state &= ~(KVMHELPER_SIM_PE_MMIO_FROZEN | KVMHELPER_SIM_PE_DMA_FROZEN);
  if (reset == EEH_RESET_DEACTIVATE)
    pe->state &= ~KVMHELPER_SIM_PE_RESET;
  else
    pe->state |= KVMHELPER_SIM_PE_RESET;
  return 0;
}

/* Errors that can be injected, of include/uapi/asm/eeh.h: EEH_ERR_FUNC_*. */
enum
{
  LOAD_MEMORY_ADDRESS = 0,
  LOAD_MEMORY_DATA = 1,
  LOAD_CONFIG_ADDRESS = 4,
  LOAD_CONFIG_DATA = 5,
  STORE_MEMORY_ADDRESS = 6,
  STORE_MEMORY_DATA = 7,
  STORE_CONFIG_ADDRESS = 10,
  STORE_CONFIG_DATA = 11,
  LAST_FUNCTION = 19
};

/* pnv_eeh_err_inject. The registers are armed, and what meets the address next finds the error; of
 * the PHB4 only errors of the configuration space can be had without one (skiboot, hw/phb4.c:
 * phb4_err_inject_mem32: OPAL_UNSUPPORTED). */
static int
powernv_inject (int type, int function)
{
  if (type != 0 && type != 1)
    return -ERANGE;
  if (function < 0 || function > LAST_FUNCTION)
    return -ERANGE;
  switch (function)
    {
    case LOAD_CONFIG_ADDRESS:
    case LOAD_CONFIG_DATA:
    case STORE_CONFIG_ADDRESS:
    case STORE_CONFIG_DATA:
      return 0;
    default:
      return -EIO;
    }
}

/* pseries_eeh_err_inject, from 6.12 on: it makes the error itself, by an access to memory. */
static int
pseries_inject (KvmHelperSimPe *pe, int function)
{
  switch (function)
    {
    case LOAD_MEMORY_ADDRESS:
    case LOAD_MEMORY_DATA:
    case STORE_MEMORY_ADDRESS:
    case STORE_MEMORY_DATA:
      return pe->functions->len == 0 ? -ENODEV : kvmhelper_sim_eeh_break (pe->functions->pdata[0]);
    default:
      return -ERANGE;
    }
}

int
kvmhelper_sim_eeh_inject (KvmHelperSimPe *pe, int type, int function, guint64 address, guint64 mask)
{
  return pe->phb->sim->profile.powernv ? powernv_inject (type, function)
                                       : pseries_inject (pe, function);
}
