/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * Groups, /dev/vfio/N: drivers/vfio/group.c. The node is there while a function of the IOMMU group
 * N is on a VFIO driver, and open once at most: its open file is held by devices that are open, and
 * by KVM's pseudo device, so a group can be busy though no process has it.
 */

static void
group_unref (KvmHelperSimVfioGroup *self)
{
  if (--self->references > 0)
    return;
  g_ptr_array_remove ((GPtrArray *) self->sim->vfio, self);
  g_ptr_array_unref (self->devices);
  g_free (self);
}

/* vfio_group_ioctl_get_status */
static int
get_status (KvmHelperSimVfioGroup *self, gulong argument)
{
  struct vfio_group_status status;

  if (kvmhelper_sim_copy_in (argument, &status, sizeof status) != 0)
    return -EFAULT;
  if (status.argsz < sizeof status)
    return -EINVAL;
  if (self->group == NULL)
    return -ENODEV;
  status.flags = 0;
  if (self->container != NULL)
    status.flags = VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
  else if (self->group->dma_users == 0 && self->group->dma_owner == NULL)
    status.flags = VFIO_GROUP_FLAGS_VIABLE;
  return kvmhelper_sim_copy_out (argument, &status, sizeof status);
}

/* vfio_group_ioctl_set_container */
static int
set_container (KvmHelperSimVfioGroup *self, KvmHelperSimProcess *process, gulong argument)
{
  KvmHelperSimContainer *container;
  KvmHelperSimFile *file;
  gint32 handle;

  if (kvmhelper_sim_copy_in (argument, &handle, sizeof handle) != 0)
    return -EFAULT;
  file = kvmhelper_sim_process_file (process, handle);
  if (file == NULL)
    return -EBADF;
  if (self->container != NULL)
    return -EINVAL;
  if (self->group == NULL)
    return -ENODEV;
  container = kvmhelper_sim_container_of (file);
  return container == NULL ? -EBADFD : kvmhelper_sim_container_attach (container, self);
}

/* vfio_group_ioctl_unset_container */
static int
unset_container (KvmHelperSimVfioGroup *self)
{
  if (self->container == NULL)
    return -EINVAL;
  if (self->users != 1)
    return -EBUSY;
  kvmhelper_sim_container_detach (self->container, self);
  return 0;
}

/* vfio_device_get_from_name */
static int
find_device (KvmHelperSimVfioGroup *self, const char *name, KvmHelperSimVfioDevice **device)
{
  for (guint i = 0; i < self->devices->len; i++)
    {
      int match = kvmhelper_sim_vfio_device_match (self->devices->pdata[i], name);

      *device = self->devices->pdata[i];
      if (match != 0)
        return match < 0 ? match : 0;
    }
  return -ENODEV;
}

/* vfio_group_ioctl_get_device_fd */
static int
get_device (KvmHelperSimVfioGroup *self, KvmHelperSimProcess *process, gulong argument)
{
  g_autofree char *name = kvmhelper_sim_copy_string (argument, self->sim->page_size);
  KvmHelperSimVfioDevice *device;
  KvmHelperSimFile *file;
  int result;

  if (name == NULL)
    return -EFAULT;
  result = find_device (self, name, &device);
  if (result != 0)
    return result;
  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  result = kvmhelper_sim_vfio_device_open (device, &file);
  return result != 0 ? result : kvmhelper_sim_process_install (process, file);
}

/* vfio_group_fops_unl_ioctl */
static int
group_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  KvmHelperSimVfioGroup *self = file->object;

  switch ((guint) request)
    {
    case VFIO_GROUP_GET_STATUS:
      return get_status (self, argument);
    case VFIO_GROUP_SET_CONTAINER:
      return set_container (self, process, argument);
    case VFIO_GROUP_UNSET_CONTAINER:
      return unset_container (self);
    case VFIO_GROUP_GET_DEVICE_FD:
      return get_device (self, process, argument);
    default:
      return -ENOTTY;
    }
}

