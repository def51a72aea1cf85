/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

#include <errno.h>
#include <stddef.h>

#include "kvmhelper/kvmhelper-abi.h"

/* Adapters that come back only by a reset when their PE changes hands (arch/powerpc/kernel/eeh.c:
 * eeh_reset_ids). */
static const struct
{
  guint vendor, device;
} reset_ids[] = { { 0x19a2, 0x0710 }, { 0x10df, 0xe220 }, { 0x14e4, 0x1657 } };

void
kvmhelper_sim_eeh_mark (KvmHelperSimPe *root, guint flags)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (root);

  for (guint i = 0; i < tree->len; i++)
    ((KvmHelperSimPe *) tree->pdata[i])->flags |= flags;
}

void
kvmhelper_sim_eeh_clear (KvmHelperSimPe *root, guint flags, gboolean include_passed)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (root);

  for (guint i = 0; i < tree->len; i++)
    {
      KvmHelperSimPe *pe = tree->pdata[i];

      /* what was given up stays so; what a guest has is the guest's */
      if ((pe->flags & EEH_PE_REMOVED) != 0 || (!include_passed && pe->passed > 0))
        continue;
      pe->flags &= ~flags;
      if ((flags & EEH_PE_ISOLATED) != 0 && (pe->flags & EEH_PE_CFG_RESTRICTED) != 0)
        pe->flags &= ~EEH_PE_CFG_BLOCKED;
    }
}

/* eeh_pe_mark_isolated: an error of a bridge's PE is one of all that is behind it. */
void
kvmhelper_sim_eeh_isolate (KvmHelperSimPe *root)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (root);

  for (guint i = 0; i < tree->len; i++)
    {
      KvmHelperSimPe *pe = tree->pdata[i];

      pe->flags |= EEH_PE_ISOLATED;
      if ((pe->flags & EEH_PE_CFG_RESTRICTED) != 0)
        pe->flags |= EEH_PE_CFG_BLOCKED;
    }
}

/* eeh_pci_enable. */
int
kvmhelper_sim_eeh_thaw (KvmHelperSimPe *pe, EehOption option)
{
  guint wanted = option == EEH_THAW_MMIO ? EEH_STATE_MMIO_ACTIVE | EEH_STATE_MMIO_ENABLED
                                         : EEH_STATE_DMA_ACTIVE;
  guint state = kvmhelper_sim_eeh_state (pe);

  if (state == EEH_STATE_NOT_SUPPORT || (state & wanted) != 0)
    return 0;
  kvmhelper_sim_eeh_set_option (pe, option);
  return (kvmhelper_sim_eeh_state (pe) & wanted) != 0 ? 0 : -EIO;
}

/* eeh_unfreeze_pe. */
int
kvmhelper_sim_eeh_unfreeze (KvmHelperSimPe *pe)
{
  int answer = kvmhelper_sim_eeh_thaw (pe, EEH_THAW_MMIO);

  return answer != 0 ? answer : kvmhelper_sim_eeh_thaw (pe, EEH_THAW_DMA);
}

static gboolean
needs_reset (const KvmHelperSimPe *pe)
{
  for (guint i = 0; i < pe->functions->len; i++)
    {
      const KvmHelperSimFunction *function = pe->functions->pdata[i];

      for (guint j = 0; j < G_N_ELEMENTS (reset_ids); j++)
        if (function->vendor == reset_ids[j].vendor && function->device == reset_ids[j].device)
          return TRUE;
    }
  return FALSE;
}

/* eeh_pe_reset_and_recover. */
static int
reset_and_recover (KvmHelperSimPe *pe)
{
  int answer;

  if ((pe->flags & EEH_PE_RECOVERING) != 0)
    return 0;
  kvmhelper_sim_eeh_mark (pe, EEH_PE_RECOVERING);
  answer = kvmhelper_sim_eeh_reset_full (pe, TRUE);
  if (answer == 0)
    answer = kvmhelper_sim_eeh_unfreeze (pe);
  if (answer == 0)
    kvmhelper_sim_eeh_clear (pe, EEH_PE_ISOLATED, TRUE);
  kvmhelper_sim_eeh_clear (pe, EEH_PE_RECOVERING, TRUE);
  return answer;
}

/* eeh_pe_change_owner: who takes a PE, or gives it back, finds it thawed. */
static int
change_owner (KvmHelperSimPe *pe)
{
  guint state = kvmhelper_sim_eeh_state (pe);
  int answer;

  if (state == EEH_STATE_NOT_SUPPORT || (state & EEH_STATE_ACTIVE) == EEH_STATE_ACTIVE)
    return 0;
  if (needs_reset (pe))
    return reset_and_recover (pe);
  answer = kvmhelper_sim_eeh_unfreeze (pe);
  if (answer == 0)
    kvmhelper_sim_eeh_clear (pe, EEH_PE_ISOLATED, TRUE);
  return answer;
}

