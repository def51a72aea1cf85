/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * What POWER has for an IOMMU driver of VFIO: drivers/vfio/vfio_iommu_spapr_tce.c. Version 1 has
 * the default window alone, and pins what is mapped; version 2 has windows of the user's choice,
 * and maps only memory that was registered before, so that KVM can do it for the guest.
 */

/* offsetofend */
#define END_OF(type, member) (offsetof (type, member) + sizeof (((type *) NULL)->member))

KvmHelperSimSpapr *
kvmhelper_sim_spapr_new (KvmHelperSim *sim, gboolean v2)
{
  KvmHelperSimSpapr *self = g_new0 (KvmHelperSimSpapr, 1);

  self->sim = sim;
  self->v2 = v2;
  self->groups = g_ptr_array_new ();
  self->registered = g_ptr_array_new ();
  return self;
}

static void
disable (KvmHelperSimSpapr *self)
{
  if (!self->enabled)
    return;
  self->enabled = FALSE;
  if (self->mm != NULL)
    kvmhelper_sim_mm_unaccount (self->mm, self->locked);
}

/* tce_iommu_release */
void
kvmhelper_sim_spapr_free (KvmHelperSimSpapr *self)
{
  while (self->groups->len > 0)
    kvmhelper_sim_spapr_detach (self, self->groups->pdata[0]);
  for (guint i = 0; i < G_N_ELEMENTS (self->tables); i++)
    if (self->tables[i] != NULL)
      kvmhelper_sim_spapr_free_table (self, i);
  for (guint i = 0; i < self->registered->len; i++)
    kvmhelper_sim_memory_put (self->sim, self->mm, self->registered->pdata[i]);
  disable (self);
  if (self->mm != NULL)
    kvmhelper_sim_mm_unref (self->mm);
  g_ptr_array_unref (self->groups);
  g_ptr_array_unref (self->registered);
  g_free (self);
}

int
kvmhelper_sim_spapr_check_extension (KvmHelperSim *sim, gulong extension)
{
  switch (extension)
    {
    case VFIO_SPAPR_TCE_IOMMU:
    case VFIO_SPAPR_TCE_v2_IOMMU:
      return 1;
    case VFIO_EEH:
      return kvmhelper_sim_eeh_enabled (sim) ? 1 : 0;
    default:
      return 0;
    }
}

/* tce_iommu_attach_group; in tce_iommu_take_ownership the group gets the windows that are there. */
int
kvmhelper_sim_spapr_attach (KvmHelperSimSpapr *self, KvmHelperSimGroup *group)
{
  int result = 0;

  if (!self->v2 && self->groups->len > 0)
    return -EBUSY;
  for (guint i = 0; i < G_N_ELEMENTS (self->tables) && result == 0; i++)
    if (self->tables[i] != NULL)
      result = kvmhelper_sim_tce_set_window (group, i, self->tables[i]);
  for (guint i = 0; i < G_N_ELEMENTS (self->tables) && result != 0; i++)
    kvmhelper_sim_tce_unset_window (group, i);
  if (self->groups->len == 0 && self->tables[0] == NULL)
    self->def_window_pending = TRUE;
  if (result == 0)
    g_ptr_array_insert (self->groups, 0, group);
  return result;
}

/* tce_iommu_detach_group: the windows stay the container's. */
void
kvmhelper_sim_spapr_detach (KvmHelperSimSpapr *self, KvmHelperSimGroup *group)
{
  if (!g_ptr_array_remove (self->groups, group))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (self->tables); i++)
    if (self->tables[i] != NULL)
      kvmhelper_sim_tce_unset_window (group, i);
}

/* tce_iommu_mm_set: from the first of these calls on the container belongs to one address space. */
static int
bind_mm (KvmHelperSimSpapr *self, KvmHelperSimProcess *process)
{
  if (self->mm == NULL)
    self->mm = kvmhelper_sim_mm_ref (process->mm);
  return self->mm == process->mm ? 0 : -EPERM;
}

static int
get_info (KvmHelperSimSpapr *self, gulong argument)
{
  const KvmHelperSimProfile *profile = &self->sim->profile;
  struct vfio_iommu_spapr_tce_info info = { 0 };
  gsize length = END_OF (struct vfio_iommu_spapr_tce_info, dma32_window_size);

  if (kvmhelper_sim_copy_in (argument, &info, length) != 0)
    return -EFAULT;
  if (info.argsz < length)
    return -EINVAL;
  info.flags = 0;
  info.dma32_window_start = 0;
  info.dma32_window_size = profile->dma32_size;
  if (self->v2)
    {
      info.flags = VFIO_IOMMU_SPAPR_INFO_DDW;
      info.ddw.pgsizes = profile->tce_page_sizes;
      info.ddw.max_dynamic_windows_supported = profile->tce_windows;
      info.ddw.levels = profile->tce_levels;
    }
  if (info.argsz >= END_OF (struct vfio_iommu_spapr_tce_info, ddw))
    length = END_OF (struct vfio_iommu_spapr_tce_info, ddw);
  return kvmhelper_sim_copy_out (argument, &info, length);
}

