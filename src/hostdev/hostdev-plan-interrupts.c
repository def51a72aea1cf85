/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

/* How many interrupts the guest's devices can ask for, and of what kind they are. */

/* QEMU, include/hw/ppc/spapr_irq.h: from SPAPR_IRQ_MSI to SPAPR_NR_XIRQS; those of its emulated
 * devices are among them. */
#define MSI_MAX 3328

/* Up to pseries-3.0 a guest has so many in all (hw/ppc/spapr.c: spapr_machine_3_0_class_options,
 * nr_xirqs). */
#define MSI_MAX_LEGACY 1024

/* Linux, arch/powerpc/include/asm/kvm_host.h: KVMPPC_PIRQ_MAPPED */
#define BYPASS_MAX 1024

/* A device uses MSI or MSI-X, never both (drivers/vfio/pci/vfio_pci_intrs.c). */
static guint
vectors_of (const HostdevPlanning *planning, const PciAddress *address)
{
  const HostdevFunction *function = hostdev_host_find (planning->host, address, NULL);

  return function == NULL ? 0 : MAX (function->msi, function->msix);
}

/* Of those that it has, and of the one that it is to get. */
static guint
count_vectors (const HostdevPlanning *planning)
{
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  const GPtrArray *entries = planning->plan->devices;
  guint vectors = 0;

  for (guint i = 0; i < devices->len; i++)
    vectors += vectors_of (planning, &((const HostdevDevice *) devices->pdata[i])->address);
  for (guint i = 0; i < entries->len; i++)
    {
      const HostdevPlanDevice *entry = entries->pdata[i];

      if (hostdev_domain_find_address (planning->domain, &entry->address) == NULL)
        vectors += vectors_of (planning, &entry->address);
    }
  return vectors;
}

static guint
get_most (const HostdevPlanning *planning)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  gboolean legacy = traits->machine_major > 0
                    && (traits->machine_major < 3
                        || (traits->machine_major == 3 && traits->machine_minor == 0));

  return legacy ? MSI_MAX_LEGACY : MSI_MAX;
}

void
hostdev_plan_check_vectors (const HostdevPlanning *planning)
{
  HostdevAnswer bypass
      = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_IRQ_BYPASS).answer;
  guint vectors = count_vectors (planning), most = get_most (planning);
  g_autofree char *count = g_strdup_printf ("%u", vectors);
  g_autofree char *limit = g_strdup_printf ("%u", most);

  if (vectors > most)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MSI_LIMIT, NULL, "vectors", count, "limit",
                      limit, NULL);
  if (vectors > BYPASS_MAX && bypass == HOSTDEV_YES)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_BYPASS_LIMIT, NULL, "vectors", count, "limit",
                      G_STRINGIFY (BYPASS_MAX), NULL);
}

void
hostdev_plan_check_pin (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevFunction *function = hostdev_host_find (planning->host, &entry->address, NULL);

  if (function == NULL || function->in_use_only || function->intx == 0 || function->msi != 0
      || function->msix != 0 || entry->policy.xive == HOSTDEV_WISH_OFF)
    return;
  g_autofree char *name = hostdev_plan_describe_function (function);
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_INTX_ONLY, &entry->address, "function", name,
                    NULL);
}
