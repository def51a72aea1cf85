/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

/*
 * The address in the guest that libvirt gives a device (src/qemu/qemu_domain_address.c:
 * qemuDomainAssignPCIAddresses). When it defines a domain it does so twice: once to see how many
 * PHBs are wanted, with one slot more than there are devices, and then with that many.
 */

/* src/qemu/qemu_domain_address.c: qemuDomainFillDeviceIsolationGroup */
static guint
get_isolation (const HostdevPlanning *planning, const HostdevDevice *device)
{
  const HostdevGroup *group = NULL;

  hostdev_host_find (planning->host, &device->address, &group);
  return group != NULL ? group->number + 1 : 0;
}

/* Of @count of them as many as there is room for. */
static void
take (HostdevSlots *slots, guint isolation, guint count, gboolean grow)
{
  guint bus, slot;

  while (count-- > 0 && hostdev_slots_take (slots, isolation, grow, &bus, &slot))
    ;
}

/* An <interface> is a host device that libvirt reads before those that are a <hostdev>. */
static guint
count_buses (const HostdevPlanning *planning, const HostdevSlots *slots)
{
  const HostdevEmulated *emulated = hostdev_domain_get_emulated (planning->domain);
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  HostdevSlots trial = *slots;

  /* For one that may be plugged in later; not where all is taken anyway. */
  if (!hostdev_slots_are_full (slots))
    take (&trial, 0, 1, TRUE);
  take (&trial, 0, emulated->before + emulated->trial, TRUE);
  for (int interface = TRUE; interface >= FALSE; interface--)
    for (guint i = 0; i < devices->len; i++)
      {
        const HostdevDevice *device = devices->pdata[i];

        if (!device->has_guest_bus && device->interface == interface)
          take (&trial, get_isolation (planning, device), 1, TRUE);
      }
  take (&trial, 0, emulated->after, TRUE);
  return trial.count;
}

HostdevSlots *
hostdev_plan_seats_new (const HostdevPlanning *planning)
{
  const GPtrArray *devices = hostdev_domain_get_devices (planning->domain);
  HostdevSlots *slots = g_new (HostdevSlots, 1);

  *slots = *hostdev_domain_get_slots (planning->domain);
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (device->has_guest_bus)
        hostdev_slots_mark (slots, device->guest_bus, device->guest_slot,
                            get_isolation (planning, device));
    }
  if (planning->plan->operation != HOSTDEV_OPERATION_START)
    return slots;
  hostdev_slots_grow (slots, count_buses (planning, slots));
  take (slots, 0, hostdev_domain_get_emulated (planning->domain)->before, FALSE);
  return slots;
}

gboolean
hostdev_plan_take_seat (const HostdevPlanning *planning, HostdevSlots *slots,
                        const HostdevDevice *device, HostdevPlanDevice *entry)
{
  guint bus = device->guest_bus, slot = device->guest_slot;

  if (!device->has_guest_bus
      && !hostdev_slots_take (slots, get_isolation (planning, device), FALSE, &bus, &slot))
    return FALSE;
  entry->has_seat = TRUE;
  entry->seat = (PciAddress){ 0, (guint8) bus, (guint8) slot, device->guest_function };
  return TRUE;
}
