/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* KVM_DEV_TYPE_XICS where the host has no XIVE to use for it: a partition, or xive=off. All of it
 * is software (arch/powerpc/kvm/book3s_xics.c). */

#define FIRST_IRQ 16 /* KVMPPC_XICS_FIRST_IRQ */
#define BLOCK     KVMHELPER_SIM_XIVE_BLOCK
#define PRESENTED 1 /* PQ_PRESENTED: not as in XIVE's ESB, where P is 2 */
#define QUEUED    2

/* struct ics_irq_state */
typedef struct
{
  gboolean exists;
  guint32 server;
  guint8 priority, saved_priority;
  gboolean lsi, masked_pending, resend;
  guint8 pq;
} Source;

struct _KvmHelperSimXics
{
  KvmHelperSimVm *vm;
  Source *blocks[KVMHELPER_SIM_XIVE_BLOCKS];
};

gboolean
kvmhelper_sim_xics_has_irq (guint64 irq)
{
  return irq >= FIRST_IRQ && irq < KVMHELPER_SIM_XIVE_IRQS;
}

static Source *
find_source (KvmHelperSimXics *xics, guint64 irq)
{
  Source *block = irq < KVMHELPER_SIM_XIVE_IRQS ? xics->blocks[irq / BLOCK] : NULL;

  return block == NULL ? NULL : &block[irq % BLOCK];
}

static Source *
make_source (KvmHelperSimXics *xics, guint64 irq)
{
  Source **block = &xics->blocks[irq / BLOCK];

  if (*block == NULL)
    {
      *block = g_new0 (Source, BLOCK);
      for (guint i = 0; i < BLOCK; i++)
        (*block)[i].priority = (*block)[i].saved_priority = KVMHELPER_SIM_MASKED;
    }
  return find_source (xics, irq);
}

/* kvmppc_xics_find_server */
static gboolean
has_server (const KvmHelperSimVm *vm, guint32 server)
{
  for (guint i = 0; i < vm->vcpus->len; i++)
    {
      const KvmHelperSimVcpu *vcpu = vm->vcpus->pdata[i];

      if (vcpu->irq_type == KVMHELPER_SIM_IRQ_XICS && vcpu->icp_server == server)
        return TRUE;
    }
  return FALSE;
}

int
kvmhelper_sim_xics_connect (KvmHelperSimKvmDevice *device, KvmHelperSimVcpu *vcpu, guint32 server)
{
  int result = kvmhelper_sim_vcpu_may_connect (vcpu, device, &kvmhelper_sim_kind_xics);

  if (result != 0)
    return result;
  if (has_server (vcpu->vm, server))
    return -EEXIST;
  vcpu->irq_type = KVMHELPER_SIM_IRQ_XICS;
  vcpu->icp_server = server;
  return 0;
}

/* icp_deliver_irq. A vCPU that does not run takes nothing (its CPPR is 0): it is to be sent again.
 */
static void
deliver (Source *source)
{
  source->masked_pending = source->priority == KVMHELPER_SIM_MASKED;
  source->resend = !source->masked_pending;
}

/* xics_set_source: the server has to be there, but for a source without a priority. */
static int
set_source (KvmHelperSimXics *xics, guint64 irq, guint64 address)
{
  Source *source;
  guint64 value;
  guint32 server;
  guint8 priority;

  if (!kvmhelper_sim_xics_has_irq (irq))
    return -ENOENT;
  source = make_source (xics, irq);
  if (kvmhelper_sim_copy_in (address, &value, sizeof value) != 0)
    return -EFAULT;
  server = (guint32) (value & KVM_XICS_DESTINATION_MASK);
  priority = (guint8) (value >> KVM_XICS_PRIORITY_SHIFT);
  if (priority != KVMHELPER_SIM_MASKED && !has_server (xics->vm, server))
    return -EINVAL;
  *source = (Source){ .exists = TRUE,
                      .server = server,
                      .saved_priority = priority,
                      .priority = priority,
                      .lsi = (value & KVM_XICS_LEVEL_SENSITIVE) != 0 };
  if ((value & KVM_XICS_MASKED) != 0)
    source->priority = KVMHELPER_SIM_MASKED;
  if ((value & (KVM_XICS_PRESENTED | KVM_XICS_PENDING)) != 0)
    source->pq |= PRESENTED;
  if ((value & KVM_XICS_QUEUED) != 0)
    source->pq |= QUEUED;
  if ((value & KVM_XICS_PENDING) != 0)
    deliver (source);
  return 0;
}

static int
get_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  const Source *source;
  guint64 value;

  if (attribute->group != KVM_DEV_XICS_GRP_SOURCES)
    return -ENXIO;
  source = find_source (device->object, attribute->attr);
  if (source == NULL || !source->exists)
    return -ENOENT;
  value = source->server;
  if (source->priority == KVMHELPER_SIM_MASKED)
    value |= KVM_XICS_MASKED | (guint64) source->saved_priority << KVM_XICS_PRIORITY_SHIFT;
  else
    value |= (guint64) source->priority << KVM_XICS_PRIORITY_SHIFT;
  if (source->lsi)
    value |= KVM_XICS_LEVEL_SENSITIVE;
  if (source->lsi ? (source->pq & PRESENTED) != 0 : source->masked_pending || source->resend)
    value |= KVM_XICS_PENDING;
  if ((source->pq & PRESENTED) != 0)
    value |= KVM_XICS_PRESENTED;
  if ((source->pq & QUEUED) != 0)
    value |= KVM_XICS_QUEUED;
  return kvmhelper_sim_copy_out (attribute->addr, &value, sizeof value);
}

