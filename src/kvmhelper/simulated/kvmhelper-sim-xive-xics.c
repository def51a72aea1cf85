/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* KVM_DEV_TYPE_XICS where the host has XIVE: the guest thinks that it has XICS, and makes
 * hypercalls for all it does; KVM does them with XIVE's sources and queues
 * (arch/powerpc/kvm/book3s_xive.c). Passing a device's interrupt on works as for a native guest,
 * but for the pages: there are none, as the guest never touches an ESB. */

#define QUEUE_SHIFT 16 /* the host's own queues' size */

static void
provide_queue (KvmHelperSimXive *xive, KvmHelperSimVcpu *vcpu, guint8 priority)
{
  KvmHelperSimQueue *queue = &vcpu->presenter->queues[priority];

  queue->enabled = TRUE;
  queue->shift = QUEUE_SHIFT;
  queue->toggle = 1;
}

/* xive_check_provisioning: the first source of a priority gives every vCPU a queue for it. */
static void
check_queues (KvmHelperSimXive *xive, guint8 priority)
{
  if ((xive->queue_map & (1u << priority)) != 0)
    return;
  for (guint i = 0; i < xive->vm->vcpus->len; i++)
    {
      KvmHelperSimVcpu *vcpu = xive->vm->vcpus->pdata[i];

      if (vcpu->presenter != NULL)
        provide_queue (xive, vcpu, priority);
    }
  xive->queue_map |= 1u << priority;
}

int
kvmhelper_sim_xive_xics_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu,
                                 guint32 server)
{
  KvmHelperSimXive *xive = device->object;
  KvmHelperSimPresenter *presenter;
  int result = kvmhelper_sim_vcpu_may_connect (vcpu, device, &kvmhelper_sim_kind_xics_on_xive);

  if (result == 0)
    result = kvmhelper_sim_xive_connect (xive, vcpu, server);
  if (result != 0)
    return result;
  presenter = vcpu->presenter;
  presenter->ipi = kvmhelper_sim_esb_new (kvmhelper_sim_ipi_allocate (vcpu->vm->sim), NULL);
  for (guint8 priority = 0; priority < KVMHELPER_SIM_QUEUES; priority++)
    if ((xive->queue_map & (1u << priority)) != 0)
      provide_queue (xive, vcpu, priority);
  kvmhelper_sim_queue_escalate (vcpu->vm->sim, &presenter->queues[0]);
  kvmhelper_sim_esb_configure (presenter->ipi, vcpu, 0, 2 /* XICS_IPI */);
  kvmhelper_sim_esb_manage (presenter->ipi, KVMHELPER_SIM_ESB_SET_PQ_00);
  return 0;
}

/* xive_prio_from_guest */
static guint8
host_priority (guint8 priority)
{
  return priority == KVMHELPER_SIM_MASKED || priority < 6 ? priority : 6;
}

/* Gives the source its target, or leaves it without. */
static void
set_target (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source, guint32 server,
            guint8 priority)
{
  source->act_priority = KVMHELPER_SIM_MASKED;
  if (priority == KVMHELPER_SIM_MASKED)
    return;
  check_queues (xive, priority);
  if (kvmhelper_sim_xive_select_target (xive, &server, priority) != 0)
    return;
  source->act_priority = priority;
  source->act_server = server;
  kvmhelper_sim_xive_configure (xive, source, kvmhelper_sim_xive_selected (source), source->number);
}

static int
set_source (KvmHelperSimXive *xive, guint64 irq, guint64 address)
{
  KvmHelperSimGuestSource *source;
  guint64 value;
  guint8 priority;

  if (!kvmhelper_sim_xics_has_irq (irq))
    return -ENOENT;
  source = kvmhelper_sim_xive_make (xive, irq);
  if (kvmhelper_sim_copy_in (address, &value, sizeof value) != 0)
    return -EFAULT;
  priority = (guint8) (value >> KVM_XICS_PRIORITY_SHIFT);
  kvmhelper_sim_xive_provide_ipi (xive, source);

  /* masked first: it must not look so already, or nothing would be done */
  source->guest_priority = 0;
  kvmhelper_sim_xive_mask (source);
  set_target (xive, source, (guint32) (value & KVM_XICS_DESTINATION_MASK),
              host_priority (priority));

  source->lsi = (value & KVM_XICS_LEVEL_SENSITIVE) != 0;
  source->asserted = source->lsi && (value & KVM_XICS_PENDING) != 0;
  /* What was pending comes again: Q without P. */
  source->old_p = (value & KVM_XICS_PRESENTED) != 0 && (value & KVM_XICS_PENDING) == 0;
  source->old_q = (value & (KVM_XICS_QUEUED | KVM_XICS_PENDING)) != 0;
  if ((value & KVM_XICS_MASKED) != 0)
    source->guest_priority = KVMHELPER_SIM_MASKED;
  else
    kvmhelper_sim_xive_unmask (source, priority);
  source->saved_priority = priority;
  xive->sources += source->valid ? 0 : 1;
  source->valid = TRUE;
  return 0;
}

