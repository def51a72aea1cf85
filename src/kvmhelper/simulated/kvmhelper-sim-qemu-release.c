/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-host.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>

#include "kvmhelper/kvmhelper-abi.h"

/* A function is given back. QEMU says so (DEVICE_DELETED) when the guest let go and the device is
 * out of its tree; it closes what it had of VFIO only when the last reference is gone, by RCU: some
 * seconds later. What is then to be done is noted here, with all handles, and done by the host's
 * clock: that is, with its lock held. */

/* What is closed, in QEMU's order; -1: not that. */
typedef struct
{
  KvmHelperSimQemu *qemu;
  int device;
  int group; /* the group's last function went */
  gboolean added;
  int container; /* and the vPHB's last group */
  guint64 windows[QEMU_WINDOWS];
  guint n_windows;
  guint64 memory; /* registered */
} Leftover;

/* Calls of QEMU's process, made by the clock: its lock is held, so they go past the seam. */
static int
call (const Leftover *self, gboolean locked, int handle, gulong request, const void *argument)
{
  KvmHelperSimFile *file;

  if (!locked)
    return kvmhelper_sim_qemu_ioctl (self->qemu, handle, request, argument);
  file = kvmhelper_sim_process_file (self->qemu->process, handle);
  return file == NULL || file->kind->ioctl == NULL
             ? -EBADF
             : file->kind->ioctl (file, self->qemu->process, request, (gulong) argument);
}

static void
close_handle (const Leftover *self, gboolean locked, int handle)
{
  if (handle < 0)
    return;
  if (locked)
    kvmhelper_sim_process_close (self->qemu->process, handle);
  else
    kvmhelper_kernel_close (self->qemu->kernel, handle);
}

/* vfio_container_disconnect: the listeners go, and with them the windows and the memory. */
static void
close_container (const Leftover *self, gboolean locked)
{
  for (guint i = 0; i < self->n_windows; i++)
    {
      const struct vfio_iommu_spapr_tce_remove request
          = { .argsz = sizeof request, .start_addr = self->windows[i] };

      call (self, locked, self->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &request);
    }
  if (self->memory != 0)
    {
      const struct vfio_iommu_spapr_register_memory request
          = { .argsz = sizeof request, .vaddr = self->memory, .size = self->qemu->memory_size };

      call (self, locked, self->container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &request);
    }
}

/* vfio_device_detach, vfio_group_put. */
static void
close_leftover (const Leftover *self, gboolean locked)
{
  close_handle (self, locked, self->device);
  if (self->group < 0)
    return;
  if (self->added)
    {
      const gint32 handle = self->group;
      const struct kvm_device_attr request = { .group = KVM_DEV_VFIO_FILE,
                                               .attr = KVM_DEV_VFIO_FILE_DEL,
                                               .addr = (guint64) (gulong) &handle };

      call (self, locked, self->qemu->kvm_vfio, KVM_SET_DEVICE_ATTR, &request);
    }
  if (self->container >= 0)
    close_container (self, locked);
  call (self, locked, self->group, VFIO_GROUP_UNSET_CONTAINER, NULL);
  close_handle (self, locked, self->container);
  close_handle (self, locked, self->group);
}

static void
close_late (gpointer data)
{
  Leftover *self = data;

  close_leftover (self, TRUE);
  g_ptr_array_remove_fast (self->qemu->lingering, self);
}

/* Takes a group out of QEMU's books, and notes what of it is open. */
static void
note_group (KvmHelperSimQemu *qemu, QemuGroup *group, Leftover *leftover)
{
  QemuPhb *phb = group->phb;
  gsize page = qemu->kernel->page_size;

  leftover->group = group->handle;
  leftover->added = group->added;
  g_ptr_array_remove (phb->groups, group);
  if (phb->groups->len > 0)
    return;
  leftover->container = phb->container;
  phb->container = -1;
  for (guint i = 0; i < QEMU_WINDOWS; i++)
    if (phb->windows[i].made)
      {
        leftover->windows[leftover->n_windows++] = phb->windows[i].start;
        phb->windows[i].made = FALSE;
      }
  if (phb->v2)
    leftover->memory = ((guint64) (gulong) qemu->memory + page - 1) / page * page;
  /* the guest's own window goes with its driver */
  kvmhelper_sim_qemu_close (qemu, &phb->windows[1].table);
}

