/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "kvmhelper/simulated/kvmhelper-sim-pci.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* Resets of a function that is open: of it alone, and of all that hangs on its bus, for which
 * whoever asks has to have the groups of all of that. drivers/vfio/pci/vfio_pci_core.c. */

/* vfio_pci_ioctl_reset */
int
kvmhelper_sim_vfio_reset (KvmHelperSimVfioDevice *self)
{
  if (!self->function->can_reset)
    return -EINVAL;
  /* pci_dev_wait: it does not come back */
  return kvmhelper_sim_vfio_device_gone (self) ? -ENOTTY : 0;
}

/* The functions that a reset of the bus reaches (pci_walk_bus): those on it, and below. */
static GPtrArray *
on_bus (const KvmHelperSimVfioDevice *self)
{
  const KvmHelperSimFunction *top = self->function->parent;
  g_autoptr (GPtrArray) all = kvmhelper_sim_functions (self->function->sim);
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < all->len; i++)
    for (const KvmHelperSimFunction *above = ((KvmHelperSimFunction *) all->pdata[i])->parent;
         above != NULL; above = above->parent)
      if (above == top)
        {
          g_ptr_array_add (found, all->pdata[i]);
          break;
        }
  return found;
}

/* vfio_pci_ioctl_get_pci_hot_reset_info */
int
kvmhelper_sim_vfio_hot_reset_info (KvmHelperSimVfioDevice *self, gulong argument)
{
  struct vfio_pci_hot_reset_info header;
  g_autoptr (GPtrArray) functions = NULL;

  if (kvmhelper_sim_copy_in (argument, &header, sizeof header) != 0)
    return -EFAULT;
  if (header.argsz < sizeof header)
    return -EINVAL;
  if (self->function->parent == NULL) /* a root bus has nothing that resets it */
    return -ENODEV;
  functions = on_bus (self);
  header.flags = 0;
  header.count = functions->len;
  if (functions->len > (header.argsz - sizeof header) / sizeof (struct vfio_pci_dependent_device))
    return kvmhelper_sim_copy_out (argument, &header, sizeof header) != 0 ? -EFAULT : -ENOSPC;
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];
      struct vfio_pci_dependent_device dependent;

      if (function->group == NULL)
        return -EPERM;
      dependent.group_id = function->group->number;
      dependent.segment = function->address.domain;
      dependent.bus = function->address.bus;
      dependent.devfn = (guint8) (function->address.slot << 3 | function->address.function);
      if (kvmhelper_sim_copy_out (argument + sizeof header + i * sizeof dependent, &dependent,
                                  sizeof dependent)
          != 0)
        return -EFAULT;
    }
  return kvmhelper_sim_copy_out (argument, &header, sizeof header);
}

/* The groups of the caller's list of handles. */
static int
read_groups (KvmHelperSimProcess *process, gulong address, guint count, GPtrArray *groups)
{
  for (guint i = 0; i < count; i++)
    {
      const KvmHelperSimFile *file;
      gint32 handle;

      if (kvmhelper_sim_copy_in (address + i * sizeof handle, &handle, sizeof handle) != 0)
        return -EFAULT;
      file = kvmhelper_sim_process_file (process, handle);
      if (file == NULL)
        return -EBADF;
      if (kvmhelper_sim_vfio_group_of (file) == NULL)
        return -EINVAL;
      g_ptr_array_add (groups, kvmhelper_sim_vfio_group_of (file));
    }
  return 0;
}

/* vfio_pci_dev_set_hot_reset: all of them on VFIO, and those that are open in the caller's hands */
static gboolean
may_reset (GPtrArray *functions, GPtrArray *groups)
{
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimVfioDevice *device
          = ((const KvmHelperSimFunction *) functions->pdata[i])->vfio;

      if (device == NULL || (device->opens > 0 && !g_ptr_array_find (groups, device->group, NULL)))
        return FALSE;
    }
  return TRUE;
}

/* vfio_pci_ioctl_pci_hot_reset */
int
kvmhelper_sim_vfio_hot_reset (KvmHelperSimVfioDevice *self, KvmHelperSimProcess *process,
                              gulong argument)
{
  struct vfio_pci_hot_reset header;
  g_autoptr (GPtrArray) functions = NULL;
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  int result;

  if (kvmhelper_sim_copy_in (argument, &header, sizeof header) != 0)
    return -EFAULT;
  if (header.argsz < sizeof header || header.flags != 0 || header.count == 0)
    return -EINVAL;
  if (self->function->parent == NULL)
    return -ENODEV;
  functions = on_bus (self);
  if (header.count > functions->len)
    return -EINVAL;
  result = read_groups (process, argument + sizeof header, header.count, groups);
  if (result == 0 && !may_reset (functions, groups))
    result = -EINVAL;
  return result;
}
