/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"

#include <errno.h>

/* TCE tables of guests, arch/powerpc/kvm/book3s_64_vio.c. A guest maps memory for DMA with
 * hypercalls (H_PUT_TCE) that name a window by its LIOBN. Without a table here each of them wakes
 * QEMU, which asks VFIO; with one, KVM writes the guest's view, and the hardware's windows that are
 * linked to the table, without leaving the kernel.
 *
 * Who links them? QEMU, by the kvm-vfio device: it gives KVM the group and the table, and KVM looks
 * among the windows that the group's hardware has now for one that the table fits in. */

#define MIN_SHIFT 12
#define MAX_SHIFT 34
#define TCE_SIZE  8
/* struct kvmppc_spapr_tce_table, and a pointer for each of its pages; what can be allocated in one
 * piece. */
#define HEADER_SIZE   128
#define LARGEST_PIECE 0x1000000

static void
link_free (KvmHelperSimTceLink *link)
{
  kvmhelper_sim_table_unref (link->window);
  g_free (link);
}

static void
table_release (KvmHelperSimFile *file)
{
  KvmHelperSimKvmTable *table = file->object;
  KvmHelperSimVm *vm = table->vm;

  g_ptr_array_remove (vm->tables, table);
  kvmhelper_sim_mm_unaccount (vm->mm, table->locked);
  g_hash_table_unref (table->pages);
  g_ptr_array_unref (table->links);
  g_free (table);
  kvmhelper_sim_vm_unref (vm);
}

static guint64
round_up (guint64 bytes, gsize page_size)
{
  return (bytes + page_size - 1) / page_size * page_size;
}

/* Any process may map it, and sees the guest's TCEs. */
static int
table_mmap (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length, guint64 offset)
{
  return 0;
}

static guint64 *
table_page (KvmHelperSimKvmTable *table, guint64 page)
{
  guint64 *memory = g_hash_table_lookup (table->pages, GSIZE_TO_POINTER (page));

  if (memory == NULL)
    {
      memory = g_malloc0 (table->vm->sim->page_size);
      g_hash_table_insert (table->pages, GSIZE_TO_POINTER (page), memory);
    }
  return memory;
}

guint64 *
kvmhelper_sim_kvm_table_entry (KvmHelperSimKvmTable *table, guint64 page)
{
  const guint64 entries = table->vm->sim->page_size / TCE_SIZE;

  return table_page (table, page / entries) + page % entries;
}

static gpointer
table_fault (KvmHelperSimFile *file, guint64 page)
{
  KvmHelperSimKvmTable *table = file->object;

  return page < round_up (table->size * TCE_SIZE, file->sim->page_size) / file->sim->page_size
             ? table_page (table, page)
             : NULL;
}

static const KvmHelperSimFileKind table_kind = {
  .link = "anon_inode:kvm-spapr-tce",
  .release = table_release,
  .mmap = table_mmap,
  .fault = table_fault,
};

KvmHelperSimKvmTable *
kvmhelper_sim_kvm_table_of (KvmHelperSimVm *vm, guint64 liobn)
{
  for (guint i = 0; i < vm->tables->len; i++)
    {
      KvmHelperSimKvmTable *table = vm->tables->pdata[i];

      if (table->liobn == liobn)
        return table;
    }
  return NULL;
}

static int
read_request (gulong argument, gboolean wide, struct kvm_create_spapr_tce_64 *request)
{
  struct kvm_create_spapr_tce narrow;

  if (wide)
    {
      if (kvmhelper_sim_copy_in (argument, request, sizeof *request) != 0)
        return -EFAULT;
      return request->flags != 0 ? -EINVAL : 0;
    }
  if (kvmhelper_sim_copy_in (argument, &narrow, sizeof narrow) != 0)
    return -EFAULT;
  *request = (struct kvm_create_spapr_tce_64){ .liobn = narrow.liobn,
                                               .page_shift = MIN_SHIFT,
                                               .size = narrow.window_size >> MIN_SHIFT };
  return 0;
}

