/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-map-state.h"

#include <glib/gi18n.h>
#include <string.h>

static void
phb_free (gpointer data)
{
  CliMapPhb *phb = data;

  g_ptr_array_unref (phb->seats);
  g_free (phb);
}

void
cli_map_free (CliMap *map)
{
  if (map == NULL)
    return;
  g_ptr_array_unref (map->seats);
  g_ptr_array_unref (map->phbs);
  g_free (map);
}

/* Whose the group is, as far as the host knows. */
static CliMapWhere
group_where (const HostdevGroup *group, const HostdevDomain *domain)
{
  if (domain != NULL && *group->domain_uuid != '\0'
      && strcmp (group->domain_uuid, hostdev_domain_get_uuid (domain)) == 0)
    return CLI_MAP_WITH_IT;
  return *group->lease != '\0' || strcmp (group->holder, "none") != 0 ? CLI_MAP_AT_OTHERS
                                                                      : CLI_MAP_AT_HOST;
}

static CliMapPhb *
get_phb (CliMap *map, guint index)
{
  CliMapPhb *phb;

  for (guint i = 0; i < map->phbs->len; i++)
    if (((CliMapPhb *) map->phbs->pdata[i])->index == index)
      return map->phbs->pdata[i];
  phb = g_new0 (CliMapPhb, 1);
  phb->index = index;
  phb->seats = g_ptr_array_new ();
  g_ptr_array_add (map->phbs, phb);
  return phb;
}

/* Of an s390x guest: its other functions. */
static guint
count_emulated (const HostdevDomain *domain)
{
  const GArray *devices = hostdev_domain_get_zpci (domain)->devices;
  guint count = 0;

  for (guint i = 0; devices != NULL && i < devices->len; i++)
    count += g_array_index (devices, HostdevZpciDevice, i).is_hostdev ? 0 : 1;
  return count;
}

static CliMap *
new_map (const char *title, const HostdevHost *host, const HostdevDomain *domain)
{
  CliMap *map = g_new0 (CliMap, 1);
  const GPtrArray *groups = hostdev_host_get_groups (host);
  const GPtrArray *phbs = domain != NULL ? hostdev_domain_get_phbs (domain) : NULL;

  map->title = title;
  map->zpci = domain != NULL ? hostdev_domain_is_s390x (domain)
                             : strcmp (hostdev_host_get_platform (host), "s390x") == 0;
  map->seats = g_ptr_array_new_with_free_func (g_free);
  map->phbs = g_ptr_array_new_with_free_func (phb_free);
  for (guint i = 0; i < groups->len; i++)
    {
      const HostdevGroup *group = groups->pdata[i];

      for (guint j = 0; j < group->members->len; j++)
        {
          const HostdevFunction *function = group->members->pdata[j];
          CliMapSeat *seat;

          if (!function->endpoint)
            continue;
          seat = g_new0 (CliMapSeat, 1);
          seat->group = group;
          seat->function = function;
          seat->where = group_where (group, domain);
          g_ptr_array_add (map->seats, seat);
        }
    }
  if (map->zpci && domain != NULL)
    get_phb (map, 0)->emulated = count_emulated (domain);
  for (guint i = 0; phbs != NULL && !map->zpci && i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];

      get_phb (map, phb->index)->emulated = phb->emulated;
    }
  return map;
}

static CliMapSeat *
find_seat (const CliMap *map, const PciAddress *address)
{
  for (guint i = 0; i < map->seats->len; i++)
    {
      CliMapSeat *seat = map->seats->pdata[i];

      if (pci_address_equal (&seat->function->address, address))
        return seat;
    }
  return NULL;
}

/* The others of a group that the guest has one function of. */
static void
take_group (CliMap *map, const HostdevGroup *group)
{
  for (guint i = 0; i < map->seats->len; i++)
    {
      CliMapSeat *seat = map->seats->pdata[i];

      if (seat->group == group && seat->where != CLI_MAP_AT_GUEST)
        seat->where = CLI_MAP_WITH_IT;
    }
}

