/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>

#include "kvmhelper/kvmhelper-abi.h"

/* A vPHB and its two DMA windows: hw/ppc/spapr_pci.c, spapr_iommu.c, hw/vfio/spapr.c. A window is
 * twice there: as a table in KVM, which is what the guest fills, and as one of the host's, which is
 * what the device sees. KVM's VFIO device joins the two. */

#define PAGE_SHIFT_4K  12
#define PAGE_SHIFT_64K 16

void
kvmhelper_sim_qemu_phb_free (gpointer phb)
{
  QemuPhb *self = phb;

  g_ptr_array_unref (self->groups);
  g_free (self);
}

/* spapr_tce_table_enable, kvmppc_create_spapr_tce: without it QEMU has the table itself. */
static void
make_table (KvmHelperSimQemu *qemu, QemuPhb *phb, guint number, guint page_shift, guint64 size)
{
  QemuWindow *window = &phb->windows[number];
  const struct kvm_create_spapr_tce_64 request = { .liobn = 0x80000000 | phb->index << 8 | number,
                                                   .page_shift = page_shift,
                                                   .offset = window->start >> page_shift,
                                                   .size = size >> page_shift };

  window->table = kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_CREATE_SPAPR_TCE_64, &request);
  if (window->table >= 0)
    return;
  kvmhelper_sim_qemu_warn (qemu, "KVM: Failed to create TCE64 table for liobn 0x%x: %s",
                           (guint) request.liobn, g_strerror (-window->table));
  window->table = -1;
}

/* spapr_phb_reset: the 32-bit window is there from the start. */
QemuPhb *
kvmhelper_sim_qemu_phb_new (KvmHelperSimQemu *qemu)
{
  QemuPhb *self = g_new0 (QemuPhb, 1);

  self->index = qemu->phbs->len;
  self->container = -1;
  self->windows[0] = (QemuWindow){ 0, FALSE, -1 };
  self->windows[1] = (QemuWindow){ QEMU_WINDOW64, FALSE, -1 };
  self->groups = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (qemu->phbs, self);
  for (guint i = 0; self->index > 0 && i < QEMU_LSIS; i++)
    kvmhelper_sim_qemu_claim (qemu, QEMU_LISN_LSI + self->index * QEMU_LSIS + i, TRUE);
  make_table (qemu, self, 0, PAGE_SHIFT_4K, QEMU_WINDOW_SIZE);
  return self;
}

/* For a function that comes: one that no group is on. The first is the guest's own, and libvirt
 * puts nothing of the host's there. */
QemuPhb *
kvmhelper_sim_qemu_free_phb (KvmHelperSimQemu *qemu)
{
  for (guint i = 1; i < qemu->phbs->len; i++)
    {
      QemuPhb *phb = qemu->phbs->pdata[i];

      if (phb->groups->len == 0 || qemu->one_phb)
        return phb;
    }
  return kvmhelper_sim_qemu_phb_new (qemu);
}

/* vfio_spapr_create_window. */
static gboolean
create_window (KvmHelperSimQemu *qemu, QemuPhb *phb, QemuWindow *window, guint page_shift,
               guint64 size, const char *device, GError **error)
{
  struct vfio_iommu_spapr_tce_create request
      = { .argsz = sizeof request, .page_shift = page_shift, .window_size = size };
  guint page_bits = (guint) __builtin_ctzll (qemu->kernel->page_size);
  guint bits = (guint) __builtin_ctzll (size) - page_shift;
  guint most = (64 - page_shift) / page_bits;
  int answer;

  /* one level holds as many TCEs as 2^8 pages do; more levels where memory is in pieces */
  request.levels = MAX ((bits + page_bits + 7) / (page_bits + 8), 1);
  do
    answer = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &request);
  while (answer < 0 && ++request.levels <= most);
  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (error, "VFIO_IOMMU_SPAPR_TCE_CREATE", answer,
                               "vfio %s: Failed to create a window, ret = -1: %s", device,
                               g_strerror (-answer));
      return FALSE;
    }
  if (request.start_addr != window->start)
    {
      const struct vfio_iommu_spapr_tce_remove remove
          = { .argsz = sizeof remove, .start_addr = request.start_addr };

      kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &remove);
      kvmhelper_sim_qemu_fail (error, NULL, 0,
                               "vfio %s: Host doesn't support DMA window at 0x%" G_GINT64_MODIFIER
                               "x, must be 0x%" G_GINT64_MODIFIER "x",
                               device, window->start, (guint64) request.start_addr);
      return FALSE;
    }
  window->made = TRUE;
  return TRUE;
}

