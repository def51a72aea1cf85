/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

/*
 * What a group offers for DMA against what its guest will ask for; known where a rehearsal has
 * found it out. QEMU fails without when libvirt has long begun.
 */

/* A vPHB's first window, as QEMU makes it (hw/ppc/spapr_pci.c: dma_win_addr, dma_win_size); it
 * begins at 0. */
#define WINDOW_SIZE (1024 * 1024 * 1024u)
#define WINDOW_PAGE 4096

/* A vPHB has the 64-bit window beside the first one. */
#define WINDOWS 2

/* Pages above the kernel's own, which memory has to be made of by itself: 2M, 16M, 1G. */
#define LARGE_PAGES ((1u << 21) | (1u << 24) | (1u << 30))

/* From here on a table of small pages is worth a word: 16 GiB. */
#define MUCH_MEMORY (G_GUINT64_CONSTANT (16) * 1024 * 1024) /* KiB */

/* QEMU backs a window of 4 KiB pages with those of the host that are no larger (hw/vfio/spapr.c:
 * vfio_spapr_create_window). */
static void
check_first_window (const HostdevPlanning *planning, const HostdevGroup *group,
                    const HostdevPlanDevice *entry)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  guint64 wanted = traits->window_size != 0 ? traits->window_size : WINDOW_SIZE;
  g_autofree char *name = hostdev_plan_describe_group (group);
  g_autofree char *pages = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", group->page_sizes);
  g_autofree char *start = g_strdup_printf ("0x%x", group->dma32_start);
  g_autofree char *own = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", traits->window_start);
  g_autofree char *size = hostdev_plan_size_text (group->dma32_size);
  g_autofree char *bytes = g_strdup_printf ("0x%x", group->dma32_size);
  g_autofree char *own_size = hostdev_plan_size_text (wanted);

  if (group->dma32_start != traits->window_start)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_WINDOW, &entry->address, "group", name,
                      "start", start, "own", own, NULL);
  else if ((group->page_sizes & (2 * WINDOW_PAGE - 1)) == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_PAGE_SIZE, &entry->address, "group", name,
                      "pages", pages, NULL);
  else if (group->dma32_size < wanted)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_WINDOW_SMALL, &entry->address, "group", name,
                      "size", size, "own", own_size, "bytes", bytes, NULL);
}

static void
check_pages (const HostdevPlanning *planning, const HostdevGroup *group,
             const HostdevPlanDevice *entry)
{
  const HostdevMemory *memory = hostdev_domain_get_memory (planning->domain);
  g_autofree char *name = hostdev_plan_describe_group (group);
  g_autofree char *wanted = hostdev_policy_page_sizes (entry->policy.page_sizes);
  g_autofree char *found = hostdev_policy_page_sizes (group->page_sizes);
  const char *blank = strrchr (found, ' ');
  const char *largest = blank != NULL ? blank + 1 : found;
  g_autofree char *all = hostdev_plan_size_text (memory->memory * 1024);
  g_autofree char *entries = g_strdup_printf ("%" G_GUINT64_FORMAT, memory->memory / 64);

  if ((entry->policy.page_sizes & ~group->page_sizes) != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_PAGES_REQUIRED, &entry->address, "group",
                      name, "wanted", wanted, "found", found, NULL);
  if (group->windows >= WINDOWS && !memory->hugepages && memory->memory >= MUCH_MEMORY
      && (group->page_sizes & LARGE_PAGES) != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ADVISE_HUGE_PAGES, NULL, "group", name, "pages",
                      largest, "memory", all, "entries", entries, NULL);
}

/* Of what is not known a policy can require nothing; lacking='refuse' hardens what is known to be
 * lacking. */
static void
check_unknown (const HostdevPlanning *planning, const HostdevGroup *group,
               const HostdevPlanDevice *entry)
{
  g_autofree char *name = NULL;
  g_autofree char *pages = NULL;
  g_autofree char *setting = NULL;

  if (entry->policy.page_sizes == 0
      && (entry->policy.window64 != HOSTDEV_WISH_REQUIRED || entry->policy.refuse_lacking))
    return;
  name = hostdev_plan_describe_group (group);
  pages = hostdev_policy_page_sizes (entry->policy.page_sizes);
  setting = *pages != '\0' ? g_strdup_printf ("page-sizes='%s'", pages)
                           : g_strdup ("window64='required'");
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_NOT_REHEARSED, &entry->address, "group", name,
                    "setting", setting, NULL);
}

/* Who does not care for TCE tables does not care for windows, unless he says so. */
static HostdevWish
get_window_wish (const HostdevPolicy *policy)
{
  return policy->tce == HOSTDEV_WISH_OFF && policy->window64 != HOSTDEV_WISH_REQUIRED
             ? HOSTDEV_WISH_OFF
             : policy->window64;
}

static void
check_second_window (const HostdevPlanning *planning, const HostdevGroup *group,
                     const HostdevPlanDevice *entry)
{
  g_autofree char *name = hostdev_plan_describe_group (group);
  g_autofree char *windows = g_strdup_printf ("%u", group->windows);

  if (group->windows == 0)
    hostdev_plan_say_wish (planning->plan, HOSTDEV_SAYS_DMA_V1, entry->policy.tce, "tce",
                           &entry->address, "group", name, NULL);
  if (group->windows < WINDOWS && (group->windows > 0 || entry->policy.tce == HOSTDEV_WISH_OFF))
    hostdev_plan_say_wish (planning->plan, HOSTDEV_SAYS_DMA_WINDOW_SINGLE,
                           get_window_wish (&entry->policy), "window64", &entry->address, "group",
                           name, "windows", windows, NULL);
}

void
hostdev_plan_check_windows (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  const HostdevGroup *group = NULL;
  const HostdevFunction *function = hostdev_host_find (planning->host, &entry->address, &group);

  if (group == NULL)
    return;
  if (traits->ddw_off)
    hostdev_plan_say_wish (planning->plan, HOSTDEV_SAYS_DMA_DDW_OFF,
                           get_window_wish (&entry->policy), "window64", &entry->address, "element",
                           traits->ddw_element, NULL);
  if (function->dma_bits != 0 && function->dma_bits <= 32)
    {
      g_autofree char *name = hostdev_plan_describe_function (function);
      g_autofree char *bits = g_strdup_printf ("%u", function->dma_bits);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DMA_32_BIT, &entry->address, "function", name,
                        "bits", bits, NULL);
    }
  if (!group->has_windows)
    {
      check_unknown (planning, group, entry);
      return;
    }
  check_first_window (planning, group, entry);
  check_second_window (planning, group, entry);
  check_pages (planning, group, entry);
}