static void
sit (CliMap *map, CliMapSeat *seat, guint slot, guint function)
{
  seat->has_slot = TRUE;
  seat->slot = slot;
  seat->slot_function = function;
  g_ptr_array_add (get_phb (map, seat->phb)->seats, seat);
}

static void
sit_zpci (CliMap *map, CliMapSeat *seat, gboolean has_ids, guint uid, guint fid)
{
  seat->has_phb = TRUE;
  seat->has_zpci = has_ids;
  seat->uid = uid;
  seat->fid = fid;
  g_ptr_array_add (get_phb (map, 0)->seats, seat);
}

/* A device where a plan puts it. */
static void
seat_planned (CliMap *map, const HostdevPlanDevice *entry)
{
  CliMapSeat *seat = find_seat (map, &entry->address);

  if (seat == NULL || seat->where == CLI_MAP_AT_GUEST)
    return;
  seat->where = CLI_MAP_AT_GUEST;
  seat->has_phb = entry->has_phb;
  seat->phb = entry->phb_index;
  if (map->zpci)
    sit_zpci (map, seat, entry->has_zpci, entry->uid, entry->fid);
  else if (entry->has_phb && entry->has_seat)
    sit (map, seat, entry->seat.slot, entry->seat.function);
  else if (entry->has_phb)
    g_ptr_array_add (get_phb (map, seat->phb)->seats, seat);
  take_group (map, seat->group);
}

/* All that a plan is about; NULL: none. */
static void
seat_all (CliMap *map, const HostdevPlan *plan)
{
  const GPtrArray *planned = plan != NULL ? hostdev_plan_get_devices (plan) : NULL;

  for (guint i = 0; planned != NULL && i < planned->len; i++)
    seat_planned (map, planned->pdata[i]);
}

/* A device that the guest has in its XML. */
static void
give (CliMap *map, const HostdevDomain *domain, const HostdevDevice *device)
{
  CliMapSeat *seat = find_seat (map, &device->address);

  if (seat == NULL || seat->where == CLI_MAP_AT_GUEST)
    return;
  seat->where = CLI_MAP_AT_GUEST;
  if (map->zpci)
    {
      sit_zpci (map, seat, device->zpci.has_uid && device->zpci.has_fid && device->zpci.bad == NULL,
                device->zpci.uid, device->zpci.fid);
      take_group (map, seat->group);
      return;
    }
  seat->has_phb = device->has_guest_bus
                  && hostdev_domain_get_phb_of_bus (domain, device->guest_bus, &seat->phb);
  if (seat->has_phb)
    sit (map, seat, device->guest_slot, device->guest_function);
  take_group (map, seat->group);
}

static int
compare_seats (gconstpointer a, gconstpointer b)
{
  const CliMapSeat *first = *(const CliMapSeat *const *) a;
  const CliMapSeat *second = *(const CliMapSeat *const *) b;
  guint x = first->slot * 8 + first->slot_function, y = second->slot * 8 + second->slot_function;

  if (first->has_zpci && second->has_zpci)
    {
      x = first->uid;
      y = second->uid;
    }
  return (x > y) - (x < y);
}

static int
compare_phbs (gconstpointer a, gconstpointer b)
{
  const CliMapPhb *first = *(const CliMapPhb *const *) a;
  const CliMapPhb *second = *(const CliMapPhb *const *) b;

  return (first->index > second->index) - (first->index < second->index);
}

static CliMap *
finish (CliMap *map)
{
  g_ptr_array_sort (map->phbs, compare_phbs);
  for (guint i = 0; i < map->phbs->len; i++)
    g_ptr_array_sort (((CliMapPhb *) map->phbs->pdata[i])->seats, compare_seats);
  return map;
}

