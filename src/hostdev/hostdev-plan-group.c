/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-vfio.h"

/* "0001:01:00.0 (82574L Gigabit Network Connection, driver e1000e)" */
static char *
describe (const HostdevFunction *function)
{
  const char *name = *function->device_name != '\0' ? function->device_name : function->class_name;
  char address[PCI_ADDRESS_LEN];

  pci_address_format (&function->address, address);
  if (*name != '\0' && *function->driver != '\0')
    return g_strdup_printf (_ ("%s (%s, driver %s)"), address, name, function->driver);
  if (*function->driver != '\0')
    return g_strdup_printf (_ ("%s (driver %s)"), address, function->driver);
  if (*name != '\0')
    return g_strdup_printf (_ ("%s (%s, no driver)"), address, name);
  return g_strdup (address);
}

char *
hostdev_plan_describe_group (const HostdevGroup *group)
{
  if (*group->name != '\0')
    return g_strdup_printf (_ ("IOMMU group %u (%s)"), group->number, group->name);
  return g_strdup_printf (_ ("IOMMU group %u"), group->number);
}

static gboolean
is_given (const HostdevPlanning *planning, const PciAddress *requested, const PciAddress *address)
{
  return pci_address_equal (requested, address)
         || hostdev_domain_find_address (planning->domain, address) != NULL;
}

/* Fills in the group, and what is taken along with the device; both may be unknown. */
static const HostdevFunction *
fill_group (const HostdevPlanning *planning, const HostdevDevice *device, HostdevPlanDevice *entry,
            const HostdevGroup **group)
{
  const HostdevFunction *function = hostdev_host_find (planning->host, &device->address, group);

  if (*group == NULL)
    return function;
  entry->has_group = TRUE;
  entry->group = (*group)->number;
  g_free (entry->group_name);
  entry->group_name = g_strdup ((*group)->name);
  for (guint i = 0; i < (*group)->members->len; i++)
    {
      const HostdevFunction *member = (*group)->members->pdata[i];

      /* A bridge keeps its driver: the kernel does not count it (drivers/pci/pcie/portdrv.c has
       * driver_managed_dma). */
      if (!member->endpoint)
        continue;
      g_ptr_array_add (entry->taken, g_memdup2 (&member->address, sizeof member->address));
      if (!is_given (planning, &device->address, &member->address))
        g_ptr_array_add (entry->companions, g_memdup2 (&member->address, sizeof member->address));
    }
  return function;
}

/* The lease of the guest that the plan is for. */
static gboolean
is_ours (const HostdevPlanning *planning, const HostdevGroup *group)
{
  return *group->lease != '\0' && *group->domain_uuid != '\0'
         && strcmp (group->domain_uuid, hostdev_domain_get_uuid (planning->domain)) == 0;
}

/* A running guest that was given one of the group's functions holds the group, lease or not: it may
 * have been started before there was a helper. */
static gboolean
guest_has_other (const HostdevPlanning *planning, const HostdevGroup *group,
                 const PciAddress *requested)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];

      if (!pci_address_equal (&member->address, requested)
          && hostdev_domain_find_address (planning->domain, &member->address) != NULL)
        return TRUE;
    }
  return FALSE;
}

static void
check_use (const HostdevPlanning *planning, const HostdevGroup *group, const HostdevDevice *device)
{
  g_autofree char *name = hostdev_plan_describe_group (group);

  if (is_ours (planning, group))
    return;
  if (*group->lease != '\0')
    {
      const char *guest = *group->domain_name != '\0' ? group->domain_name : group->domain_uuid;

      hostdev_plan_say (
          planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, &device->address,
          g_strdup_printf (_ ("%s was given to the guest “%s”."), name, guest),
          g_strdup_printf (_ ("Detach the group's devices from “%s” first, or stop it."), guest));
      return;
    }
  if (strcmp (group->holder, "none") == 0
      || (planning->plan->operation == HOSTDEV_OPERATION_ATTACH
          && guest_has_other (planning, group, &device->address)))
    return;
  hostdev_plan_say (
      planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_IN_USE, &device->address,
      group->holder_pid != 0
          ? g_strdup_printf (_ ("%s is in use by process %u, which has no lease on it."), name,
                             group->holder_pid)
          : g_strdup_printf (_ ("%s is in use by a process that has no lease on it."), name),
      group->holder_pid != 0
          ? g_strdup_printf (_ ("See what process %u is (ps -fp %u) and stop it, or detach the "
                                "device from it."),
                             group->holder_pid, group->holder_pid)
          : g_strdup_printf (_ ("See who has /dev/vfio/%u open and stop it."), group->number));
}

