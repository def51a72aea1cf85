/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

#include <errno.h>

/* arch/powerpc/kernel/eeh_sysfs.c, and /proc/powerpc/eeh of eeh.c. */

/* EEH_DEV_* (asm/eeh.h). */
#define EEH_DEV_BRIDGE    (1 << 0)
#define EEH_DEV_ROOT_PORT (1 << 1)
#define EEH_DEV_DS_PORT   (1 << 2)
#define EEH_DEV_SYSFS     (1 << 9)

static gboolean
has_files (gpointer object)
{
  return kvmhelper_sim_eeh_has (object);
}

/* A switch has an upstream port below the bridge above, and below that one downstream ports; a
 * bridge to conventional PCI has no such kind. */
static gboolean
is_downstream (const KvmHelperSimFunction *function)
{
  const KvmHelperSimFunction *parent = function->parent;

  return !function->whole && parent != NULL && parent->parent != NULL && !is_downstream (parent);
}

static char *
show_mode (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;
  guint mode = EEH_DEV_SYSFS;

  if (function->bridge && function->sim->profile.powernv)
    {
      mode |= EEH_DEV_BRIDGE;
      if (function->parent == NULL)
        mode |= EEH_DEV_ROOT_PORT;
      else if (is_downstream (function))
        mode |= EEH_DEV_DS_PORT;
    }
  return g_strdup_printf ("0x%x\n", mode);
}

/* Under PowerNV the number of the PE; in a partition what RTAS' ibm,get-config-addr-info2 calls it,
 * the bus and 1 (QEMU, hw/ppc/spapr_pci.c: rtas_ibm_get_config_addr_info2). */
static char *
show_address (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;

  return g_strdup_printf ("0x%x\n", function->sim->profile.powernv
                                        ? function->pe->number
                                        : ((guint) function->address.bus << 16) + 1);
}

/* It asks the firmware, and so may itself be what notices that the PE is frozen. */
static char *
show_state (gpointer object, gsize *length, int *errnum)
{
  KvmHelperSimFunction *function = object;
  guint state = kvmhelper_sim_eeh_state (function->pe);

  return g_strdup_printf ("0x%08x 0x%08x\n", state, function->pe->flags);
}

/* Whatever is written: a PE that is known to be frozen is let go, whoever has it. */
static int
store_state (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;

  if ((function->pe->flags & EEH_PE_ISOLATED) == 0)
    return 0;
  if (kvmhelper_sim_eeh_unfreeze (function->pe) != 0)
    return -EIO;
  kvmhelper_sim_eeh_clear (function->pe, EEH_PE_ISOLATED, TRUE);
  return 0;
}

const KvmHelperSimAttribute kvmhelper_sim_eeh_attributes[] = {
  { .name = "eeh_mode", .mode = 0444, .show = show_mode, .visible = has_files },
  { .name = "eeh_pe_config_addr", .mode = 0444, .show = show_address, .visible = has_files },
  { .name = "eeh_pe_state",
    .mode = 0644,
    .show = show_state,
    .store = store_state,
    .visible = has_files },
  { .name = NULL },
};

/* proc_eeh_show. */
static char *
show_proc (gpointer object, gsize *length, int *errnum)
{
  KvmHelperSim *sim = object;
  const KvmHelperSimEeh *self = sim->eeh;

  if (!kvmhelper_sim_eeh_enabled (sim))
    return g_strdup_printf ("EEH Subsystem is globally disabled\n"
                            "eeh_total_mmio_ffs=%" G_GUINT64_FORMAT "\n",
                            self->total_mmio_ffs);
  /* the first four count accesses to what is no device of EEH's */
  return g_strdup_printf ("EEH Subsystem is enabled\n"
                          "no device=0\n"
                          "no device node=0\n"
                          "no config address=0\n"
                          "check not wanted=0\n"
                          "eeh_total_mmio_ffs=%" G_GUINT64_FORMAT "\n"
                          "eeh_false_positives=%" G_GUINT64_FORMAT "\n"
                          "eeh_slot_resets=%" G_GUINT64_FORMAT "\n",
                          self->total_mmio_ffs, self->false_positives, self->slot_resets);
}

static const KvmHelperSimAttribute proc_attributes[] = {
  { .name = "eeh", .mode = 0444, .show = show_proc },
  { .name = NULL },
};

void
kvmhelper_sim_eeh_make_proc (KvmHelperSim *sim)
{
  KvmHelperSimNode *directory = kvmhelper_sim_directory (
      kvmhelper_sim_tree_root (sim, KVMHELPER_PROC), "powerpc", NULL, NULL);

  kvmhelper_sim_directory_add (directory, proc_attributes, sim);
}
