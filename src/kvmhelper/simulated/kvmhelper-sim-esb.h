/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * Inside the simulated host: a hardware interrupt source of XIVE and its ESB, the event state
 * buffer: two bits, P and Q, that decide what becomes of a trigger, and two pages by which the
 * bits are driven with loads and stores, without any hypervisor.
 *
 *   PQ 00  armed: a trigger sends an event, and makes it 10
 *   PQ 10  pending: an event is on its way; a trigger is remembered, and makes it 11
 *   PQ 11  queued: one event is on its way and one more trigger came (how many is not known)
 *   PQ 01  off: triggers are lost
 *
 * An end of interrupt (EOI) makes 10 into 00, and 11 into 10 with a new event.
 *
 * The first page takes triggers (a store; a load of it gives all ones). The second manages: a load
 * at 0x000 is an EOI, at 0x800 gives PQ and changes nothing, at 0xc00, 0xd00, 0xe00 and 0xf00 gives
 * the old PQ and sets 00, 01, 10 and 11 (arch/powerpc/include/asm/xive-regs.h).
 *
 * What is an event? The source's entry in the EAS names a target (a virtual processor and a
 * priority: an event queue) and the data that is written to that queue.
 */
typedef struct _KvmHelperSimEsb KvmHelperSimEsb;
typedef struct _KvmHelperSimVcpu KvmHelperSimVcpu;

#define KVMHELPER_SIM_PQ_ARMED   0
#define KVMHELPER_SIM_PQ_OFF     1
#define KVMHELPER_SIM_PQ_PENDING 2
#define KVMHELPER_SIM_PQ_QUEUED  3

/* Offsets of loads in the second page. */
#define KVMHELPER_SIM_ESB_EOI       0x000
#define KVMHELPER_SIM_ESB_GET       0x800
#define KVMHELPER_SIM_ESB_SET_PQ_00 0xc00
#define KVMHELPER_SIM_ESB_SET_PQ_01 0xd00
#define KVMHELPER_SIM_ESB_SET_PQ_10 0xe00
#define KVMHELPER_SIM_ESB_SET_PQ_11 0xf00

#define KVMHELPER_SIM_MASKED 0xff /* the priority of what has no target */

typedef struct
{
  KvmHelperSimEsb *esb;
  gboolean manages; /* the second page */
} KvmHelperSimEsbPage;

struct _KvmHelperSimEsb
{
  guint32 hw;           /* the hardware's number */
  KvmHelperSimIrq *irq; /* a device's MSI, behind a PHB's ESB; NULL: an IPI, in the controller's */
  guint8 own_pq;        /* of an IPI */
  KvmHelperSimEsbPage pages[2];
  /* the EAS: */
  KvmHelperSimVcpu *vcpu;
  guint8 priority; /* KVMHELPER_SIM_MASKED: none, an event is lost */
  guint32 data;
};

/** kvmhelper_sim_esb_new: off, and without a target. @irq: what PHB's MSI it is of; NULL: an IPI.
 */
KvmHelperSimEsb *kvmhelper_sim_esb_new (guint32 hw, KvmHelperSimIrq *irq);
void kvmhelper_sim_esb_free (KvmHelperSimEsb *esb);

/** kvmhelper_sim_esb_forget_irq: the device's interrupt goes; its ESB stays as it was. */
void kvmhelper_sim_esb_forget_irq (KvmHelperSimEsb *esb);

/** kvmhelper_sim_esb_configure: the EAS, as xive_native_configure_irq (sysdev/xive/native.c). */
void kvmhelper_sim_esb_configure (KvmHelperSimEsb *esb, KvmHelperSimVcpu *vcpu, guint8 priority,
                                  guint32 data);

guint8 kvmhelper_sim_esb_pq (const KvmHelperSimEsb *esb);

/** kvmhelper_sim_esb_load: a load of one of the pages: what it gives, with the effect it has. */
guint64 kvmhelper_sim_esb_load (KvmHelperSimEsbPage *page, guint64 offset);

/** kvmhelper_sim_esb_manage: a load of the second page at one of the offsets above. */
guint64 kvmhelper_sim_esb_manage (KvmHelperSimEsb *esb, guint64 offset);

/** kvmhelper_sim_esb_trigger: a store to the first page, or what the device's message is. */
void kvmhelper_sim_esb_trigger (KvmHelperSimEsb *esb);

/** kvmhelper_sim_esb_eoi: an end of interrupt as Linux does it: PQ=00, and again where Q was set
 * (arch/powerpc/kvm/book3s_xive.c: xive_vm_source_eoi). */
void kvmhelper_sim_esb_eoi (KvmHelperSimEsb *esb);

/**
 * The hardware numbers of IPIs, as OPAL gives them to KVM: the lowest that is free (skiboot,
 * hw/xive.c: xive_try_allocate_irq). There are half a million: the model has no end of them.
 */
guint32 kvmhelper_sim_ipi_allocate (KvmHelperSim *sim);
void kvmhelper_sim_ipi_release (KvmHelperSim *sim, guint32 hw);
