/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* KVM's devices: virt/kvm/kvm_main.c, kvm_ioctl_create_device and kvm_device_ioctl. */

/* What is registered for a type (arch/powerpc/kvm/book3s.c: kvmppc_book3s_init): native XIVE where
 * the firmware can save its queues; XICS in two ways. A partition's XIVE is the hypervisor's, and
 * KVM cannot give it on. */
static const KvmHelperSimKvmDeviceKind *
find_kind (const KvmHelperSimProfile *profile, guint32 type)
{
  switch (type)
    {
    case KVM_DEV_TYPE_VFIO:
      return &kvmhelper_sim_kind_vfio;
    case KVM_DEV_TYPE_XIVE:
      return profile->xive_native ? &kvmhelper_sim_kind_xive_native : NULL;
    case KVM_DEV_TYPE_XICS:
      return profile->xive && profile->powernv ? &kvmhelper_sim_kind_xics_on_xive
                                               : &kvmhelper_sim_kind_xics;
    default:
      return NULL;
    }
}

typedef int (*Accessor) (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute);

static int
set_attribute (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process, gulong argument)
{
  struct kvm_device_attr attribute;

  if (kvmhelper_sim_copy_in (argument, &attribute, sizeof attribute) != 0)
    return -EFAULT;
  return device->kind->set (device, process, &attribute);
}

static int
ask_attribute (KvmHelperSimKvmDevice *device, Accessor accessor, gulong argument)
{
  struct kvm_device_attr attribute;

  if (accessor == NULL)
    return -EPERM;
  if (kvmhelper_sim_copy_in (argument, &attribute, sizeof attribute) != 0)
    return -EFAULT;
  return accessor (device, &attribute);
}

int
kvmhelper_sim_kvm_device_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process,
                                gulong request, gulong argument)
{
  KvmHelperSimKvmDevice *device = file->object;

  if (kvmhelper_sim_vm_is_foreign (device->vm, process))
    return -EIO;
  switch (request)
    {
    case KVM_SET_DEVICE_ATTR:
      return set_attribute (device, process, argument);
    case KVM_GET_DEVICE_ATTR:
      return ask_attribute (device, device->kind->get, argument);
    case KVM_HAS_DEVICE_ATTR:
      return ask_attribute (device, device->kind->has, argument);
    default:
      return -ENOTTY;
    }
}

static void
device_free (KvmHelperSimKvmDevice *device)
{
  g_ptr_array_remove (device->vm->devices, device);
  kvmhelper_sim_vm_unref (device->vm);
  g_free (device);
}

void
kvmhelper_sim_kvm_device_release (KvmHelperSimFile *file)
{
  KvmHelperSimKvmDevice *device = file->object;

  device->kind->release (device);
  device_free (device);
}

KvmHelperSimKvmDevice *
kvmhelper_sim_kvm_device_of (KvmHelperSimFile *file)
{
  return file->kind->ioctl == kvmhelper_sim_kvm_device_ioctl ? file->object : NULL;
}

int
kvmhelper_sim_kvm_device_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong argument)
{
  struct kvm_create_device request;
  const KvmHelperSimKvmDeviceKind *kind;
  KvmHelperSimKvmDevice *device;
  int answer;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  kind = find_kind (&vm->sim->profile, request.type);
  if (kind == NULL)
    return -ENODEV;
  if ((request.flags & KVM_CREATE_DEVICE_TEST) != 0)
    return 0;
  device = g_new0 (KvmHelperSimKvmDevice, 1);
  device->vm = kvmhelper_sim_vm_ref (vm);
  device->kind = kind;
  answer = kvmhelper_sim_process_has_room (process) ? kind->create (device) : -EMFILE;
  if (answer < 0)
    {
      device_free (device);
      return answer;
    }
  g_ptr_array_add (vm->devices, device);
  device->file = kvmhelper_sim_file_new (vm->sim, &kind->file, device);
  request.fd = (guint32) kvmhelper_sim_process_install (process, device->file);
  return kvmhelper_sim_copy_out (argument, &request, sizeof request);
}
