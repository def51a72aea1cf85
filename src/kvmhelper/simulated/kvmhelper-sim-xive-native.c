/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* KVM_DEV_TYPE_XIVE: a guest that drives XIVE itself (arch/powerpc/kvm/book3s_xive_native.c). It
 * asks the hypervisor (H_INT_*), which is QEMU, which tells KVM by the attributes here. What the
 * guest does often, it does with loads and stores: kvmhelper-sim-xive-map.c. */

int
kvmhelper_sim_xive_native_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu,
                                   guint32 server)
{
  int result = kvmhelper_sim_vcpu_may_connect (vcpu, device, &kvmhelper_sim_kind_xive_native);

  return result != 0 ? result : kvmhelper_sim_xive_connect (device->object, vcpu, server);
}

/* The source is there, and masked, however often it is asked for; LSI once is LSI for good. */
static int
set_source (KvmHelperSimXive *xive, guint64 irq, guint64 address)
{
  KvmHelperSimGuestSource *source;
  guint64 state;

  if (irq >= KVMHELPER_SIM_XIVE_IRQS)
    return -E2BIG;
  source = kvmhelper_sim_xive_make (xive, irq);
  if (kvmhelper_sim_copy_in (address, &state, sizeof state) != 0)
    return -EFAULT;
  kvmhelper_sim_xive_provide_ipi (xive, source);
  if ((state & KVM_XIVE_LEVEL_SENSITIVE) != 0)
    {
      source->lsi = TRUE;
      source->asserted = source->asserted || (state & KVM_XIVE_LEVEL_ASSERTED) != 0;
    }
  source->act_server = 0;
  source->act_priority = KVMHELPER_SIM_MASKED;
  kvmhelper_sim_esb_manage (source->ipi, KVMHELPER_SIM_ESB_SET_PQ_01);
  kvmhelper_sim_xive_configure (xive, source, source->ipi, 0);
  source->valid = TRUE;
  return 0;
}

/* kvmppc_xive_native_update_source_config */
static int
set_target (KvmHelperSimXive *xive, KvmHelperSimGuestSource *source, guint32 server,
            guint8 priority, gboolean masked, guint32 eisn)
{
  int result;

  if (source->act_server == server && source->act_priority == priority && source->eisn == eisn)
    return 0;
  if (masked)
    {
      priority = KVMHELPER_SIM_MASKED;
      server = 0;
      eisn = 0;
    }
  else
    {
      result = kvmhelper_sim_xive_select_target (xive, &server, priority);
      if (result != 0)
        return result;
    }
  source->act_priority = priority;
  source->act_server = server;
  source->eisn = eisn;
  kvmhelper_sim_xive_configure (xive, source, kvmhelper_sim_xive_selected (source), eisn);
  return 0;
}

static int
set_source_config (KvmHelperSimXive *xive, guint64 irq, guint64 address)
{
  KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, irq);
  guint64 config;
  guint8 priority;

  if (source == NULL)
    return -ENOENT;
  if (!source->valid)
    return -EINVAL;
  if (kvmhelper_sim_copy_in (address, &config, sizeof config) != 0)
    return -EFAULT;
  priority = (guint8) (config & KVM_XIVE_SOURCE_PRIORITY_MASK);
  /* The host keeps 7 for itself: a guest has 0 to 6 (xive_prio_from_guest). */
  if (priority == 7)
    return -EINVAL;
  return set_target (
      xive, source,
      (guint32) ((config & KVM_XIVE_SOURCE_SERVER_MASK) >> KVM_XIVE_SOURCE_SERVER_SHIFT), priority,
      (config & KVM_XIVE_SOURCE_MASKED_MASK) != 0,
      (guint32) ((config & KVM_XIVE_SOURCE_EISN_MASK) >> KVM_XIVE_SOURCE_EISN_SHIFT));
}

