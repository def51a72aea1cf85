/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

/* arch/powerpc/kernel/eeh_driver.c: eeh_handle_normal_event. The host recovers a PE that is its
 * own: it tells the drivers, resets the PE, and lets them go on. Drivers that cannot follow that
 * lose their functions, which come back five seconds later as if they were plugged in again. What
 * guests have below the PE is not touched: it stays frozen, and theirs to recover. */

/* asm/eeh.h: EEH_PE_RST_HOLD_TIME and _SETTLE_TIME, µs; eeh_reset_device's sleep. */
#define RESET_TIME   ((250 + 1800) * G_TIME_SPAN_MILLISECOND)
#define HOTPLUG_TIME (5 * G_TIME_SPAN_SECOND)

/* What drivers answer to error_detected, the worst last (eeh_result_priority). */
typedef enum
{
  RESULT_NONE,
  RESULT_RECOVERED,
  RESULT_CAN_RECOVER,
  RESULT_DISCONNECT,
  RESULT_NEED_RESET
} Result;

/* A recovery that is under way. */
typedef struct
{
  KvmHelperSimPe *pe;
  gboolean aware;     /* of the drivers at least one follows: not all functions are taken out */
  GPtrArray *removed; /* functions that are to come back; not owned */
} Recovery;

/* Drivers of Linux 6.12 whose struct pci_error_handlers has error_detected and slot_reset, of those
 * that POWER hosts have; vfio-pci has the first alone. */
static const char *const recovering_drivers[] = {
  "e1000e",  "igb",  "igbvf",   "ixgbe",   "ixgbevf",   "i40e",      "iavf",     "ice",   "nvme",
  "tg3",     "bnx2", "bnx2x",   "bnxt_en", "mlx4_core", "mlx5_core", "be2net",   "cxgb4", "lpfc",
  "qla2xxx", "ipr",  "mpt3sas", "pmcraid", "aacraid",   "cxlflash",  "pcieport", "qede",  "e1000",
};

gboolean
kvmhelper_sim_eeh_driver_recovers (const KvmHelperSimDriver *driver)
{
  for (guint i = 0; driver != NULL && i < G_N_ELEMENTS (recovering_drivers); i++)
    if (g_str_equal (driver->name, recovering_drivers[i]))
      return TRUE;
  return FALSE;
}

void
kvmhelper_sim_eeh_recovery_free (gpointer recovery)
{
  Recovery *self = recovery;

  kvmhelper_sim_forget (self->pe->phb->sim, self);
  g_ptr_array_unref (self->removed);
  g_free (self);
}

static Recovery *
recovery_new (KvmHelperSimPe *pe, gboolean aware)
{
  Recovery *self = g_new0 (Recovery, 1);

  self->pe = pe;
  self->aware = aware;
  self->removed = g_ptr_array_new ();
  g_ptr_array_add (kvmhelper_sim_eeh (pe)->recoveries, self);
  return self;
}

static void
recovery_end (Recovery *self)
{
  g_ptr_array_remove_fast (kvmhelper_sim_eeh (self->pe)->recoveries, self);
}

static void
later (Recovery *self, gint64 delay, void (*run) (gpointer data))
{
  KvmHelperSim *sim = self->pe->phb->sim;

  kvmhelper_sim_at (sim, kvmhelper_sim_now (sim) + delay, run, self);
}

/* The functions of a PE and of all below it that are there. */
static GPtrArray *
present (KvmHelperSimPe *pe)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (pe);
  GPtrArray *functions = g_ptr_array_new ();

  for (guint i = 0; i < tree->len; i++)
    {
      const KvmHelperSimPe *member = tree->pdata[i];

      for (guint j = 0; j < member->functions->len; j++)
        {
          KvmHelperSimFunction *function = member->functions->pdata[j];

          if (function->node != NULL)
            g_ptr_array_add (functions, function);
        }
    }
  return functions;
}

static gboolean
is_passed (const KvmHelperSimFunction *function)
{
  return function->pe->passed > 0;
}

/* What a driver says to error_detected, to slot_reset, and to all else. */
static Result
answer_error (const KvmHelperSimDriver *driver)
{
  if (driver->vfio)
    return RESULT_CAN_RECOVER;
  return kvmhelper_sim_eeh_driver_recovers (driver) ? RESULT_NEED_RESET : RESULT_NONE;
}

static Result
answer_reset (const KvmHelperSimDriver *driver)
{
  return kvmhelper_sim_eeh_driver_recovers (driver) ? RESULT_RECOVERED : RESULT_NONE;
}

static Result
answer_nothing (const KvmHelperSimDriver *driver)
{
  return RESULT_NONE;
}