void
kvmhelper_sim_eeh_open (KvmHelperSimFunction *function)
{
  /* eeh_dev_open; vfio-pci does not look at what it says (vfio_pci_core_finish_enable) */
  if (kvmhelper_sim_eeh_has (function) && change_owner (function->pe) == 0)
    function->pe->passed++;
}

void
kvmhelper_sim_eeh_close (KvmHelperSimFunction *function)
{
  /* eeh_dev_release */
  if (!kvmhelper_sim_eeh_has (function) || function->pe->passed == 0)
    return;
  function->pe->passed--;
  change_owner (function->pe);
}

/* eeh_pe_reenable_devices, but for the configuration space, of which we have none. */
static int
reenable (KvmHelperSimPe *pe, gboolean include_passed)
{
  int answer = 0;

  if (include_passed || pe->passed == 0)
    answer = kvmhelper_sim_eeh_unfreeze (pe);
  else
    kvmhelper_sim_log (pe->phb->sim, "EEH: Note: Leaving passthrough PHB#%x-PE#%x frozen.",
                       pe->phb->domain, pe->number);
  if (answer == 0)
    kvmhelper_sim_eeh_clear (pe, EEH_PE_ISOLATED, include_passed);
  return answer;
}

/* eeh_pe_reset. It takes two seconds (asm/eeh.h: EEH_PE_RST_HOLD_TIME, _SETTLE_TIME), which a
 * caller here does not wait. */
static int
reset_step (KvmHelperSimPe *pe, EehReset reset, gboolean include_passed)
{
  int answer;

  if (reset == EEH_RESET_DEACTIVATE)
    {
      answer = kvmhelper_sim_eeh_platform_reset (pe, reset);
      kvmhelper_sim_eeh_clear (pe, EEH_PE_CFG_BLOCKED, include_passed);
      return answer != 0 ? answer : reenable (pe, include_passed);
    }
  /* frozen, so that nobody reaches it while it is reset */
  kvmhelper_sim_eeh_set_option (pe, EEH_FREEZE);
  kvmhelper_sim_eeh_mark (pe, EEH_PE_CFG_BLOCKED);
  return kvmhelper_sim_eeh_platform_reset (pe, reset);
}

/* eeh_pe_refreeze_passed: the reset of a bridge thawed what guests have behind it. */
static void
refreeze_passed (KvmHelperSimPe *root)
{
  g_autoptr (GPtrArray) tree = kvmhelper_sim_eeh_tree (root);

  for (guint i = 0; i < tree->len; i++)
    {
      KvmHelperSimPe *pe = tree->pdata[i];

      if (pe->passed == 0
          || (kvmhelper_sim_eeh_state (pe) & (EEH_STATE_MMIO_ACTIVE | EEH_STATE_MMIO_ENABLED)) == 0)
        continue;
      kvmhelper_sim_log (pe->phb->sim,
                         "EEH: Passed-through PE PHB#%x-PE#%x was thawed by reset, re-freezing for "
                         "safety.",
                         pe->phb->domain, pe->number);
      kvmhelper_sim_eeh_set_option (pe, EEH_FREEZE);
    }
}

int
kvmhelper_sim_eeh_reset_full (KvmHelperSimPe *pe, gboolean include_passed)
{
  int answer = -EIO;

  kvmhelper_sim_eeh_mark (pe, EEH_PE_RESET | EEH_PE_CFG_BLOCKED);
  for (guint attempt = 1; answer != 0 && attempt <= 3; attempt++)
    {
      answer = reset_step (pe, EEH_RESET_HOT, include_passed);
      if (answer == 0)
        answer = reset_step (pe, EEH_RESET_DEACTIVATE, include_passed);
      if (answer != 0)
        {
          answer = -EIO;
          kvmhelper_sim_log (pe->phb->sim, "EEH: Failure 0 resetting PHB#%x-PE#%x (attempt %u)",
                             pe->phb->domain, pe->number, attempt);
        }
    }
  if (!include_passed)
    refreeze_passed (pe);
  kvmhelper_sim_eeh_clear (pe, EEH_PE_RESET | EEH_PE_CFG_BLOCKED, TRUE);
  return answer;
}

int
kvmhelper_sim_eeh_break (KvmHelperSimFunction *function)
{
  char address[PCI_ADDRESS_LEN];

  /* eeh_break_device: it takes the function's memory from it and reads there */
  if (function->regions == 0)
    return -ENXIO;
  pci_address_format (&function->address, address);
  kvmhelper_sim_log (function->sim, "%s %s: Going to break: [mem]",
                     function->driver == NULL ? "pci" : function->driver->name, address);
  if (function->pe != NULL)
    kvmhelper_sim_eeh_freeze (function->pe);
  return 0;
}

