/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev/hostdev-arch.h"

/* "unknown" refuses nothing. */
static void
check_host (const HostdevPlanning *planning)
{
  HostdevFact kvm = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_KVM_HV);
  HostdevFact vfio = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_VFIO_SPAPR_V2);
  const char *platform = hostdev_host_get_platform (planning->host);

  if (strcmp (platform, "s390x") == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_HOST_ARCHITECTURE, NULL, "arch", "ppc64",
                      "platform", platform, NULL);
  if (kvm.answer == HOSTDEV_NO)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_KVM_UNAVAILABLE, NULL, "source", kvm.source,
                      NULL);
  if (vfio.answer == HOSTDEV_NO)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_VFIO_UNAVAILABLE, NULL, "source", vfio.source,
                      NULL);
}

static HostdevPlacement *
seat (const HostdevPlanning *planning, const HostdevDevice *device)
{
  HostdevPlacement *placement = hostdev_placement_new (planning);

  if (device != NULL)
    hostdev_placement_place (placement, device, planning->plan->devices->pdata[0]);
  else
    hostdev_placement_place_all (placement);
  hostdev_placement_check (placement);
  if (device == NULL)
    hostdev_placement_check_spare (placement);
  return placement;
}

static void
check_guest (const HostdevPlanning *planning, const HostdevPlacement *placement, guint devices)
{
  hostdev_plan_check_guest (planning, devices);
  if (devices == 0)
    return;
  hostdev_plan_check_memory (planning, hostdev_placement_count_phbs (placement));
  hostdev_plan_check_vectors (planning);
}

static void
check_function (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  hostdev_plan_check_pin (planning, entry);
  hostdev_plan_check_windows (planning, entry);
}

const HostdevArch hostdev_arch_pseries = {
  hostdev_domain_is_pseries_kvm,
  check_host,
  hostdev_plan_check_device,
  hostdev_plan_check_detach,
  seat,
  check_guest,
  check_function,
  hostdev_plan_expect_interrupts,
  hostdev_plan_expect_dma,
  hostdev_plan_expect_eeh,
};