/* vfio_spapr_container_add_section_window: the host's window, joined with KVM's table for every
 * group. */
gboolean
kvmhelper_sim_qemu_make_window (KvmHelperSimQemu *qemu, QemuPhb *phb, guint number,
                                guint page_shift, guint64 size, const char *device, GError **error)
{
  QemuWindow *window = &phb->windows[number];

  if (phb->page_sizes != 0 && (phb->page_sizes & (G_GUINT64_CONSTANT (1) << page_shift)) == 0)
    {
      kvmhelper_sim_qemu_fail (
          error, NULL, 0,
          "vfio %s: Host doesn't support page size 0x%x, the supported mask is "
          "0x%" G_GINT64_MODIFIER "x",
          device, 1u << page_shift, phb->page_sizes);
      return FALSE;
    }
  if (!create_window (qemu, phb, window, page_shift, size, device, error))
    return FALSE;
  for (guint i = 0; i < phb->groups->len; i++)
    {
      const QemuGroup *group = phb->groups->pdata[i];
      const struct kvm_vfio_spapr_tce request
          = { .groupfd = group->handle, .tablefd = window->table };
      int answer = kvmhelper_sim_qemu_attribute (qemu, qemu->kvm_vfio, KVM_DEV_VFIO_FILE,
                                                 KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &request);

      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, "KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE", answer,
                                   "vfio %s: vfio: failed GROUP_SET_SPAPR_TCE for KVM VFIO device "
                                   "%d and group fd %d: %s",
                                   device, qemu->kvm_vfio, group->handle, g_strerror (-answer));
          return FALSE;
        }
    }
  return TRUE;
}

/* ibm,create-pe-dma-window: the guest maps all of its memory once, by 64 KiB pages. */
gboolean
kvmhelper_sim_qemu_make_ddw (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *device,
                             GError **error)
{
  guint64 size = G_GUINT64_CONSTANT (1) << g_bit_storage ((gulong) (qemu->memory_size - 1));

  if (!phb->v2 || phb->windows[1].made)
    return TRUE;
  make_table (qemu, phb, 1, PAGE_SHIFT_64K, size);
  if (kvmhelper_sim_qemu_make_window (qemu, phb, 1, PAGE_SHIFT_64K, size, device, error))
    return TRUE;
  kvmhelper_sim_qemu_close (qemu, &phb->windows[1].table);
  return FALSE;
}

/* vfio_eeh_container_op (hw/ppc/spapr_pci_vfio.c): only where a container has just one group can it
 * be told which PE is meant. */
int
kvmhelper_sim_qemu_eeh (KvmHelperSimQemu *qemu, QemuPhb *phb, guint operation)
{
  const struct vfio_eeh_pe_op request = { .argsz = sizeof request, .op = operation };
  int answer;

  if (phb->groups->len != 1)
    {
      kvmhelper_sim_qemu_warn (qemu,
                               "vfio/eeh: EEH_PE_OP 0x%x: kernel requires a container with exactly "
                               "one group",
                               operation);
      return -EPERM;
    }
  answer = kvmhelper_sim_qemu_ioctl (qemu, phb->container, VFIO_EEH_PE_OP, &request);
  if (answer < 0)
    kvmhelper_sim_qemu_warn (qemu, "vfio/eeh: EEH_PE_OP 0x%x failed: %s", operation,
                             g_strerror (-answer));
  return answer;
}
