/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

/**
 * KVM's side of XIVE, for a guest with native XIVE and for one with XICS on a XIVE host:
 *
 *   the guest's number (LISN) -> a guest source -> an ESB of the hardware
 *
 * Each guest source has an IPI of the hardware, made when the source is: who triggers it (QEMU, an
 * irqfd, another vCPU) stores to its ESB. When a device is passed through, its MSI has an ESB of
 * its own, in the PHB. The guest source has both then, and "selects" the device's
 * (kvmppc_xive_select_irq): all that is done to the source is done to that. The guest does not
 * notice: it reaches its source by two pages in its address space, and KVM only changes which
 * hardware pages are mapped there.
 */
#define KVMHELPER_SIM_XIVE_IRQS   0x100000 /* KVMPPC_XIVE_NR_IRQS, which is XICS' too */
#define KVMHELPER_SIM_XIVE_BLOCK  1024     /* KVMPPC_XICS_IRQ_PER_ICS: sources are made in blocks */
#define KVMHELPER_SIM_XIVE_BLOCKS (KVMHELPER_SIM_XIVE_IRQS / KVMHELPER_SIM_XIVE_BLOCK)
#define KVMHELPER_SIM_QUEUES      8

/* struct kvmppc_xive_irq_state */
typedef struct
{
  guint32 number;          /* the guest's */
  gboolean valid;          /* it was made; the others of its block are not */
  KvmHelperSimEsb *ipi;    /* owned */
  KvmHelperSimEsb *passed; /* the device's, while it is passed through; owned */
  gboolean lsi, asserted;
  guint32 eisn;          /* what the guest finds in its queue */
  guint32 act_server;    /* the target in hardware … */
  guint8 act_priority;   /* … and its priority; KVMHELPER_SIM_MASKED: none */
  guint8 guest_priority; /* of XICS guests, which mask by it. Native ones mask by the ESB alone */
  guint8 saved_priority;
  gboolean old_p, old_q; /* what PQ were when KVM masked it */
  /* XICS: what a look at all sources found (xive_pre_save_scan): what KVM_GET_DEVICE_ATTR says. */
  guint8 saved_scan_priority;
  gboolean saved_p, saved_q;
  gboolean in_queue; /* an event of it is in a queue, … */
  gboolean queued;   /* … where the guest leaves it */
} KvmHelperSimGuestSource;

typedef struct
{
  KvmHelperSimGuestSource sources[KVMHELPER_SIM_XIVE_BLOCK];
} KvmHelperSimSourceBlock;

/* An event queue: a page of big-endian words, whose topmost bit changes with every round. struct
 * xive_q, and the hardware's END. */
typedef struct
{
  gboolean enabled;   /* it has a page */
  guint64 guest_page; /* native: where it is in the guest */
  guint shift;
  guint32 index, toggle; /* where the hardware writes next */
  guint32 first[2];      /* of a queue in the kernel (XICS): its first words */
  guint32 targeted;      /* sources that were given it, ever */
  guint escalation;      /* the host's interrupt that wakes the vCPU; 0: none */
} KvmHelperSimQueue;

/* A vCPU's part, struct kvmppc_xive_vcpu: the virtual processor that presents interrupts. */
struct _KvmHelperSimPresenter
{
  KvmHelperSimXive *xive;
  guint32 server;       /* the guest's number of it */
  guint32 vp;           /* the firmware's */
  KvmHelperSimEsb *ipi; /* XICS: by which vCPUs interrupt each other */
  KvmHelperSimQueue queues[KVMHELPER_SIM_QUEUES];
};

/* struct kvmppc_xive */
struct _KvmHelperSimXive
{
  KvmHelperSimVm *vm;
  KvmHelperSimKvmDevice *device;
  gboolean native;
  gboolean mapped; /* something of it was mapped once (xive->mapping) */
  guint servers;   /* nr_servers: how many vCPUs it is made for */
  guint32 vp_base; /* of as many virtual processors; 0: not yet */
  guint queue_map; /* XICS: priorities that every vCPU has a queue for (qmap) */
  guint sources,
      saved; /* XICS: how many there are, and how many were asked for since the last look */
  KvmHelperSimSourceBlock *blocks[KVMHELPER_SIM_XIVE_BLOCKS];
};

/** kvmhelper_sim_xive_new, _free: without sources; what either kind of device has. */
KvmHelperSimXive *kvmhelper_sim_xive_new (KvmHelperSimKvmDevice *device, gboolean native);
void kvmhelper_sim_xive_free (KvmHelperSimXive *xive);

/** kvmhelper_sim_xive_find: NULL: no block (kvmppc_xive_find_source). _make: makes it. */
KvmHelperSimGuestSource *kvmhelper_sim_xive_find (KvmHelperSimXive *xive, guint64 irq);
KvmHelperSimGuestSource *kvmhelper_sim_xive_make (KvmHelperSimXive *xive, guint64 irq);

/** kvmhelper_sim_xive_provide_ipi: gives the source its IPI, masked. */
void kvmhelper_sim_xive_provide_ipi (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source);

/** kvmhelper_sim_xive_selected: the device's ESB where it is passed through, else the IPI's. */
KvmHelperSimEsb *kvmhelper_sim_xive_selected (const KvmHelperSimGuestSource *source);

