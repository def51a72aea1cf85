/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <glib/gi18n-lib.h>

/*
 * libvirt gives each IOMMU group of the host a PHB of the guest to itself ("isolation group",
 * src/qemu/qemu_domain_address.c: qemuDomainFillDeviceIsolationGroup; src/conf/domain_addr.c:
 * virDomainPCIAddressGetNextAddr): an address in the XML goes before all; else the PHB that has
 * devices of the group already; else the first that is empty. PHB 0 is the emulated devices' and
 * locked to them. When a domain is defined libvirt adds the PHBs that are wanting; to a guest that
 * runs it cannot.
 */
typedef struct
{
  PciAddress address;
  const HostdevGroup *group; /* NULL: not known */
  HostdevWish eeh;
} Occupant;

typedef struct
{
  guint index;
  guint emulated;
  GArray *occupants;         /* Occupant */
  const HostdevGroup *group; /* of the first of them */
  gboolean shared;           /* they are not all of that group */
  gboolean touched;          /* by this plan */
} Slot;

/* A group on two PHBs: it was on @first, and @address put it on @second as well. */
typedef struct
{
  const HostdevGroup *group;
  const Slot *first, *second;
  PciAddress address;
} Split;

struct _HostdevPlacement
{
  const HostdevPlanning *planning;
  GPtrArray *slots;     /* Slot, by index */
  GHashTable *by_index; /* of a PHB: Slot */
  GHashTable *by_group; /* HostdevGroup: the Slot that had it first */
  GArray *splits;       /* Split */
};

static void
free_slot (gpointer data)
{
  Slot *slot = data;

  g_array_unref (slot->occupants);
  g_free (slot);
}

static Slot *
add_slot (HostdevPlacement *placement, guint index, guint emulated)
{
  Slot *slot = g_new0 (Slot, 1);

  slot->index = index;
  slot->emulated = emulated;
  slot->occupants = g_array_new (FALSE, FALSE, sizeof (Occupant));
  g_ptr_array_add (placement->slots, slot);
  g_hash_table_insert (placement->by_index, GUINT_TO_POINTER (index), slot);
  return slot;
}

static void
occupy (HostdevPlacement *placement, Slot *slot, const HostdevDevice *device)
{
  Occupant occupant = { device->address, NULL,
                        hostdev_domain_get_policy (placement->planning->domain, device).eeh };

  hostdev_host_find (placement->planning->host, &device->address, &occupant.group);
  if (slot->occupants->len == 0)
    slot->group = occupant.group;
  else if (occupant.group != slot->group)
    slot->shared = TRUE;
  g_array_append_val (slot->occupants, occupant);
  if (occupant.group == NULL)
    return;

  const Slot *first = g_hash_table_lookup (placement->by_group, occupant.group);
  if (first == NULL)
    g_hash_table_insert (placement->by_group, (gpointer) occupant.group, slot);
  else if (first != slot)
    {
      Split split = { occupant.group, first, slot, device->address };

      g_array_append_val (placement->splits, split);
    }
}

/* The PHB that the device's own address names; NULL where it names none, or one that is not there.
 */
static Slot *
find_own (const HostdevPlacement *placement, const HostdevDevice *device)
{
  guint index;

  if (!device->has_guest_bus
      || !hostdev_domain_get_phb_of_bus (placement->planning->domain, device->guest_bus, &index))
    return NULL;
  return g_hash_table_lookup (placement->by_index, GUINT_TO_POINTER (index));
}

HostdevPlacement *
hostdev_placement_new (const HostdevPlanning *planning)
{
  HostdevPlacement *placement = g_new0 (HostdevPlacement, 1);
  const GPtrArray *phbs = hostdev_domain_get_phbs (planning->domain);
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);

  placement->planning = planning;
  placement->slots = g_ptr_array_new_with_free_func (free_slot);
  placement->by_index = g_hash_table_new (NULL, NULL);
  placement->by_group = g_hash_table_new (NULL, NULL);
  placement->splits = g_array_new (FALSE, FALSE, sizeof (Split));
  for (guint i = 0; i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];

      add_slot (placement, phb->index, phb->emulated);
    }
  for (guint i = 0; i < devices->len; i++)
    {
      Slot *slot = find_own (placement, devices->pdata[i]);

      if (slot != NULL)
        occupy (placement, slot, devices->pdata[i]);
    }
  return placement;
}

void
hostdev_placement_free (HostdevPlacement *placement)
{
  if (placement == NULL)
    return;
  g_hash_table_unref (placement->by_index);
  g_hash_table_unref (placement->by_group);
  g_array_unref (placement->splits);
  g_ptr_array_unref (placement->slots);
  g_free (placement);
}

static gboolean
is_free (const Slot *slot)
{
  return slot->index != 0 && slot->emulated == 0 && slot->occupants->len == 0;
}

