/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* What is mapped in the windows of a container: VFIO_IOMMU_MAP_DMA and UNMAP_DMA. A TCE of the
 * model has the user's address, as the kernel's second copy of the table has (it_userspace). */

#define PERMISSIONS (KVMHELPER_SIM_TCE_READ | KVMHELPER_SIM_TCE_WRITE)

/* tce_iommu_unuse_page_v2 */
static void
unuse (KvmHelperSimSpapr *self, const KvmHelperSimTable *table, guint64 tce)
{
  KvmHelperSimMemory *memory;

  if (tce == 0 || !self->v2)
    return;
  memory = kvmhelper_sim_memory_lookup (self->mm, tce & ~(guint64) PERMISSIONS,
                                        G_GUINT64_CONSTANT (1) << table->page_shift);
  if (memory != NULL)
    kvmhelper_sim_memory_unmap (memory);
}

/* tce_iommu_clear */
static void
clear_pages (KvmHelperSimSpapr *self, KvmHelperSimTable *table, guint64 first, guint64 count)
{
  if (table->entries == NULL)
    return;
  /* A window may have far more pages than entries. */
  if (count > g_hash_table_size (table->entries))
    {
      GHashTableIter iter;
      gpointer page, tce;

      g_hash_table_iter_init (&iter, table->entries);
      while (g_hash_table_iter_next (&iter, &page, &tce))
        if ((gsize) page - first < count)
          {
            g_hash_table_iter_remove (&iter);
            unuse (self, table, (gsize) tce);
          }
      return;
    }
  for (guint64 i = 0; i < count; i++)
    unuse (self, table, kvmhelper_sim_tce_exchange (table, first + i, 0));
}

void
kvmhelper_sim_spapr_clear (KvmHelperSimSpapr *self, KvmHelperSimTable *table)
{
  clear_pages (self, table, 0, table->size);
}

/* tce_iommu_prereg_ua_to_hpa and mm_iommu_mapped_inc. The region has to be of pages as large as the
 * IOMMU's, or the device could reach what lies behind. */
static int
use_registered (KvmHelperSimSpapr *self, const KvmHelperSimTable *table, guint64 address)
{
  KvmHelperSimMemory *memory = kvmhelper_sim_memory_lookup (
      self->mm, address, G_GUINT64_CONSTANT (1) << table->page_shift);

  if (memory == NULL || table->page_shift > memory->page_shift)
    return -EINVAL;
  kvmhelper_sim_memory_map (memory);
  return 0;
}

/* tce_iommu_use_page: version 1 pins page by page; its only window has the smallest there are, so
 * that tce_page_is_contained is never in doubt. */
static int
use_page (guint64 address)
{
  return kvmhelper_sim_memory_is_mapped (address, 1) ? 0 : -EFAULT;
}

/* tce_iommu_build, tce_iommu_build_v2: all or nothing; what was in those pages before is lost. */
static int
build (KvmHelperSimSpapr *self, KvmHelperSimTable *table, guint64 first, guint64 pages,
       guint64 address, guint permissions)
{
  int result = 0;
  guint64 i;

  for (i = 0; i < pages && result == 0; i++)
    {
      guint64 user = address + (i << table->page_shift);

      result = self->v2 ? use_registered (self, table, user) : use_page (user);
      if (result == 0)
        unuse (self, table, kvmhelper_sim_tce_exchange (table, first + i, user | permissions));
    }
  if (result != 0)
    clear_pages (self, table, first, i - 1);
  return result;
}

/*
 * iommu_tce_check_ioba. The macros around it (iommu_tce_put_param_check, …_clear_param_check of
 * arch/powerpc/include/asm/iommu.h) make 1 of every error, and the ioctl answers that.
 */
static gboolean
is_bad_page (const KvmHelperSimTable *table, guint64 iova, guint64 pages)
{
  guint64 first = (iova >> table->page_shift) - table->offset;

  return (iova & ((G_GUINT64_CONSTANT (1) << table->page_shift) - 1)) != 0 || first >= table->size
         || pages > table->size - first;
}

/* The window that @iova is in, which must have been made: 0, or a negative errno. */
static int
find_table (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint64 iova,
            KvmHelperSimTable **table)
{
  int result = kvmhelper_sim_spapr_create_default (self, process);

  if (result != 0)
    return result;
  result = kvmhelper_sim_spapr_find (self, iova);
  if (result < 0)
    return -ENXIO;
  *table = self->tables[result];
  return 0;
}

int
kvmhelper_sim_spapr_map (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument)
{
  struct vfio_iommu_type1_dma_map request;
  KvmHelperSimTable *table;
  guint64 mask;
  guint permissions = 0;
  int result;

  if (!self->enabled)
    return -EPERM;
  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.argsz < sizeof request
      || (request.flags & ~(guint) (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)) != 0)
    return -EINVAL;
  result = find_table (self, process, request.iova, &table);
  if (result != 0)
    return result;
  mask = (G_GUINT64_CONSTANT (1) << table->page_shift) - 1;
  if ((request.size & mask) != 0 || (request.vaddr & mask) != 0)
    return -EINVAL;
  if (request.flags & VFIO_DMA_MAP_FLAG_READ)
    permissions |= KVMHELPER_SIM_TCE_READ;
  if (request.flags & VFIO_DMA_MAP_FLAG_WRITE)
    permissions |= KVMHELPER_SIM_TCE_WRITE;
  if (permissions == 0)
    return -EINVAL;
  if (is_bad_page (table, request.iova, MAX (request.size >> table->page_shift, 1)))
    return 1;
  return build (self, table, (request.iova >> table->page_shift) - table->offset,
                request.size >> table->page_shift, request.vaddr, permissions);
}

int
kvmhelper_sim_spapr_unmap (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument)
{
  struct vfio_iommu_type1_dma_unmap request;
  KvmHelperSimTable *table;
  int result;

  if (!self->enabled)
    return -EPERM;
  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (request.argsz < sizeof request || request.flags != 0)
    return -EINVAL;
  result = find_table (self, process, request.iova, &table);
  if (result != 0)
    return result;
  if ((request.size & ((G_GUINT64_CONSTANT (1) << table->page_shift) - 1)) != 0)
    return -EINVAL;
  if (is_bad_page (table, request.iova, request.size >> table->page_shift))
    return 1;
  clear_pages (self, table, (request.iova >> table->page_shift) - table->offset,
               request.size >> table->page_shift);
  return 0;
}