int
kvmhelper_sim_kvm_table_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong argument,
                                gboolean wide)
{
  const gsize page_size = vm->sim->page_size;
  struct kvm_create_spapr_tce_64 request;
  KvmHelperSimKvmTable *table;
  guint64 bytes, header;
  int result = read_request (argument, wide, &request);

  if (result != 0)
    return result;
  if (request.size == 0 || request.page_shift < MIN_SHIFT || request.page_shift > MAX_SHIFT
      || request.offset + request.size > G_MAXUINT64 >> request.page_shift)
    return -EINVAL;
  bytes = round_up (request.size * TCE_SIZE, page_size);
  header = HEADER_SIZE + bytes / page_size * sizeof (gpointer);
  result = kvmhelper_sim_mm_account (process, bytes + round_up (header, page_size));
  if (result != 0)
    return result;
  if (header > LARGEST_PIECE)
    result = -ENOMEM;
  else if (kvmhelper_sim_kvm_table_of (vm, request.liobn) != NULL)
    result = -EBUSY;
  else if (!kvmhelper_sim_process_has_room (process))
    result = -EMFILE;
  if (result != 0)
    {
      kvmhelper_sim_mm_unaccount (vm->mm, bytes + round_up (header, page_size));
      return result;
    }
  table = g_new0 (KvmHelperSimKvmTable, 1);
  table->vm = kvmhelper_sim_vm_ref (vm);
  table->liobn = request.liobn;
  table->page_shift = request.page_shift;
  table->offset = request.offset;
  table->size = request.size;
  table->locked = bytes + round_up (header, page_size);
  table->pages = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  table->links = g_ptr_array_new_with_free_func ((GDestroyNotify) link_free);
  g_ptr_array_add (vm->tables, table);
  return kvmhelper_sim_process_install (process,
                                        kvmhelper_sim_file_new (vm->sim, &table_kind, table));
}

/* The window has to begin where the table does, and to reach as far; its pages may be smaller. */
static gboolean
fits (const KvmHelperSimKvmTable *table, const KvmHelperSimTable *window)
{
  return window->page_shift <= table->page_shift
         && window->offset << window->page_shift == table->offset << table->page_shift
         && window->size << window->page_shift >= table->size << table->page_shift;
}

static KvmHelperSimTceLink *
find_link (const KvmHelperSimKvmTable *table, const KvmHelperSimTable *window, guint *index)
{
  for (guint i = 0; i < table->links->len; i++)
    {
      KvmHelperSimTceLink *link = table->links->pdata[i];

      *index = i;
      if (link->window == window)
        return link;
    }
  return NULL;
}

int
kvmhelper_sim_kvm_table_attach (KvmHelperSimVm *vm, KvmHelperSimProcess *process, int handle,
                                KvmHelperSimGroup *group)
{
  KvmHelperSimFile *file = kvmhelper_sim_process_file (process, handle);
  KvmHelperSimKvmTable *table;
  KvmHelperSimTceLink *link;
  guint index;

  if (file == NULL)
    return -EBADF;
  if (file->kind != &table_kind || ((KvmHelperSimKvmTable *) file->object)->vm != vm)
    return -EINVAL;
  table = file->object;
  for (guint i = 0; i < G_N_ELEMENTS (group->tables); i++)
    {
      KvmHelperSimTable *window = group->tables[i];

      if (window == NULL || !fits (table, window))
        continue;
      link = find_link (table, window, &index);
      if (link == NULL)
        {
          link = g_new0 (KvmHelperSimTceLink, 1);
          link->window = kvmhelper_sim_table_ref (window);
          g_ptr_array_add (table->links, link);
        }
      link->references++;
      return 0;
    }
  return -EINVAL;
}

/* Only windows that the hardware has still are found: a link to one that was removed before stays,
 * and with it the window's memory, until the table is closed. */
void
kvmhelper_sim_kvm_table_release (KvmHelperSimVm *vm, KvmHelperSimGroup *group)
{
  for (guint i = 0; i < vm->tables->len; i++)
    for (guint j = 0; j < G_N_ELEMENTS (group->tables); j++)
      {
        KvmHelperSimKvmTable *table = vm->tables->pdata[i];
        guint index;
        KvmHelperSimTceLink *link = find_link (table, group->tables[j], &index);

        if (link != NULL && --link->references == 0)
          g_ptr_array_remove_index (table->links, index);
      }
}
