/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

#include <glib/gi18n-lib.h>

/*
 * What follows from the host's facts and the guest's XML, and no more: what the guest really has is
 * read from the kernel when it runs. A fact that is not known makes the answer "unknown"; a wish
 * that is "required" is not fulfilled by that.
 */

static void
expect (HostdevExpectation *expectation, const char *value, char *source)
{
  g_free (expectation->source);
  expectation->value = value;
  expectation->source = source;
}

static HostdevFact
fact (const HostdevPlanning *planning, HostdevCapability capability)
{
  return hostdev_host_get_capability (planning->host, capability);
}

/*
 * QEMU, hw/ppc/spapr_irq.c: ic-mode=dual, the default, lets the guest choose at boot, and a guest
 * of today takes XIVE. Where KVM has no native XIVE, both dual and xive fall back to interrupts
 * that QEMU emulates. XICS in a guest is made of the host's XIVE where KVM could do native XIVE as
 * well (arch/powerpc/kvm/book3s.c: xics_on_xive; in a partition KVM has neither).
 */
static void
expect_interrupts (const HostdevPlanning *planning, HostdevExpectation *expectation)
{
  HostdevFact native = fact (planning, HOSTDEV_CAP_XIVE_NATIVE);
  HostdevFact xics = fact (planning, HOSTDEV_CAP_XICS);

  if (!hostdev_domain_has_kernel_irqchip (planning->domain))
    expect (expectation, "emulated", g_strdup ("<qemu:commandline>: kernel-irqchip=off"));
  else if (hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XICS)
    {
      const char *value = xics.answer == HOSTDEV_NO        ? "emulated"
                          : xics.answer == HOSTDEV_UNKNOWN ? "unknown"
                          : native.answer == HOSTDEV_YES   ? "xics-on-xive"
                          : native.answer == HOSTDEV_NO    ? "xics"
                                                           : "unknown";

      expect (expectation, value,
              g_strdup_printf ("<qemu:commandline>: ic-mode=xics; %s", xics.source));
    }
  else
    {
      const char *value = native.answer == HOSTDEV_YES  ? "xive-native"
                          : native.answer == HOSTDEV_NO ? "emulated"
                                                        : "unknown";

      expect (expectation, value, g_strdup (native.source));
    }
}

/* Both are needed: the first that is not there decides. */
static const char *
both (HostdevFact first, HostdevFact second, const char *yes, const char *no, char **source)
{
  HostdevFact decides = first.answer == HOSTDEV_NO    ? first
                        : second.answer == HOSTDEV_NO ? second
                        : first.answer != HOSTDEV_YES ? first
                                                      : second;

  *source = g_strdup (decides.source);
  return decides.answer == HOSTDEV_YES ? yes : decides.answer == HOSTDEV_NO ? no : "unknown";
}

/* What stands in the way of native XIVE, and what to do about it. */
static void
explain_xive (const HostdevPlanning *planning, const char **why, const char **remedy)
{
  HostdevAnswer native = fact (planning, HOSTDEV_CAP_XIVE_NATIVE).answer;

  if (native == HOSTDEV_NO)
    {
      *why = strcmp (hostdev_host_get_platform (planning->host), "pseries") == 0
                 ? _ ("a host that is a partition has no native XIVE for its guests")
                 : _ ("the host's KVM has no native XIVE");
      *remedy = _ ("Only a host whose kernel runs on the bare machine with XIVE has it.");
    }
  else if (!hostdev_domain_has_kernel_irqchip (planning->domain))
    {
      *why = _ ("its <qemu:commandline> says kernel-irqchip=off");
      *remedy = _ ("Remove kernel-irqchip=off from it and start the guest again.");
    }
  else if (hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XICS)
    {
      *why = _ ("its <qemu:commandline> says ic-mode=xics");
      *remedy = _ ("Remove ic-mode=xics from it and start the guest again.");
    }
  else
    {
      *why = _ ("it is not known whether the host's KVM has native XIVE");
      *remedy = _ ("See why the host could not be asked.");
    }
}

static void
check_xive (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const char *value = entry->interrupts.value, *why, *remedy;
  const char *guest = hostdev_domain_get_name (planning->domain);
  gboolean native = strcmp (value, "xive-native") == 0;
  gboolean emulated = strcmp (value, "emulated") == 0;
  char address[PCI_ADDRESS_LEN];

  if (entry->policy.xive == HOSTDEV_WISH_OFF)
    return;
  explain_xive (planning, &why, &remedy);
  if (!native && entry->policy.xive == HOSTDEV_WISH_REQUIRED)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, &entry->address,
        g_strdup_printf (_ ("“%s” requires native XIVE interrupts for %s, which it cannot have: "
                            "%s."),
                         guest, pci_address_format (&entry->address, address), why),
        g_strdup_printf (_ ("%s Or write xive='preferred' in the guest's metadata."), remedy));
  else if (emulated)
    hostdev_plan_say (planning->plan, HOSTDEV_WARN, COMMON_ERROR_XIVE_UNAVAILABLE, NULL,
                      g_strdup_printf (_ ("The interrupts of “%s” are emulated in QEMU, which is "
                                          "slow: %s."),
                                       guest, why),
                      g_strdup (remedy));

  /* Seen on a pSeries KVM host: XICS is in the kernel where QEMU's default is not. */
  if (emulated && hostdev_domain_has_kernel_irqchip (planning->domain)
      && hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_DUAL
      && entry->policy.xive == HOSTDEV_WISH_PREFERRED
      && fact (planning, HOSTDEV_CAP_XICS).answer != HOSTDEV_NO)
    hostdev_plan_say (
        planning->plan, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_XICS, NULL,
        g_strdup_printf (_ ("With ic-mode=xics the interrupts of “%s” would stay in the kernel on "
                            "this host."),
                         guest),
        g_strdup_printf (_ ("Add to the domain (virsh edit %s): <qemu:commandline "
                            "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "
                            "value='-machine'/><qemu:arg value='ic-mode=xics'/></qemu:commandline>"
                            ". It takes effect when the guest is started next."),
                         guest));

  HostdevFact bypass = fact (planning, HOSTDEV_CAP_IRQ_BYPASS);
  if (bypass.answer == HOSTDEV_NO && (native || strcmp (value, "xics-on-xive") == 0))
    hostdev_plan_say (
        planning->plan, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_IRQ_BYPASS, NULL,
        g_strdup_printf (_ ("Device interrupts go through the host: their bypass is switched off "
                            "(%s)."),
                         bypass.source),
        g_strdup (_ ("Write 1 into /sys/module/kvm_hv/parameters/kvm_irq_bypass, or load kvm_hv "
                     "with kvm_irq_bypass=1.")));
}

