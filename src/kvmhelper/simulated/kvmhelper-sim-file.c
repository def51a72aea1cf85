/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvmhelper/simulated/kvmhelper-sim-tree-private.h"

KvmHelperSimFile *
kvmhelper_sim_file_new (KvmHelperSim *sim, const KvmHelperSimFileKind *kind, gpointer object)
{
  KvmHelperSimFile *file = g_new0 (KvmHelperSimFile, 1);

  file->sim = sim;
  file->kind = kind;
  file->object = object;
  file->references = 1;
  file->flags = O_RDWR;
  file->stat.mode = 0600; /* an anonymous inode has no type */
  file->vmas = g_ptr_array_new ();
  g_hash_table_add (sim->files, file);
  return file;
}

KvmHelperSimFile *
kvmhelper_sim_file_ref (KvmHelperSimFile *file)
{
  file->references++;
  return file;
}

void
kvmhelper_sim_file_unref (KvmHelperSimFile *file)
{
  KvmHelperSim *sim = file->sim;

  if (--file->references > 0)
    return;
  if (file->kind->release != NULL)
    file->kind->release (file);
  g_hash_table_remove (sim->files, file);
  g_clear_pointer (&file->node, kvmhelper_sim_node_free);
  g_ptr_array_unref (file->vmas);
  g_free (file->path);
  g_free (file);
  g_cond_broadcast (&sim->changed);
}

void
kvmhelper_sim_file_clear_pages (KvmHelperSimFile *file, guint64 first, guint64 count)
{
  for (guint i = 0; i < file->vmas->len; i++)
    {
      KvmHelperSimVma *vma = file->vmas->pdata[i];
      GHashTableIter iter;
      gpointer page;

      g_hash_table_iter_init (&iter, vma->pages);
      while (g_hash_table_iter_next (&iter, &page, NULL))
        if (GPOINTER_TO_UINT (page) - first < count)
          g_hash_table_iter_remove (&iter);
    }
}

/* --- what is mapped --- */

static KvmHelperSimVma *
vma_new (KvmHelperSimProcess *process, KvmHelperSimFile *file, guint8 *start, gsize length,
         guint64 offset)
{
  KvmHelperSimVma *vma = g_new0 (KvmHelperSimVma, 1);

  vma->file = kvmhelper_sim_file_ref (file);
  vma->process = process;
  vma->start = start;
  vma->length = length;
  vma->offset = offset;
  vma->pages = g_hash_table_new (NULL, NULL);
  g_ptr_array_add (file->vmas, vma);
  g_ptr_array_add (process->vmas, vma);
  return vma;
}

static void
vma_free (KvmHelperSimVma *vma)
{
  KvmHelperSimFile *file = vma->file;

  g_ptr_array_remove (file->vmas, vma);
  g_ptr_array_remove (vma->process->vmas, vma);
  g_hash_table_unref (vma->pages);
  g_free (vma);
  if (file->handles == 0 && file->vmas->len == 0 && file->kind->hang_up != NULL)
    file->kind->hang_up (file);
  kvmhelper_sim_file_unref (file);
}

static guint64
page_of (const KvmHelperSimVma *vma, const guint8 *address)
{
  return (vma->offset + (guint64) (address - vma->start)) / vma->file->sim->page_size;
}