CliMap *
cli_map_now (const HostdevHost *host, const HostdevDomain *domain)
{
  CliMap *map = new_map (_ ("Now"), host, domain);
  const GPtrArray *devices = domain != NULL ? hostdev_domain_get_devices (domain) : NULL;

  if (domain != NULL && hostdev_domain_is_running (domain))
    for (guint i = 0; i < devices->len; i++)
      give (map, domain, devices->pdata[i]);
  return finish (map);
}

CliMap *
cli_map_after (const HostdevHost *host, const HostdevDomain *domain, const HostdevDevice *device,
               const HostdevPlan *start, const HostdevPlan *plan, const CliMap *now)
{
  CliMap *map
      = new_map (device != NULL ? _ ("After the attachment") : _ ("After the start"), host, domain);
  const GPtrArray *given = hostdev_domain_get_devices (domain);

  /* Without a place in their XML those have it from the start that comes before. */
  seat_all (map, start);
  for (guint i = 0; device != NULL && i < given->len; i++)
    give (map, domain, given->pdata[i]);
  seat_all (map, plan);
  for (guint i = 0; i < map->seats->len; i++)
    {
      CliMapSeat *seat = map->seats->pdata[i];
      const CliMapSeat *was = now->seats->pdata[i];

      seat->changed = seat->where != was->where
                      || (seat->where == CLI_MAP_AT_GUEST
                          && (seat->has_phb != was->has_phb || seat->phb != was->phb));
    }
  return finish (map);
}

static gboolean
has_at_guest (const CliMap *map, const HostdevGroup *group)
{
  for (guint i = 0; map != NULL && i < map->seats->len; i++)
    {
      const CliMapSeat *seat = map->seats->pdata[i];

      if (seat->group == group
          && (seat->where == CLI_MAP_AT_GUEST || seat->where == CLI_MAP_WITH_IT))
        return TRUE;
    }
  return FALSE;
}

gboolean
cli_map_concerns (const CliMap *now, const CliMap *after, const HostdevGroup *group)
{
  return now->phbs->len == 0 || has_at_guest (now, group) || has_at_guest (after, group);
}

char *
cli_map_seat_guest (const CliMapSeat *seat, const char *guest)
{
  const HostdevGroup *group = seat->group;

  switch (seat->where)
    {
    case CLI_MAP_AT_GUEST:
      if (seat->has_zpci)
        return g_strdup_printf (_ ("%s, uid %04x, fid %08x"), guest, seat->uid, seat->fid);
      if (seat->has_slot)
        return g_strdup_printf (_ ("%s, PHB %u, slot %02x.%u"), guest, seat->phb, seat->slot,
                                seat->slot_function);
      if (seat->has_phb)
        return g_strdup_printf (_ ("%s, PHB %u"), guest, seat->phb);
      return g_strdup (guest);
    case CLI_MAP_WITH_IT:
      return g_strdup (_ ("no guest sees it"));
    case CLI_MAP_AT_OTHERS:
      if (*group->domain_name != '\0')
        return g_strdup_printf (_ ("the guest %s"), group->domain_name);
      if (group->holder_pid != 0)
        return g_strdup_printf (_ ("process %u"), group->holder_pid);
      return g_strdup (_ ("somebody unknown"));
    case CLI_MAP_AT_HOST:
    default:
      return NULL;
    }
}

char *
cli_map_seat_slot (const CliMapSeat *seat)
{
  if (seat->has_zpci)
    return g_strdup_printf (_ ("uid %04x"), seat->uid);
  return seat->has_slot ? g_strdup_printf (_ ("slot %02x.%u"), seat->slot, seat->slot_function)
                        : g_strdup (_ ("a slot"));
}

const char *
cli_map_where_name (CliMapWhere where)
{
  static const char *const names[] = {
    [CLI_MAP_AT_HOST] = "host",
    [CLI_MAP_AT_GUEST] = "guest",
    [CLI_MAP_WITH_IT] = "with-group",
    [CLI_MAP_AT_OTHERS] = "others",
  };

  return names[where];
}
