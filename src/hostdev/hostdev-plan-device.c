/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

/*
 * What the XML of the guest says, and of its devices: drivers that are not to be had on ppc64,
 * addresses that libvirt or the guest will not take, and ways around libvirt.
 */

/* libvirt knows vfio-pci by its name as well. */
static void
check_driver (const HostdevPlanning *planning, const HostdevDevice *device)
{
  if (device->driver_name != NULL && strcmp (device->driver_name, "vfio") != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DRIVER_UNSUPPORTED, &device->address, "name",
                      device->driver_name, NULL);
  if (device->driver_model != NULL && strcmp (device->driver_model, "vfio-pci") != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DRIVER_MODEL, &device->address, "model",
                      device->driver_model, NULL);
  if (device->iommufd)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DRIVER_IOMMUFD, &device->address, NULL);
  if (device->teaming)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_TEAMING, &device->address, NULL);
}

/* The address that the XML gives it in the guest. */
static void
check_address (const HostdevPlanning *planning, const HostdevDevice *device)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  gboolean starting = planning->plan->operation == HOSTDEV_OPERATION_START;
  g_autofree char *domain = g_strdup_printf ("%u", device->guest_domain);
  g_autofree char *bus = g_strdup_printf ("%u", device->guest_bus);
  g_autofree char *slot = g_strdup_printf ("%u", device->guest_slot);
  g_autofree char *function = g_strdup_printf ("%u", device->guest_function);
  guint8 used;

  if (!device->has_guest_bus || device->guest_bus > 255)
    return;
  used = traits->used[device->guest_bus][device->guest_slot & 31];
  if (device->guest_domain != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_GUEST_DOMAIN, &device->address, "domain", domain,
                      NULL);
  else if (device->guest_slot == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_SLOT_ZERO, &device->address, "bus", bus, NULL);
  else if (!starting && device->guest_function != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_FUNCTION_HOTPLUG, &device->address, "function",
                      function, NULL);
  else if (!starting && used != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ADDRESS_TAKEN, &device->address, "slot", slot,
                      "bus", bus, NULL);
  else if (starting && (used & (used - 1)) != 0
           && (traits->alone[device->guest_bus] & (1u << (device->guest_slot & 31))) != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MULTIFUNCTION_OFF, &device->address, "slot",
                      slot, "bus", bus, NULL);
  else if (starting && device->guest_function != 0 && (used & 1) == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_FUNCTION_LONE, &device->address, "function",
                      function, "slot", slot, "bus", bus, NULL);
  else if (device->guest_bus == 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_PHB_DEFAULT, &device->address, NULL);
}

void
hostdev_plan_check_device (const HostdevPlanning *planning, const HostdevDevice *device)
{
  check_driver (planning, device);
  if (planning->plan->operation == HOSTDEV_OPERATION_START
      || hostdev_domain_find_address (planning->domain, &device->address) == NULL)
    check_address (planning, device);
}

void
hostdev_plan_check_detach (const HostdevPlanning *planning, const HostdevDevice *device)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);

  if (!device->has_guest_bus || device->guest_bus > 255)
    return;
  guint8 used = traits->used[device->guest_bus][device->guest_slot & 31];
  if ((used & (used - 1)) != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_FUNCTION_DETACH, &device->address, NULL);
}

/* The kernels whose vfio-pci cannot probe on POWER: VFIO wants an IOMMU's capability of which SPAPR
 * TCE had no driver to tell. */
static void
check_kernel (const HostdevPlanning *planning)
{
  const char *release = hostdev_host_get_kernel (planning->host);
  char *end;
  guint64 major = g_ascii_strtoull (release, &end, 10);
  guint64 minor = *end == '.' ? g_ascii_strtoull (end + 1, NULL, 10) : 0;

  if ((major == 5 && minor >= 19) || (major == 6 && minor <= 3))
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_KERNEL_CANNOT_BIND, NULL, "kernel", release,
                      NULL);
}

void
hostdev_plan_check_other (const HostdevPlanning *planning, const HostdevTraits *traits)
{
  if (traits->mdevs > 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_MDEV, NULL, NULL);
  if (traits->nvme != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_NVME_DISK, NULL, "nvme", traits->nvme, NULL);
}

/* What a guest cannot start with on ppc64. */
static void
check_start (const HostdevPlanning *planning, const HostdevTraits *traits)
{
  const char *stray = hostdev_domain_find_stray_policy (planning->domain);

  hostdev_plan_check_other (planning, traits);
  if (traits->twice != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ADDRESS_TWICE, NULL, "address", traits->twice,
                      NULL);
  if (stray != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_POLICY_STRAY, NULL, "name", stray, NULL);
}

void
hostdev_plan_check_guest (const HostdevPlanning *planning, guint devices)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);

  if (planning->plan->operation == HOSTDEV_OPERATION_START)
    check_start (planning, traits);
  if (traits->qemu_device)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_QEMU_ARGS_DEVICE, NULL, NULL);
  if (traits->overridden != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_QEMU_OVERRIDE, NULL, "alias", traits->overridden,
                      NULL);
  if (devices > 0 && traits->slow_option != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_QEMU_VFIO_SLOW, NULL, "element",
                      traits->slow_element, "option", traits->slow_option, NULL);
  if (devices > 0)
    check_kernel (planning);
}