/* ics_deliver_irq: a message is presented, or queued behind one that is; a level is as it is set.
 */
int
kvmhelper_sim_xics_set_irq (KvmHelperSimXics *xics, guint32 irq, guint32 level)
{
  Source *source = find_source (xics, irq);
  const gboolean on = level != 0 && level != KVM_INTERRUPT_UNSET;

  if (source == NULL || !source->exists)
    return -EINVAL;
  if (!on)
    {
      if (source->lsi)
        source->pq = 0;
      return 0;
    }
  if (source->pq == 0)
    deliver (source);
  source->pq = source->pq == 0 || source->lsi ? PRESENTED : PRESENTED | QUEUED;
  return 0;
}

static int
set_attribute (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
               const struct kvm_device_attr *attribute)
{
  return attribute->group == KVM_DEV_XICS_GRP_SOURCES
             ? set_source (device->object, attribute->attr, attribute->addr)
             : -ENXIO;
}

static int
has_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  return attribute->group == KVM_DEV_XICS_GRP_SOURCES
                 && kvmhelper_sim_xics_has_irq (attribute->attr)
             ? 0
             : -ENXIO;
}

static int
create (KvmHelperSimKvmDevice *device)
{
  KvmHelperSimXics *xics;

  if (device->vm->xics != NULL)
    return -EEXIST;
  xics = g_new0 (KvmHelperSimXics, 1);
  xics->vm = device->vm;
  device->object = device->vm->xics = xics;
  return 0;
}

static void
release (KvmHelperSimKvmDevice *device)
{
  KvmHelperSimXics *xics = device->object;

  for (guint i = 0; i < xics->vm->vcpus->len; i++)
    {
      KvmHelperSimVcpu *vcpu = xics->vm->vcpus->pdata[i];

      vcpu->irq_type = KVMHELPER_SIM_IRQ_DEFAULT;
    }
  xics->vm->xics = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (xics->blocks); i++)
    g_free (xics->blocks[i]);
  g_free (xics);
}

const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xics = {
  .file = { .link = "anon_inode:kvm-xics",
            .ioctl = kvmhelper_sim_kvm_device_ioctl,
            .release = kvmhelper_sim_kvm_device_release },
  .create = create,
  .release = release,
  .set = set_attribute,
  .get = get_attribute,
  .has = has_attribute,
};

/* --- /sys/kernel/debug/kvm/PID-HANDLE/xics --- */

static void
show_passed (GString *text, const GArray *passed)
{
  g_string_append_printf (text, "========\nPIRQ mappings: %u maps\n===========\n", passed->len);
  for (guint i = 0; i < passed->len; i++)
    g_string_append_printf (text, "r_hwirq=%x, v_hwirq=%x\n",
                            g_array_index (passed, KvmHelperSimPassed, i).hw,
                            g_array_index (passed, KvmHelperSimPassed, i).guest);
}

char *
kvmhelper_sim_xics_show (gpointer vm, gsize *length, int *errnum)
{
  const KvmHelperSimXics *xics = ((const KvmHelperSimVm *) vm)->xics;
  GString *text = g_string_new (NULL);

  if (xics->vm->passed != NULL)
    show_passed (text, xics->vm->passed);
  g_string_append (text, "=========\nICP state\n=========\n");
  for (guint i = 0; i < xics->vm->vcpus->len; i++)
    {
      const KvmHelperSimVcpu *vcpu = xics->vm->vcpus->pdata[i];

      if (vcpu->irq_type == KVMHELPER_SIM_IRQ_XICS)
        g_string_append_printf (
            text, "cpu server 0x%x XIRR:0x%x PPRI:0x%x CPPR:0x%x MFRR:0x%x OUT:%d NR:%d\n",
            vcpu->icp_server, 0, 0xff, 0, 0xff, 0, 0);
    }
  g_string_append (text, "ICP Guest->Host totals: kick_vcpu=0 check_resend=0 notify_eoi=0\n"
                         "ICP Real Mode totals: check_resend=0 resend=0\n");
  for (guint i = 0; i < G_N_ELEMENTS (xics->blocks); i++)
    {
      if (xics->blocks[i] == NULL)
        continue;
      g_string_append_printf (text, "=========\nICS state for ICS 0x%x\n=========\n", i);
      for (guint j = 0; j < BLOCK; j++)
        {
          const Source *source = &xics->blocks[i][j];

          g_string_append_printf (
              text,
              "irq 0x%06x: server 0x%x prio 0x%x save prio 0x%x pq_state %d resend "
              "%d masked pending %d\n",
              i * BLOCK + j, source->server, source->priority, source->saved_priority, source->pq,
              source->resend, source->masked_pending);
        }
    }
  return g_string_free (text, FALSE);
}