/* What to do about the first use; the others are in the sentence. */
static const char *
busy_remedy (const char *kind)
{
  static const struct
  {
    const char *kind;
    const char *remedy;
  } remedies[] = {
    { "mounted", N_ ("Unmount what is on it first, or give another device.") },
    { "swap", N_ ("Switch the swap space on it off first (swapoff), or give another device.") },
    { "storage", N_ ("Stop the storage that is built on it first, or give another device.") },
    { "route", N_ ("Take the host's routes off the interface first, or give another device.") },
    { "console", N_ ("Move the host's console away from it first, or give another device.") },
    { "vfs", N_ ("Remove its virtual functions first (0 into sriov_numvfs), or give one of them "
                 "instead.") },
    { "unknown",
      N_ ("See the log of ppc64-kvmhelper.service; what cannot be read counts as a need.") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (remedies); i++)
    if (strcmp (remedies[i].kind, kind) == 0)
      return _ (remedies[i].remedy);
  return _ ("End that use first, or give another device.");
}

static void
check_busy (const HostdevPlanning *planning, const HostdevGroup *group, const HostdevDevice *device)
{
  g_autofree char *group_name = hostdev_plan_describe_group (group);
  char requested[PCI_ADDRESS_LEN];

  pci_address_format (&device->address, requested);
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];
      if (!member->endpoint || member->busy->len == 0)
        continue;

      g_autofree char *name = describe (member);
      g_autoptr (GString) uses = g_string_new (NULL);
      for (guint j = 0; j < member->busy->len; j++)
        {
          const HostdevBusy *busy = member->busy->pdata[j];

          g_string_append_printf (uses, "%s%s", j > 0 ? ", " : "",
                                  *busy->detail != '\0' ? busy->detail : busy->kind);
        }
      const HostdevBusy *first = member->busy->pdata[0];
      hostdev_plan_say (
          planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, &member->address,
          pci_address_equal (&member->address, &device->address)
              ? g_strdup_printf (_ ("The host needs %s now: %s."), name, uses->str)
              : g_strdup_printf (_ ("The host needs %s now, which is in %s with %s: %s."), name,
                                 group_name, requested, uses->str),
          g_strdup (busy_remedy (first->kind)));
    }
}

/* pci-stub does not stand in a group's way either (it has driver_managed_dma). */
static gboolean
is_host_driver (const char *driver)
{
  return *driver != '\0' && strcmp (driver, "pci-stub") != 0 && !common_driver_is_vfio (driver);
}

/* managed='no' says that somebody else sees to the drivers. */
static void
check_unmanaged (const HostdevPlanning *planning, const HostdevGroup *group,
                 const HostdevDevice *device)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GString) commands = g_string_new (NULL);
  guint count = 0;

  if (device->managed)
    return;
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];
      if (!member->endpoint || !is_host_driver (member->driver))
        continue;

      g_autofree char *name = describe (member);
      g_string_append_printf (names, "%s%s", count > 0 ? ", " : "", name);
      g_string_append_printf (commands, "%svirsh nodedev-detach pci_%04x_%02x_%02x_%x",
                              count > 0 ? "; " : "", member->address.domain, member->address.bus,
                              member->address.slot, member->address.function);
      count++;
    }
  if (count == 0)
    return;
  g_autofree char *group_name = hostdev_plan_describe_group (group);
  hostdev_plan_say (
      planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_UNMANAGED_BOUND, &device->address,
      g_strdup_printf (ngettext ("The device is given with managed='no', and a function of %s is "
                                 "on a driver of the host: %s.",
                                 "The device is given with managed='no', and functions of %s are "
                                 "on drivers of the host: %s.",
                                 count),
                       group_name, names->str),
      g_strdup_printf (_ ("Give it with managed='yes', or detach them first: %s."), commands->str));
}

static void
check_pe (const HostdevPlanning *planning, const HostdevGroup *group, const HostdevDevice *device)
{
  HostdevSeverity severity
      = planning->plan->operation == HOSTDEV_OPERATION_DETACH ? HOSTDEV_WARN : HOSTDEV_REFUSE;
  g_autofree char *name = hostdev_plan_describe_group (group);

  if (strcmp (group->pe_state, "failed") == 0)
    hostdev_plan_say (planning->plan, severity, COMMON_ERROR_PE_FAILED, &device->address,
                      g_strdup_printf (_ ("The PE of %s has failed for good: EEH gave it up (%s)."),
                                       name, group->pe_state_source),
                      g_strdup (_ ("See the host's log for EEH; reseat or replace the card, or "
                                   "restart the host.")));
  if (strcmp (group->pe_state, "unavailable") == 0)
    hostdev_plan_say (planning->plan, severity, COMMON_ERROR_PE_FROZEN, &device->address,
                      g_strdup_printf (_ ("The firmware cannot tell the state of the PE of %s "
                                          "(%s)."),
                                       name, group->pe_state_source),
                      g_strdup (_ ("Its host bridge is being reset, or is dead: try again in a "
                                   "minute, and see the host's log for EEH; if it stays so, "
                                   "restart the host.")));
  if (strcmp (group->pe_state, "frozen") == 0)
    hostdev_plan_say (
        planning->plan, HOSTDEV_WARN, COMMON_ERROR_PE_FROZEN, &device->address,
        g_strdup_printf (_ ("The PE of %s is frozen after an error (%s)."), name,
                         group->pe_state_source),
        g_strdup (_ ("The helper thaws it before the guest, or the host, gets it; see the host's "
                     "log for EEH whether the device is in order.")));
}

