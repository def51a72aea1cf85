/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

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

/* Before POWER9 there was no XIVE; of a machine type before 4.1 QEMU's default is XICS alone
 * (hw/ppc/spapr.c: spapr_machine_4_0_class_options). */
static gboolean
has_old_cpu (const HostdevPlanning *planning)
{
  guint power = hostdev_domain_get_traits (planning->domain)->cpu_power;

  return power > 0 && power < 9;
}

static gboolean
has_old_machine (const HostdevPlanning *planning)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);

  return !traits->ic_mode_given && traits->machine_major > 0
         && (traits->machine_major < 4
             || (traits->machine_major == 4 && traits->machine_minor == 0));
}

static gboolean
wants_xics (const HostdevPlanning *planning)
{
  return hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XICS || has_old_cpu (planning)
         || has_old_machine (planning);
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
  else if (wants_xics (planning))
    {
      const char *value = xics.answer == HOSTDEV_NO        ? "emulated"
                          : xics.answer == HOSTDEV_UNKNOWN ? "unknown"
                          : native.answer == HOSTDEV_YES   ? "xics-on-xive"
                          : native.answer == HOSTDEV_NO    ? "xics"
                                                           : "unknown";

      expect (expectation, value,
              g_strdup_printf ("%s; %s",
                               hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XICS
                                   ? "<qemu:commandline>: ic-mode=xics"
                               : has_old_cpu (planning) ? "<cpu><model>"
                                                        : "<os><type machine=>",
                               xics.source));
    }
  else
    {
      gboolean small
          = native.answer == HOSTDEV_YES && hostdev_host_has_small_pages (planning->host);
      const char *value = native.answer == HOSTDEV_NO || small ? "emulated"
                          : native.answer == HOSTDEV_YES       ? "xive-native"
                                                               : "unknown";

      expect (expectation, value,
              small ? g_strdup_printf ("%s; pages of %u bytes", native.source,
                                       hostdev_host_get_page_size (planning->host))
                    : g_strdup (native.source));
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

/* What stands in the way of native XIVE on a host whose KVM has none. */
static HostdevStatementId
find_host_obstacle (const HostdevPlanning *planning)
{
  if (strcmp (hostdev_host_get_platform (planning->host), "pseries") == 0)
    return HOSTDEV_SAYS_XIVE_PARTITION;
  return fact (planning, HOSTDEV_CAP_HOST_XIVE).answer == HOSTDEV_NO ? HOSTDEV_SAYS_XIVE_HOST_OFF
                                                                     : HOSTDEV_SAYS_XIVE_HOST_LACKS;
}

/* What stands in the way of native XIVE. */
static HostdevStatementId
find_obstacle (const HostdevPlanning *planning)
{
  HostdevAnswer native = fact (planning, HOSTDEV_CAP_XIVE_NATIVE).answer;

  if (native == HOSTDEV_NO)
    return find_host_obstacle (planning);
  if (!hostdev_domain_has_kernel_irqchip (planning->domain))
    return HOSTDEV_SAYS_IRQCHIP_OFF;
  if (hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XICS)
    return fact (planning, HOSTDEV_CAP_XICS).answer == HOSTDEV_NO ? HOSTDEV_SAYS_XICS_HOST_LACKS
                                                                  : HOSTDEV_SAYS_IC_MODE_XICS;
  if (has_old_cpu (planning))
    return HOSTDEV_SAYS_CPU_BEFORE_XIVE;
  if (has_old_machine (planning))
    return HOSTDEV_SAYS_MACHINE_BEFORE_XIVE;
  return native == HOSTDEV_UNKNOWN ? HOSTDEV_SAYS_XIVE_UNKNOWN : HOSTDEV_SAYS_XIVE_HOST_PAGES;
}

/* The words that any of those may want. */
static void
say_obstacle (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  HostdevStatementId id = find_obstacle (planning);
  HostdevFact told = fact (planning, id == HOSTDEV_SAYS_XICS_HOST_LACKS ? HOSTDEV_CAP_XICS
                                     : id == HOSTDEV_SAYS_XIVE_HOST_OFF ? HOSTDEV_CAP_HOST_XIVE
                                                                        : HOSTDEV_CAP_XIVE_NATIVE);
  g_autofree char *size = hostdev_plan_size_text (hostdev_host_get_page_size (planning->host));
  g_autofree char *power = g_strdup_printf ("%u", traits->cpu_power);
  g_autofree char *version
      = g_strdup_printf ("%u.%u", traits->machine_major, traits->machine_minor);

  hostdev_plan_say_wish (planning->plan, id, entry->policy.xive, "xive", &entry->address, "source",
                         told.source, "size", size, "power", power, "version", version, NULL);
}

/* Without emulated interrupts, and still not as the host could do it. */
static gboolean
is_known_lack (const HostdevPlanning *planning)
{
  HostdevStatementId id = find_obstacle (planning);

  return id == HOSTDEV_SAYS_XIVE_HOST_PAGES || id == HOSTDEV_SAYS_XIVE_HOST_OFF;
}

static void
check_xive (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const char *value = entry->interrupts.value;
  gboolean emulated = strcmp (value, "emulated") == 0;
  HostdevWish wish = entry->policy.xive;

  if (wish == HOSTDEV_WISH_OFF)
    return;
  if (strcmp (value, "xive-native") != 0
      && (wish == HOSTDEV_WISH_REQUIRED || emulated || strcmp (value, "xics-on-xive") == 0
          || is_known_lack (planning)))
    say_obstacle (planning, entry);

  if (has_old_cpu (planning) && hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_XIVE)
    {
      g_autofree char *power
          = g_strdup_printf ("%u", hostdev_domain_get_traits (planning->domain)->cpu_power);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_IC_MODE_CPU, NULL, "power", power, NULL);
    }

  /* Seen on a pSeries KVM host: XICS is in the kernel where QEMU's default is not. */
  if (emulated && hostdev_domain_has_kernel_irqchip (planning->domain)
      && hostdev_domain_get_ic_mode (planning->domain) == HOSTDEV_IC_DUAL
      && wish == HOSTDEV_WISH_PREFERRED && fact (planning, HOSTDEV_CAP_XICS).answer != HOSTDEV_NO)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ADVISE_XICS, NULL, NULL);

  HostdevFact bypass = fact (planning, HOSTDEV_CAP_IRQ_BYPASS);
  if (bypass.answer == HOSTDEV_NO
      && strcmp (hostdev_host_get_platform (planning->host), "pseries") == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_BYPASS_PARTITION, NULL, "source", bypass.source,
                      NULL);
  if (bypass.answer == HOSTDEV_NO
      && (strcmp (value, "xive-native") == 0 || strcmp (value, "xics-on-xive") == 0))
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ADVISE_IRQ_BYPASS, NULL, "source", bypass.source,
                      NULL);
}

