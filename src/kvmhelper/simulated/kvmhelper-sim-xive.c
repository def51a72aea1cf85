/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

#include <errno.h>

/* What both of KVM's XIVE devices share: sources, vCPUs' presenters and their targets
 * (arch/powerpc/kvm/book3s_xive.c). */

/* An event queue is never filled to its end (XIVE_Q_GAP). */
#define QUEUE_GAP 2

/* Linux' number of the first interrupt that wakes a vCPU (seen: 48). */
#define FIRST_ESCALATION 48

/* The firmware's numbers of virtual processors have the size of their block in them (skiboot,
 * hw/xive.c: xive_encode_vp). */
#define VP_GROUP       0x40000000u
#define VP_ORDER_SHIFT 24
#define VP_INDEX       0xffffffu
/* Those of the hardware's own threads (skiboot, hw/xive.c: XIVE_HW_VP_BASE). */
#define HARDWARE_VPS      0x80
#define HARDWARE_VP_COUNT 0x80

KvmHelperSimXive *
kvmhelper_sim_xive_new (KvmHelperSimKvmDevice *device, gboolean native)
{
  KvmHelperSimXive *xive = g_new0 (KvmHelperSimXive, 1);

  xive->vm = device->vm;
  xive->device = device;
  xive->native = native;
  xive->servers = KVMHELPER_SIM_MAX_VCPUS;
  return xive;
}

/* --- sources --- */

KvmHelperSimGuestSource *
kvmhelper_sim_xive_find (KvmHelperSimXive *xive, guint64 irq)
{
  KvmHelperSimSourceBlock *block;

  if (irq >= KVMHELPER_SIM_XIVE_IRQS)
    return NULL;
  block = xive->blocks[irq / KVMHELPER_SIM_XIVE_BLOCK];
  return block == NULL ? NULL : &block->sources[irq % KVMHELPER_SIM_XIVE_BLOCK];
}

/* kvmppc_xive_create_src_block */
KvmHelperSimGuestSource *
kvmhelper_sim_xive_make (KvmHelperSimXive *xive, guint64 irq)
{
  const guint64 number = irq / KVMHELPER_SIM_XIVE_BLOCK;

  if (xive->blocks[number] == NULL)
    {
      KvmHelperSimSourceBlock *block = g_new0 (KvmHelperSimSourceBlock, 1);

      for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCK; i++)
        {
          block->sources[i].number = (guint32) (number * KVMHELPER_SIM_XIVE_BLOCK + i);
          block->sources[i].act_priority = KVMHELPER_SIM_MASKED;
          block->sources[i].guest_priority = KVMHELPER_SIM_MASKED;
          block->sources[i].saved_priority = KVMHELPER_SIM_MASKED;
        }
      xive->blocks[number] = block;
    }
  return kvmhelper_sim_xive_find (xive, irq);
}

void
kvmhelper_sim_xive_provide_ipi (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source)
{
  if (source->ipi == NULL)
    source->ipi = kvmhelper_sim_esb_new (kvmhelper_sim_ipi_allocate (xive->vm->sim), NULL);
}

KvmHelperSimEsb *
kvmhelper_sim_xive_selected (const KvmHelperSimGuestSource *source)
{
  return source->passed != NULL ? source->passed : source->ipi;
}

void
kvmhelper_sim_xive_configure (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source,
                              KvmHelperSimEsb *esb, guint32 data)
{
  KvmHelperSimVcpu *vcpu = source->act_priority == KVMHELPER_SIM_MASKED
                               ? NULL
                               : kvmhelper_sim_xive_find_server (xive, source->act_server);

  kvmhelper_sim_esb_configure (esb, vcpu, source->act_priority, data);
}

/* Hard off, and without a target (kvmppc_xive_cleanup_irq). */
static void
cut_off (KvmHelperSimEsb *esb)
{
  kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_SET_PQ_01);
  kvmhelper_sim_esb_configure (esb, NULL, KVMHELPER_SIM_MASKED, 0);
}

/* kvmppc_xive_free_sources. A device's interrupt that is still passed through ends as off: neither
 * the guest nor the host gets it, until the host frees it. */
static void
block_free (KvmHelperSim *sim, KvmHelperSimSourceBlock *block)
{
  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCK; i++)
    {
      KvmHelperSimGuestSource *source = &block->sources[i];

      if (source->ipi != NULL)
        kvmhelper_sim_ipi_release (sim, source->ipi->hw);
      g_clear_pointer (&source->ipi, kvmhelper_sim_esb_free);
      if (source->passed == NULL)
        continue;
      cut_off (source->passed);
      if (source->passed->irq != NULL)
        source->passed->irq->vcpu = NULL;
      kvmhelper_sim_esb_free (source->passed);
    }
  g_free (block);
}