static Slot *
find_free (const HostdevPlacement *placement)
{
  for (guint i = 0; i < placement->slots->len; i++)
    if (is_free (placement->slots->pdata[i]))
      return placement->slots->pdata[i];
  return NULL;
}

/* The lowest target index of a PHB from @from on that the guest does not use. */
static guint
free_target_index (const HostdevDomain *domain, guint from)
{
  gboolean taken[HOSTDEV_PHB_TARGET_MAX + 1] = { FALSE };
  const GPtrArray *phbs = hostdev_domain_get_phbs (domain);

  for (guint i = 0; i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];

      if (phb->target_index <= HOSTDEV_PHB_TARGET_MAX)
        taken[phb->target_index] = TRUE;
    }
  while (from <= HOSTDEV_PHB_TARGET_MAX && taken[from])
    from++;
  return from;
}

/* What to do to have @count more PHBs. */
static char *
remedy_for_phbs (const HostdevDomain *domain, guint count)
{
  g_autoptr (GString) elements = g_string_new (NULL);
  guint index = 0, target = 0, added;

  for (added = 0; added < count; added++)
    {
      index = hostdev_domain_get_free_bus (domain, index + 1);
      target = free_target_index (domain, target + 1);
      if (target > HOSTDEV_PHB_TARGET_MAX)
        break;
      g_string_append_printf (elements,
                              "<controller type='pci' index='%u' model='pci-root'>"
                              "<model name='spapr-pci-host-bridge'/><target index='%u'/>"
                              "</controller>",
                              index, target);
    }
  if (added == 0)
    return g_strdup_printf (_ ("The guest has all %d PHBs that a pSeries guest can have: detach a "
                               "device from it first."),
                            HOSTDEV_PHB_TARGET_MAX + 1);
  return g_strdup_printf (_ ("Add to its <devices> (virsh edit %s): %s. It takes effect when the "
                             "guest is started next: libvirt cannot add a PHB to a guest that "
                             "runs."),
                          hostdev_domain_get_name (domain), elements->str);
}

static void
say_no_phb (const HostdevPlacement *placement, const HostdevDevice *device)
{
  const HostdevDomain *domain = placement->planning->domain;
  char address[PCI_ADDRESS_LEN];

  pci_address_format (&device->address, address);
  if (device->has_guest_bus)
    {
      g_autofree char *more
          = find_free (placement) == NULL ? remedy_for_phbs (domain, 1) : g_strdup ("");

      hostdev_plan_say (
          placement->planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_PHB_UNKNOWN, &device->address,
          g_strdup_printf (_ ("%s is to go on PCI bus %u, which “%s” does not have."), address,
                           device->guest_bus, hostdev_domain_get_name (domain)),
          g_strstrip (g_strdup_printf (
              "%s %s", _ ("Leave the guest's <address> out, so that libvirt chooses."), more)));
    }
  else
    hostdev_plan_say (
        placement->planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_NO_FREE_PHB, &device->address,
        g_strdup_printf (_ ("“%s” has no PCI host bridge (PHB) free for %s: each IOMMU group "
                            "takes one for itself."),
                         hostdev_domain_get_name (domain), address),
        remedy_for_phbs (domain, 1));
}

/* What libvirt does with a domain that it defines: PHBs up to the one that an address names, or one
 * more. */
static Slot *
add_missing (HostdevPlacement *placement, const HostdevDevice *device)
{
  guint index = device->has_guest_bus ? device->guest_bus : 1;
  Slot *slot = g_hash_table_lookup (placement->by_index, GUINT_TO_POINTER (index));

  if (device->has_guest_bus)
    return slot != NULL ? slot : add_slot (placement, index, 0);
  do
    index = hostdev_domain_get_free_bus (placement->planning->domain, index);
  while (g_hash_table_contains (placement->by_index, GUINT_TO_POINTER (index)) && ++index > 0);
  return add_slot (placement, index, 0);
}

/* Where libvirt puts a device that has no address of the guest's; NULL where it finds no place. */
static Slot *
choose (const HostdevPlacement *placement, const HostdevGroup *group)
{
  Slot *slot = g_hash_table_lookup (placement->by_group, group);

  /* A PHB that is shared belongs to no group any more, PHB 0 never did. */
  if (slot != NULL && slot->index != 0 && !slot->shared && slot->emulated == 0)
    return slot;
  return find_free (placement);
}