/* What is under way from the source to its queue arrives: here it always has. */
static int
sync_source (KvmHelperSimXive *xive, guint64 irq)
{
  const KvmHelperSimGuestSource *source = kvmhelper_sim_xive_find (xive, irq);

  if (source == NULL)
    return -ENOENT;
  return source->valid ? 0 : -EINVAL;
}

/* kvmppc_xive_reset: no queues, and no targets; the sources stay, off. */
static int
reset (KvmHelperSimXive *xive)
{
  for (guint i = 0; i < xive->vm->vcpus->len; i++)
    {
      KvmHelperSimVcpu *vcpu = xive->vm->vcpus->pdata[i];

      if (vcpu->presenter == NULL)
        continue;
      kvmhelper_sim_presenter_silence (vcpu);
      for (guint priority = 0; priority < KVMHELPER_SIM_QUEUES; priority++)
        kvmhelper_sim_queue_reset (&vcpu->presenter->queues[priority]);
    }
  return 0;
}

static int
set_attribute (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
               const struct kvm_device_attr *attribute)
{
  KvmHelperSimXive *xive = device->object;

  switch (attribute->group)
    {
    case KVM_DEV_XIVE_GRP_CTRL:
      if (attribute->attr == KVM_DEV_XIVE_RESET)
        return reset (xive);
      if (attribute->attr == KVM_DEV_XIVE_EQ_SYNC)
        return 0;
      if (attribute->attr == KVM_DEV_XIVE_NR_SERVERS)
        return kvmhelper_sim_xive_set_servers (xive, attribute->addr);
      return -ENXIO;
    case KVM_DEV_XIVE_GRP_SOURCE:
      return set_source (xive, attribute->attr, attribute->addr);
    case KVM_DEV_XIVE_GRP_SOURCE_CONFIG:
      return set_source_config (xive, attribute->attr, attribute->addr);
    case KVM_DEV_XIVE_GRP_EQ_CONFIG:
      return kvmhelper_sim_xive_set_queue (xive, attribute->attr, attribute->addr);
    case KVM_DEV_XIVE_GRP_SOURCE_SYNC:
      return sync_source (xive, attribute->attr);
    default:
      return -ENXIO;
    }
}

static int
get_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  return attribute->group == KVM_DEV_XIVE_GRP_EQ_CONFIG
             ? kvmhelper_sim_xive_get_queue (device->object, attribute->attr, attribute->addr)
             : -ENXIO;
}

static int
has_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  switch (attribute->group)
    {
    case KVM_DEV_XIVE_GRP_CTRL:
      return attribute->attr == KVM_DEV_XIVE_RESET || attribute->attr == KVM_DEV_XIVE_EQ_SYNC
                     || attribute->attr == KVM_DEV_XIVE_NR_SERVERS
                 ? 0
                 : -ENXIO;
    case KVM_DEV_XIVE_GRP_SOURCE:
    case KVM_DEV_XIVE_GRP_SOURCE_CONFIG:
    case KVM_DEV_XIVE_GRP_SOURCE_SYNC:
      return attribute->attr < KVMHELPER_SIM_XIVE_IRQS ? 0 : -ENXIO;
    case KVM_DEV_XIVE_GRP_EQ_CONFIG:
      return 0;
    default:
      return -ENXIO;
    }
}

static int
create (KvmHelperSimKvmDevice *device)
{
  if (device->vm->xive != NULL)
    return -EEXIST;
  device->object = device->vm->xive = kvmhelper_sim_xive_new (device, TRUE);
  return 0;
}

static void
release (KvmHelperSimKvmDevice *device)
{
  kvmhelper_sim_xive_free (device->object);
}

const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xive_native = {
  .file = { .link = "anon_inode:kvm-xive-native",
            .ioctl = kvmhelper_sim_kvm_device_ioctl,
            .release = kvmhelper_sim_kvm_device_release,
            .mmap = kvmhelper_sim_xive_mmap,
            .fault = kvmhelper_sim_xive_fault,
            .load = kvmhelper_sim_xive_load },
  .create = create,
  .release = release,
  .set = set_attribute,
  .get = get_attribute,
  .has = has_attribute,
};
