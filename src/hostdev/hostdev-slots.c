/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-slots.h"

/* Slots 1 to 31: of PHBs and bridges, slot 0 is not used. */
#define SLOTS 0xfffffffeu

void
hostdev_slots_add_bus (HostdevSlots *slots, guint bus, HostdevBusKind kind)
{
  slots->bus[bus].kind = kind;
  slots->count = MAX (slots->count, bus + 1);
}

static gboolean
is_empty (const HostdevSlotBus *bus)
{
  return (bus->used & SLOTS) == 0;
}

void
hostdev_slots_mark (HostdevSlots *slots, guint bus, guint slot, guint isolation)
{
  HostdevSlotBus *its = &slots->bus[bus];

  if (bus == 0)
    isolation = 0;
  if (is_empty (its))
    its->isolation = isolation;
  else if (its->isolation != isolation)
    its->isolation = 0;
  its->used |= 1u << slot;
}

void
hostdev_slots_grow (HostdevSlots *slots, guint count)
{
  while (slots->count < count)
    hostdev_slots_add_bus (slots, slots->count, HOSTDEV_BUS_OPEN);
}

gboolean
hostdev_slots_are_full (const HostdevSlots *slots)
{
  for (guint bus = 0; bus < slots->count; bus++)
    if ((slots->bus[bus].used & SLOTS) != SLOTS)
      return FALSE;
  return TRUE;
}

/* The first bus of the group that has a free slot; else the first that is empty. */
static gboolean
find (const HostdevSlots *slots, guint isolation, guint *bus)
{
  for (*bus = 0; *bus < slots->count; ++*bus)
    {
      const HostdevSlotBus *its = &slots->bus[*bus];

      if (its->kind == HOSTDEV_BUS_OPEN && its->isolation == isolation
          && (its->used & SLOTS) != SLOTS)
        return TRUE;
    }
  for (*bus = 1; *bus < slots->count; ++*bus)
    if (slots->bus[*bus].kind == HOSTDEV_BUS_OPEN && is_empty (&slots->bus[*bus]))
      return TRUE;
  return FALSE;
}

gboolean
hostdev_slots_take (HostdevSlots *slots, guint isolation, gboolean grow, guint *bus, guint *slot)
{
  if (!find (slots, isolation, bus))
    {
      if (!grow || slots->count > HOSTDEV_BUS_MAX)
        return FALSE;
      *bus = slots->count;
      hostdev_slots_add_bus (slots, *bus, HOSTDEV_BUS_OPEN);
    }
  *slot = (guint) __builtin_ctz (~slots->bus[*bus].used & SLOTS);
  hostdev_slots_mark (slots, *bus, *slot, isolation);
  return TRUE;
}
