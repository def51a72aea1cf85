/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/* What a function that is open has: drivers/vfio/pci/vfio_pci_core.c. */

#define END_OF(type, member) (offsetof (type, member) + sizeof (((type *) NULL)->member))

/* vfio_pci_ioctl_get_info */
int
kvmhelper_sim_vfio_get_info (KvmHelperSimVfioDevice *self, gulong argument)
{
  struct vfio_device_info info = { 0 };
  const gsize least = END_OF (struct vfio_device_info, num_irqs);

  if (kvmhelper_sim_copy_in (argument, &info, least) != 0)
    return -EFAULT;
  if (info.argsz < least)
    return -EINVAL;
  info.flags = VFIO_DEVICE_FLAGS_PCI;
  if (self->function->can_reset)
    info.flags |= VFIO_DEVICE_FLAGS_RESET;
  info.num_regions = VFIO_PCI_NUM_REGIONS;
  info.num_irqs = VFIO_PCI_NUM_IRQS;
  return kvmhelper_sim_copy_out (argument, &info, MIN (info.argsz, sizeof info));
}

/* vfio_pci_ioctl_get_region_info */
int
kvmhelper_sim_vfio_get_region_info (KvmHelperSimVfioDevice *self, gulong argument)
{
  struct vfio_region_info info = { 0 };
  const gsize least = END_OF (struct vfio_region_info, offset);

  if (kvmhelper_sim_copy_in (argument, &info, least) != 0)
    return -EFAULT;
  if (info.argsz < least)
    return -EINVAL;
  /* The model has no VGA. */
  if (info.index >= VFIO_PCI_VGA_REGION_INDEX)
    return -EINVAL;
  info.offset = (guint64) info.index << KVMHELPER_SIM_VFIO_REGION_SHIFT;
  info.size = kvmhelper_sim_vfio_region_size (self, info.index);
  info.flags = 0;
  if (info.size > 0)
    info.flags = VFIO_REGION_INFO_FLAG_READ;
  if (info.size > 0 && info.index != VFIO_PCI_ROM_REGION_INDEX)
    info.flags |= VFIO_REGION_INFO_FLAG_WRITE;
  if (info.size > 0 && info.index < VFIO_PCI_ROM_REGION_INDEX)
    info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
  return kvmhelper_sim_copy_out (argument, &info, least);
}

/* vfio_pci_get_irq_count */
guint
kvmhelper_sim_vfio_irq_count (const KvmHelperSimVfioDevice *self, guint index)
{
  switch (index)
    {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return MIN (self->function->intx, 1);
    case VFIO_PCI_MSI_IRQ_INDEX:
      return self->function->msi;
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return self->function->msix;
    default: /* VFIO_PCI_REQ_IRQ_INDEX, and _ERR_ where it is PCI Express: the model's all are */
      return 1;
    }
}

/* vfio_pci_ioctl_get_irq_info */
int
kvmhelper_sim_vfio_get_irq_info (KvmHelperSimVfioDevice *self, gulong argument)
{
  struct vfio_irq_info info;

  if (kvmhelper_sim_copy_in (argument, &info, sizeof info) != 0)
    return -EFAULT;
  if (info.argsz < sizeof info || info.index >= VFIO_PCI_NUM_IRQS)
    return -EINVAL;
  info.flags = VFIO_IRQ_INFO_EVENTFD;
  info.count = kvmhelper_sim_vfio_irq_count (self, info.index);
  if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
    info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
  else /* also MSI-X: vectors of POWER's are not to be had one by one (pci_msix_can_alloc_dyn) */
    info.flags |= VFIO_IRQ_INFO_NORESIZE;
  return kvmhelper_sim_copy_out (argument, &info, sizeof info);
}
