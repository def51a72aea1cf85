/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>
#include <string.h>

#include "kvmhelper/kvmhelper-abi.h"

/* Interrupts of a function (hw/vfio/pci.c). Each vector is an eventfd that KVM and VFIO both know:
 * that is how they find each other, and how the interrupt comes to go straight to the guest. */

/* struct vfio_irq_set with @count eventfds from vector @start; none: the index is switched off. */
static int
set_irqs (KvmHelperSimQemu *qemu, const QemuDevice *device, guint start, guint count)
{
  gsize size = sizeof (struct vfio_irq_set) + count * sizeof (gint32);
  g_autofree struct vfio_irq_set *request = g_malloc0 (size);

  request->argsz = (guint32) size;
  request->flags = VFIO_IRQ_SET_ACTION_TRIGGER
                   | (count == 0 ? VFIO_IRQ_SET_DATA_NONE : VFIO_IRQ_SET_DATA_EVENTFD);
  request->index = device->irq_index;
  request->start = start;
  request->count = count;
  for (guint i = 0; i < count; i++)
    {
      gint32 handle = g_array_index (device->vectors, QemuVector, start + i).eventfd;

      memcpy (request->data + i * sizeof handle, &handle, sizeof handle);
    }
  return kvmhelper_sim_qemu_ioctl (qemu, device->handle, VFIO_DEVICE_SET_IRQS, request);
}

static int
irqfd (KvmHelperSimQemu *qemu, const QemuVector *vector, guint flags)
{
  const struct kvm_irqfd request
      = { .fd = (guint32) vector->eventfd, .gsi = vector->lisn, .flags = flags };

  return kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_IRQFD, &request);
}

static int
allocate_msi (KvmHelperSimQemu *qemu)
{
  for (guint i = 0; i < QEMU_MSIS; i++)
    if (!qemu->msis[i])
      {
        qemu->msis[i] = TRUE;
        return (int) i;
      }
  return -ENOSPC;
}

static guint
count_irqs (KvmHelperSimQemu *qemu, const QemuDevice *device, guint index)
{
  struct vfio_irq_info info = { .argsz = sizeof info, .index = index };

  return kvmhelper_sim_qemu_ioctl (qemu, device->handle, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0
             ? 0
             : info.count;
}

/* What the guest's driver takes: MSI-X, else MSI, else INTx. */
static guint
choose_index (KvmHelperSimQemu *qemu, QemuDevice *device)
{
  static const guint indexes[]
      = { VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_INTX_IRQ_INDEX };

  for (guint i = 0; i < G_N_ELEMENTS (indexes); i++)
    {
      guint count = count_irqs (qemu, device, indexes[i]);

      device->irq_index = indexes[i];
      if (count > 0)
        return count;
    }
  return 0;
}

/* vfio_connect_kvm_msi_virq. INTx goes by QEMU: XIVE cannot tell KVM when the guest is done with a
 * level (KVM_CAP_IRQFD_RESAMPLE is 0). */
static gboolean
add_vector (KvmHelperSimQemu *qemu, QemuDevice *device, GError **error)
{
  gboolean message = device->irq_index != VFIO_PCI_INTX_IRQ_INDEX;
  QemuVector vector = { .lisn = QEMU_LISN_LSI + device->group->phb->index * QEMU_LSIS };

  if (message)
    {
      int msi = allocate_msi (qemu);

      if (msi < 0)
        {
          kvmhelper_sim_qemu_fail (error, NULL, 0, "Can't allocate MSIs for device %s: no free one",
                                   device->name);
          return FALSE;
        }
      vector.lisn = QEMU_LISN_MSI + (guint) msi;
      kvmhelper_sim_qemu_claim (qemu, vector.lisn, FALSE);
    }
  vector.eventfd = qemu->kernel->calls->eventfd (qemu->kernel->data);
  if (vector.eventfd < 0)
    {
      kvmhelper_sim_qemu_fail (error, "eventfd", vector.eventfd,
                               "vfio %s: event_notifier_init failed", device->name);
      return FALSE;
    }
  if (message && qemu->irqchip >= 0)
    vector.routed = irqfd (qemu, &vector, 0) >= 0;
  g_array_append_val (device->vectors, vector);
  return TRUE;
}

/* vfio_msix_vector_do_use: VFIO makes room for as many vectors as it is first asked for, so that it
 * is asked anew for each that comes; of MSI for all of them at once. */
static int
enable_vectors (KvmHelperSimQemu *qemu, QemuDevice *device)
{
  if (device->irq_index == VFIO_PCI_MSIX_IRQ_INDEX && device->vectors->len > 1)
    set_irqs (qemu, device, 0, 0);
  return set_irqs (qemu, device, 0, device->vectors->len);
}

static gboolean
take (KvmHelperSimQemu *qemu, const PciAddress *address, guint vectors, GError **error)
{
  QemuDevice *device = kvmhelper_sim_qemu_find (qemu, address, error);
  guint count;
  int answer = 0;

  if (device == NULL
      || !kvmhelper_sim_qemu_make_ddw (qemu, device->group->phb, device->name, error))
    return FALSE;
  kvmhelper_sim_qemu_disable_vectors (qemu, device);
  count = MIN (choose_index (qemu, device), vectors);
  for (guint i = 0; i < count; i++)
    {
      if (!add_vector (qemu, device, error))
        return FALSE;
      if (device->irq_index == VFIO_PCI_MSIX_IRQ_INDEX || i + 1 == count)
        answer = enable_vectors (qemu, device);
      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, "VFIO_DEVICE_SET_IRQS", answer,
                                   "vfio %s: vfio: failed to enable vectors, %d", device->name,
                                   answer);
          kvmhelper_sim_qemu_disable_vectors (qemu, device);
          return FALSE;
        }
    }
  for (guint i = 0; i < device->vectors->len; i++)
    kvmhelper_sim_qemu_unmask (qemu, g_array_index (device->vectors, QemuVector, i).lisn);
  return TRUE;
}

gboolean
kvmhelper_sim_qemu_use (KvmHelperSimQemu *qemu, const PciAddress *address, guint vectors,
                        GError **error)
{
  return kvmhelper_sim_qemu_runs (qemu, error)
         && kvmhelper_sim_qemu_survived (qemu, take (qemu, address, vectors, error), error);
}

/* vfio_disable_interrupts. */
void
kvmhelper_sim_qemu_disable_vectors (KvmHelperSimQemu *qemu, QemuDevice *device)
{
  if (device->vectors->len == 0)
    return;
  set_irqs (qemu, device, 0, 0);
  for (guint i = 0; i < device->vectors->len; i++)
    {
      QemuVector *vector = &g_array_index (device->vectors, QemuVector, i);

      if (vector->routed)
        irqfd (qemu, vector, KVM_IRQFD_FLAG_DEASSIGN);
      kvmhelper_sim_qemu_close (qemu, &vector->eventfd);
      if (vector->lisn >= QEMU_LISN_MSI)
        qemu->msis[vector->lisn - QEMU_LISN_MSI] = FALSE;
    }
  g_array_set_size (device->vectors, 0);
}
