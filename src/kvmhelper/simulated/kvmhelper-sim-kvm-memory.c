/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* The guest's memory: slots, each a part of the guest's real addresses that is a part of the
 * process' memory (virt/kvm/kvm_main.c: __kvm_set_memory_region). */

#define MAX_SLOTS 32767 /* KVM_USER_MEM_SLOTS */

static KvmHelperSimSlot *
find_slot (const KvmHelperSimVm *vm, guint32 number)
{
  for (guint i = 0; i < vm->slots->len; i++)
    {
      KvmHelperSimSlot *slot = &g_array_index (vm->slots, KvmHelperSimSlot, i);

      if (slot->slot == number)
        return slot;
    }
  return NULL;
}

static gboolean
overlaps (const KvmHelperSimVm *vm, const KvmHelperSimSlot *new)
{
  for (guint i = 0; i < vm->slots->len; i++)
    {
      const KvmHelperSimSlot *slot = &g_array_index (vm->slots, KvmHelperSimSlot, i);

      if (slot->slot != new->slot &&new->guest < slot->guest + slot->size
          && slot->guest < new->guest + new->size)
        return TRUE;
    }
  return FALSE;
}

int
kvmhelper_sim_vm_set_memory (KvmHelperSimVm *vm, gulong argument)
{
  struct kvm_userspace_memory_region request;
  const guint64 page = vm->sim->page_size;
  KvmHelperSimSlot new, *old;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if ((request.flags & ~(guint32) (KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)) != 0
      || request.memory_size % page != 0 || request.guest_phys_addr % page != 0
      || request.userspace_addr % page != 0 || request.slot >= MAX_SLOTS
      || request.guest_phys_addr + request.memory_size < request.guest_phys_addr)
    return -EINVAL;
  new = (KvmHelperSimSlot){ .slot = request.slot,
                            .guest = request.guest_phys_addr,
                            .size = request.memory_size,
                            .user = request.userspace_addr };
  old = find_slot (vm, request.slot);
  if (new.size == 0)
    {
      if (old == NULL)
        return -EINVAL;
      g_array_remove_index_fast (vm->slots,
                                 (guint) (old - &g_array_index (vm->slots, KvmHelperSimSlot, 0)));
      return 0;
    }
  /* A slot that is there can be moved in the guest, and no more. */
  if (old != NULL && (old->size != new.size || old->user != new.user))
    return -EINVAL;
  if (overlaps (vm, &new))
    return -EEXIST;
  if (old != NULL)
    *old = new;
  else
    g_array_append_val (vm->slots, new);
  return 0;
}

guint64
kvmhelper_sim_vm_address (const KvmHelperSimVm *vm, guint64 address)
{
  for (guint i = 0; i < vm->slots->len; i++)
    {
      const KvmHelperSimSlot *slot = &g_array_index (vm->slots, KvmHelperSimSlot, i);

      if (address - slot->guest < slot->size)
        return slot->user + (address - slot->guest);
    }
  return 0;
}
