/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>
#include <fcntl.h>

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

/* vfio-pci is realized: hw/vfio/pci.c, container-legacy.c, spapr.c, listener.c of QEMU 10.2, each
 * call where it stands there. */

void
kvmhelper_sim_qemu_device_free (gpointer device)
{
  QemuDevice *self = device;

  g_array_unref (self->vectors);
  g_free (self->name);
  g_free (self);
}

/* vfio_device_get_groupid. */
static gboolean
find_group_number (KvmHelperSimQemu *qemu, const char *name, guint *number, GError **error)
{
  g_autofree char *path = g_strdup_printf ("bus/pci/devices/%s/iommu_group", name);
  g_autofree char *link = kvmhelper_kernel_link_name (qemu->kernel, KVMHELPER_SYS, path);
  guint64 value;

  if (link == NULL || !g_ascii_string_to_unsigned (link, 10, 0, G_MAXUINT, &value, NULL))
    {
      kvmhelper_sim_qemu_fail (error, NULL, 0, "vfio %s: no iommu_group found: %s", name,
                               g_strerror (ENOENT));
      return FALSE;
    }
  *number = (guint) value;
  return TRUE;
}

static QemuGroup *
find_group (KvmHelperSimQemu *qemu, guint number)
{
  for (guint i = 0; i < qemu->phbs->len; i++)
    {
      const QemuPhb *phb = qemu->phbs->pdata[i];

      for (guint j = 0; j < phb->groups->len; j++)
        {
          QemuGroup *group = phb->groups->pdata[j];

          if (group->number == number)
            return group;
        }
    }
  return NULL;
}

static gboolean
open_group (KvmHelperSimQemu *qemu, QemuGroup *group, const char *name, GError **error)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", group->number);
  struct vfio_group_status status = { .argsz = sizeof status };
  int answer;

  /* libvirt, before device_add */
  if (qemu->uid != 0 && !qemu->session)
    kvmhelper_sim_chown (qemu->sim, KVMHELPER_DEV, path, qemu->uid);
  group->handle = kvmhelper_kernel_open (qemu->kernel, KVMHELPER_DEV, path, O_RDWR);
  if (group->handle < 0)
    {
      kvmhelper_sim_qemu_fail (error, "open", group->handle,
                               "vfio %s: Could not open '/dev/%s': %s", name, path,
                               g_strerror (-group->handle));
      return FALSE;
    }
  answer = kvmhelper_sim_qemu_ioctl (qemu, group->handle, VFIO_GROUP_GET_STATUS, &status);
  if (answer < 0)
    kvmhelper_sim_qemu_fail (error, "VFIO_GROUP_GET_STATUS", answer,
                             "vfio %s: failed to get group %u status", name, group->number);
  else if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
    kvmhelper_sim_qemu_fail (
        error, NULL, 0,
        "vfio %s: group %u is not viable\nPlease ensure all devices within the "
        "iommu_group are bound to their vfio bus driver.",
        name, group->number);
  else
    return TRUE;
  return FALSE;
}

static int
set_container (KvmHelperSimQemu *qemu, const QemuGroup *group)
{
  const gint32 container = group->phb->container;

  return kvmhelper_sim_qemu_ioctl (qemu, group->handle, VFIO_GROUP_SET_CONTAINER, &container);
}

/* vfio_set_iommu: the newest version first. */
static int
set_iommu (KvmHelperSimQemu *qemu, QemuPhb *phb)
{
  int answer = kvmhelper_kernel_ioctl (qemu->kernel, phb->container, VFIO_SET_IOMMU,
                                       VFIO_SPAPR_TCE_v2_IOMMU);

  phb->v2 = answer >= 0;
  return phb->v2 ? answer
                 : kvmhelper_kernel_ioctl (qemu->kernel, phb->container, VFIO_SET_IOMMU,
                                           VFIO_SPAPR_TCE_IOMMU);
}

