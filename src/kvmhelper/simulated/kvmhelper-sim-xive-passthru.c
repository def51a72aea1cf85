/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* How a device's interrupt becomes a guest's: arch/powerpc/kvm/book3s_hv.c, book3s_xive.c and
 * arch/powerpc/sysdev/xive/common.c. */

static KvmHelperSimPassed *
find_passed (KvmHelperSimVm *vm, guint32 gsi)
{
  for (guint i = 0; i < vm->passed->len; i++)
    {
      KvmHelperSimPassed *passed = &g_array_index (vm->passed, KvmHelperSimPassed, i);

      if (passed->guest == gsi)
        return passed;
    }
  return NULL;
}

static gboolean
xics_on_xive (const KvmHelperSimVm *vm)
{
  return vm->sim->profile.xive && vm->sim->profile.powernv;
}

int
kvmhelper_sim_passthru_set (KvmHelperSimVm *vm, KvmHelperSimIrq *irq, guint32 gsi)
{
  const KvmHelperSimBypass bypass = vm->sim->profile.bypass;
  KvmHelperSimPassed *passed;
  int result = 0;

  if (bypass == KVMHELPER_SIM_BYPASS_OFF)
    return 1;
  if (vm->passed == NULL)
    vm->passed = g_array_new (FALSE, TRUE, sizeof (KvmHelperSimPassed));
  if (bypass == KVMHELPER_SIM_BYPASS_REFUSED)
    {
      kvmhelper_sim_log (vm->sim,
                         "kvmppc_set_passthru_irq_hv: Could not assign IRQ map for (%u,%u)",
                         irq->virq, gsi);
      return -ENOENT;
    }
  passed = find_passed (vm, gsi);
  if (passed != NULL && passed->hw != 0)
    return -EINVAL;
  if (passed == NULL)
    {
      /* Entries are never given back, only used again for the same gsi. */
      if (vm->passed->len == KVMHELPER_SIM_MAX_PASSED)
        return -EAGAIN;
      g_array_set_size (vm->passed, vm->passed->len + 1);
      passed = &g_array_index (vm->passed, KvmHelperSimPassed, vm->passed->len - 1);
      passed->guest = gsi;
    }
  passed->hw = irq->hw;
  if (bypass == KVMHELPER_SIM_BYPASS_SWALLOWED)
    result = -EIO;
  else if (xics_on_xive (vm))
    result = vm->xive == NULL ? -ENODEV : kvmhelper_sim_xive_set_mapped (vm->xive, gsi, irq);
  /* XICS in software only notes the number: with it, the hypervisor's real mode can take the
   * interrupt while the guest runs. */
  if (result != 0)
    passed->hw = 0;
  /* The error is not passed on: irqbypass thinks that both are connected. */
  return 0;
}

int
kvmhelper_sim_passthru_clear (KvmHelperSimVm *vm, KvmHelperSimIrq *irq, guint32 gsi)
{
  KvmHelperSimPassed *passed = vm->passed == NULL ? NULL : find_passed (vm, gsi);
  int result = 0;

  if (vm->sim->profile.bypass == KVMHELPER_SIM_BYPASS_OFF || passed == NULL)
    return 0;
  if (xics_on_xive (vm))
    result = vm->xive == NULL ? -ENODEV : kvmhelper_sim_xive_clear_mapped (vm->xive, gsi, irq);
  passed->hw = 0;
  return result;
}

/* --- masking, as KVM does it for XICS guests. A native guest masks its sources itself, by the ESB,
 * and KVM has them all as masked: then these do nothing. --- */

/* xive_lock_and_mask: PQ=10 and what they were before; the priority that the guest had. */
guint8
kvmhelper_sim_xive_mask (KvmHelperSimGuestSource *source)
{
  guint8 priority = source->guest_priority;
  guint64 old;

  source->guest_priority = KVMHELPER_SIM_MASKED;
  if (priority == KVMHELPER_SIM_MASKED)
    return priority;
  old = kvmhelper_sim_esb_manage (kvmhelper_sim_xive_selected (source),
                                  KVMHELPER_SIM_ESB_SET_PQ_10);
  source->old_p = (old & 2) != 0;
  source->old_q = (old & 1) != 0;
  return priority;
}

/* xive_finish_unmask: where P was set, the guest has an interrupt that it will end itself. */
void
kvmhelper_sim_xive_unmask (KvmHelperSimGuestSource *source, guint8 priority)
{
  KvmHelperSimEsb *esb = kvmhelper_sim_xive_selected (source);

  if (source->guest_priority == KVMHELPER_SIM_MASKED)
    {
      if (source->old_q)
        kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_SET_PQ_11);
      if (!source->old_p)
        kvmhelper_sim_esb_eoi (esb);
    }
  source->guest_priority = priority;
}

