/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-esb.h"

#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* The firmware keeps the first ones for itself and for the host's processors (seen: 0x14 on a host
 * with two). */
#define FIRST_IPI 0x14

KvmHelperSimEsb *
kvmhelper_sim_esb_new (guint32 hw, KvmHelperSimIrq *irq)
{
  KvmHelperSimEsb *esb = g_new0 (KvmHelperSimEsb, 1);

  esb->hw = hw;
  esb->irq = irq;
  esb->own_pq = KVMHELPER_SIM_PQ_OFF;
  esb->priority = KVMHELPER_SIM_MASKED;
  for (guint i = 0; i < G_N_ELEMENTS (esb->pages); i++)
    esb->pages[i] = (KvmHelperSimEsbPage){ .esb = esb, .manages = i == 1 };
  return esb;
}

void
kvmhelper_sim_esb_free (KvmHelperSimEsb *esb)
{
  g_free (esb);
}

static guint8 *
bits (KvmHelperSimEsb *esb)
{
  return esb->irq == NULL ? &esb->own_pq : &esb->irq->pq;
}

guint8
kvmhelper_sim_esb_pq (const KvmHelperSimEsb *esb)
{
  return esb->irq == NULL ? esb->own_pq : esb->irq->pq;
}

void
kvmhelper_sim_esb_forget_irq (KvmHelperSimEsb *esb)
{
  esb->own_pq = kvmhelper_sim_esb_pq (esb);
  esb->irq = NULL;
}

void
kvmhelper_sim_esb_configure (KvmHelperSimEsb *esb, KvmHelperSimVcpu *vcpu, guint8 priority,
                             guint32 data)
{
  esb->vcpu = vcpu;
  esb->priority = priority;
  esb->data = data;
}

static void
send_event (KvmHelperSimEsb *esb)
{
  if (esb->vcpu != NULL && esb->priority != KVMHELPER_SIM_MASKED)
    kvmhelper_sim_presenter_event (esb->vcpu, esb->priority, esb->data);
}

void
kvmhelper_sim_esb_trigger (KvmHelperSimEsb *esb)
{
  guint8 *pq = bits (esb);

  switch (*pq)
    {
    case KVMHELPER_SIM_PQ_ARMED:
      *pq = KVMHELPER_SIM_PQ_PENDING;
      send_event (esb);
      break;
    case KVMHELPER_SIM_PQ_PENDING:
      *pq = KVMHELPER_SIM_PQ_QUEUED;
      break;
    default:
      break;
    }
}

/* The load that is an EOI tells whether it sent an event. */
static guint64
end_of_interrupt (KvmHelperSimEsb *esb)
{
  guint8 *pq = bits (esb);

  switch (*pq)
    {
    case KVMHELPER_SIM_PQ_PENDING:
      *pq = KVMHELPER_SIM_PQ_ARMED;
      return 0;
    case KVMHELPER_SIM_PQ_QUEUED:
      *pq = KVMHELPER_SIM_PQ_PENDING;
      send_event (esb);
      return 1;
    default:
      return 0;
    }
}

guint64
kvmhelper_sim_esb_manage (KvmHelperSimEsb *esb, guint64 offset)
{
  guint8 *pq = bits (esb);
  guint8 old = *pq;

  offset &= 0xf00;
  if (offset < KVMHELPER_SIM_ESB_GET)
    return end_of_interrupt (esb);
  if (offset >= KVMHELPER_SIM_ESB_SET_PQ_00)
    *pq = (guint8) ((offset - KVMHELPER_SIM_ESB_SET_PQ_00) >> 8);
  return old;
}

guint64
kvmhelper_sim_esb_load (KvmHelperSimEsbPage *page, guint64 offset)
{
  return page->manages ? kvmhelper_sim_esb_manage (page->esb, offset) : G_MAXUINT64;
}

void
kvmhelper_sim_esb_eoi (KvmHelperSimEsb *esb)
{
  if ((kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_SET_PQ_00) & 1) != 0)
    kvmhelper_sim_esb_trigger (esb);
}

guint32
kvmhelper_sim_ipi_allocate (KvmHelperSim *sim)
{
  KvmHelperSimKvm *kvm = sim->kvm;

  guint32 hw = MAX (kvm->next_ipi, FIRST_IPI);

  while (!g_hash_table_add (kvm->ipis, GUINT_TO_POINTER (hw)))
    hw++;
  kvm->next_ipi = hw + 1;
  return hw;
}

void
kvmhelper_sim_ipi_release (KvmHelperSim *sim, guint32 hw)
{
  KvmHelperSimKvm *kvm = sim->kvm;

  g_hash_table_remove (kvm->ipis, GUINT_TO_POINTER (hw));
  kvm->next_ipi = MIN (kvm->next_ipi, hw);
}
