/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

/*
 * What a guest's DMA takes of memory: that it may be locked, and is there to be locked. QEMU fails
 * without, when libvirt has long begun, and mostly with another message than the cause: it is said
 * before.
 */

char *
hostdev_plan_size_text (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* QEMU under libvirt has no CAP_IPC_LOCK, so that the kernel holds it to the limit. */
static void
check_hard_limit (const HostdevPlanning *planning, const HostdevMemory *memory, guint phbs)
{
  guint64 limit = hostdev_memory_limit (memory, phbs, TRUE);
  guint64 formula = hostdev_memory_formula (memory, phbs, TRUE);
  g_autofree char *has = hostdev_plan_size_text (limit);
  g_autofree char *wanted = hostdev_plan_size_text (formula);
  g_autofree char *pinned = hostdev_plan_size_text (memory->memory * 1024);
  g_autofree char *kib = g_strdup_printf ("%" G_GUINT64_FORMAT, formula / 1024);
  g_autofree char *count = g_strdup_printf ("%u", phbs);

  if (memory->hard_limit == 0 || limit >= formula)
    return;
  hostdev_plan_say (planning->plan,
                    memory->hard_limit < memory->memory ? HOSTDEV_SAYS_MEMORY_LIMIT
                                                        : HOSTDEV_SAYS_MEMORY_LIMIT_CLOSE,
                    NULL, "limit", has, "memory", pinned, "wanted", wanted, "kib", kib, "phbs",
                    count, NULL);
}

/* A guest that grows has each new piece of memory locked as it is plugged. */
static void
check_growth (const HostdevPlanning *planning, const HostdevMemory *memory, guint phbs)
{
  HostdevMemory grown = *memory;
  guint64 wanted;

  grown.memory = MAX (memory->memory, memory->max_memory);
  wanted = hostdev_memory_formula (&grown, phbs, TRUE);
  g_autofree char *limit = hostdev_plan_size_text (memory->hard_limit * 1024);
  g_autofree char *most = hostdev_plan_size_text (grown.memory * 1024);
  g_autofree char *text = hostdev_plan_size_text (wanted);
  g_autofree char *kib = g_strdup_printf ("%" G_GUINT64_FORMAT, wanted / 1024);

  if (memory->hard_limit != 0 && memory->max_memory > memory->memory
      && memory->hard_limit * 1024 < wanted
      && memory->hard_limit * 1024 >= hostdev_memory_formula (memory, phbs, TRUE))
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MEMORY_HOTPLUG, NULL, "limit", limit, "most",
                      most, "wanted", text, "kib", kib, NULL);
  if (memory->hard_limit == 0 && memory->locked)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MEMORY_UNLIMITED, NULL, "wanted", text, "kib",
                      kib, NULL);
}

static void
check_balloon (const HostdevPlanning *planning, const HostdevMemory *memory)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  g_autofree char *current = hostdev_plan_size_text (traits->current * 1024);
  g_autofree char *all = hostdev_plan_size_text (memory->memory * 1024);

  if (traits->balloon && traits->current != 0 && traits->current < memory->memory)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MEMORY_BALLOON, NULL, "current", current,
                      "memory", all, NULL);
}

/* Of huge pages the host has a stock of its own. */
static void
check_host_memory (const HostdevPlanning *planning, const HostdevMemory *memory)
{
  guint64 available = hostdev_host_get_memory_available (planning->host);
  g_autofree char *pinned = hostdev_plan_size_text (memory->memory * 1024);
  g_autofree char *has = hostdev_plan_size_text (available << 20);

  if (available == 0 || memory->hugepages || memory->memory / 1024 <= available)
    return;
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MEMORY_HOST_SHORT, NULL, "available", has,
                    "memory", pinned, NULL);
}

/* KVM HV makes the guest's large pages of such of the host's, and QEMU looks that it can
 * (hw/ppc/spapr_caps.c: spapr_check_pagesize). */
static void
check_hpt_pages (const HostdevPlanning *planning, const HostdevMemory *memory)
{
  guint64 wanted = hostdev_domain_get_traits (planning->domain)->hpt_page;
  guint64 found
      = memory->hugepages ? memory->page : hostdev_host_get_page_size (planning->host) / 1024;
  g_autofree char *wanted_text = hostdev_plan_size_text (wanted * 1024);
  g_autofree char *found_text = hostdev_plan_size_text (found * 1024);

  if (found != 0 && wanted > found)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_HPT_PAGE_SIZE, NULL, "wanted", wanted_text,
                      "found", found_text, NULL);
}

void
hostdev_plan_check_memory (const HostdevPlanning *planning, guint phbs)
{
  const HostdevMemory *memory = hostdev_domain_get_memory (planning->domain);

  if (memory->memory == 0)
    return;
  check_hard_limit (planning, memory, phbs);
  check_growth (planning, memory, phbs);
  check_balloon (planning, memory);
  if (planning->plan->operation != HOSTDEV_OPERATION_START)
    return;
  check_host_memory (planning, memory);
  check_hpt_pages (planning, memory);
}