/* eeh_pe_report: tells the drivers of the host's functions, and merges what they answer. */
static Result
report (KvmHelperSimPe *pe, const char *step, Result (*ask) (const KvmHelperSimDriver *driver))
{
  static const char *const names[]
      = { "none", "recovered", "can recover", "disconnect", "need reset" };
  KvmHelperSim *sim = pe->phb->sim;
  g_autoptr (GPtrArray) functions = present (pe);
  Result result = RESULT_NONE;

  kvmhelper_sim_log (sim, "EEH: Beginning: '%s'", step);
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];
      char address[PCI_ADDRESS_LEN];
      Result answer;

      if (is_passed (function) || function->driver == NULL)
        continue;
      answer = ask (function->driver);
      result = MAX (result, answer);
      kvmhelper_sim_log (sim, "PCI %s#%04x: EEH: %s driver reports: '%s'",
                         pci_address_format (&function->address, address), function->pe->number,
                         function->driver->name, names[answer]);
    }
  kvmhelper_sim_log (sim, "EEH: Finished:'%s' with aggregate recovery state:'%s'", step,
                     names[result]);
  return result;
}

static Result
notify (KvmHelperSimPe *pe)
{
  Result result = report (pe, "error_detected(IO frozen)", answer_error);

  /* a fenced PHB has to be reset, whatever the drivers think of it */
  return kvmhelper_sim_eeh_is_phb (pe) && result != RESULT_NONE ? RESULT_NEED_RESET : result;
}

static void
succeed (KvmHelperSimPe *pe)
{
  kvmhelper_sim_log (pe->phb->sim, "EEH: Notify device driver to resume");
  report (pe, "resume", answer_nothing);
  kvmhelper_sim_log (pe->phb->sim, "EEH: Recovery successful.");
  kvmhelper_sim_eeh_clear (pe, EEH_PE_RECOVERING, TRUE);
}

static void
give_up (KvmHelperSimPe *pe)
{
  g_autoptr (GPtrArray) functions = present (pe);

  kvmhelper_sim_log (pe->phb->sim, "EEH: Unable to recover from failure from PHB#%x-PE#%x.",
                     pe->phb->domain, pe->number);
  kvmhelper_sim_log (pe->phb->sim, "Please try reseating or replacing it");
  /* eeh_slot_error_detail: the drivers need it to come down */
  if (!kvmhelper_sim_eeh_is_phb (pe))
    kvmhelper_sim_eeh_thaw (pe, EEH_THAW_MMIO);
  kvmhelper_sim_eeh_mark (pe, EEH_PE_REMOVED);
  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperSimFunction *function = functions->pdata[i];

      if (function->node != NULL)
        kvmhelper_sim_unplug (function);
    }
}

static void
take_out (Recovery *self, KvmHelperSimFunction *function)
{
  char address[PCI_ADDRESS_LEN];

  kvmhelper_sim_log (function->sim, "EEH: Removing %s without EEH sensitive driver",
                     pci_address_format (&function->address, address));
  g_ptr_array_add (self->removed, function);
  kvmhelper_sim_unplug (function);
}

/* eeh_rmv_device, pci_hp_remove_devices: those whose drivers cannot follow, or all. */
static void
take_out_functions (Recovery *self)
{
  g_autoptr (GPtrArray) functions = present (self->pe);

  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperSimFunction *function = functions->pdata[i];

      if (function->node == NULL || function->bridge)
        continue;
      if (self->aware
          && (is_passed (function) || kvmhelper_sim_eeh_driver_recovers (function->driver)))
        continue;
      take_out (self, function);
    }
}

static void
plug_in (gpointer data)
{
  Recovery *self = data;
  KvmHelperSimPe *pe = self->pe;

  for (guint i = 0; i < self->removed->len; i++)
    {
      KvmHelperSimFunction *function = self->removed->pdata[i];

      kvmhelper_sim_replace (function, function->vendor, function->device);
    }
  kvmhelper_sim_eeh_clear (pe, EEH_PE_KEEP, TRUE);
  if (self->aware)
    report (pe, "slot_reset", answer_reset);
  succeed (pe);
  recovery_end (self);
}

/* Of the PE and all below it that is not a guest's (eeh_clear_pe_frozen_state). */
static int
unfreeze_own (KvmHelperSimPe *root)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (root);

  for (guint i = 0; i < tree->len; i++)
    {
      KvmHelperSimPe *pe = tree->pdata[i];
      int answer = pe->passed > 0 ? 0 : kvmhelper_sim_eeh_unfreeze (pe);

      if (answer != 0)
        return answer;
    }
  kvmhelper_sim_eeh_clear (root, EEH_PE_ISOLATED, FALSE);
  return 0;
}

