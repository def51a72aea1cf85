/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* The guest's window to the hardware: what is mapped of a kvm-xive-native file
 * (arch/powerpc/kvm/book3s_xive_native.c).
 *
 *   pages 0 to 3   the TIMA, the thread's interrupt management area: who may look at it from which
 *                  ring. Only page 2, the operating system's, is given
 *   from page 4 on two pages for each interrupt of the guest: its ESB
 *
 * QEMU maps both once, and puts them into the guest's address space. A mapping is empty at first:
 * the first access to a page faults, and the kernel puts in the page of the source that the
 * interrupt has at that time: of its IPI, or of the device's MSI in the PHB. From then on loads and
 * stores go to the hardware. When the source changes, KVM takes the two pages out of the mapping,
 * and the next access puts in the others: this is all that passing an interrupt on is to a guest.
 */

#define TIMA_PAGES 4
#define TIMA_OS    2

/* A page that is not an ESB's; what a load of it gives, the model does not say. */
static KvmHelperSimEsbPage tima;

int
kvmhelper_sim_xive_mmap (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length,
                         guint64 offset)
{
  KvmHelperSimKvmDevice *device = file->object;
  KvmHelperSimXive *xive = device->object;
  const gsize page_size = file->sim->page_size;
  const guint64 pages = length / page_size;

  /* A mapping begins with the first page of either: no part of the sources alone can be mapped. */
  if (offset == KVM_XIVE_TIMA_PAGE_OFFSET * page_size)
    {
      if (pages > TIMA_PAGES)
        return -EINVAL;
    }
  else if (offset == KVM_XIVE_ESB_PAGE_OFFSET * page_size)
    {
      if (pages > 2 * KVMHELPER_SIM_XIVE_IRQS)
        return -EINVAL;
    }
  else
    return -EINVAL;
  xive->mapped = TRUE;
  return 0;
}

gpointer
kvmhelper_sim_xive_fault (KvmHelperSimFile *file, guint64 page)
{
  KvmHelperSimKvmDevice *device = file->object;
  KvmHelperSimGuestSource *source;
  KvmHelperSimEsb *esb;

  /* xive_native_tima_fault */
  if (page < KVM_XIVE_ESB_PAGE_OFFSET)
    return page == TIMA_OS ? &tima : NULL;
  /* xive_native_esb_fault. A source that was not made has no page, also in a block that is there.
   */
  page -= KVM_XIVE_ESB_PAGE_OFFSET;
  source = kvmhelper_sim_xive_find (device->object, page / 2);
  esb = source == NULL ? NULL : kvmhelper_sim_xive_selected (source);
  return esb == NULL ? NULL : &esb->pages[page % 2];
}

guint64
kvmhelper_sim_xive_load (KvmHelperSimFile *file, gpointer page, guint64 offset)
{
  return page == &tima ? 0 : kvmhelper_sim_esb_load (page, offset);
}

/* kvmppc_xive_native_reset_mapped: unmap_mapping_range of the two pages. The device remembers the
 * address space of the file that was mapped last; as all anonymous files have one, that is every
 * mapping of it, of whatever process. */
void
kvmhelper_sim_xive_reset_mapped (KvmHelperSimXive *xive, guint32 irq)
{
  if (irq < KVMHELPER_SIM_XIVE_IRQS && xive->mapped)
    kvmhelper_sim_file_clear_pages (xive->device->file, KVM_XIVE_ESB_PAGE_OFFSET + 2ull * irq, 2);
}
