/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <glib/gi18n-lib.h>

/*
 * What a guest's DMA takes: memory that may be locked and is there to be locked, and DMA windows of
 * the group. QEMU fails without, when libvirt has long begun, and mostly with another message than
 * the cause: it is said before.
 */

/* A vPHB's first window, as QEMU makes it (hw/ppc/spapr_pci.c: dma_win_addr, dma_win_size). */
#define WINDOW_START 0
#define WINDOW_SIZE  (1024 * 1024 * 1024u)
#define WINDOW_PAGE  4096

/* A vPHB has the 64-bit window beside the first one. */
#define WINDOWS 2

static char *
size_text (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* QEMU under libvirt has no CAP_IPC_LOCK, so that the kernel holds it to the limit. */
static void
check_hard_limit (const HostdevPlanning *planning, const HostdevMemory *memory, guint phbs)
{
  guint64 limit = hostdev_memory_limit (memory, phbs, TRUE);
  guint64 formula = hostdev_memory_formula (memory, phbs, TRUE);
  const char *guest = hostdev_domain_get_name (planning->domain);
  g_autofree char *has = size_text (limit);
  g_autofree char *wants = size_text (formula);
  g_autofree char *pinned = size_text (memory->memory * 1024);
  g_autofree char *kib = NULL;
  char *remedy;

  if (memory->hard_limit == 0 || limit >= formula)
    return;
  kib = g_strdup_printf ("%" G_GUINT64_FORMAT, formula / 1024);
  remedy = g_strdup_printf (_ ("Raise <hard_limit> in the guest's <memtune> to %s (%s KiB) or "
                               "more, or remove it: libvirt then sets what is needed."),
                            wants, kib);
  if (memory->hard_limit < memory->memory)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_MEMORY_LIMIT, NULL,
        g_strdup_printf (_ ("“%s” may lock %s of memory, by its <hard_limit>, and with a device of "
                            "the host all of its %s are locked: QEMU would fail with “Memory "
                            "registering failed: Operation not permitted”."),
                         guest, has, pinned),
        remedy);
  else
    hostdev_plan_say (
        planning->plan, HOSTDEV_WARN, COMMON_ERROR_MEMORY_LIMIT, NULL,
        g_strdup_printf (_ ("“%s” may lock %s of memory, by its <hard_limit>; for its %s, %u PHBs "
                            "and their DMA windows libvirt would allow %s. QEMU may fail with "
                            "“Operation not permitted” or “Bad file descriptor”."),
                         guest, has, pinned, phbs, wants),
        remedy);
}

/* Of huge pages the host has a stock of its own. */
static void
check_host_memory (const HostdevPlanning *planning, const HostdevMemory *memory)
{
  guint64 available = hostdev_host_get_memory_available (planning->host);
  g_autofree char *pinned = size_text (memory->memory * 1024);
  g_autofree char *has = size_text (available << 20);

  if (available == 0 || memory->hugepages || memory->memory / 1024 <= available)
    return;
  hostdev_plan_say (
      planning->plan, HOSTDEV_WARN, COMMON_ERROR_MEMORY_LIMIT, NULL,
      g_strdup_printf (_ ("The host has %s of memory to give away, and with a device of the host "
                          "all %s of “%s” are locked from its start."),
                       has, pinned, hostdev_domain_get_name (planning->domain)),
      g_strdup (_ ("Give the guest less memory, or end what else needs it: what is locked is "
                   "neither swapped nor taken back by ballooning.")));
}

void
hostdev_plan_check_memory (const HostdevPlanning *planning)
{
  const HostdevMemory *memory = hostdev_domain_get_memory (planning->domain);

  if (memory->memory == 0)
    return;
  check_hard_limit (planning, memory, hostdev_domain_get_phbs (planning->domain)->len);
  if (planning->plan->operation == HOSTDEV_OPERATION_START)
    check_host_memory (planning, memory);
}

/* QEMU backs a window of 4 KiB pages with those of the host that are no larger (hw/vfio/spapr.c:
 * vfio_spapr_create_window). */
static void
check_first_window (const HostdevPlanning *planning, const HostdevGroup *group,
                    const HostdevPlanDevice *entry)
{
  g_autofree char *name = hostdev_plan_describe_group (group);
  g_autofree char *pages = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", group->page_sizes);

  if (group->dma32_start != WINDOW_START)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_DMA_WINDOW, &entry->address,
        g_strdup_printf (_ ("%s has its DMA window at 0x%x, and a guest's PHB has it at 0: QEMU "
                            "would fail with “Host doesn't support DMA window”."),
                         name, group->dma32_start),
        g_strdup (_ ("Set dma_win_addr of the guest's spapr-pci-host-bridge to that address, or "
                     "take another device.")));
  else if ((group->page_sizes & (2 * WINDOW_PAGE - 1)) == 0)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_DMA_WINDOW, &entry->address,
        g_strdup_printf (
            _ ("%s has no DMA pages of 4 KiB (of its sizes the mask is %s): QEMU would "
               "fail with “Host doesn't support page size”."),
            name, pages),
        g_strdup (_ ("Take another device, or a host whose firmware offers 4 KiB pages.")));
  else if (group->dma32_size < WINDOW_SIZE)
    {
      g_autofree char *size = size_text (group->dma32_size);

      hostdev_plan_say (planning->plan, HOSTDEV_WARN, COMMON_ERROR_DMA_WINDOW, &entry->address,
                        g_strdup_printf (_ ("%s has a 32-bit DMA window of %s, and a guest's PHB "
                                            "asks for 1 GiB."),
                                         name, size),
                        g_strdup (_ ("Set dma_win_size of the guest's spapr-pci-host-bridge to "
                                     "that size.")));
    }
}

void
hostdev_plan_check_windows (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevGroup *group = NULL;
  HostdevSeverity severity;

  hostdev_host_find (planning->host, &entry->address, &group);
  if (group == NULL || !group->has_windows)
    return;
  check_first_window (planning, group, entry);
  if (group->windows < WINDOWS && hostdev_plan_severity (entry->policy.tce, &severity))
    {
      g_autofree char *name = hostdev_plan_describe_group (group);

      hostdev_plan_say (
          planning->plan, HOSTDEV_WARN, COMMON_ERROR_DMA_WINDOW, &entry->address,
          g_strdup_printf (_ ("%s has %u DMA windows at a time: the guest cannot have the 64-bit "
                              "one that maps all of its memory, and maps each buffer by itself in "
                              "32 bits, which is slow."),
                           name, group->windows),
          g_strdup (_ ("Take a host whose firmware has dynamic DMA windows "
                       "(ibm,ddw-applicable) for the adapter's slot.")));
    }
}
