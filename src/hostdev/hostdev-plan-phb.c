/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

/*
 * libvirt gives each IOMMU group of the host a PHB of the guest to itself ("isolation group",
 * src/qemu/qemu_domain_address.c: qemuDomainFillDeviceIsolationGroup; src/conf/domain_addr.c:
 * virDomainPCIAddressGetNextAddr): an address in the XML goes before all; else the PHB that has
 * devices of the group already; else the first that is empty. PHB 0 is the emulated devices' and
 * locked to them. When a domain is defined libvirt adds the PHBs that are wanting; to a guest that
 * runs it cannot. (hostdev-plan-seat.c; here: what follows from who sits on which PHB.)
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
  guint rank; /* among the guest's PHBs */
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
  HostdevSlots *seats;
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
  slot->rank = placement->slots->len;
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

/* The PHB that a bus of the guest is, or is behind; NULL where there is none. Beyond those of the
 * domain are the PHBs that libvirt adds. */
static Slot *
find_slot (const HostdevPlacement *placement, guint bus)
{
  guint index = bus;

  if (bus < hostdev_domain_get_slots (placement->planning->domain)->count
      && !hostdev_domain_get_phb_of_bus (placement->planning->domain, bus, &index))
    return NULL;
  return g_hash_table_lookup (placement->by_index, GUINT_TO_POINTER (index));
}

/* A device of the guest that is not what the plan is about, and whose XML names no place yet, since
 * libvirt never had it: it has its place before another is plugged in. */
static void
occupy_unplaced (HostdevPlacement *placement, const HostdevDevice *device)
{
  HostdevPlanDevice place = { { 0 } };
  Slot *slot = NULL;

  if (placement->planning->plan->operation == HOSTDEV_OPERATION_ATTACH
      && hostdev_plan_take_seat (placement->planning, placement->seats, device, &place))
    slot = find_slot (placement, place.seat.bus);
  if (slot != NULL)
    occupy (placement, slot, device);
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
  placement->seats = hostdev_plan_seats_new (planning);
  for (guint bus = hostdev_domain_get_slots (planning->domain)->count;
       bus < placement->seats->count; bus++)
    add_slot (placement, bus, 0);
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];
      Slot *slot = device->has_guest_bus ? find_slot (placement, device->guest_bus) : NULL;

      if (slot != NULL)
        occupy (placement, slot, device);
    }
  for (guint i = 0; i < devices->len; i++)
    if (!((const HostdevDevice *) devices->pdata[i])->has_guest_bus)
      occupy_unplaced (placement, devices->pdata[i]);
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
  g_free (placement->seats);
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

/* The elements of @count more PHBs, or of as many as there can be; NULL where there can be none. */
static char *
more_phbs (const HostdevDomain *domain, guint count)
{
  GString *elements = g_string_new (NULL);
  guint index = 0, target = 0;

  for (guint added = 0; added < count; added++)
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
  return g_string_free (elements, elements->len == 0);
}

/* That no PHB is free for @device, and what to add. */
static void
say_none_free (const HostdevPlacement *placement, const HostdevDevice *device)
{
  HostdevPlan *plan = placement->planning->plan;
  g_autofree char *elements = more_phbs (placement->planning->domain, 1);

  if (elements != NULL)
    hostdev_plan_say (plan, HOSTDEV_SAYS_NO_FREE_PHB, &device->address, "elements", elements, NULL);
  else
    hostdev_plan_say (plan, HOSTDEV_SAYS_PHB_LIMIT, &device->address, "limit",
                      G_STRINGIFY (HOSTDEV_PHB_COUNT_MAX), NULL);
}

static void
say_no_phb (const HostdevPlacement *placement, const HostdevDevice *device)
{
  g_autofree char *bus = g_strdup_printf ("%u", device->guest_bus);

  if (device->has_guest_bus)
    hostdev_plan_say (placement->planning->plan, HOSTDEV_SAYS_PHB_UNKNOWN, &device->address, "bus",
                      bus, NULL);
  if (!device->has_guest_bus || find_free (placement) == NULL)
    say_none_free (placement, device);
}