/* @bad or @unknown, where @expectation is not @good; of what is not known only where it is
 * required. */
static void
check_wish (const HostdevPlanning *planning, const HostdevPlanDevice *entry,
            const HostdevExpectation *expectation, const char *good, HostdevWish wish,
            const char *attribute, HostdevStatementId bad, HostdevStatementId unknown)
{
  gboolean is_unknown = strcmp (expectation->value, "unknown") == 0;

  if (strcmp (expectation->value, good) == 0 || (is_unknown && wish != HOSTDEV_WISH_REQUIRED))
    return;
  hostdev_plan_say_wish (planning->plan, is_unknown ? unknown : bad, wish, attribute,
                         &entry->address, "source", expectation->source, NULL);
}

static void
check_recovery (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const GPtrArray *settings = hostdev_host_get_eeh (planning->host);

  for (guint i = 0; entry->policy.eeh != HOSTDEV_WISH_OFF && i < settings->len; i++)
    {
      const HostdevSetting *setting = settings->pdata[i];

      if (strcmp (setting->name, "recovery") == 0 && strcmp (setting->value, "disabled") == 0)
        hostdev_plan_say (planning->plan, HOSTDEV_SAYS_EEH_RECOVERY_OFF, NULL, "source",
                          setting->source, NULL);
    }
}

/* That a PHB is shared has a rule of its own. */
static void
check_eeh (const HostdevPlanning *planning, const HostdevPlacement *placement,
           const HostdevPlanDevice *entry)
{
  if (entry->has_phb && hostdev_placement_is_shared (placement, entry->phb_index)
      && fact (planning, HOSTDEV_CAP_EEH).answer != HOSTDEV_NO
      && fact (planning, HOSTDEV_CAP_VFIO_EEH).answer != HOSTDEV_NO)
    return;
  check_wish (planning, entry, &entry->eeh, "enabled", entry->policy.eeh, "eeh",
              fact (planning, HOSTDEV_CAP_EEH).answer == HOSTDEV_YES ? HOSTDEV_SAYS_EEH_VFIO_LACKS
                                                                     : HOSTDEV_SAYS_EEH_UNAVAILABLE,
              HOSTDEV_SAYS_EEH_UNKNOWN);
  check_recovery (planning, entry);
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

/* Only of a container of the second version is memory known to the kernel beforehand
 * (drivers/vfio/vfio_iommu_spapr_tce.c: tce_iommu_attach_group refuses one without windows). */
static gboolean
is_v1 (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevGroup *group = NULL;

  hostdev_host_find (planning->host, &entry->address, &group);
  return group != NULL && group->has_windows && group->windows == 0;
}

void
hostdev_plan_expect_interrupts (const HostdevPlanning *planning, HostdevPlanDevice *entry)
{
  expect_interrupts (planning, &entry->interrupts);
  check_xive (planning, entry);
}

void
hostdev_plan_expect_dma (const HostdevPlanning *planning, HostdevPlanDevice *entry)
{
  char *source;
  const char *dma
      = both (fact (planning, HOSTDEV_CAP_SPAPR_TCE), fact (planning, HOSTDEV_CAP_SPAPR_TCE_VFIO),
              "in-kernel", "user-space", &source);

  expect (&entry->dma, dma, source);
  if (is_v1 (planning, entry))
    expect (&entry->dma, "user-space",
            g_strdup ("VFIO_IOMMU_SPAPR_TCE_GET_INFO: max_dynamic_windows_supported"));
  else
    check_wish (planning, entry, &entry->dma, "in-kernel", entry->policy.tce, "tce",
                HOSTDEV_SAYS_TCE_UNAVAILABLE, HOSTDEV_SAYS_TCE_UNKNOWN);
}

void
hostdev_plan_expect_eeh (const HostdevPlanning *planning, const HostdevPlacement *placement,
                         HostdevPlanDevice *entry)
{
  expect_eeh (planning, placement, entry);
  check_eeh (planning, placement, entry);
}
