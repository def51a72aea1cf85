/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-memory.h"

#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/* mm->context.iommu_group_mem_list */
typedef struct
{
  KvmHelperSim *sim;
  GPtrArray *regions; /* elements KvmHelperSimMemory, owned */
} Regions;

/* arch/powerpc/mm/book3s64/mmu_context.c: destroy_context. A region that is left is lost, with the
 * memory that it pins. */
static void
regions_free (gpointer data)
{
  Regions *self = data;

  if (self->regions->len > 0)
    kvmhelper_sim_log (self->sim, "WARNING: arch/powerpc/mm/book3s64/mmu_context.c "
                                  "destroy_context");
  g_ptr_array_unref (self->regions);
  g_free (self);
}

static Regions *
regions_of (KvmHelperSim *sim, KvmHelperSimMm *mm)
{
  if (mm->vfio == NULL)
    {
      Regions *regions = g_new0 (Regions, 1);

      regions->sim = sim;
      regions->regions = g_ptr_array_new_with_free_func (g_free);
      mm->vfio = regions;
      mm->vfio_free = regions_free;
    }
  return mm->vfio;
}

static guint64
end_of (KvmHelperSim *sim, const KvmHelperSimMemory *memory)
{
  return memory->address + memory->pages * sim->page_size;
}

KvmHelperSimMemory *
kvmhelper_sim_memory_get (KvmHelperSimMm *mm, guint64 address, guint64 pages)
{
  Regions *self = mm->vfio;

  for (guint i = 0; self != NULL && i < self->regions->len; i++)
    {
      KvmHelperSimMemory *memory = self->regions->pdata[i];

      if (memory->address == address && memory->pages == pages)
        {
          memory->used++;
          return memory;
        }
    }
  return NULL;
}

KvmHelperSimMemory *
kvmhelper_sim_memory_lookup (KvmHelperSimMm *mm, guint64 address, guint64 size)
{
  Regions *self = mm->vfio;

  for (guint i = 0; self != NULL && i < self->regions->len; i++)
    {
      KvmHelperSimMemory *memory = self->regions->pdata[i];

      if (memory->address <= address && address + size <= end_of (self->sim, memory))
        return memory;
    }
  return NULL;
}

/* How many of the pages there are, from the first on (pin_user_pages). */
static guint64
count_pages (KvmHelperSim *sim, guint64 address, guint64 pages)
{
  guint64 low = 0, high = pages;

  if (kvmhelper_sim_memory_is_mapped (address, pages * sim->page_size))
    return pages;
  while (low + 1 < high)
    {
      guint64 middle = low + (high - low) / 2;

      if (kvmhelper_sim_memory_is_mapped (address, middle * sim->page_size))
        low = middle;
      else
        high = middle;
    }
  return low;
}

static gboolean
overlaps (Regions *self, guint64 address, guint64 pages)
{
  for (guint i = 0; i < self->regions->len; i++)
    {
      const KvmHelperSimMemory *memory = self->regions->pdata[i];

      if (memory->address < address + pages * self->sim->page_size
          && address < end_of (self->sim, memory))
        return TRUE;
    }
  return FALSE;
}

/* mm_iommu_do_alloc, in its order: first the account, then the pages, then what else there is. */
int
kvmhelper_sim_memory_new (KvmHelperSimProcess *process, guint64 address, guint64 pages,
                          KvmHelperSimMemory **memory)
{
  KvmHelperSim *sim = process->sim;
  Regions *self = regions_of (sim, process->mm);
  guint64 bytes = pages * sim->page_size, pinned;
  int result = 0;

  if (kvmhelper_sim_mm_account (process, bytes) != 0)
    return -ENOMEM;
  if (pages == 0) /* vzalloc (0), which gives nothing and a warning */
    return -ENOMEM;
  pinned = count_pages (sim, address, pages);
  if (pinned < pages)
    result = pinned == 0 ? -EFAULT : (int) MIN (pinned, G_MAXINT);
  else if (overlaps (self, address, pages))
    result = -EINVAL;
  if (result != 0)
    {
      kvmhelper_sim_mm_unaccount (process->mm, bytes);
      return result;
    }
  *memory = g_new0 (KvmHelperSimMemory, 1);
  (*memory)->address = address;
  (*memory)->pages = pages;
  (*memory)->used = 1;
  (*memory)->mapped = 1;
  /* Of huge pages it could be more; the model has none. */
  (*memory)->page_shift = (guint) __builtin_ctzll (sim->page_size);
  g_ptr_array_add (self->regions, *memory);
  return 0;
}

int
kvmhelper_sim_memory_put (KvmHelperSim *sim, KvmHelperSimMm *mm, KvmHelperSimMemory *memory)
{
  Regions *self = regions_of (sim, mm);

  if (--memory->used > 0)
    return 0;
  if (memory->mapped != 1)
    {
      memory->used++;
      return -EBUSY;
    }
  kvmhelper_sim_mm_unaccount (mm, memory->pages * sim->page_size);
  g_ptr_array_remove (self->regions, memory);
  return 0;
}

void
kvmhelper_sim_memory_map (KvmHelperSimMemory *memory)
{
  memory->mapped++;
}

void
kvmhelper_sim_memory_unmap (KvmHelperSimMemory *memory)
{
  /* atomic64_add_unless (&mem->mapped, -1, 1) */
  if (memory->mapped > 1)
    memory->mapped--;
}