/* Whether there is something to say: not where it is to be had, and of what is not known only where
 * it is required. */
static gboolean
is_wanting (const HostdevExpectation *expectation, const char *good, HostdevWish wish,
            HostdevSeverity *severity)
{
  return strcmp (expectation->value, good) != 0 && hostdev_plan_severity (wish, severity)
         && (*severity == HOSTDEV_REFUSE || strcmp (expectation->value, "unknown") != 0);
}

static void
check_tce (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const char *guest = hostdev_domain_get_name (planning->domain);
  HostdevSeverity severity;
  char address[PCI_ADDRESS_LEN];

  if (!is_wanting (&entry->dma, "in-kernel", entry->policy.tce, &severity))
    return;
  if (severity == HOSTDEV_REFUSE)
    hostdev_plan_say (
        planning->plan, severity, COMMON_ERROR_TCE_UNAVAILABLE, &entry->address,
        g_strdup_printf (_ ("“%s” requires TCE tables in the kernel for %s, which the host is not "
                            "known to have (%s)."),
                         guest, pci_address_format (&entry->address, address), entry->dma.source),
        g_strdup (_ ("Take a host whose KVM has them, or write tce='preferred' in the guest's "
                     "metadata.")));
  else
    hostdev_plan_say (
        planning->plan, severity, COMMON_ERROR_TCE_UNAVAILABLE, NULL,
        g_strdup_printf (_ ("The host's KVM has no TCE tables in the kernel: each DMA mapping of "
                            "“%s” goes through QEMU, which is slow (%s)."),
                         guest, entry->dma.source),
        g_strdup (_ ("Take a kernel with SPAPR TCE in KVM and VFIO (CONFIG_SPAPR_TCE_IOMMU, "
                     "CONFIG_KVM_VFIO).")));
}

/* That a PHB is shared has a rule of its own. */
static void
check_eeh (const HostdevPlanning *planning, const HostdevPlacement *placement,
           const HostdevPlanDevice *entry)
{
  const char *guest = hostdev_domain_get_name (planning->domain);
  HostdevSeverity severity;
  char address[PCI_ADDRESS_LEN];

  if (!is_wanting (&entry->eeh, "enabled", entry->policy.eeh, &severity)
      || (entry->has_phb && hostdev_placement_is_shared (placement, entry->phb_index)
          && fact (planning, HOSTDEV_CAP_EEH).answer != HOSTDEV_NO
          && fact (planning, HOSTDEV_CAP_VFIO_EEH).answer != HOSTDEV_NO))
    return;
  if (severity == HOSTDEV_REFUSE)
    hostdev_plan_say (
        planning->plan, severity, COMMON_ERROR_EEH_UNAVAILABLE, &entry->address,
        g_strdup_printf (_ ("“%s” requires EEH for %s, which the host is not known to have (%s)."),
                         guest, pci_address_format (&entry->address, address), entry->eeh.source),
        g_strdup (_ ("Take a host with EEH (see /proc/powerpc/eeh; it must not be started with "
                     "eeh=off), or write eeh='preferred' in the guest's metadata.")));
  else
    hostdev_plan_say (
        planning->plan, severity, COMMON_ERROR_EEH_UNAVAILABLE, NULL,
        g_strdup_printf (_ ("“%s” has no EEH: the host does not have it (%s)."), guest,
                         entry->eeh.source),
        g_strdup (_ ("See /proc/powerpc/eeh; the host must not be started with eeh=off.")));
}

static void
expect_eeh (const HostdevPlanning *planning, const HostdevPlacement *placement,
            HostdevPlanDevice *entry)
{
  char *source;
  const char *value = both (fact (planning, HOSTDEV_CAP_EEH), fact (planning, HOSTDEV_CAP_VFIO_EEH),
                            "enabled", "unavailable", &source);

  if (strcmp (value, "unavailable") != 0 && entry->has_phb
      && hostdev_placement_is_shared (placement, entry->phb_index))
    {
      value = "unavailable";
      g_free (source);
      source = g_strdup_printf ("inferred: several IOMMU groups on PHB %u", entry->phb_index);
    }
  expect (&entry->eeh, value, source);
}

void
hostdev_plan_expect (const HostdevPlanning *planning, const HostdevPlacement *placement,
                     HostdevPlanDevice *entry)
{
  char *source;
  const char *dma
      = both (fact (planning, HOSTDEV_CAP_SPAPR_TCE), fact (planning, HOSTDEV_CAP_SPAPR_TCE_VFIO),
              "in-kernel", "user-space", &source);

  expect_interrupts (planning, &entry->interrupts);
  expect (&entry->dma, dma, source);
  expect_eeh (planning, placement, entry);
  check_xive (planning, entry);
  check_tce (planning, entry);
  check_eeh (planning, placement, entry);
}