/* Address space that nothing else gets, at a multiple of the model's page size. */
static guint8 *
reserve (gsize length, gsize page_size)
{
  guint8 *start = mmap (NULL, length + page_size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  gsize before;

  if (start == MAP_FAILED)
    return NULL;
  before = (page_size - (gsize) start % page_size) % page_size;
  if (before > 0)
    munmap (start, before);
  if (before < page_size)
    munmap (start + before + length, page_size - before);
  return start + before;
}

/* arch_mmap and mm/mmap.c: do_mmap, in their order */
int
kvmhelper_sim_map (KvmHelperSimProcess *process, KvmHelperSimFile *file, gsize length,
                   guint64 offset, void **address)
{
  gsize page_size = process->sim->page_size;
  guint8 *start;
  int result;

  if (offset % page_size != 0 || length == 0)
    return -EINVAL;
  if (length > G_MAXSSIZE - page_size)
    return -ENOMEM;
  length = (length + page_size - 1) / page_size * page_size;
  if (offset + length < offset)
    return -EOVERFLOW;
  if ((file->flags & O_ACCMODE) != O_RDWR)
    return -EACCES;
  if (file->kind->mmap == NULL)
    return -ENODEV;
  start = reserve (length, page_size);
  if (start == NULL)
    return -ENOMEM;
  result = file->kind->mmap (file, process, length, offset);
  if (result != 0)
    {
      munmap (start, length);
      return result;
    }
  vma_new (process, file, start, length, offset);
  *address = start;
  return 0;
}

/* The part [@from, @to) of @old, with the pages that are present there. */
static void
keep_part (KvmHelperSimVma *old, guint8 *from, guint8 *to)
{
  KvmHelperSimVma *part;
  GHashTableIter iter;
  gpointer page, present;

  if (from >= to)
    return;
  part = vma_new (old->process, old->file, from, (gsize) (to - from),
                  old->offset + (guint64) (from - old->start));
  g_hash_table_iter_init (&iter, old->pages);
  while (g_hash_table_iter_next (&iter, &page, &present))
    if (GPOINTER_TO_UINT (page) >= page_of (part, from)
        && GPOINTER_TO_UINT (page) < page_of (part, to))
      g_hash_table_insert (part->pages, page, present);
}

void
kvmhelper_sim_unmap (KvmHelperSimProcess *process, const void *address, gsize length)
{
  const gsize first = (gsize) address, last = first + length;

  for (guint i = process->vmas->len; i > 0; i--)
    {
      KvmHelperSimVma *vma = process->vmas->pdata[i - 1];
      gsize start = MAX ((gsize) vma->start, first);
      gsize end = MIN ((gsize) vma->start + vma->length, last);

      if (start >= end)
        continue;
      keep_part (vma, vma->start, (guint8 *) start);
      keep_part (vma, (guint8 *) end, vma->start + vma->length);
      munmap ((void *) start, end - start);
      vma_free (vma);
    }
}

gpointer
kvmhelper_sim_fault (KvmHelperSimProcess *process, const void *address, KvmHelperSimVma **vma,
                     guint64 *offset)
{
  const guint8 *byte = address;

  *vma = NULL;
  for (guint i = 0; i < process->vmas->len && *vma == NULL; i++)
    {
      KvmHelperSimVma *candidate = process->vmas->pdata[i];

      if (byte >= candidate->start && byte < candidate->start + candidate->length)
        *vma = candidate;
    }
  if (*vma == NULL)
    return NULL;

  KvmHelperSimFile *file = (*vma)->file;
  guint64 page = page_of (*vma, byte);
  gpointer present = g_hash_table_lookup ((*vma)->pages, GUINT_TO_POINTER (page));

  *offset = (guint64) (byte - (*vma)->start) % process->sim->page_size;
  if (present == NULL && file->kind->fault != NULL)
    present = file->kind->fault (file, page);
  if (present != NULL)
    g_hash_table_insert ((*vma)->pages, GUINT_TO_POINTER (page), present);
  return present;
}

/* --- address spaces --- */

KvmHelperSimMm *
kvmhelper_sim_mm_new (void)
{
  KvmHelperSimMm *mm = g_new0 (KvmHelperSimMm, 1);

  mm->references = 1;
  return mm;
}

KvmHelperSimMm *
kvmhelper_sim_mm_ref (KvmHelperSimMm *mm)
{
  mm->references++;
  return mm;
}

void
kvmhelper_sim_mm_unref (KvmHelperSimMm *mm)
{
  if (--mm->references > 0)
    return;
  if (mm->vfio != NULL && mm->vfio_free != NULL)
    mm->vfio_free (mm->vfio);
  g_free (mm);
}

int
kvmhelper_sim_mm_account (KvmHelperSimProcess *process, guint64 bytes)
{
  KvmHelperSimMm *mm = process->mm;

  if (!process->ipc_lock && (mm->locked + bytes < bytes || mm->locked + bytes > process->memlock))
    return -ENOMEM;
  mm->locked += bytes;
  return 0;
}

void
kvmhelper_sim_mm_unaccount (KvmHelperSimMm *mm, guint64 bytes)
{
  /* WARN_ON_ONCE (pages > mm->locked_vm) in __account_locked_vm */
  mm->locked -= MIN (bytes, mm->locked);
}
