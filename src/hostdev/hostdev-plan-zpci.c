/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

/*
 * Where a device goes in an s390x guest: its address, which the guest's kernel does not see, and
 * uid and fid, by which it does. The address is the next free slot of the one root bus, or of a
 * bridge; there are no isolation groups (libvirt, src/qemu/qemu_domain_address.c:
 * qemuDomainFillDeviceIsolationGroup is for pSeries alone).
 */

/* Into @entry, or what is wrong with them. @entry: NULL: of another device of the guest */
static void
number (const HostdevPlanning *planning, HostdevZpciSet *set, HostdevZpciIds ids,
        HostdevPlanDevice *entry)
{
  const char *taken = ids.bad == NULL ? hostdev_zpci_set_ensure (set, &ids) : NULL;
  g_autofree char *uid = g_strdup_printf ("0x%04x", ids.uid);
  g_autofree char *fid = g_strdup_printf ("0x%08x", ids.fid);
  const PciAddress *address = entry != NULL ? &entry->address : NULL;

  if (ids.bad != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_ID_RANGE, address, "name", ids.bad, NULL);
  else if (taken != NULL)
    hostdev_plan_say (planning->plan,
                      strcmp (taken, "uid") == 0 ? HOSTDEV_SAYS_ZPCI_UID_TWICE
                                                 : HOSTDEV_SAYS_ZPCI_FID_TWICE,
                      address, "uid", uid, "fid", fid, NULL);
  else if (entry != NULL)
    {
      entry->has_zpci = TRUE;
      entry->uid = ids.uid;
      entry->fid = ids.fid;
    }
}

/* libvirt has those first that have one of the two, and completes them; then all others
 * (src/qemu/qemu_domain_address.c: qemuDomainPCIAddressSetCreate, qemuDomainAssignPCIAddresses). */
static void
number_all (const HostdevPlanning *planning, HostdevZpciSet *set)
{
  const GArray *devices = hostdev_domain_get_zpci (planning->domain)->devices;
  gboolean starting = planning->plan->operation == HOSTDEV_OPERATION_START;

  for (int given = TRUE; given >= FALSE; given--)
    for (guint rank = 0; rank < HOSTDEV_ZPCI_RANKS; rank++)
      for (guint i = 0; devices != NULL && i < devices->len; i++)
        {
          const HostdevZpciDevice *device = &g_array_index (devices, HostdevZpciDevice, i);

          if (device->rank == rank && (device->ids.has_uid || device->ids.has_fid) == given)
            number (planning, set, device->ids,
                    starting && device->is_hostdev ? planning->plan->devices->pdata[device->hostdev]
                                                   : NULL);
        }
}

static void
take (HostdevSlots *slots, guint count, gboolean *known)
{
  guint bus, slot;

  while (*known && count-- > 0)
    *known = hostdev_slots_take (slots, 0, FALSE, &bus, &slot);
}

/* Bridges go before devices; those on buses that only an address names libvirt adds. FALSE where it
 * would add more, or has other devices to seat, whose order is not followed here. */
static gboolean
make_room (const HostdevPlanning *planning, HostdevSlots *slots)
{
  const HostdevZpciList *list = hostdev_domain_get_zpci (planning->domain);
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  const GPtrArray *buses = hostdev_domain_get_phbs (planning->domain);
  gboolean known = list->loose == 0;
  guint bridges = list->bridges;
  guint wanted = 1; /* one more, for what may be plugged in later */
  HostdevSlots trial;

  for (guint i = 0; i < buses->len; i++)
    bridges += ((const HostdevPhb *) buses->pdata[i])->index != 0 ? 1 : 0;
  take (slots, bridges, &known);
  for (guint i = 0; i < devices->len; i++)
    wanted += ((const HostdevDevice *) devices->pdata[i])->has_guest_bus ? 0 : 1;
  trial = *slots;
  take (&trial, wanted, &known);
  return known;
}

static gboolean
sit (HostdevSlots *slots, const HostdevDevice *device, HostdevPlanDevice *entry)
{
  guint bus = device->guest_bus, slot = device->guest_slot;

  if (!device->has_guest_bus && !hostdev_slots_take (slots, 0, FALSE, &bus, &slot))
    return FALSE;
  entry->has_seat = TRUE;
  entry->seat = (PciAddress){ 0, (guint8) bus, (guint8) slot, device->guest_function };
  return TRUE;
}

static void
sit_all (const HostdevPlanning *planning, HostdevSlots *slots)
{
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  gboolean known = make_room (planning, slots);

  for (int interface = TRUE; interface >= FALSE; interface--)
    for (guint i = 0; i < devices->len; i++)
      {
        const HostdevDevice *device = devices->pdata[i];

        if (device->interface == interface && (known || device->has_guest_bus))
          sit (slots, device, planning->plan->devices->pdata[i]);
      }
}

HostdevPlacement *
hostdev_plan_seat_zpci (const HostdevPlanning *planning, const HostdevDevice *device)
{
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  g_autoptr (HostdevZpciSet) set = hostdev_zpci_set_new ();
  HostdevSlots slots = *hostdev_domain_get_slots (planning->domain);

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *other = devices->pdata[i];

      if (other->has_guest_bus)
        hostdev_slots_mark (&slots, other->guest_bus, other->guest_slot, 0);
    }
  number_all (planning, set);
  if (device == NULL)
    {
      sit_all (planning, &slots);
      return NULL;
    }
  /* That the guest has it already is said by itself. */
  if (hostdev_domain_find_address (planning->domain, &device->address) != NULL)
    return NULL;
  number (planning, set, device->zpci, planning->plan->devices->pdata[0]);
  if (!sit (&slots, device, planning->plan->devices->pdata[0]))
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_NO_SLOT, &device->address, NULL);
  return NULL;
}