int
kvmhelper_sim_xive_set_irq (KvmHelperSimXive *xive, guint32 irq, guint32 level)
{
  KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, irq);

  if (source == NULL || !source->valid || source->passed != NULL)
    return -EINVAL;
  if ((level == 1 && source->lsi) || level == KVM_INTERRUPT_SET_LEVEL)
    source->asserted = TRUE;
  else if (level == 0 || level == KVM_INTERRUPT_UNSET)
    {
      source->asserted = FALSE;
      return 0;
    }
  kvmhelper_sim_esb_trigger (source->ipi);
  return 0;
}

/* --- vCPUs --- */

int
kvmhelper_sim_xive_set_servers (KvmHelperSimXive *xive, guint64 address)
{
  guint32 servers;

  if (kvmhelper_sim_copy_in (address, &servers, sizeof servers) != 0)
    return -EFAULT;
  if (servers == 0 || servers > KVMHELPER_SIM_MAX_VCPU_IDS)
    return -EINVAL;
  if (xive->vp_base != 0)
    return -EBUSY;
  xive->servers = MIN (servers, KVMHELPER_SIM_MAX_VCPUS);
  return 0;
}

static gboolean
is_free (KvmHelperSimKvm *kvm, guint32 first, guint32 count)
{
  if (first < HARDWARE_VPS + HARDWARE_VP_COUNT && HARDWARE_VPS < first + count)
    return FALSE;
  for (guint i = 0; i < kvm->vms->len; i++)
    {
      const KvmHelperSimVm *vm = kvm->vms->pdata[i];
      guint32 taken, end;

      if (vm->xive == NULL || vm->xive->vp_base == 0)
        continue;
      taken = vm->xive->vp_base & VP_INDEX;
      end = taken + (1u << ((vm->xive->vp_base & ~VP_GROUP) >> VP_ORDER_SHIFT));
      if (first < end && taken < first + count)
        return FALSE;
    }
  return TRUE;
}

/* xive_native_alloc_vp_block: a block of 2^order, two at least, at a multiple of its size. */
static void
allocate_processors (KvmHelperSimXive *xive)
{
  const guint order = xive->servers <= 2 ? 1 : g_bit_storage (xive->servers - 1u);
  const guint32 count = 1u << order;
  guint32 first;

  for (first = count; !is_free (xive->vm->sim->kvm, first, count);)
    first += count;
  xive->vp_base = VP_GROUP | order << VP_ORDER_SHIFT | first;
}

KvmHelperSimVcpu *
kvmhelper_sim_xive_find_server (KvmHelperSimXive *xive, guint32 server)
{
  for (guint i = 0; i < xive->vm->vcpus->len; i++)
    {
      KvmHelperSimVcpu *vcpu = xive->vm->vcpus->pdata[i];

      if (vcpu->presenter != NULL && vcpu->presenter->server == server)
        return vcpu;
    }
  return NULL;
}

int
kvmhelper_sim_vcpu_may_connect (const KvmHelperSimVcpu *vcpu, const KvmHelperSimKvmDevice *device,
                                const KvmHelperSimKvmDeviceKind *kind)
{
  if (device->kind != kind || device->vm != vcpu->vm)
    return -EPERM;
  return vcpu->irq_type != KVMHELPER_SIM_IRQ_DEFAULT ? -EBUSY : 0;
}

/* kvmppc_xive_compute_vp_id, and what both connect_vcpu do with it */
int
kvmhelper_sim_xive_connect (KvmHelperSimXive *xive, KvmHelperSimVcpu *vcpu, guint32 server)
{
  if (server >= xive->servers)
    return -EINVAL;
  if (xive->vp_base == 0)
    allocate_processors (xive);
  if (kvmhelper_sim_xive_find_server (xive, server) != NULL)
    return -EEXIST;
  vcpu->presenter = g_new0 (KvmHelperSimPresenter, 1);
  vcpu->presenter->xive = xive;
  vcpu->presenter->server = server;
  vcpu->presenter->vp = xive->vp_base + server;
  vcpu->irq_type = xive->native ? KVMHELPER_SIM_IRQ_XIVE : KVMHELPER_SIM_IRQ_XICS;
  return 0;
}

void
kvmhelper_sim_presenter_silence (KvmHelperSimVcpu *vcpu)
{
  KvmHelperSimXive *xive = vcpu->presenter->xive;

  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCKS; i++)
    for (guint j = 0; xive->blocks[i] != NULL && j < KVMHELPER_SIM_XIVE_BLOCK; j++)
      {
        KvmHelperSimGuestSource *source = &xive->blocks[i]->sources[j];

        if (!source->valid || source->act_priority == KVMHELPER_SIM_MASKED
            || source->act_server != vcpu->presenter->server)
          continue;
        source->act_priority = KVMHELPER_SIM_MASKED;
        cut_off (source->ipi);
        if (source->passed != NULL)
          cut_off (source->passed);
      }
}

