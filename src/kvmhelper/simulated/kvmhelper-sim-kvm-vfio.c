/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* KVM_DEV_TYPE_VFIO: by this device KVM learns which of VFIO's groups a guest uses
 * (virt/kvm/vfio.c). It holds their files: a group stays busy until it is taken out here, also when
 * the VMM has closed it. */

/* struct kvm_vfio_file */
typedef struct
{
  KvmHelperSimFile *file; /* held */
  gboolean linked;        /* GROUP_SET_SPAPR_TCE was asked for it once (kvf->iommu_group) */
} Entry;

static Entry *
find_entry (GPtrArray *entries, const KvmHelperSimFile *file)
{
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *entry = entries->pdata[i];

      if (entry->file == file)
        return entry;
    }
  return NULL;
}

/* kvm_spapr_tce_release_vfio_group, and the rest of what goes with a file. */
static void
release_entry (KvmHelperSimVm *vm, Entry *entry)
{
  KvmHelperSimKvm *kvm = vm->sim->kvm;
  KvmHelperSimGroup *group = kvmhelper_sim_vfio_group (entry->file, NULL);

  if (entry->linked && group != NULL)
    kvmhelper_sim_kvm_table_release (vm, group);
  else if (!kvm->warned)
    {
      /* WARN_ON_ONCE; it does no harm */
      kvmhelper_sim_log (vm->sim,
                         "WARNING: CPU: 0 PID: %u at arch/powerpc/kvm/../../../virt/kvm/vfio.c:103 "
                         "kvm_vfio_set_attr+0x780/0x820 [kvm]",
                         vm->sim->caller == NULL ? 0 : vm->sim->caller->pid);
      kvm->warned = TRUE;
    }
  kvmhelper_sim_file_unref (entry->file);
  g_free (entry);
}

static int
read_handle (KvmHelperSimProcess *process, guint64 address, KvmHelperSimFile **file)
{
  gint32 handle;

  if (kvmhelper_sim_copy_in (address, &handle, sizeof handle) != 0)
    return -EFAULT;
  *file = kvmhelper_sim_process_file (process, handle);
  return *file == NULL ? -EBADF : 0;
}

static int
add (KvmHelperSimKvmDevice *device, KvmHelperSimFile *file)
{
  GPtrArray *entries = device->object;
  Entry *entry;

  if (kvmhelper_sim_vfio_group (file, NULL) == NULL)
    return -EINVAL;
  if (find_entry (entries, file) != NULL)
    return -EEXIST;
  entry = g_new0 (Entry, 1);
  entry->file = kvmhelper_sim_file_ref (file);
  g_ptr_array_add (entries, entry);
  return 0;
}

static int
take_out (KvmHelperSimKvmDevice *device, const KvmHelperSimFile *file)
{
  GPtrArray *entries = device->object;
  Entry *entry = find_entry (entries, file);

  if (entry == NULL)
    return -ENOENT;
  g_ptr_array_remove (entries, entry);
  release_entry (device->vm, entry);
  return 0;
}

static int
set_tce (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process, guint64 address)
{
  struct kvm_vfio_spapr_tce request;
  KvmHelperSimGroup *group;
  KvmHelperSimFile *file;
  gboolean is_device;
  Entry *entry;

  if (kvmhelper_sim_copy_in (address, &request, sizeof request) != 0)
    return -EFAULT;
  file = kvmhelper_sim_process_file (process, request.groupfd);
  if (file == NULL)
    return -EBADF;
  entry = find_entry (device->object, file);
  if (entry == NULL)
    return -ENOENT;
  /* A function's file may be added, and has no group here (vfio_file_iommu_group). */
  group = kvmhelper_sim_vfio_group (file, &is_device);
  if (group == NULL || is_device)
    return -EIO;
  entry->linked = TRUE;
  return kvmhelper_sim_kvm_table_attach (device->vm, process, request.tablefd, group);
}

/* kvm_vfio_set_file: a file comes, or goes. */
static int
set_file (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
          const struct kvm_device_attr *attribute)
{
  KvmHelperSimFile *file;
  int result = read_handle (process, attribute->addr, &file);

  if (result != 0)
    return result;
  return attribute->attr == KVM_DEV_VFIO_FILE_ADD ? add (device, file) : take_out (device, file);
}

static int
set_attribute (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
               const struct kvm_device_attr *attribute)
{
  if (attribute->group != KVM_DEV_VFIO_FILE)
    return -ENXIO;
  switch (attribute->attr)
    {
    case KVM_DEV_VFIO_FILE_ADD:
    case KVM_DEV_VFIO_FILE_DEL:
      return set_file (device, process, attribute);
    case KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE:
      return set_tce (device, process, attribute->addr);
    default:
      return -ENXIO;
    }
}

static int
has_attribute (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute)
{
  return attribute->group == KVM_DEV_VFIO_FILE
                 && (attribute->attr == KVM_DEV_VFIO_FILE_ADD
                     || attribute->attr == KVM_DEV_VFIO_FILE_DEL
                     || attribute->attr == KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE)
             ? 0
             : -ENXIO;
}

static int
create (KvmHelperSimKvmDevice *device)
{
  const GPtrArray *devices = device->vm->devices;

  for (guint i = 0; i < devices->len; i++)
    if (((const KvmHelperSimKvmDevice *) devices->pdata[i])->kind == device->kind)
      return -EBUSY;
  device->object = g_ptr_array_new ();
  return 0;
}

static void
release (KvmHelperSimKvmDevice *device)
{
  GPtrArray *entries = device->object;

  for (guint i = 0; i < entries->len; i++)
    release_entry (device->vm, entries->pdata[i]);
  g_ptr_array_unref (entries);
}

const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_vfio = {
  .file = { .link = "anon_inode:kvm-vfio",
            .ioctl = kvmhelper_sim_kvm_device_ioctl,
            .release = kvmhelper_sim_kvm_device_release },
  .create = create,
  .release = release,
  .set = set_attribute,
  .has = has_attribute,
};