int kvmhelper_sim_xive_set_servers (KvmHelperSimXive *xive, guint64 address);

/** kvmhelper_sim_vcpu_may_connect: 0, -EPERM: @device is none of @kind, or of another VM, -EBUSY:
 * the vCPU has a controller. */
int
kvmhelper_sim_vcpu_may_connect (const KvmHelperSimVcpu *vcpu, const KvmHelperSimKvmDevice *device,
                                const KvmHelperSimKvmDeviceKind *kind);

/**
 * kvmhelper_sim_xive_connect: KVM_ENABLE_CAP of a vCPU: gives it its presenter, -EINVAL: its number
 * is not below the number of servers, -EEXIST: another one has it.
 */
int kvmhelper_sim_xive_connect (KvmHelperSimXive *xive, KvmHelperSimVcpu *vcpu, guint32 server);
int kvmhelper_sim_xive_native_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu,
                                       guint32 server);
int kvmhelper_sim_xive_xics_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu,
                                     guint32 server);
int
kvmhelper_sim_xics_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu, guint32 server);
/** kvmhelper_sim_xive_find_server: the vCPU that presents for @server; NULL. */
KvmHelperSimVcpu *kvmhelper_sim_xive_find_server (KvmHelperSimXive *xive, guint32 server);
/** kvmhelper_sim_presenter_silence: nothing is sent to the vCPU any more
 * (kvmppc_xive_disable_vcpu_interrupts). */
void kvmhelper_sim_presenter_silence (KvmHelperSimVcpu *vcpu);

/** kvmhelper_sim_xive_configure: writes the EAS of @esb for the source's target. */
void kvmhelper_sim_xive_configure (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source,
                                   KvmHelperSimEsb *esb, guint32 data);
/** kvmhelper_sim_xive_select_target: *@server, or another that has room: 0, -EINVAL: no such
 * server, -EBUSY: no queue of that priority (kvmppc_xive_select_target). */
int kvmhelper_sim_xive_select_target (KvmHelperSimXive *xive, guint32 *server, guint8 priority);

/** kvmhelper_sim_presenter_event: the hardware writes an event to a queue. */
void kvmhelper_sim_presenter_event (KvmHelperSimVcpu *vcpu, guint8 priority, guint32 data);
/** kvmhelper_sim_queue_reset: it has no page any more. _escalate: the host hears of it when the
 * vCPU does not run (kvmppc_xive_attach_escalation). */
void kvmhelper_sim_queue_reset (KvmHelperSimQueue *queue);
void kvmhelper_sim_queue_escalate (KvmHelperSim *sim, KvmHelperSimQueue *queue);

/** kvmhelper_sim_xive_set_irq: an irqfd, or KVM_IRQ_LINE, triggers the source: -EINVAL where it is
 * none, or passed through: then the hardware alone does (kvmppc_xive_set_irq). @level: 1, 0, or
 * KVM_INTERRUPT_… */
int kvmhelper_sim_xive_set_irq (KvmHelperSimXive *xive, guint32 irq, guint32 level);
/** kvmhelper_sim_xics_has_irq: a guest with XICS, in software or not, may have such a source. */
gboolean kvmhelper_sim_xics_has_irq (guint64 irq);
int kvmhelper_sim_xics_set_irq (KvmHelperSimXics *xics, guint32 irq, guint32 level);

/* Passing on, kvmhelper-sim-xive-passthru.c. */
guint8 kvmhelper_sim_xive_mask (KvmHelperSimGuestSource *source);
void kvmhelper_sim_xive_unmask (KvmHelperSimGuestSource *source, guint8 priority);
int kvmhelper_sim_xive_set_mapped (KvmHelperSimXive *xive, guint32 irq, KvmHelperSimIrq *host);
int kvmhelper_sim_xive_clear_mapped (KvmHelperSimXive *xive, guint32 irq, KvmHelperSimIrq *host);
/** kvmhelper_sim_xive_forget_irq: the host's interrupt is freed: no source of a guest has it. */
void kvmhelper_sim_xive_forget_irq (KvmHelperSimXive *xive, KvmHelperSimIrq *host);

/* The pages, kvmhelper-sim-xive-map.c. */
int kvmhelper_sim_xive_mmap (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length,
                             guint64 offset);
gpointer kvmhelper_sim_xive_fault (KvmHelperSimFile *file, guint64 page);
guint64 kvmhelper_sim_xive_load (KvmHelperSimFile *file, gpointer page, guint64 offset);
/** kvmhelper_sim_xive_reset_mapped: the pages of a source are no longer what is mapped of it. */
void kvmhelper_sim_xive_reset_mapped (KvmHelperSimXive *xive, guint32 irq);

/* The queues of a native guest, kvmhelper-sim-xive-queue.c. */
int kvmhelper_sim_xive_set_queue (KvmHelperSimXive *xive, guint64 id, guint64 address);
int kvmhelper_sim_xive_get_queue (KvmHelperSimXive *xive, guint64 id, guint64 address);

/** kvmhelper_sim_xics_show: the attribute "xics" in the VM's directory in debugfs; @vm has it. */
char *kvmhelper_sim_xics_show (gpointer vm, gsize *length, int *errnum);
