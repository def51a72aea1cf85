/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* Windows of a container: two at most, the same for each of its groups. */

/* The page size of the default window, IOMMU_PAGE_SHIFT_4K. */
#define DEFAULT_SHIFT 12

/* tce_iommu_find_table */
int
kvmhelper_sim_spapr_find (KvmHelperSimSpapr *self, guint64 address)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->tables); i++)
    {
      const KvmHelperSimTable *table = self->tables[i];

      if (table != NULL && address >> table->page_shift >= table->offset
          && (address >> table->page_shift) - table->offset < table->size)
        return (int) i;
    }
  return -1;
}

/* tce_iommu_create_table. What was accounted for a table that then is not to be had stays
 * accounted: the kernel does not give it back. */
static int
create_table (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint number, guint page_shift,
              guint64 window, guint levels, KvmHelperSimTable **table)
{
  const gsize page_size = self->sim->page_size;
  guint64 bytes = kvmhelper_sim_tce_size (self->sim, page_shift, window, levels);
  int result;

  if (bytes == 0)
    return -EINVAL;
  bytes = bytes / page_size * page_size;
  result = kvmhelper_sim_mm_account (process, bytes);
  if (result == 0)
    result = kvmhelper_sim_tce_create (self->groups->pdata[0], number, page_shift, window, levels,
                                       table);
  if (result == 0)
    (*table)->locked = bytes;
  return result;
}

/* tce_iommu_free_table */
void
kvmhelper_sim_spapr_free_table (KvmHelperSimSpapr *self, guint number)
{
  KvmHelperSimTable *table = g_steal_pointer (&self->tables[number]);

  kvmhelper_sim_spapr_clear (self, table);
  kvmhelper_sim_mm_unaccount (self->mm, table->locked);
  kvmhelper_sim_table_unref (table);
}

/* tce_iommu_create_window */
static int
create_window (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint page_shift,
               guint64 window, guint levels)
{
  guint number = self->tables[0] == NULL ? 0 : 1;
  int result;

  if (self->tables[number] != NULL)
    return -ENOSPC;
  if (page_shift > 63 || (self->sim->profile.tce_page_sizes >> page_shift & 1) == 0)
    return -EINVAL;
  result = create_table (self, process, number, page_shift, window, levels, &self->tables[number]);
  if (result != 0)
    return result;
  for (guint i = 0; i < self->groups->len && result == 0; i++)
    result = kvmhelper_sim_tce_set_window (self->groups->pdata[i], number, self->tables[number]);
  if (result == 0)
    return (int) number;
  for (guint i = 0; i < self->groups->len; i++)
    kvmhelper_sim_tce_unset_window (self->groups->pdata[i], number);
  kvmhelper_sim_spapr_free_table (self, number);
  return result;
}

/* tce_iommu_create_default_window. A container of version 1 is asked by MAP_DMA, where ENABLE has
 * set its mm; one of version 2 by the first TCE_CREATE too. */
int
kvmhelper_sim_spapr_create_default (KvmHelperSimSpapr *self, KvmHelperSimProcess *process)
{
  int result;

  if (!self->def_window_pending)
    return 0;
  result = create_window (self, process, DEFAULT_SHIFT, self->sim->profile.dma32_size, 1);
  if (result < 0)
    return result;
  self->def_window_pending = FALSE;
  return 0;
}

int
kvmhelper_sim_spapr_create (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument)
{
  struct vfio_iommu_spapr_tce_create request;
  int result;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.argsz < sizeof request || request.flags != 0)
    return -EINVAL;
  result = kvmhelper_sim_spapr_create_default (self, process);
  if (result == 0)
    result = create_window (self, process, request.page_shift, request.window_size, request.levels);
  if (result < 0)
    return result;
  request.start_addr = self->tables[result]->offset << self->tables[result]->page_shift;
  return kvmhelper_sim_copy_out (argument, &request, sizeof request);
}

/* tce_iommu_remove_window: any address in the window names it. */
int
kvmhelper_sim_spapr_remove (KvmHelperSimSpapr *self, gulong argument)
{
  struct vfio_iommu_spapr_tce_remove request;
  int number;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.argsz < sizeof request || request.flags != 0)
    return -EINVAL;
  /* A promise is taken back: there was no window yet. QEMU does this first of all. */
  if (self->def_window_pending && request.start_addr == 0)
    {
      self->def_window_pending = FALSE;
      return 0;
    }
  number = kvmhelper_sim_spapr_find (self, request.start_addr);
  if (number < 0)
    return -EINVAL;
  for (guint i = 0; i < self->groups->len; i++)
    kvmhelper_sim_tce_unset_window (self->groups->pdata[i], (guint) number);
  kvmhelper_sim_spapr_free_table (self, (guint) number);
  return 0;
}