/* Version 1 knows the default window alone, and locks memory for all of it. */
static gboolean
enable (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *name, GError **error)
{
  int answer = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_ENABLE, NULL);

  if (answer < 0)
    kvmhelper_sim_qemu_fail (error, "VFIO_IOMMU_ENABLE", answer,
                             "vfio %s: failed to enable container", name);
  return answer >= 0;
}

/* The listener of all memory (vfio_prereg_listener_region_add); what it says of the errno is wrong,
 * the call's own stands behind it. */
static gboolean
register_memory (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *name, GError **error)
{
  gsize page = qemu->kernel->page_size;
  const struct vfio_iommu_spapr_register_memory request
      = { .argsz = sizeof request,
          .vaddr = ((guint64) (gulong) qemu->memory + page - 1) / page * page,
          .size = qemu->memory_size };
  int answer
      = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &request);

  if (answer < 0)
    kvmhelper_sim_qemu_fail (
        error, "VFIO_IOMMU_SPAPR_REGISTER_MEMORY", answer,
        "vfio %s: RAM memory listener initialization failed: Memory registering "
        "failed: %s",
        name, g_strerror (EPERM));
  return answer >= 0;
}

/* vfio_spapr_container_init. */
static gboolean
set_up_container (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *name, GError **error)
{
  struct vfio_iommu_spapr_tce_info info = { .argsz = sizeof info };
  struct vfio_iommu_spapr_tce_remove remove = { .argsz = sizeof remove };
  int answer;

  if (!(phb->v2 ? register_memory (qemu, phb, name, error) : enable (qemu, phb, name, error)))
    return FALSE;
  answer = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info);
  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (error, "VFIO_IOMMU_SPAPR_TCE_GET_INFO", answer,
                               "vfio %s: VFIO_IOMMU_SPAPR_TCE_GET_INFO failed", name);
      return FALSE;
    }
  phb->dma32_start = info.dma32_window_start;
  phb->page_sizes = info.ddw.pgsizes;
  if (!phb->v2)
    return TRUE;
  /* There is a default window in just created container. To make region_add/del simpler, we better
   * remove this window now. */
  remove.start_addr = phb->dma32_start;
  answer = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &remove);
  if (answer < 0)
    kvmhelper_sim_qemu_fail (error, "VFIO_IOMMU_SPAPR_TCE_REMOVE", answer,
                             "vfio %s: failed to remove existing window", name);
  return answer >= 0;
}

/* vfio_kvm_device_add_group. */
static void
add_to_kvm (KvmHelperSimQemu *qemu, QemuGroup *group)
{
  struct kvm_create_device request = { .type = KVM_DEV_TYPE_VFIO };
  const gint32 handle = group->handle;
  int answer;

  if (qemu->kvm_vfio < 0
      && kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_CREATE_DEVICE, &request) >= 0)
    qemu->kvm_vfio = (int) request.fd;
  answer = kvmhelper_sim_qemu_attribute (qemu, qemu->kvm_vfio, KVM_DEV_VFIO_FILE,
                                         KVM_DEV_VFIO_FILE_ADD, &handle);
  group->added = answer >= 0;
  if (!group->added)
    kvmhelper_sim_qemu_warn (qemu, "Failed to add group %u to KVM VFIO device: %s", group->number,
                             g_strerror (-answer));
}

static gboolean
check_extensions (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *name, GError **error)
{
  static const gulong types[]
      = { VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU, VFIO_SPAPR_TCE_IOMMU };
  gboolean found = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (types) && !found; i++)
    found
        = kvmhelper_kernel_ioctl (qemu->kernel, phb->container, VFIO_CHECK_EXTENSION, types[i]) > 0;
  if (!found)
    kvmhelper_sim_qemu_fail (error, NULL, 0, "vfio %s: No available IOMMU models", name);
  return found;
}

