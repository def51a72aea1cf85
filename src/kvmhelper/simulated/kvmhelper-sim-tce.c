/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * DMA windows in hardware: a window is a range of bus addresses, and its table has a TCE
 * (translation control entry) for each page of it: where in memory it leads, and whether the device
 * may read and write there. powernv: arch/powerpc/platforms/powernv/pci-ioda.c and -tce.c; a
 * partition asks its firmware: arch/powerpc/platforms/pseries/iommu.c.
 */

/* The second window (pe->table_group.tce64_start; QEMU's and PowerVM's dma64_win_addr). */
#define SECOND_WINDOW (G_GUINT64_CONSTANT (1) << 59)
/* What the host itself uses: 4 GiB in pages of 64 KiB (pnv_pci_ioda2_setup_default_config). */
#define POWERNV_HOST_SHIFT  16
#define POWERNV_HOST_WINDOW (G_GUINT64_CONSTANT (1) << 32)
/* The largest piece of memory that the kernel's page allocator gives, and so the largest level of a
 * table (pnv_alloc_tce_level): 16 MiB with either page size, CONFIG_ARCH_FORCE_MAX_ORDER being 8
 * for pages of 64 KiB and 12 for 4 KiB. */
#define MAX_LEVEL_SHIFT 24

static guint
log2_of (guint64 value)
{
  return 63 - (guint) __builtin_clzll (value);
}

static gboolean
is_power_of_2 (guint64 value)
{
  return value != 0 && (value & (value - 1)) == 0;
}

/* How large one level is, a shift: pnv_pci_ioda2_table_alloc_pages. */
static guint
level_shift (KvmHelperSim *sim, guint page_shift, guint64 window, guint levels)
{
  guint entries_shift = log2_of (window) - page_shift;

  return MAX ((entries_shift + levels - 1) / levels + 3, log2_of (sim->page_size));
}

/* pnv_pci_ioda2_get_table_size */
static guint64
powernv_size (KvmHelperSim *sim, guint page_shift, guint64 window, guint levels)
{
  guint64 bytes = 0, table, level;

  if (levels == 0 || levels > sim->profile.tce_levels || !is_power_of_2 (window)
      || log2_of (window) < page_shift)
    return 0;
  table = MAX (0x1000, G_GUINT64_CONSTANT (1) << (log2_of (window) - page_shift + 3));
  level = G_GUINT64_CONSTANT (1) << level_shift (sim, page_shift, window, levels);
  for (; levels > 0; levels--)
    {
      bytes += (table + level - 1) / level * level;
      table = MAX (table / level << 3, level);
    }
  return 2 * bytes; /* the hardware's, and the copy with user addresses */
}

/* spapr_tce_get_table_size: more than one level is refused only later, and 4 GiB is accounted. */
static guint64
pseries_size (guint page_shift, guint64 window, guint levels)
{
  return levels > 1 ? G_MAXUINT32 : window >> (page_shift - 3);
}

guint64
kvmhelper_sim_tce_size (KvmHelperSim *sim, guint page_shift, guint64 window, guint levels)
{
  return sim->profile.powernv ? powernv_size (sim, page_shift, window, levels)
                              : pseries_size (page_shift, window, levels);
}

static KvmHelperSimTable *
table_new (guint64 start, guint page_shift, guint64 pages, guint levels)
{
  KvmHelperSimTable *table = g_new0 (KvmHelperSimTable, 1);

  table->references = 1;
  table->page_shift = page_shift;
  table->offset = start >> page_shift;
  table->size = pages;
  table->levels = levels;
  return table;
}

KvmHelperSimTable *
kvmhelper_sim_table_ref (KvmHelperSimTable *table)
{
  table->references++;
  return table;
}

void
kvmhelper_sim_table_unref (KvmHelperSimTable *table)
{
  if (--table->references > 0)
    return;
  g_clear_pointer (&table->entries, g_hash_table_unref);
  g_free (table);
}

/* pnv_pci_ioda2_table_alloc_pages */
static int
powernv_create (KvmHelperSimGroup *group, guint number, guint page_shift, guint64 window,
                guint levels, KvmHelperSimTable **table)
{
  KvmHelperSim *sim = group->sim;
  guint shift = level_shift (sim, page_shift, window, levels);
  /* A table fills a page of memory at least, and the window is as large as the table allows. */
  guint64 bytes = MAX (window >> page_shift << 3, sim->page_size);

  if ((shift - 3) * levels + page_shift >= 55)
    return -EINVAL;
  if (shift > MAX_LEVEL_SHIFT)
    {
      kvmhelper_sim_log (sim, "Failed to allocate a TCE memory, level shift=%u", shift);
      return -ENOMEM;
    }
  *table = table_new (number == 0 ? 0 : SECOND_WINDOW, page_shift, bytes >> 3, levels);
  return 0;
}

/* A window that firmware made beside the default one: there can be one (find_existing_ddw). */
static gboolean
has_dynamic_window (const KvmHelperSimGroup *group)
{
  for (guint i = 0; i < G_N_ELEMENTS (group->tables); i++)
    if (group->tables[i] != NULL && group->tables[i]->offset != 0)
      return TRUE;
  return FALSE;
}

