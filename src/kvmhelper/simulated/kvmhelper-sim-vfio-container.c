/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * Containers, /dev/vfio/vfio: drivers/vfio/container.c. Each open is a new one. It can do nothing
 * until a group, which takes a privilege to open, is put into it and VFIO_SET_IOMMU gives it an
 * IOMMU driver; when its last group leaves, it is as new.
 */

static void
container_unref (KvmHelperSimContainer *self)
{
  if (--self->references > 0)
    return;
  g_ptr_array_unref (self->groups);
  g_free (self);
}

static int
check_extension (KvmHelperSimContainer *self, gulong extension)
{
  /* One driver is there to be asked, set or not: neither type 1 nor no-IOMMU is built for POWER. */
  return kvmhelper_sim_spapr_check_extension (self->sim, extension);
}

/* vfio_ioctl_set_iommu */
static int
set_iommu (KvmHelperSimContainer *self, gulong type)
{
  KvmHelperSimSpapr *iommu;
  int result = 0;

  if (self->groups->len == 0 || self->iommu != NULL)
    return -EINVAL;
  if (check_extension (self, type) <= 0)
    return -ENODEV;
  /* tce_iommu_open: an extension that is no type of IOMMU, such as VFIO_EEH */
  if (type != VFIO_SPAPR_TCE_IOMMU && type != VFIO_SPAPR_TCE_v2_IOMMU)
    return -EINVAL;
  iommu = kvmhelper_sim_spapr_new (self->sim, type == VFIO_SPAPR_TCE_v2_IOMMU);
  for (guint i = 0; i < self->groups->len && result == 0; i++)
    {
      KvmHelperSimVfioGroup *group = self->groups->pdata[i];

      result = kvmhelper_sim_spapr_attach (iommu, group->group);
    }
  if (result != 0)
    kvmhelper_sim_spapr_free (iommu);
  else
    self->iommu = iommu;
  return result;
}

/* vfio_fops_unl_ioctl */
static int
container_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request,
                 gulong argument)
{
  KvmHelperSimContainer *self = file->object;

  switch ((guint) request)
    {
    case VFIO_GET_API_VERSION:
      return VFIO_API_VERSION;
    case VFIO_CHECK_EXTENSION:
      return check_extension (self, argument);
    case VFIO_SET_IOMMU:
      return set_iommu (self, argument);
    default:
      return self->iommu == NULL
                 ? -EINVAL
                 : kvmhelper_sim_spapr_ioctl (self->iommu, process, (guint) request, argument);
    }
}

static void
container_release (KvmHelperSimFile *file)
{
  container_unref (file->object);
}

static const KvmHelperSimFileKind container_kind = {
  .release = container_release,
  .ioctl = container_ioctl,
};

int
kvmhelper_sim_container_open (gpointer object, KvmHelperSimProcess *process, int flags,
                              KvmHelperSimFile **file)
{
  KvmHelperSimContainer *self = g_new0 (KvmHelperSimContainer, 1);

  self->sim = object;
  self->references = 1;
  self->groups = g_ptr_array_new ();
  *file = kvmhelper_sim_file_new (self->sim, &container_kind, self);
  return 0;
}

KvmHelperSimContainer *
kvmhelper_sim_container_of (const KvmHelperSimFile *file)
{
  return file->kind == &container_kind ? file->object : NULL;
}

/* drivers/iommu/iommu.c: iommu_group_claim_dma_owner. From here on no function of the group may be
 * bound to a driver of the host. */
static int
claim (KvmHelperSimGroup *group, gpointer owner)
{
  if (group->dma_users > 0 || group->dma_owner != NULL)
    return -EPERM;
  group->dma_owner = owner;
  kvmhelper_sim_tce_take_ownership (group);
  return 0;
}

static void
release (KvmHelperSimGroup *group)
{
  group->dma_owner = NULL;
  kvmhelper_sim_tce_release_ownership (group);
}

/* vfio_container_attach_group */
int
kvmhelper_sim_container_attach (KvmHelperSimContainer *self, KvmHelperSimVfioGroup *group)
{
  int result = claim (group->group, group);

  if (result != 0)
    return result;
  if (self->iommu != NULL)
    result = kvmhelper_sim_spapr_attach (self->iommu, group->group);
  if (result != 0)
    {
      release (group->group);
      return result;
    }
  self->references++;
  group->container = self;
  group->users = 1;
  g_ptr_array_insert (self->groups, 0, group);
  return 0;
}

/* vfio_group_detach_container */
void
kvmhelper_sim_container_detach (KvmHelperSimContainer *self, KvmHelperSimVfioGroup *group)
{
  if (self->iommu != NULL)
    kvmhelper_sim_spapr_detach (self->iommu, group->group);
  release (group->group);
  group->container = NULL;
  group->users = 0;
  g_ptr_array_remove (self->groups, group);
  if (self->groups->len == 0)
    g_clear_pointer (&self->iommu, kvmhelper_sim_spapr_free);
  container_unref (self);
}