/* vfio_container_connect, for the first group of a vPHB. */
static gboolean
open_container (KvmHelperSimQemu *qemu, QemuGroup *group, const char *name, GError **error)
{
  QemuPhb *phb = group->phb;
  const char *call = "VFIO_GROUP_SET_CONTAINER";
  int answer;

  phb->container = kvmhelper_kernel_open (qemu->kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);
  if (phb->container < 0)
    {
      kvmhelper_sim_qemu_fail (error, "open", phb->container,
                               "vfio %s: Could not open '/dev/vfio/vfio': %s", name,
                               g_strerror (-phb->container));
      return FALSE;
    }
  answer = kvmhelper_kernel_ioctl (qemu->kernel, phb->container, VFIO_GET_API_VERSION, 0);
  if (answer != VFIO_API_VERSION)
    {
      kvmhelper_sim_qemu_fail (error, NULL, 0,
                               "vfio %s: supported vfio version: %d, reported version: %d", name,
                               VFIO_API_VERSION, answer);
      return FALSE;
    }
  if (!check_extensions (qemu, phb, name, error))
    return FALSE;
  answer = set_container (qemu, group);
  if (answer >= 0)
    {
      call = "VFIO_SET_IOMMU";
      answer = set_iommu (qemu, phb);
    }
  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (error, call, answer,
                               "vfio %s: failed to setup container for group %u: Failed to set %s: "
                               "%s",
                               name, group->number,
                               call[5] == 'G' ? "group container" : "iommu for container",
                               g_strerror (-answer));
      return FALSE;
    }
  if (!set_up_container (qemu, phb, name, error))
    return FALSE;
  add_to_kvm (qemu, group);
  /* the listener of the vPHB's address space finds the window that the guest has there */
  return !phb->v2
         || kvmhelper_sim_qemu_make_window (qemu, phb, 0, 12, QEMU_WINDOW_SIZE, name, error);
}

/* A group on a vPHB that has one already: it joins its container, and its windows. */
static gboolean
join_container (KvmHelperSimQemu *qemu, QemuGroup *group, const char *name, GError **error)
{
  int answer = set_container (qemu, group);

  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (
          error, "VFIO_GROUP_SET_CONTAINER", answer,
          "vfio %s: failed to setup container for group %u: Failed to set group "
          "container: %s",
          name, group->number, g_strerror (-answer));
      return FALSE;
    }
  add_to_kvm (qemu, group);
  return TRUE;
}

static QemuGroup *
get_group (KvmHelperSimQemu *qemu, guint number, const char *name, GError **error)
{
  QemuGroup *group = find_group (qemu, number);
  gboolean ok;

  if (group != NULL)
    return group;
  group = g_new0 (QemuGroup, 1);
  group->number = number;
  group->handle = -1;
  group->phb = kvmhelper_sim_qemu_free_phb (qemu);
  g_ptr_array_add (group->phb->groups, group);
  ok = open_group (qemu, group, name, error);
  if (ok)
    ok = group->phb->container >= 0 ? join_container (qemu, group, name, error)
                                    : open_container (qemu, group, name, error);
  if (ok)
    return group;
  kvmhelper_sim_qemu_release_group (qemu, group);
  return NULL;
}

/* vfio_device_get, vfio_populate_device. */
static gboolean
open_device (KvmHelperSimQemu *qemu, QemuDevice *device, GError **error)
{
  struct vfio_device_info info = { .argsz = sizeof info };
  int answer;

  device->handle = kvmhelper_sim_qemu_ioctl (qemu, device->group->handle, VFIO_GROUP_GET_DEVICE_FD,
                                             device->name);
  if (device->handle < 0)
    {
      kvmhelper_sim_qemu_fail (
          error, "VFIO_GROUP_GET_DEVICE_FD", device->handle,
          "vfio %s: error getting device from group %u: %s\nVerify all devices "
          "in group %u are bound to vfio-<bus> or pci-stub and not already in "
          "use",
          device->name, device->group->number, g_strerror (-device->handle), device->group->number);
      return FALSE;
    }
  answer = kvmhelper_sim_qemu_ioctl (qemu, device->handle, VFIO_DEVICE_GET_INFO, &info);
  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (error, "VFIO_DEVICE_GET_INFO", answer,
                               "vfio %s: error getting device info", device->name);
      return FALSE;
    }
  for (guint i = 0; i < MIN (info.num_regions, VFIO_PCI_CONFIG_REGION_INDEX + 1); i++)
    {
      struct vfio_region_info region = { .argsz = sizeof region, .index = i };

      answer
          = kvmhelper_sim_qemu_ioctl (qemu, device->handle, VFIO_DEVICE_GET_REGION_INFO, &region);
      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, "VFIO_DEVICE_GET_REGION_INFO", answer,
                                   "vfio %s: failed to get region %u info", device->name, i);
          return FALSE;
        }
    }
  for (guint i = 0; i < MIN (info.num_irqs, VFIO_PCI_NUM_IRQS); i++)
    {
      struct vfio_irq_info irq = { .argsz = sizeof irq, .index = i };

      kvmhelper_sim_qemu_ioctl (qemu, device->handle, VFIO_DEVICE_GET_IRQ_INFO, &irq);
    }
  return TRUE;
}