/* eeh_pe_get_state: the four states of PAPR, and 5 as long as the host is at work above. What is
 * unavailable passes for stopped. */
static int
pe_state (KvmHelperSimPe *pe)
{
  const KvmHelperSimPe *parent = kvmhelper_sim_eeh_parent (pe);
  guint state;
  gboolean mmio, dma;

  if (parent != NULL && (pe->flags & EEH_PE_REMOVED) == 0
      && (parent->flags & (EEH_PE_ISOLATED | EEH_PE_RECOVERING)) != 0)
    return VFIO_EEH_PE_STATE_UNAVAIL;
  state = kvmhelper_sim_eeh_state (pe);
  mmio = (state & EEH_STATE_MMIO_ENABLED) != 0;
  dma = (state & EEH_STATE_DMA_ENABLED) != 0;
  if ((state & EEH_STATE_RESET_ACTIVE) != 0)
    return VFIO_EEH_PE_STATE_RESET;
  if (dma && mmio)
    return VFIO_EEH_PE_STATE_NORMAL;
  if (!dma && !mmio)
    return VFIO_EEH_PE_STATE_STOPPED;
  return mmio ? VFIO_EEH_PE_STATE_STOPPED_DMA : VFIO_EEH_PE_STATE_UNAVAIL;
}

/* VFIO_EEH_PE_INJECT_ERR: the whole struct has to be there; then eeh_pe_inject_err. */
static int
inject (KvmHelperSimPe *pe, guint32 argsz, gulong argument)
{
  struct vfio_eeh_pe_op operation;

  if (argsz < sizeof operation)
    return -EINVAL;
  if (kvmhelper_sim_copy_in (argument, &operation, sizeof operation) < 0)
    return -EFAULT;
  /* EEH_ERR_FUNC_MAX; the type is the platform's to judge */
  if (operation.err.func > 19)
    return -EINVAL;
  return kvmhelper_sim_eeh_inject (pe, (int) operation.err.type, (int) operation.err.func,
                                   operation.err.addr, operation.err.mask);
}

/* eeh_iommu_group_to_pe: that of the group's first function. */
static KvmHelperSimPe *
group_pe (const KvmHelperSimGroup *group)
{
  const KvmHelperSimFunction *first
      = group->functions->len == 0 ? NULL : group->functions->pdata[0];

  return first != NULL && kvmhelper_sim_eeh_has (first) ? first->pe : NULL;
}

/* vfio_spapr_ioctl_eeh_pe_op (drivers/vfio/vfio_iommu_spapr_tce.c). */
int
kvmhelper_sim_eeh_ioctl (KvmHelperSimGroup *group, gulong argument)
{
  gsize least = offsetof (struct vfio_eeh_pe_op, op) + sizeof (guint32);
  struct vfio_eeh_pe_op operation = { 0 };
  KvmHelperSimPe *pe = group_pe (group);

  if (pe == NULL)
    return -ENODEV;
  if (kvmhelper_sim_copy_in (argument, &operation, least) < 0)
    return -EFAULT;
  if (operation.argsz < least || operation.flags != 0)
    return -EINVAL;
  switch (operation.op)
    {
    case VFIO_EEH_PE_DISABLE:
      return 0;
    case VFIO_EEH_PE_ENABLE:
      return kvmhelper_sim_eeh_enabled (group->sim) ? change_owner (pe) : -EIO;
    case VFIO_EEH_PE_UNFREEZE_IO:
      return kvmhelper_sim_eeh_thaw (pe, EEH_THAW_MMIO);
    case VFIO_EEH_PE_UNFREEZE_DMA:
      return kvmhelper_sim_eeh_thaw (pe, EEH_THAW_DMA);
    case VFIO_EEH_PE_GET_STATE:
      return pe_state (pe);
    case VFIO_EEH_PE_RESET_DEACTIVATE:
      return reset_step (pe, EEH_RESET_DEACTIVATE, TRUE);
    case VFIO_EEH_PE_RESET_HOT:
      return reset_step (pe, EEH_RESET_HOT, TRUE);
    case VFIO_EEH_PE_RESET_FUNDAMENTAL:
      return reset_step (pe, EEH_RESET_FUNDAMENTAL, TRUE);
    case VFIO_EEH_PE_CONFIGURE:
      return 0; /* eeh_pe_configure does nothing any more */
    case VFIO_EEH_PE_INJECT_ERR:
      return inject (pe, operation.argsz, argument);
    default:
      return -EINVAL;
    }
}