/*
 * spapr_tce_create_table: the table is in the hardware at once. Firmware has a default window, at
 * 0, which the first table is if it asks for no more than that, and one other. Whoever is refused
 * that one gets none ever after, also not the default one.
 */
static int
pseries_create (KvmHelperSimGroup *group, guint number, guint page_shift, guint64 window,
                guint levels, KvmHelperSimTable **table)
{
  gboolean is_default = number == 0 && page_shift == 12 && window <= group->sim->profile.dma32_size;

  if (!is_power_of_2 (window) || levels > 1)
    return -EINVAL;
  if (group->refused)
    return -ENODEV;
  if (has_dynamic_window (group))
    {
      if (number == 0)
        return -EPERM;
      group->refused = TRUE;
      kvmhelper_sim_log (group->sim, "spapr_tce_create_table: Create ddw failed");
      return -ENODEV;
    }
  *table = table_new (is_default ? 0 : SECOND_WINDOW, page_shift, window >> page_shift, levels);
  group->tables[number] = kvmhelper_sim_table_ref (*table);
  return 0;
}

int
kvmhelper_sim_tce_create (KvmHelperSimGroup *group, guint number, guint page_shift, guint64 window,
                          guint levels, KvmHelperSimTable **table)
{
  return group->sim->profile.powernv
             ? powernv_create (group, number, page_shift, window, levels, table)
             : pseries_create (group, number, page_shift, window, levels, table);
}

/* A line about the PE, as pe_level_printk of pci-ioda.c begins it. */
static void
log_pe (KvmHelperSimGroup *group, const char *text)
{
  const KvmHelperSimFunction *function
      = group->functions->len == 0 ? NULL : group->functions->pdata[0];

  if (group->sim->profile.powernv && function != NULL)
    kvmhelper_sim_log (group->sim, "pci %04x:%02x     : [PE# %.2x] %s", function->address.domain,
                       function->address.bus, group->pe->number, text);
}

static void
log_window (KvmHelperSimGroup *group, guint number, const KvmHelperSimTable *table)
{
  guint64 start = table->offset << table->page_shift;
  g_autofree char *text = g_strdup_printf (
      "Setting up window#%u %" G_GINT64_MODIFIER "x..%" G_GINT64_MODIFIER "x pg=%x", number, start,
      start + (table->size << table->page_shift) - 1, 1U << table->page_shift);

  log_pe (group, text);
}

int
kvmhelper_sim_tce_set_window (KvmHelperSimGroup *group, guint number, KvmHelperSimTable *table)
{
  /* spapr_tce_set_window: firmware makes a window for one PE, and cannot give it to another. */
  if (!group->sim->profile.powernv)
    return group->tables[number] == table ? 0 : -EPERM;
  log_window (group, number, table);
  group->tables[number] = kvmhelper_sim_table_ref (table);
  return 0;
}

void
kvmhelper_sim_tce_unset_window (KvmHelperSimGroup *group, guint number)
{
  KvmHelperSimTable *table = g_steal_pointer (&group->tables[number]);

  if (table == NULL)
    return;
  log_pe (group, number == 0 ? "Removing DMA window #0" : "Removing DMA window #1");
  kvmhelper_sim_table_unref (table);
}

/* pnv_ioda2_take_ownership, spapr_tce_take_ownership */
void
kvmhelper_sim_tce_take_ownership (KvmHelperSimGroup *group)
{
  if (group->tables[0] == NULL)
    return;
  log_pe (group, "Disabling 64-bit DMA bypass");
  kvmhelper_sim_tce_unset_window (group, 0);
}

/* pnv_ioda2_release_ownership, spapr_tce_release_ownership: the host has its own window again. */
void
kvmhelper_sim_tce_release_ownership (KvmHelperSimGroup *group)
{
  const KvmHelperSimProfile *profile = &group->sim->profile;

  if (group->tables[0] != NULL)
    return;
  group->tables[0] = profile->powernv ? table_new (0, POWERNV_HOST_SHIFT,
                                                   POWERNV_HOST_WINDOW >> POWERNV_HOST_SHIFT, 1)
                                      : table_new (0, 12, profile->dma32_size >> 12, 1);
  log_window (group, 0, group->tables[0]);
  log_pe (group, "Enabling 64-bit DMA bypass");
}

guint64
kvmhelper_sim_tce_get (const KvmHelperSimTable *table, guint64 page)
{
  return table->entries == NULL
             ? 0
             : (gsize) g_hash_table_lookup (table->entries, GSIZE_TO_POINTER (page));
}

guint64
kvmhelper_sim_tce_exchange (KvmHelperSimTable *table, guint64 page, guint64 tce)
{
  guint64 old = kvmhelper_sim_tce_get (table, page);

  if (table->entries == NULL && tce != 0)
    table->entries = g_hash_table_new (NULL, NULL);
  if (tce != 0)
    g_hash_table_insert (table->entries, GSIZE_TO_POINTER (page), GSIZE_TO_POINTER (tce));
  else if (old != 0)
    g_hash_table_remove (table->entries, GSIZE_TO_POINTER (page));
  return old;
}