void
hostdev_placement_place (HostdevPlacement *placement, const HostdevDevice *device,
                         HostdevPlanDevice *entry)
{
  const HostdevPlanning *planning = placement->planning;
  gboolean starting = planning->plan->operation == HOSTDEV_OPERATION_START;
  Slot *slot = find_own (placement, device);
  /* Those of the guest that have a place were put there before. */
  gboolean seated
      = slot != NULL && hostdev_domain_find_address (planning->domain, &device->address) == device;
  const HostdevGroup *group;

  if (hostdev_host_find (planning->host, &device->address, &group) == NULL || group == NULL)
    {
      /* What is wrong with it was said before; where it would go does not matter then. */
      if (slot == NULL)
        return;
    }
  else if (slot == NULL && !device->has_guest_bus)
    slot = choose (placement, group);
  if (slot == NULL && starting)
    slot = add_missing (placement, device);
  if (slot == NULL)
    {
      say_no_phb (placement, device);
      return;
    }
  if (!seated)
    occupy (placement, slot, device);
  slot->touched = TRUE;
  entry->has_phb = TRUE;
  entry->phb_index = slot->index;
}

gboolean
hostdev_placement_is_shared (const HostdevPlacement *placement, guint phb_index)
{
  const Slot *slot = g_hash_table_lookup (placement->by_index, GUINT_TO_POINTER (phb_index));

  return slot != NULL && slot->shared;
}

/* QEMU offers EEH on a PHB with exactly one container that has exactly one group
 * (hw/ppc/spapr_pci_vfio.c: vfio_eeh_as_ok). */
static void
check_shared (const HostdevPlacement *placement, const Slot *slot)
{
  const HostdevPlanning *planning = placement->planning;
  g_autoptr (GString) names = g_string_new (NULL);
  HostdevSeverity severity = HOSTDEV_ADVISE;

  for (guint i = 0; i < slot->occupants->len; i++)
    {
      const Occupant *occupant = &g_array_index (slot->occupants, Occupant, i);
      char address[PCI_ADDRESS_LEN];
      HostdevSeverity its;

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                              pci_address_format (&occupant->address, address));
      if (hostdev_plan_severity (occupant->eeh, &its))
        severity = MIN (severity, its);
    }
  if (severity == HOSTDEV_ADVISE)
    return;
  const Occupant *last = &g_array_index (slot->occupants, Occupant, slot->occupants->len - 1);
  hostdev_plan_say (
      planning->plan, severity, COMMON_ERROR_PHB_SHARED, &last->address,
      g_strdup_printf (_ ("Devices of several IOMMU groups share PHB %u of “%s” (%s): QEMU offers "
                          "EEH to none of them."),
                       slot->index, hostdev_domain_get_name (planning->domain), names->str),
      g_strdup (_ ("Leave the guest's <address> of all but one group's devices out: libvirt then "
                   "gives each group a PHB of its own.")));
}

void
hostdev_placement_check (HostdevPlacement *placement)
{
  const HostdevPlanning *planning = placement->planning;
  HostdevAnswer eeh = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_EEH).answer;
  HostdevAnswer vfio_eeh
      = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_VFIO_EEH).answer;

  /* Where the host has no EEH, sharing a PHB takes nothing away. */
  for (guint i = 0; i < placement->slots->len; i++)
    {
      const Slot *slot = placement->slots->pdata[i];

      if (slot->touched && slot->shared && eeh != HOSTDEV_NO && vfio_eeh != HOSTDEV_NO)
        check_shared (placement, slot);
    }
  for (guint i = 0; i < placement->splits->len; i++)
    {
      const Split *split = &g_array_index (placement->splits, Split, i);
      g_autofree char *group = hostdev_plan_describe_group (split->group);
      char address[PCI_ADDRESS_LEN];

      /* hw/vfio/common.c: vfio_get_group, "group %d used in multiple address spaces" */
      hostdev_plan_say (
          planning->plan, HOSTDEV_REFUSE, COMMON_ERROR_GROUP_SPLIT, &split->address,
          g_strdup_printf (_ ("%s would go on PHB %u of “%s”, while other devices of %s are on PHB "
                              "%u: QEMU refuses a group on two PHBs."),
                           pci_address_format (&split->address, address), split->second->index,
                           hostdev_domain_get_name (planning->domain), group, split->first->index),
          g_strdup_printf (_ ("Give it an address on that PHB: <address type='pci' bus='%u' …/>."),
                           split->first->index));
    }
}

void
hostdev_placement_check_spare (HostdevPlacement *placement)
{
  const HostdevPlanning *planning = placement->planning;
  guint wished = hostdev_domain_get_spare_phbs (planning->domain);
  guint found = 0;

  for (guint i = 0; i < placement->slots->len; i++)
    found += is_free (placement->slots->pdata[i]) ? 1 : 0;
  if (found >= wished || !hostdev_domain_is_pseries_kvm (planning->domain))
    return;
  hostdev_plan_say (
      planning->plan, HOSTDEV_WARN, COMMON_ERROR_NO_FREE_PHB, NULL,
      g_strdup_printf (_ ("“%s” wishes %u PHBs free for hotplug (spare-phbs), and has %u."),
                       hostdev_domain_get_name (planning->domain), wished, found),
      remedy_for_phbs (planning->domain, wished - found));
}
