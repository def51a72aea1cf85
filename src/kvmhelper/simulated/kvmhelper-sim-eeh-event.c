/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

/* How the host hears that something is frozen: under PowerNV the firmware raises an interrupt and
 * is then asked what it is (pnv_eeh_next_error); in a partition nobody tells, and a driver finds
 * out when it reads all ones (eeh_dev_check_failure). */

/* Where the kernel finds nothing in the device tree it says so (eeh_pe_loc_get). */
#define LOCATION "N/A"

/* How long the kernel's thread takes to come to an event; less than anybody can see. */
#define THREAD_DELAY 1000

static void
recover_later (gpointer data)
{
  kvmhelper_sim_eeh_recover (data);
}

/* eeh_send_failure_event; __eeh_send_failure_event with @forced. */
void
kvmhelper_sim_eeh_send (KvmHelperSimPe *pe, gboolean forced)
{
  KvmHelperSim *sim = pe->phb->sim;

  if (kvmhelper_sim_eeh (pe)->no_recovery && !forced)
    {
      kvmhelper_sim_log (sim, "EEH: Event dropped due to no_recover setting");
      return;
    }
  kvmhelper_sim_eeh_mark (pe, EEH_PE_RECOVERING);
  kvmhelper_sim_at (sim, kvmhelper_sim_now (sim) + THREAD_DELAY, recover_later, pe);
}

/* The end of a PHB: nothing behind it will answer again (eeh_handle_special_event). */
static void
bury (KvmHelperSimPhb *phb)
{
  g_autoptr (GList) functions = g_hash_table_get_values (phb->sim->functions);

  kvmhelper_sim_log (phb->sim, "EEH: dead PHB#%x detected, location: " LOCATION, phb->domain);
  kvmhelper_sim_eeh_isolate (phb->pe);
  for (GList *i = functions; i != NULL; i = i->next)
    {
      KvmHelperSimFunction *function = i->data;

      if (function->phb == phb && function->parent == NULL && function->node != NULL)
        kvmhelper_sim_unplug (function);
    }
}

static void
take (KvmHelperSimPe *pe)
{
  kvmhelper_sim_eeh_isolate (pe);
  kvmhelper_sim_eeh_mark (pe, EEH_PE_RECOVERING);
  kvmhelper_sim_eeh_recover (pe);
}

/* A frozen PE of which the host has not heard yet, or that it leaves to its guest. */
static gboolean
is_news (const KvmHelperSimPe *pe)
{
  return (pe->state & KVMHELPER_SIM_PE_MMIO_FROZEN) != 0
         && (pe->state & KVMHELPER_SIM_PE_DMA_FROZEN) != 0 && pe->functions->len > 0
         && (pe->flags & EEH_PE_ISOLATED) == 0 && pe->passed == 0;
}

static void
take_frozen (KvmHelperSimPe *pe)
{
  KvmHelperSimPhb *phb = pe->phb;

  kvmhelper_sim_log (phb->sim, "EEH: Frozen PE#%x on PHB#%x detected", pe->number, phb->domain);
  kvmhelper_sim_log (phb->sim, "EEH: PE location: " LOCATION ", PHB location: " LOCATION);
  kvmhelper_sim_eeh_isolate (pe);
  /* A parent that is frozen too, though not wholly, is handled instead. */
  for (KvmHelperSimPe *parent = kvmhelper_sim_eeh_parent (pe);
       parent != NULL && !kvmhelper_sim_eeh_is_phb (parent);
       parent = kvmhelper_sim_eeh_parent (parent))
    {
      guint state = kvmhelper_sim_eeh_state (parent);

      if (state > 0 && (state & EEH_STATE_ACTIVE) != EEH_STATE_ACTIVE)
        pe = parent;
    }
  take (pe);
}