static gboolean
has_functions (const KvmHelperSimQemu *qemu, const QemuGroup *group)
{
  for (guint i = 0; i < qemu->devices->len; i++)
    if (((const QemuDevice *) qemu->devices->pdata[i])->group == group)
      return TRUE;
  return FALSE;
}

/* libvirt, on DEVICE_DELETED: the node is root's again. */
static void
take_node_back (const KvmHelperSimQemu *qemu, guint number)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", number);

  if (qemu->uid != 0 && !qemu->session)
    kvmhelper_sim_chown (qemu->sim, KVMHELPER_DEV, path, 0);
}

void
kvmhelper_sim_qemu_release_group (KvmHelperSimQemu *qemu, QemuGroup *group)
{
  Leftover leftover = { .qemu = qemu, .device = -1, .group = -1, .container = -1 };

  take_node_back (qemu, group->number);
  note_group (qemu, group, &leftover);
  close_leftover (&leftover, FALSE);
}

void
kvmhelper_sim_qemu_release (KvmHelperSimQemu *qemu, QemuDevice *device, gint64 linger)
{
  Leftover leftover = { .qemu = qemu, .device = device->handle, .group = -1, .container = -1 };
  QemuGroup *group = device->group;
  Leftover *kept;

  kvmhelper_sim_qemu_disable_vectors (qemu, device);
  g_ptr_array_remove (qemu->devices, device);
  if (!has_functions (qemu, group))
    {
      take_node_back (qemu, group->number);
      note_group (qemu, group, &leftover);
    }
  if (linger <= 0)
    {
      close_leftover (&leftover, FALSE);
      return;
    }
  kept = g_memdup2 (&leftover, sizeof leftover);
  g_mutex_lock (&qemu->sim->lock);
  g_ptr_array_add (qemu->lingering, kept);
  kvmhelper_sim_at (qemu->sim, kvmhelper_sim_now (qemu->sim) + linger, close_late, kept);
  g_mutex_unlock (&qemu->sim->lock);
}

void
kvmhelper_sim_qemu_forget (KvmHelperSimQemu *qemu)
{
  g_mutex_lock (&qemu->sim->lock);
  for (guint i = 0; i < qemu->lingering->len; i++)
    kvmhelper_sim_forget (qemu->sim, qemu->lingering->pdata[i]);
  g_ptr_array_set_size (qemu->lingering, 0);
  g_mutex_unlock (&qemu->sim->lock);
}

gboolean
kvmhelper_sim_qemu_detach (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error)
{
  QemuDevice *device = kvmhelper_sim_qemu_runs (qemu, error)
                           ? kvmhelper_sim_qemu_find (qemu, address, error)
                           : NULL;

  if (device == NULL)
    return FALSE;
  /* hw/ppc/spapr_pci.c: spapr_pci_unplug_request: the guest is asked, and that is all. */
  device->asked = TRUE;
  if (!qemu->deaf)
    kvmhelper_sim_qemu_release (qemu, device, qemu->linger);
  return kvmhelper_sim_qemu_survived (qemu, TRUE, error);
}

void
kvmhelper_sim_qemu_set_deaf (KvmHelperSimQemu *qemu, gboolean deaf)
{
  qemu->deaf = deaf;
}

/* hw/ppc/spapr.c: spapr_machine_reset; hw/ppc/spapr_drc.c: spapr_drc_reset: what the guest was
 * asked for and did not give is taken now. */
gboolean
kvmhelper_sim_qemu_reset (KvmHelperSimQemu *qemu, GError **error)
{
  if (!kvmhelper_sim_qemu_runs (qemu, error))
    return FALSE;
  for (guint i = qemu->devices->len; i > 0; i--)
    {
      QemuDevice *device = qemu->devices->pdata[i - 1];

      if (device->asked)
        kvmhelper_sim_qemu_release (qemu, device, qemu->linger);
      else
        kvmhelper_sim_qemu_disable_vectors (qemu, device);
    }
  return kvmhelper_sim_qemu_survived (qemu, TRUE, error);
}
