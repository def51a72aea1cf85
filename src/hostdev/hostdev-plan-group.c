/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-vfio.h"
#include "hostdev/hostdev-arch.h"

/* "0001:01:00.0 (82574L Gigabit Network Connection, driver e1000e)" */
char *
hostdev_plan_describe_function (const HostdevFunction *function)
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

/* A guest that starts has what its XML says. */
static gboolean
come_along (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  return planning->plan->operation == HOSTDEV_OPERATION_ATTACH
         && entry->policy.companions == HOSTDEV_COMPANIONS_ATTACH;
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
        g_ptr_array_add (come_along (planning, entry) ? entry->along : entry->companions,
                         g_memdup2 (&member->address, sizeof member->address));
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
  if (is_ours (planning, group))
    return;
  if (*group->lease != '\0')
    {
      g_autofree char *name = hostdev_plan_describe_group (group);

      hostdev_plan_say (
          planning->plan, HOSTDEV_SAYS_GROUP_IN_USE, &device->address, "group", name, "other",
          *group->domain_name != '\0' ? group->domain_name : group->domain_uuid, NULL);
      return;
    }
  if (strcmp (group->holder, "none") == 0
      || (planning->plan->operation == HOSTDEV_OPERATION_ATTACH
          && guest_has_other (planning, group, &device->address)))
    return;
  g_autofree char *name = hostdev_plan_describe_group (group);
  g_autofree char *process = g_strdup_printf ("%u", group->holder_pid);
  g_autofree char *number = g_strdup_printf ("%u", group->number);
  hostdev_plan_say (planning->plan,
                    group->holder_pid != 0 ? HOSTDEV_SAYS_GROUP_HELD
                                           : HOSTDEV_SAYS_GROUP_HELD_UNKNOWN,
                    &device->address, "group", name, "process", process, "number", number, NULL);
}

/* What is said of a member by its first use; the others are in the sentence. */
static HostdevStatementId
busy_statement (const char *kind)
{
  static const struct
  {
    const char *kind;
    HostdevStatementId statement;
  } kinds[] = {
    { "mounted", HOSTDEV_SAYS_MEMBER_MOUNTED },    { "swap", HOSTDEV_SAYS_MEMBER_SWAP },
    { "storage", HOSTDEV_SAYS_MEMBER_STORAGE },    { "route", HOSTDEV_SAYS_MEMBER_ROUTE },
    { "console", HOSTDEV_SAYS_MEMBER_CONSOLE },    { "vfs", HOSTDEV_SAYS_MEMBER_VFS },
    { "unknown", HOSTDEV_SAYS_MEMBER_UNREADABLE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].kind, kind) == 0)
      return kinds[i].statement;
  return HOSTDEV_SAYS_MEMBER_NOT_TAKEABLE;
}

static void
check_busy (const HostdevPlanning *planning, const HostdevGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];
      if (!member->endpoint || member->busy->len == 0)
        continue;

      g_autofree char *group_name = hostdev_plan_describe_group (group);
      g_autofree char *name = hostdev_plan_describe_function (member);
      g_autoptr (GString) uses = g_string_new (NULL);
      for (guint j = 0; j < member->busy->len; j++)
        {
          const HostdevBusy *busy = member->busy->pdata[j];

          g_string_append_printf (uses, "%s%s", j > 0 ? ", " : "",
                                  *busy->detail != '\0' ? busy->detail : busy->kind);
        }
      const HostdevBusy *first = member->busy->pdata[0];
      hostdev_plan_say (planning->plan, busy_statement (first->kind), &member->address, "function",
                        name, "group", group_name, "uses", uses->str, NULL);
    }
}

gboolean
hostdev_plan_is_vfio (const HostdevFunction *function)
{
  return common_driver_is_vfio (function->driver);
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

      g_autofree char *name = hostdev_plan_describe_function (member);
      g_string_append_printf (names, "%s%s", count > 0 ? ", " : "", name);
      g_string_append_printf (commands, "%svirsh nodedev-detach pci_%04x_%02x_%02x_%x",
                              count > 0 ? "; " : "", member->address.domain, member->address.bus,
                              member->address.slot, member->address.function);
      count++;
    }
  if (count == 0)
    return;
  g_autofree char *group_name = hostdev_plan_describe_group (group);
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_UNMANAGED_BOUND, &device->address, "group",
                    group_name, "functions", names->str, "commands", commands->str, NULL);
}

static void
check_pe (const HostdevPlanning *planning, const HostdevGroup *group, const HostdevDevice *device)
{
  gboolean returned = planning->plan->operation == HOSTDEV_OPERATION_DETACH;
  HostdevStatementId id;

  if (strcmp (group->pe_state, "failed") == 0)
    id = returned ? HOSTDEV_SAYS_RETURN_PE_FAILED : HOSTDEV_SAYS_PE_FAILED;
  else if (strcmp (group->pe_state, "unavailable") == 0)
    id = returned ? HOSTDEV_SAYS_RETURN_PE_UNAVAILABLE : HOSTDEV_SAYS_PE_UNAVAILABLE;
  else if (strcmp (group->pe_state, "frozen") == 0)
    id = HOSTDEV_SAYS_PE_FROZEN;
  else
    return;
  g_autofree char *name = hostdev_plan_describe_group (group);
  hostdev_plan_say (planning->plan, id, &device->address, "group", name, "source",
                    group->pe_state_source, NULL);
}

void
hostdev_plan_check_group (const HostdevPlanning *planning, const HostdevDevice *device,
                          HostdevPlanDevice *entry)
{
  const HostdevGroup *group;
  const HostdevFunction *function = fill_group (planning, device, entry, &group);

  hostdev_arch_of (planning->domain)->check_device (planning, device);
  if (function == NULL)
    {
      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DEVICE_UNKNOWN, &device->address, NULL);
      return;
    }
  if (!function->endpoint || group == NULL)
    {
      g_autofree char *name = hostdev_plan_describe_function (function);

      hostdev_plan_say (planning->plan,
                        !function->endpoint ? HOSTDEV_SAYS_NOT_ENDPOINT
                                            : HOSTDEV_SAYS_NO_IOMMU_GROUP,
                        &device->address, "function", name, NULL);
      return;
    }
  check_use (planning, group, device);
  /* What was taken for this guest before, the host can do without. */
  if (!is_ours (planning, group))
    check_busy (planning, group);
  check_unmanaged (planning, group, device);
  check_pe (planning, group, device);
}

void
hostdev_plan_check_return (const HostdevPlanning *planning, const HostdevDevice *device,
                           HostdevPlanDevice *entry)
{
  const HostdevArch *arch = hostdev_arch_of (planning->domain);
  const HostdevGroup *group;

  if (device == NULL)
    {
      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DEVICE_NOT_THERE, &entry->address, NULL);
      return;
    }
  if (fill_group (planning, device, entry, &group) == NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DEVICE_GONE, &entry->address, NULL);
  if (device->has_guest_bus && arch != &hostdev_arch_s390x)
    entry->has_phb
        = hostdev_domain_get_phb_of_bus (planning->domain, device->guest_bus, &entry->phb_index);
  (arch != NULL ? arch : &hostdev_arch_pseries)->check_detach (planning, device);
  if (group == NULL)
    return;
  if (guest_has_other (planning, group, &entry->address))
    {
      g_autofree char *name = hostdev_plan_describe_group (group);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_GROUP_KEPT, &entry->address, "group", name,
                        NULL);
    }
  check_pe (planning, group, device);
}