/* pnv_eeh_next_error, PHB after PHB, and what eeh_handle_special_event does with what it finds. */
static void
look_for_errors (gpointer data)
{
  KvmHelperSimEeh *self = data;

  for (guint i = 0; i < self->phbs->len; i++)
    {
      KvmHelperSimPe *phb_pe = self->phbs->pdata[i];
      KvmHelperSimPhb *phb = phb_pe->phb;

      if ((phb_pe->flags & EEH_PE_ISOLATED) != 0)
        continue;
      if (phb->dead)
        bury (phb);
      else if (phb->fenced)
        {
          kvmhelper_sim_log (phb->sim, "EEH: Fenced PHB#%x detected, location: " LOCATION,
                             phb->domain);
          take (phb_pe);
        }
      else
        for (guint j = 0; j < phb->pes->len; j++)
          if (is_news (phb->pes->pdata[j]))
            take_frozen (phb->pes->pdata[j]);
    }
}

void
kvmhelper_sim_eeh_look (KvmHelperSim *sim)
{
  kvmhelper_sim_at (sim, kvmhelper_sim_now (sim) + THREAD_DELAY, look_for_errors, sim->eeh);
}

/* OPAL says that there are errors. */
static void
hardware_event (KvmHelperSim *sim)
{
  KvmHelperSimEeh *self = sim->eeh;

  if (!kvmhelper_sim_eeh_enabled (sim))
    return;
  if (self->no_recovery)
    kvmhelper_sim_log (sim, "EEH: Event dropped due to no_recover setting");
  else
    kvmhelper_sim_eeh_look (sim);
}

/* In a partition: the drivers of the host stumble over it. */
static void
stumble (KvmHelperSimPe *pe)
{
  for (guint i = 0; i < pe->functions->len; i++)
    {
      KvmHelperSimFunction *function = pe->functions->pdata[i];

      if (function->driver != NULL && !function->driver->vfio)
        kvmhelper_sim_eeh_check (function);
    }
}

void
kvmhelper_sim_eeh_freeze (KvmHelperSimPe *pe)
{
  pe->state |= KVMHELPER_SIM_PE_MMIO_FROZEN | KVMHELPER_SIM_PE_DMA_FROZEN;
  if (pe->phb->sim->profile.powernv)
    hardware_event (pe->phb->sim);
  else
    stumble (pe);
}

void
kvmhelper_sim_eeh_fence (KvmHelperSimPhb *phb)
{
  phb->fenced = TRUE;
  hardware_event (phb->sim);
}

void
kvmhelper_sim_eeh_fail (KvmHelperSimPhb *phb)
{
  phb->dead = TRUE;
  hardware_event (phb->sim);
}

/* eeh_phb_check_failure. */
static gboolean
check_phb (KvmHelperSimPe *phb_pe)
{
  guint state;

  if ((phb_pe->flags & EEH_PE_ISOLATED) != 0)
    return FALSE;
  state = kvmhelper_sim_eeh_state (phb_pe);
  if (state == EEH_STATE_NOT_SUPPORT || (state & EEH_STATE_ACTIVE) == EEH_STATE_ACTIVE)
    return FALSE;
  kvmhelper_sim_eeh_isolate (phb_pe);
  kvmhelper_sim_eeh_send (phb_pe, FALSE);
  return TRUE;
}

/* eeh_dev_check_failure. */
int
kvmhelper_sim_eeh_check (KvmHelperSimFunction *function)
{
  KvmHelperSimEeh *self = function->sim->eeh;
  KvmHelperSimPe *pe = function->pe;
  guint state;

  self->total_mmio_ffs++;
  if (!kvmhelper_sim_eeh_enabled (function->sim) || !kvmhelper_sim_eeh_has (function))
    return 0;
  if (function->sim->profile.powernv && check_phb (pe->phb->pe))
    return 1;
  /* what a guest has is the guest's to find */
  if (pe->passed > 0)
    return 0;
  if ((pe->flags & EEH_PE_ISOLATED) != 0)
    return 1;
  state = kvmhelper_sim_eeh_state (pe);
  if (state == EEH_STATE_NOT_SUPPORT || (state & EEH_STATE_ACTIVE) == EEH_STATE_ACTIVE)
    {
      self->false_positives++;
      return 0;
    }
  self->slot_resets++;
  kvmhelper_sim_eeh_isolate (pe);
  kvmhelper_sim_eeh_send (pe, FALSE);
  return 1;
}