/* What libvirt refuses itself, only later (src/hypervisor/virhostdev.c), or QEMU. */
static void
check_driver (const HostdevPlanning *planning, const HostdevDevice *device)
{
  if (device->driver_name != NULL && strcmp (device->driver_name, "vfio") != 0)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_DRIVER_UNSUPPORTED, &device->address,
        g_strdup_printf (_ ("<driver name='%s'/> is not to be had on ppc64."), device->driver_name),
        g_strdup (_ ("Leave the element out, or write <driver name='vfio'/>.")));
  if (device->iommufd)
    hostdev_plan_say (
        planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_DRIVER_UNSUPPORTED, &device->address,
        g_strdup (_ ("<driver iommufd='yes'/> is not to be had on ppc64: IOMMUFD has no SPAPR "
                     "TCE.")),
        g_strdup (_ ("Leave iommufd='yes' out.")));
}

static void
say_unknown (const HostdevPlanning *planning, const PciAddress *address, HostdevSeverity severity)
{
  char text[PCI_ADDRESS_LEN];

  hostdev_plan_say (
      planning->plan, severity, COMMON_ERROR_DEVICE_UNKNOWN, address,
      g_strdup_printf (_ ("The host has no PCI function %s."), pci_address_format (address, text)),
      g_strdup (_ ("Correct the address: lspci -D shows them all, with the PCI domain (the PHB) "
                   "before the bus.")));
}

void
hostdev_plan_check_group (const HostdevPlanning *planning, const HostdevDevice *device,
                          HostdevPlanDevice *entry)
{
  const HostdevGroup *group;
  const HostdevFunction *function = fill_group (planning, device, entry, &group);

  check_driver (planning, device);
  if (function == NULL)
    {
      say_unknown (planning, &device->address, HOSTDEV_REFUSE);
      return;
    }
  g_autofree char *name = describe (function);
  if (!function->endpoint)
    {
      hostdev_plan_say (planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_NOT_ENDPOINT, &device->address,
                        g_strdup_printf (_ ("%s is a bridge, which no guest can get."), name),
                        g_strdup (_ ("Give a device behind it.")));
      return;
    }
  if (group == NULL)
    {
      hostdev_plan_say (
          planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_IOMMU_GROUP, &device->address,
          g_strdup_printf (_ ("%s is in no IOMMU group: VFIO cannot have it."), name),
          g_strdup (_ ("See the host's log for why its PHB has no DMA windows (TCE).")));
      return;
    }
  check_use (planning, group, device);
  /* What was taken for this guest before, the host can do without. */
  if (!is_ours (planning, group))
    check_busy (planning, group, device);
  check_unmanaged (planning, group, device);
  check_pe (planning, group, device);
}

void
hostdev_plan_check_return (const HostdevPlanning *planning, const HostdevDevice *device,
                           HostdevPlanDevice *entry)
{
  const HostdevGroup *group;
  char address[PCI_ADDRESS_LEN];

  pci_address_format (&entry->address, address);
  if (device == NULL)
    {
      hostdev_plan_say (planning->plan, HOSTDEV_WARN, COMMON_ERROR_DEVICE_UNKNOWN, &entry->address,
                        g_strdup_printf (_ ("“%s” has no PCI device %s."),
                                         hostdev_domain_get_name (planning->domain), address),
                        g_strdup (_ ("See virsh dumpxml for those that it has.")));
      return;
    }
  if (fill_group (planning, device, entry, &group) == NULL)
    say_unknown (planning, &entry->address, HOSTDEV_WARN);
  if (device->has_guest_bus)
    entry->has_phb
        = hostdev_domain_get_phb_of_bus (planning->domain, device->guest_bus, &entry->phb_index);
  if (group == NULL)
    return;
  if (guest_has_other (planning, group, &entry->address))
    {
      g_autofree char *name = hostdev_plan_describe_group (group);

      hostdev_plan_say (
          planning->plan, HOSTDEV_ADVISE, COMMON_ERROR_GROUP_IN_USE, &entry->address,
          g_strdup_printf (_ ("The guest keeps other devices of %s: nothing of it goes back to the "
                              "host yet."),
                           name),
          g_strdup (_ ("Detach those as well if the host is to have them.")));
    }
  check_pe (planning, group, device);
}