/* tce_iommu_enable: what could be mapped at once is accounted, which is the whole window. */
static int
enable (KvmHelperSimSpapr *self, KvmHelperSimProcess *process)
{
  int result;

  if (self->enabled)
    return -EBUSY;
  result = bind_mm (self, process);
  if (result == 0)
    result = kvmhelper_sim_mm_account (process, self->sim->profile.dma32_size);
  if (result != 0)
    return result;
  self->locked = self->sim->profile.dma32_size;
  self->enabled = TRUE;
  return 0;
}

static int
read_memory (KvmHelperSimSpapr *self, gulong argument,
             struct vfio_iommu_spapr_register_memory *request)
{
  const guint64 mask = self->sim->page_size - 1;

  if (kvmhelper_sim_copy_in (argument, request, sizeof *request) != 0)
    return -EFAULT;
  if (request->argsz < sizeof *request || request->flags != 0)
    return -EINVAL;
  if ((request->vaddr & mask) != 0 || (request->size & mask) != 0)
    return -EINVAL;
  return 0;
}

/* tce_iommu_register_pages */
static int
register_memory (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument)
{
  struct vfio_iommu_spapr_register_memory request;
  KvmHelperSimMemory *memory;
  guint64 pages;
  int result = bind_mm (self, process);

  if (result == 0)
    result = read_memory (self, argument, &request);
  if (result != 0)
    return result;
  if (request.vaddr + request.size < request.vaddr)
    return -EINVAL;
  pages = request.size / self->sim->page_size;
  memory = kvmhelper_sim_memory_get (self->mm, request.vaddr, pages);
  if (memory == NULL)
    result = kvmhelper_sim_memory_new (process, request.vaddr, pages, &memory);
  else if (g_ptr_array_find (self->registered, memory, NULL))
    {
      kvmhelper_sim_memory_put (self->sim, self->mm, memory);
      result = -EBUSY;
    }
  if (result != 0)
    return result;
  g_ptr_array_add (self->registered, memory);
  self->enabled = TRUE;
  return 0;
}

/*
 * tce_iommu_unregister_pages. While it looks the region up it holds it: so of the two puts the
 * first never is the last one, and the second, which may find that TCEs still point into the
 * region, is not asked. Such a region is then nobody's: this answers 0, the next one ENOENT, and
 * the memory stays pinned for good.
 */
static int
unregister_memory (KvmHelperSimSpapr *self, gulong argument)
{
  struct vfio_iommu_spapr_register_memory request;
  KvmHelperSimMemory *memory;
  int result;

  if (self->mm == NULL)
    return -EPERM;
  result = read_memory (self, argument, &request);
  if (result != 0)
    return result;
  memory = kvmhelper_sim_memory_get (self->mm, request.vaddr, request.size / self->sim->page_size);
  if (memory == NULL)
    return -ENOENT;
  if (g_ptr_array_find (self->registered, memory, NULL))
    {
      result = kvmhelper_sim_memory_put (self->sim, self->mm, memory);
      if (result == 0)
        g_ptr_array_remove (self->registered, memory);
    }
  else
    result = -ENOENT;
  kvmhelper_sim_memory_put (self->sim, self->mm, memory);
  return result;
}

/* The groups one after the other, to the first that answers with anything but 0: a state, too. */
static int
eeh (KvmHelperSimSpapr *self, gulong argument)
{
  int result = 0;

  for (guint i = 0; i < self->groups->len && result == 0; i++)
    result = kvmhelper_sim_eeh_ioctl (self->groups->pdata[i], argument);
  return result;
}

static int
ioctl_v1 (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint request)
{
  switch (request)
    {
    case VFIO_IOMMU_ENABLE:
      return enable (self, process);
    case VFIO_IOMMU_DISABLE:
      disable (self);
      return 0;
    default:
      return -ENOTTY;
    }
}

static int
ioctl_v2 (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint request, gulong argument)
{
  int result;

  switch (request)
    {
    case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
      return register_memory (self, process, argument);
    case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
      return unregister_memory (self, argument);
    case VFIO_IOMMU_SPAPR_TCE_CREATE:
    case VFIO_IOMMU_SPAPR_TCE_REMOVE:
      result = bind_mm (self, process);
      if (result != 0)
        return result;
      return request == VFIO_IOMMU_SPAPR_TCE_CREATE
                 ? kvmhelper_sim_spapr_create (self, process, argument)
                 : kvmhelper_sim_spapr_remove (self, argument);
    default:
      return -ENOTTY;
    }
}

/* tce_iommu_ioctl */
int
kvmhelper_sim_spapr_ioctl (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint request,
                           gulong argument)
{
  /* Nobody manages another's memory: for ever, and whoever it is. */
  if (self->mm != NULL && self->mm != process->mm)
    return -EPERM;
  switch (request)
    {
    case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
      return get_info (self, argument);
    case VFIO_IOMMU_MAP_DMA:
      return kvmhelper_sim_spapr_map (self, process, argument);
    case VFIO_IOMMU_UNMAP_DMA:
      return kvmhelper_sim_spapr_unmap (self, process, argument);
    case VFIO_EEH_PE_OP:
      return eeh (self, argument);
    default:
      return self->v2 ? ioctl_v2 (self, process, request, argument)
                      : ioctl_v1 (self, process, request);
    }
}