static gboolean
realize (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error)
{
  g_autofree char *name = pci_address_to_string (address);
  QemuDevice *device;
  QemuGroup *group;
  guint number;

  if (!find_group_number (qemu, name, &number, error))
    return FALSE;
  if (kvmhelper_sim_qemu_find (qemu, address, NULL) != NULL)
    {
      kvmhelper_sim_qemu_fail (error, NULL, 0, "vfio %s: device is already attached", name);
      return FALSE;
    }
  group = get_group (qemu, number, name, error);
  if (group == NULL)
    return FALSE;
  device = g_new0 (QemuDevice, 1);
  device->address = *address;
  device->name = g_steal_pointer (&name);
  device->group = group;
  device->handle = -1;
  device->vectors = g_array_new (FALSE, FALSE, sizeof (QemuVector));
  g_ptr_array_add (qemu->devices, device);
  if (!open_device (qemu, device, error))
    {
      kvmhelper_sim_qemu_release (qemu, device, 0);
      return FALSE;
    }
  /* The guest enables EEH when it finds the function (spapr_phb_vfio_eeh_set_option). */
  kvmhelper_sim_qemu_eeh (qemu, group->phb, VFIO_EEH_PE_ENABLE);
  return TRUE;
}

gboolean
kvmhelper_sim_qemu_attach (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error)
{
  return kvmhelper_sim_qemu_runs (qemu, error)
         && kvmhelper_sim_qemu_survived (qemu, realize (qemu, address, error), error);
}

int
kvmhelper_sim_qemu_pe_state (KvmHelperSimQemu *qemu, const PciAddress *address)
{
  QemuDevice *device = kvmhelper_sim_qemu_find (qemu, address, NULL);
  int answer = device == NULL
                   ? -ENODEV
                   : kvmhelper_sim_qemu_eeh (qemu, device->group->phb, VFIO_EEH_PE_GET_STATE);

  return kvmhelper_sim_qemu_survived (qemu, TRUE, NULL) ? MAX (answer, -1) : -1;
}

/* arch/powerpc/kernel/eeh_driver.c of the guest, by RTAS: ibm,set-slot-reset twice, and
 * ibm,configure-pe. */
gboolean
kvmhelper_sim_qemu_recover (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error)
{
  static const struct
  {
    guint operation;
    const char *name;
  } steps[] = { { VFIO_EEH_PE_RESET_HOT, "VFIO_EEH_PE_RESET_HOT" },
                { VFIO_EEH_PE_RESET_DEACTIVATE, "VFIO_EEH_PE_RESET_DEACTIVATE" },
                { VFIO_EEH_PE_CONFIGURE, "VFIO_EEH_PE_CONFIGURE" } };
  QemuDevice *device = kvmhelper_sim_qemu_find (qemu, address, error);

  if (device == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      int answer = kvmhelper_sim_qemu_eeh (qemu, device->group->phb, steps[i].operation);

      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, steps[i].name, answer,
                                   "vfio/eeh: EEH_PE_OP 0x%x failed: %s", steps[i].operation,
                                   g_strerror (-answer));
          return kvmhelper_sim_qemu_survived (qemu, FALSE, error);
        }
    }
  return kvmhelper_sim_qemu_survived (qemu, TRUE, error);
}
