/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* What a guest asks of KVM for DMA, and how the two tables meet: the guest's, which it names by its
 * LIOBN, and the windows of the hardware that kvm-vfio linked to it (arch/powerpc/kvm/
 * book3s_64_vio.c: kvmppc_h_put_tce). The guest gives its own real address; the memory slots make a
 * user's address of it, and the memory that VFIO registered makes that one fit for a device. Where
 * any of these is missing, the kernel does nothing, and QEMU has to (KVMHELPER_SIM_TOO_HARD). */

#define PERMISSIONS (KVMHELPER_SIM_TCE_READ | KVMHELPER_SIM_TCE_WRITE)

/* kvmppc_tce_validate: a TCE that permits nothing takes one away, and cannot fail. */
static gboolean
validate (const KvmHelperSimKvmTable *table, guint64 tce, guint64 *user)
{
  const guint64 guest = tce & ~(guint64) PERMISSIONS;

  if ((tce & PERMISSIONS) == 0)
    return TRUE;
  *user = kvmhelper_sim_vm_address (table->vm, guest);
  if (guest % (G_GUINT64_CONSTANT (1) << table->page_shift) != 0 || *user == 0)
    return FALSE;
  for (guint i = 0; i < table->links->len; i++)
    {
      const KvmHelperSimTceLink *link = table->links->pdata[i];

      if (kvmhelper_sim_memory_lookup (table->vm->mm, *user,
                                       G_GUINT64_CONSTANT (1) << link->window->page_shift)
          == NULL)
        return FALSE;
    }
  return TRUE;
}

/* kvmppc_tce_iommu_do_map, _do_unmap: one page of the hardware. FALSE: its memory is not
 * registered. */
static gboolean
exchange (const KvmHelperSimVm *vm, KvmHelperSimTable *window, guint64 page, guint64 tce)
{
  const guint64 size = G_GUINT64_CONSTANT (1) << window->page_shift;
  KvmHelperSimMemory *memory = NULL;
  guint64 old;

  if (tce != 0)
    {
      memory = kvmhelper_sim_memory_lookup (vm->mm, tce & ~(guint64) PERMISSIONS, size);
      if (memory == NULL)
        return FALSE;
      kvmhelper_sim_memory_map (memory);
    }
  old = kvmhelper_sim_tce_exchange (window, page, tce);
  memory
      = old == 0 ? NULL : kvmhelper_sim_memory_lookup (vm->mm, old & ~(guint64) PERMISSIONS, size);
  if (memory != NULL)
    kvmhelper_sim_memory_unmap (memory);
  return TRUE;
}

/* kvmppc_tce_iommu_map, _unmap: a page of the guest may be several of the hardware. */
static gboolean
exchange_all (const KvmHelperSimKvmTable *table, KvmHelperSimTable *window, guint64 entry,
              guint64 user, guint64 permissions)
{
  const guint64 pages = G_GUINT64_CONSTANT (1) << (table->page_shift - window->page_shift);

  for (guint64 i = 0; i < pages; i++)
    if (!exchange (table->vm, window, entry * pages + i - window->offset,
                   permissions == 0 ? 0 : (user + (i << window->page_shift)) | permissions))
      return FALSE;
  return TRUE;
}

int
kvmhelper_sim_kvm_put_tce (KvmHelperSimVm *vm, guint64 liobn, guint64 address, guint64 tce)
{
  KvmHelperSimKvmTable *table = kvmhelper_sim_kvm_table_of (vm, liobn);
  guint64 entry, user = 0;

  if (table == NULL)
    return KVMHELPER_SIM_TOO_HARD;
  entry = address >> table->page_shift;
  if (entry << table->page_shift != address || entry - table->offset >= table->size)
    return KVMHELPER_SIM_PARAMETER;
  if (!validate (table, tce, &user))
    return KVMHELPER_SIM_TOO_HARD;
  for (guint i = 0; i < table->links->len; i++)
    {
      KvmHelperSimTceLink *link = table->links->pdata[i];

      if (exchange_all (table, link->window, entry, user, tce & PERMISSIONS))
        continue;
      /* kvmppc_clear_tce: half of a page is none */
      exchange_all (table, link->window, entry, 0, 0);
      return KVMHELPER_SIM_TOO_HARD;
    }
  *kvmhelper_sim_kvm_table_entry (table, entry - table->offset) = tce;
  return KVMHELPER_SIM_SUCCESS;
}
