/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* The event queues of a native guest: KVM_DEV_XIVE_GRP_EQ_CONFIG of
 * arch/powerpc/kvm/book3s_xive_native.c. A queue is a page of the guest's memory that the hardware
 * writes to, so KVM pins it; it has to be one page of the host too. */

#define QUEUE_SHIFT 16 /* the one size there is, 64 KiB */

/* The queue that an identifier names: 0, -ENOENT: no such server, -EINVAL: priority 7, the host's.
 */
static int
find_queue (KvmHelperSimXive *xive, guint64 id, KvmHelperSimQueue **queue)
{
  guint32 server = (guint32) ((id & KVM_XIVE_EQ_SERVER_MASK) >> KVM_XIVE_EQ_SERVER_SHIFT);
  guint priority = (guint) (id & KVM_XIVE_EQ_PRIORITY_MASK);
  KvmHelperSimVcpu *vcpu = kvmhelper_sim_xive_find_server (xive, server);

  if (vcpu == NULL)
    {
      kvmhelper_sim_log (xive->vm->sim, "xive-kvm: Can't find server %u", server);
      return -ENOENT;
    }
  if (priority == 7)
    {
      kvmhelper_sim_log (xive->vm->sim, "xive-kvm: Trying to restore invalid queue %u for VCPU %u",
                         priority, server);
      return -EINVAL;
    }
  *queue = &vcpu->presenter->queues[priority];
  return 0;
}

int
kvmhelper_sim_xive_set_queue (KvmHelperSimXive *xive, guint64 id, guint64 address)
{
  struct kvm_ppc_xive_eq request;
  KvmHelperSimQueue *queue;
  guint64 user;
  int result;

  if (kvmhelper_sim_copy_in (address, &request, sizeof request) != 0)
    return -EFAULT;
  result = find_queue (xive, id, &queue);
  if (result != 0)
    return result;
  if (request.qshift == 0)
    {
      guint escalation = queue->escalation;

      kvmhelper_sim_queue_reset (queue);
      queue->escalation = escalation;
      return 0;
    }
  /* What H_INT_SET_QUEUE_CONFIG calls "unconditional notify": no event is coalesced. */
  if (request.flags != KVM_XIVE_EQ_ALWAYS_NOTIFY || request.qshift != QUEUE_SHIFT
      || (request.qaddr & ((1ull << QUEUE_SHIFT) - 1)) != 0)
    return -EINVAL;
  user = kvmhelper_sim_vm_address (xive->vm, request.qaddr);
  if (user == 0 || !kvmhelper_sim_memory_is_mapped (user, 1u << QUEUE_SHIFT)
      || 1u << QUEUE_SHIFT > xive->vm->sim->page_size)
    return -EINVAL;
  queue->enabled = TRUE;
  queue->guest_page = request.qaddr;
  queue->shift = request.qshift;
  queue->toggle = request.qtoggle;
  queue->index = request.qindex;
  kvmhelper_sim_queue_escalate (xive->vm->sim, queue);
  return 0;
}

/* Of a queue without a page it gives nothing back, and is content. */
int
kvmhelper_sim_xive_get_queue (KvmHelperSimXive *xive, guint64 id, guint64 address)
{
  struct kvm_ppc_xive_eq answer = { .flags = KVM_XIVE_EQ_ALWAYS_NOTIFY };
  KvmHelperSimQueue *queue;
  int result = find_queue (xive, id, &queue);

  if (result != 0 || !queue->enabled)
    return result;
  answer.qshift = queue->shift;
  answer.qaddr = queue->guest_page;
  answer.qtoggle = queue->toggle;
  answer.qindex = queue->index;
  return kvmhelper_sim_copy_out (address, &answer, sizeof answer);
}