/* kvmppc_xive_cleanup_vcpu, kvmppc_xive_native_cleanup_vcpu */
static void
disconnect (KvmHelperSimVcpu *vcpu)
{
  KvmHelperSim *sim = vcpu->vm->sim;

  kvmhelper_sim_presenter_silence (vcpu);
  if (vcpu->presenter->ipi != NULL)
    {
      kvmhelper_sim_ipi_release (sim, vcpu->presenter->ipi->hw);
      kvmhelper_sim_esb_free (vcpu->presenter->ipi);
    }
  g_clear_pointer (&vcpu->presenter, g_free);
  vcpu->irq_type = KVMHELPER_SIM_IRQ_DEFAULT;
}

/* kvmppc_xive_release, kvmppc_xive_native_release: another controller can be made after it, as
 * happens when a guest says which one it wants. */
void
kvmhelper_sim_xive_free (KvmHelperSimXive *xive)
{
  KvmHelperSimVm *vm = xive->vm;

  for (guint i = 0; i < vm->vcpus->len; i++)
    {
      KvmHelperSimVcpu *vcpu = vm->vcpus->pdata[i];

      if (vcpu->presenter != NULL)
        disconnect (vcpu);
    }
  vm->xive = NULL;
  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCKS; i++)
    if (xive->blocks[i] != NULL)
      block_free (vm->sim, xive->blocks[i]);
  g_free (xive);
}

/* --- targets --- */

static int
pick_queue (KvmHelperSimVcpu *vcpu, guint8 priority)
{
  KvmHelperSimQueue *queue = &vcpu->presenter->queues[priority];

  if (!queue->enabled)
    return -ENXIO;
  if (queue->targeted >= (1u << (queue->shift - 2)) - QUEUE_GAP)
    return -EBUSY;
  queue->targeted++;
  return 0;
}

int
kvmhelper_sim_xive_select_target (KvmHelperSimXive *xive, guint32 *server, guint8 priority)
{
  KvmHelperSimVcpu *vcpu = kvmhelper_sim_xive_find_server (xive, *server);

  if (vcpu == NULL)
    return -EINVAL;
  if (pick_queue (vcpu, priority) == 0)
    return 0;
  for (guint i = 0; i < xive->vm->vcpus->len; i++)
    {
      vcpu = xive->vm->vcpus->pdata[i];
      if (vcpu->presenter == NULL || pick_queue (vcpu, priority) != 0)
        continue;
      *server = vcpu->presenter->server;
      return 0;
    }
  return -EBUSY;
}

/* XICS: the queue is KVM's own, and the data the number of the source; below 16 there is none. */
static void
note_queued (KvmHelperSimXive *xive, KvmHelperSimQueue *queue, guint32 data, guint32 word)
{
  KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, data);

  if (queue->index < G_N_ELEMENTS (queue->first))
    queue->first[queue->index] = word;
  if (source != NULL)
    source->queued = TRUE;
}

/* The hardware writes a word: the data, below a bit that tells this round from the last. Where
 * there is no queue, the event is lost. */
void
kvmhelper_sim_presenter_event (KvmHelperSimVcpu *vcpu, guint8 priority, guint32 data)
{
  KvmHelperSimQueue *queue = &vcpu->presenter->queues[priority];
  const guint32 word = GUINT32_TO_BE (queue->toggle << 31 | (data & 0x7fffffff));
  guint64 user;

  if (!queue->enabled)
    return;
  if (vcpu->presenter->xive->native)
    {
      user = kvmhelper_sim_vm_address (vcpu->vm, queue->guest_page + queue->index * 4);
      if (user != 0)
        kvmhelper_sim_copy_out (user, &word, sizeof word);
    }
  else
    note_queued (vcpu->presenter->xive, queue, data, word);
  queue->index = (queue->index + 1) % (1u << (queue->shift - 2));
  if (queue->index == 0)
    queue->toggle ^= 1;
}

void
kvmhelper_sim_queue_reset (KvmHelperSimQueue *queue)
{
  *queue = (KvmHelperSimQueue){ .toggle = 1 };
}

void
kvmhelper_sim_queue_escalate (KvmHelperSim *sim, KvmHelperSimQueue *queue)
{
  if (queue->escalation == 0)
    queue->escalation = FIRST_ESCALATION + ((KvmHelperSimKvm *) sim->kvm)->escalations++;
}