typedef void (*EachSource) (KvmHelperSimGuestSource *source);

static void
for_each_source (KvmHelperSimXive *xive, EachSource function)
{
  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCKS; i++)
    for (guint j = 0; xive->blocks[i] != NULL && j < KVMHELPER_SIM_XIVE_BLOCK; j++)
      if (xive->blocks[i]->sources[j].valid)
        function (&xive->blocks[i]->sources[j]);
}

/* xive_pre_save_mask_irq, xive_pre_save_queue, xive_pre_save_unmask_irq */
static void
scan (KvmHelperSimGuestSource *source)
{
  source->saved_scan_priority = kvmhelper_sim_xive_mask (source);
  source->saved_p = source->old_p;
  source->saved_q = source->old_q;
  source->in_queue = source->queued;
  if (source->saved_scan_priority != KVMHELPER_SIM_MASKED)
    kvmhelper_sim_xive_unmask (source, source->saved_scan_priority);
}

static void
forget_queue (KvmHelperSimGuestSource *source)
{
  source->in_queue = FALSE;
}

/* xive_get_source: a source, as a migration takes it along. The first of a series looks at all of
 * them, and is the look for as many more as there are sources: what changes meanwhile is not
 * seen. */
static int
get_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  KvmHelperSimXive *xive = device->object;
  const KvmHelperSimGuestSource *source;
  guint64 value;
  guint8 priority;

  if (attribute->group != KVM_DEV_XICS_GRP_SOURCES)
    return -ENXIO;
  source = kvmhelper_sim_xive_find (xive, attribute->attr);
  if (source == NULL || !source->valid)
    return -ENOENT;
  if (xive->saved == 0)
    for_each_source (xive, scan);
  priority = source->saved_scan_priority;
  value = source->act_server;
  if (priority == KVMHELPER_SIM_MASKED)
    value |= KVM_XICS_MASKED;
  value |= (guint64) (priority == KVMHELPER_SIM_MASKED ? source->saved_priority : priority)
           << KVM_XICS_PRIORITY_SHIFT;
  if (source->lsi)
    value |= KVM_XICS_LEVEL_SENSITIVE | (source->saved_p ? KVM_XICS_PENDING : 0);
  else
    value |= (source->saved_p ? KVM_XICS_PRESENTED : 0) | (source->saved_q ? KVM_XICS_QUEUED : 0)
             | (source->in_queue ? KVM_XICS_PENDING : 0);
  if (++xive->saved == xive->sources)
    {
      for_each_source (xive, forget_queue);
      xive->saved = 0;
    }
  return kvmhelper_sim_copy_out (attribute->addr, &value, sizeof value);
}

static int
set_attribute (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
               const struct kvm_device_attr *attribute)
{
  if (attribute->group == KVM_DEV_XICS_GRP_SOURCES)
    return set_source (device->object, attribute->attr, attribute->addr);
  if (attribute->group == KVM_DEV_XICS_GRP_CTRL && attribute->attr == KVM_DEV_XICS_NR_SERVERS)
    return kvmhelper_sim_xive_set_servers (device->object, attribute->addr);
  return -ENXIO;
}

static int
has_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  if (attribute->group == KVM_DEV_XICS_GRP_SOURCES)
    return kvmhelper_sim_xics_has_irq (attribute->attr) ? 0 : -ENXIO;
  return attribute->group == KVM_DEV_XICS_GRP_CTRL && attribute->attr == KVM_DEV_XICS_NR_SERVERS
             ? 0
             : -ENXIO;
}

static int
create (KvmHelperSimKvmDevice *device)
{
  if (device->vm->xive != NULL)
    return -EEXIST;
  device->object = device->vm->xive = kvmhelper_sim_xive_new (device, FALSE);
  return 0;
}

static void
release (KvmHelperSimKvmDevice *device)
{
  kvmhelper_sim_xive_free (device->object);
}

const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xics_on_xive = {
  .file = { .link = "anon_inode:kvm-xive",
            .ioctl = kvmhelper_sim_kvm_device_ioctl,
            .release = kvmhelper_sim_kvm_device_release },
  .create = create,
  .release = release,
  .set = set_attribute,
  .get = get_attribute,
  .has = has_attribute,
};