/* vfio_group_fops_release */
static void
group_release (KvmHelperSimFile *file)
{
  KvmHelperSimVfioGroup *self = file->object;

  if (self->container != NULL)
    kvmhelper_sim_container_detach (self->container, self);
  self->opened = NULL;
  group_unref (self);
}

static const KvmHelperSimFileKind group_kind = {
  .release = group_release,
  .ioctl = group_ioctl,
};

/* vfio_group_fops_open */
static int
group_open (gpointer object, KvmHelperSimProcess *process, int flags, KvmHelperSimFile **file)
{
  KvmHelperSimVfioGroup *self = object;

  if (self->opened != NULL)
    return -EBUSY;
  self->opened = kvmhelper_sim_file_new (self->sim, &group_kind, self);
  self->references++;
  *file = self->opened;
  return 0;
}

KvmHelperSimVfioGroup *
kvmhelper_sim_vfio_group_of (const KvmHelperSimFile *file)
{
  return file->kind == &group_kind ? file->object : NULL;
}

/* ida_alloc_max: the lowest that no group has, also none that is gone but still open. */
static guint
free_minor (KvmHelperSim *sim)
{
  const GPtrArray *groups = sim->vfio;
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < groups->len; i++)
    g_array_append_val (taken, ((KvmHelperSimVfioGroup *) groups->pdata[i])->minor);
  return kvmhelper_sim_vfio_lowest_free (taken);
}

static KvmHelperSimNode *
nodes (KvmHelperSim *sim)
{
  return kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_DEV), "vfio", NULL, NULL);
}

/* vfio_group_find_or_alloc */
KvmHelperSimVfioGroup *
kvmhelper_sim_vfio_group_join (KvmHelperSimFunction *function)
{
  KvmHelperSimGroup *group = function->group;
  KvmHelperSimVfioGroup *self = group->vfio;

  if (self == NULL)
    {
      g_autofree char *name = g_strdup_printf ("%u", group->number);

      self = g_new0 (KvmHelperSimVfioGroup, 1);
      self->references = 1;
      self->sim = function->sim;
      self->group = group;
      self->minor = free_minor (function->sim);
      self->devices = g_ptr_array_new ();
      g_ptr_array_add (function->sim->vfio, self);
      group->vfio = self;
      kvmhelper_sim_tce_release_ownership (group); /* of groups that came later: VFs */
      kvmhelper_sim_device_node (nodes (function->sim), name, 0600, KVMHELPER_SIM_VFIO_MAJOR,
                                 self->minor, group_open, self);
      kvmhelper_sim_vfio_publish_group (self);
    }
  self->drivers++;
  return self;
}

/* vfio_device_remove_group. The last one takes the node away; whoever has the group open keeps a
 * file that is good for nothing. */
void
kvmhelper_sim_vfio_group_leave (KvmHelperSimVfioGroup *self)
{
  g_autofree char *name = NULL;

  if (--self->drivers > 0)
    return;
  name = g_strdup_printf ("%u", self->group->number);
  kvmhelper_sim_vfio_withdraw_group (self);
  kvmhelper_sim_remove (nodes (self->sim), name);
  if (self->container != NULL)
    kvmhelper_sim_container_detach (self->container, self);
  self->group->vfio = NULL;
  self->group = NULL;
  group_unref (self);
}

/* vfio_group_use_container: an open device holds the group's file */
int
kvmhelper_sim_vfio_group_use (KvmHelperSimVfioGroup *self)
{
  if (self->container == NULL || self->container->iommu == NULL)
    return -EINVAL;
  kvmhelper_sim_file_ref (self->opened);
  self->users++;
  return 0;
}

/* vfio_group_unuse_container */
void
kvmhelper_sim_vfio_group_unuse (KvmHelperSimVfioGroup *self)
{
  self->users--;
  kvmhelper_sim_file_unref (self->opened);
}