void
hostdev_placement_place (HostdevPlacement *placement, const HostdevDevice *device,
                         HostdevPlanDevice *entry)
{
  const HostdevPlanning *planning = placement->planning;
  const HostdevGroup *group = NULL;
  Slot *slot = NULL;

  /* What is wrong with it was said before; where it would go does not matter then. */
  hostdev_host_find (planning->host, &device->address, &group);
  if (group == NULL && (!device->has_guest_bus || find_slot (placement, device->guest_bus) == NULL))
    return;
  if (hostdev_plan_take_seat (planning, placement->seats, device, entry))
    slot = find_slot (placement, entry->seat.bus);
  if (slot == NULL)
    {
      entry->has_seat = FALSE;
      say_no_phb (placement, device);
      return;
    }
  /* libvirt adds PHBs as long as there are buses, and finds no target index for the 32nd then. */
  if (slot->rank >= HOSTDEV_PHB_COUNT_MAX)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_PHB_LIMIT, &device->address, "limit",
                      G_STRINGIFY (HOSTDEV_PHB_COUNT_MAX), NULL);
  /* Those of the guest that have an address were put there before. */
  if (!device->has_guest_bus
      || hostdev_domain_find_address (planning->domain, &device->address) != device)
    occupy (placement, slot, device);
  slot->touched = TRUE;
  entry->has_phb = TRUE;
  entry->phb_index = slot->index;
}

/* An <interface> is a host device that libvirt reads before those that are a <hostdev>. */
void
hostdev_placement_place_all (HostdevPlacement *placement)
{
  const GPtrArray *devices = hostdev_domain_get_devices (placement->planning->domain);
  const GPtrArray *entries = placement->planning->plan->devices;

  for (int interface = TRUE; interface >= FALSE; interface--)
    for (guint i = 0; i < devices->len; i++)
      {
        const HostdevDevice *device = devices->pdata[i];

        if (device->interface == interface)
          hostdev_placement_place (placement, device, entries->pdata[i]);
      }
}

guint
hostdev_placement_count_phbs (const HostdevPlacement *placement)
{
  return placement->slots->len;
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
  HostdevWish wish = HOSTDEV_WISH_OFF;
  const Occupant *last = NULL;

  for (guint i = 0; i < slot->occupants->len; i++)
    {
      const Occupant *occupant = &g_array_index (slot->occupants, Occupant, i);
      char address[PCI_ADDRESS_LEN];

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                              pci_address_format (&occupant->address, address));
      if (occupant->eeh == HOSTDEV_WISH_REQUIRED || wish != HOSTDEV_WISH_REQUIRED)
        last = occupant;
      if (occupant->eeh == HOSTDEV_WISH_REQUIRED || wish == HOSTDEV_WISH_OFF)
        wish = occupant->eeh;
    }
  g_autofree char *phb = g_strdup_printf ("%u", slot->index);
  hostdev_plan_say_wish (planning->plan, HOSTDEV_SAYS_PHB_SHARED, wish, "eeh", &last->address,
                         "phb", phb, "devices", names->str, NULL);
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
      g_autofree char *phb = g_strdup_printf ("%u", split->second->index);
      g_autofree char *other = g_strdup_printf ("%u", split->first->index);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_GROUP_SPLIT, &split->address, "phb", phb,
                        "group", group, "other", other, NULL);
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
  g_autofree char *elements = more_phbs (planning->domain, wished - found);
  g_autofree char *wished_text = g_strdup_printf ("%u", wished);
  g_autofree char *found_text = g_strdup_printf ("%u", found);
  hostdev_plan_say (planning->plan,
                    elements != NULL ? HOSTDEV_SAYS_SPARE_PHBS : HOSTDEV_SAYS_SPARE_PHBS_LIMIT,
                    NULL, "wished", wished_text, "found", found_text, "elements", elements, "limit",
                    G_STRINGIFY (HOSTDEV_PHB_COUNT_MAX), NULL);
}