/* --- the hand-over --- */

/* xive_irq_set_vcpu_affinity: from now on the host's handler leaves the interrupt alone. PQ=10
 * holds it back until somebody ends it. (11 would remember one that the host has not ended yet:
 * here it always has.) */
static void
give_to_guest (KvmHelperSimEsb *esb)
{
  kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_SET_PQ_10);
  esb->irq->vcpu = esb;
}

static void
give_to_host (KvmHelperSimIrq *irq)
{
  /* Q is also set in a source that is off, so that the host may get one that never came. */
  const gboolean again = (irq->pq & KVMHELPER_SIM_PQ_OFF) != 0;

  irq->vcpu = NULL;
  /* the host's own target is configured again, and an EOI lets it through */
  irq->pq = KVMHELPER_SIM_PQ_ARMED;
  if (again)
    kvmhelper_sim_irq_raise (irq);
}

int
kvmhelper_sim_xive_set_mapped (KvmHelperSimXive *xive, guint32 irq, KvmHelperSimIrq *host)
{
  KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, irq);
  KvmHelperSimEsb *esb;
  guint8 priority;

  if (source == NULL)
    return -EINVAL;
  esb = kvmhelper_sim_esb_new (host->hw, host);
  give_to_guest (esb);

  /* The IPI is masked, with its P and Q kept, and then off: what still triggers it is lost. */
  priority = kvmhelper_sim_xive_mask (source);
  if (source->ipi != NULL)
    kvmhelper_sim_esb_manage (source->ipi, KVMHELPER_SIM_ESB_SET_PQ_01);

  /* The guest's next access to its pages finds none, and is given the PHB's. */
  if (xive->native)
    kvmhelper_sim_xive_reset_mapped (xive, irq);
  g_clear_pointer (&source->passed, kvmhelper_sim_esb_free);
  source->passed = esb;

  /* It goes to where the IPI went. The data is KVM's number of the source even for a native guest,
   * whose EISN it should be: QEMU configures the source after this. */
  kvmhelper_sim_xive_configure (xive, source, esb, source->number);

  /* XICS: an EOI arms it, unless the IPI's P says that the guest still owes one. A native guest
   * does that itself: it sets PQ=00 when it enables the interrupt. */
  if (priority != KVMHELPER_SIM_MASKED && !source->old_p)
    kvmhelper_sim_esb_eoi (esb);
  source->old_p = source->old_q = FALSE;
  source->guest_priority = priority;
  return 0;
}

int
kvmhelper_sim_xive_clear_mapped (KvmHelperSimXive *xive, guint32 irq, KvmHelperSimIrq *host)
{
  KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, irq);
  guint8 priority;

  if (source == NULL)
    return -EINVAL;
  priority = kvmhelper_sim_xive_mask (source);

  /* Pending: 11, so that the host gets it again and it is not lost. */
  if (source->old_p && source->passed != NULL)
    kvmhelper_sim_esb_manage (source->passed, KVMHELPER_SIM_ESB_SET_PQ_11);
  give_to_host (host);

  if (xive->native)
    kvmhelper_sim_xive_reset_mapped (xive, irq);
  g_clear_pointer (&source->passed, kvmhelper_sim_esb_free);
  if (source->ipi != NULL)
    {
      kvmhelper_sim_xive_configure (xive, source, source->ipi, source->number);
      /* For a native guest KVM has it as masked: the IPI stays at 10 until the guest sets it. */
      kvmhelper_sim_esb_manage (source->ipi, priority == KVMHELPER_SIM_MASKED || source->old_p
                                                 ? KVMHELPER_SIM_ESB_SET_PQ_10
                                                 : KVMHELPER_SIM_ESB_SET_PQ_00);
    }
  source->guest_priority = priority;
  return 0;
}

void
kvmhelper_sim_xive_forget_irq (KvmHelperSimXive *xive, KvmHelperSimIrq *host)
{
  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCKS; i++)
    for (guint j = 0; xive->blocks[i] != NULL && j < KVMHELPER_SIM_XIVE_BLOCK; j++)
      {
        KvmHelperSimGuestSource *source = &xive->blocks[i]->sources[j];

        if (source->passed != NULL && source->passed->irq == host)
          {
            kvmhelper_sim_esb_forget_irq (source->passed);
            host->vcpu = NULL;
          }
      }
}

void
kvmhelper_sim_kvm_passed_irq (KvmHelperSimIrq *irq)
{
  kvmhelper_sim_esb_trigger (irq->vcpu);
}