static void
after_reset (gpointer data)
{
  Recovery *self = data;
  KvmHelperSimPe *pe = self->pe;

  if (kvmhelper_sim_eeh_reset_full (pe, FALSE) != 0 || unfreeze_own (pe) != 0)
    {
      kvmhelper_sim_log (pe->phb->sim, "eeh_handle_normal_event: %s reset, err=-5",
                         self->aware ? "Cannot" : "Unable to");
      give_up (pe);
      recovery_end (self);
    }
  else if (!self->aware || self->removed->len > 0)
    {
      kvmhelper_sim_log (pe->phb->sim, "EEH: Sleep 5s ahead of %s hotplug",
                         self->aware ? "partial" : "complete");
      later (self, HOTPLUG_TIME, plug_in);
    }
  else
    plug_in (self);
}

/* eeh_reset_device. */
static void
reset_device (KvmHelperSimPe *pe, gboolean aware)
{
  Recovery *self = recovery_new (pe, aware);

  kvmhelper_sim_log (pe->phb->sim, "EEH: Reset with%s hotplug activity", aware ? "out" : "");
  kvmhelper_sim_eeh_mark (pe, EEH_PE_KEEP);
  take_out_functions (self);
  kvmhelper_sim_eeh_mark (pe, EEH_PE_RESET | EEH_PE_CFG_BLOCKED);
  later (self, RESET_TIME, after_reset);
}

/* All drivers can go on without a reset: only the freeze has to be lifted. */
static void
resume (KvmHelperSimPe *pe)
{
  kvmhelper_sim_log (pe->phb->sim, "EEH: Enable I/O for affected devices");
  if (kvmhelper_sim_eeh_thaw (pe, EEH_THAW_MMIO) != 0)
    {
      give_up (pe);
      return;
    }
  kvmhelper_sim_log (pe->phb->sim, "EEH: Notify device drivers to resume I/O");
  report (pe, "mmio_enabled", answer_nothing);
  kvmhelper_sim_log (pe->phb->sim, "EEH: Enabled DMA for affected devices");
  kvmhelper_sim_eeh_thaw (pe, EEH_THAW_DMA); /* what let go of its memory lets go of this too */
  kvmhelper_sim_eeh_clear (pe, EEH_PE_ISOLATED, TRUE);
  succeed (pe);
}

/* eeh_pe_update_time_stamp; whether it failed too often in an hour. */
static gboolean
count_freeze (KvmHelperSimPe *pe)
{
  gint64 now = kvmhelper_sim_now (pe->phb->sim);

  if (pe->freezes == 0 || now - pe->counted > G_TIME_SPAN_HOUR)
    {
      pe->freezes = 0;
      pe->counted = now;
    }
  pe->freezes++;
  return pe->freezes > kvmhelper_sim_eeh (pe)->max_freezes;
}

static void
log_event (KvmHelperSimPe *pe)
{
  KvmHelperSim *sim = pe->phb->sim;

  if (kvmhelper_sim_eeh_is_phb (pe))
    {
      kvmhelper_sim_log (sim, "EEH: Recovering PHB#%x, location: N/A", pe->phb->domain);
      return;
    }
  kvmhelper_sim_log (sim, "EEH: Recovering PHB#%x-PE#%x", pe->phb->domain, pe->number);
  kvmhelper_sim_log (sim, "EEH: PE location: N/A, PHB location: N/A");
}

void
kvmhelper_sim_eeh_recover (KvmHelperSimPe *pe)
{
  KvmHelperSim *sim = pe->phb->sim;
  g_autoptr (GPtrArray) functions = present (pe);
  guint32 most = kvmhelper_sim_eeh (pe)->max_freezes;
  Result result;

  if (functions->len == 0)
    {
      kvmhelper_sim_eeh_clear (pe, EEH_PE_RECOVERING, TRUE);
      return;
    }
  log_event (pe);
  if (count_freeze (pe))
    {
      kvmhelper_sim_log (sim,
                         "EEH: PHB#%x-PE#%x has failed %u times in the last hour and has been "
                         "permanently disabled.",
                         pe->phb->domain, pe->number, pe->freezes);
      give_up (pe);
      return;
    }
  kvmhelper_sim_log (sim,
                     "EEH: This PCI device has failed %u times in the last hour and will be "
                     "permanently disabled after %u failures.",
                     pe->freezes, most);
  kvmhelper_sim_log (sim, "EEH: Notify device drivers to shutdown");
  result = notify (pe);
  if ((kvmhelper_sim_eeh_state (pe) & (EEH_STATE_NOT_SUPPORT | EEH_STATE_UNAVAILABLE)) != 0)
    {
      kvmhelper_sim_log (sim, "EEH: Permanent failure");
      give_up (pe);
      return;
    }
  kvmhelper_sim_log (sim, "EEH: Collect temporary log");
  if (result == RESULT_CAN_RECOVER)
    resume (pe);
  else
    reset_device (pe, result == RESULT_NEED_RESET);
}
