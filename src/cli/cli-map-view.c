/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-map-view.h"

#include <glib/gi18n.h>

#include "cli/cli-table.h"

gboolean
cli_map_is_shown (const CliMapView *view, const HostdevGroup *group)
{
  return view->all || cli_map_concerns (view->now, view->after, group);
}

guint
cli_map_count_hidden (const CliMapView *view)
{
  const HostdevGroup *last = NULL;
  guint count = 0;

  for (guint i = 0; i < view->now->seats->len; i++)
    {
      const CliMapSeat *seat = view->now->seats->pdata[i];

      if (seat->group != last)
        count += cli_map_is_shown (view, seat->group) ? 0 : 1;
      last = seat->group;
    }
  return count;
}

char *
cli_map_group_title (const HostdevGroup *group)
{
  if (group->has_pe)
    return g_strdup_printf (_ ("PE %x, group %u"), group->pe, group->number);
  return g_strdup_printf (_ ("group %u"), group->number);
}

guint
cli_map_host_bridge (const CliMap *map, const HostdevGroup *group)
{
  return map->zpci && group->members->len > 0
             ? ((const HostdevFunction *) group->members->pdata[0])->address.domain
             : group->phb;
}

char *
cli_map_host_title (const CliMap *map, const HostdevGroup *group)
{
  return g_strdup_printf (map->zpci ? _ ("PCI domain %04x") : _ ("PHB %04x"),
                          cli_map_host_bridge (map, group));
}

char *
cli_map_phb_title (const CliMap *map, const CliMapPhb *phb)
{
  return map->zpci ? g_strdup ("zPCI") : g_strdup_printf (_ ("PHB %u"), phb->index);
}

char *
cli_map_device_name (const HostdevFunction *function)
{
  if (*function->device_name != '\0')
    return g_strdup (function->device_name);
  if (*function->class_name != '\0')
    return g_strdup_printf ("%s %04x:%04x", function->class_name, function->vendor,
                            function->device);
  return g_strdup_printf ("%04x:%04x", function->vendor, function->device);
}

char *
cli_map_phb_remark (const CliMapPhb *phb)
{
  if (phb->emulated > 0)
    return g_strdup_printf (ngettext ("%u emulated device", "%u emulated devices", phb->emulated),
                            phb->emulated);
  return g_strdup (phb->seats->len == 0 && phb->index != 0 ? _ ("free") : "");
}

/* The lines of a tree, where the terminal can show them. */
typedef struct
{
  const char *branch, *last, *pass;
} Lines;

static Lines
get_lines (void)
{
  static const Lines drawn = { "├─ ", "└─ ", "│  " };
  static const Lines plain = { "|- ", "`- ", "|  " };

  return g_get_charset (NULL) ? drawn : plain;
}

/* The next seat that is shown, from @from on; NULL. */
static const CliMapSeat *
next_seat (const CliMapView *view, const CliMap *map, guint from)
{
  for (; from < map->seats->len; from++)
    {
      const CliMapSeat *seat = map->seats->pdata[from];

      if (cli_map_is_shown (view, seat->group))
        return seat;
    }
  return NULL;
}

/* Whether a group of the same PHB comes after this one. */
static gboolean
has_next_group (const CliMapView *view, const CliMap *map, guint from, const HostdevGroup *group)
{
  for (; from < map->seats->len; from++)
    {
      const CliMapSeat *seat = map->seats->pdata[from];

      if (seat->group != group && cli_map_is_shown (view, seat->group))
        return cli_map_host_bridge (map, seat->group) == cli_map_host_bridge (map, group);
    }
  return FALSE;
}

static void
add_row (CliTable *table, CliStyle style, const char *first, const char *second, const char *third,
         const char *fourth)
{
  cli_table_add (table, style, first);
  cli_table_add (table, CLI_STYLE_PLAIN, second);
  cli_table_add (table, CLI_STYLE_FAINT, third);
  cli_table_add (table, style, fourth);
}

static void
add_group (CliTable *table, const HostdevGroup *group, gboolean more, Lines lines)
{
  g_autofree char *title = cli_map_group_title (group);
  g_autofree char *text = g_strconcat (more ? lines.branch : lines.last, title, NULL);
  const char *state
      = g_strcmp0 (group->pe_state, "normal") == 0 || g_strcmp0 (group->pe_state, "unknown") == 0
            ? ""
            : group->pe_state;

  add_row (table, CLI_STYLE_PLAIN, text, group->name, "", state);
}

/* What is new is marked, in colour and with a plus. */
static void
add_seat (CliTable *table, const CliMapSeat *seat, const char *guest, gboolean more_groups,
          gboolean more, Lines lines)
{
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = cli_map_device_name (seat->function);
  g_autofree char *who = cli_map_seat_guest (seat, guest);
  g_autofree char *what = seat->function->has_fid
                              ? g_strdup_printf (_ ("%s (fid %08x)"), name, seat->function->fid)
                              : g_strdup (name);
  g_autofree char *first
      = g_strconcat (more_groups ? lines.pass : "   ", more ? lines.branch : lines.last,
                     pci_address_format (&seat->function->address, address), NULL);
  g_autofree char *place = g_strconcat (seat->changed ? "+ "
                                        : who != NULL ? "  "
                                                      : "",
                                        who != NULL ? who : "", NULL);

  add_row (table, seat->changed ? CLI_STYLE_GOOD : CLI_STYLE_PLAIN, first, what,
           seat->changed ? "" : seat->function->driver, place);
}

static void
print_host (const CliMapView *view, const CliMap *map)
{
  const char *const titles[] = { _ ("HOST"), _ ("DEVICE"), _ ("DRIVER"), _ ("WHO HAS IT") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  Lines lines = get_lines ();
  const HostdevGroup *group = NULL;
  gboolean more_groups = FALSE;

  for (guint i = 0; i < map->seats->len; i++)
    {
      const CliMapSeat *seat = map->seats->pdata[i];
      const CliMapSeat *next = next_seat (view, map, i + 1);

      if (!cli_map_is_shown (view, seat->group))
        continue;
      if (group == NULL
          || cli_map_host_bridge (map, group) != cli_map_host_bridge (map, seat->group))
        {
          g_autofree char *phb = cli_map_host_title (map, seat->group);

          add_row (table, CLI_STYLE_STRONG, phb, "", "", "");
        }
      if (seat->group != group)
        {
          group = seat->group;
          more_groups = has_next_group (view, map, i, group);
          add_group (table, group, more_groups, lines);
        }
      add_seat (table, seat, view->guest, more_groups, next != NULL && next->group == group, lines);
    }
  cli_table_print (table);
}

static void
add_phb (CliTable *table, const CliMap *map, const CliMapPhb *phb, Lines lines)
{
  g_autofree char *title = cli_map_phb_title (map, phb);
  g_autofree char *emulated
      = phb->emulated == 0 ? NULL
                           : g_strdup_printf (ngettext ("%u emulated device", "%u emulated devices",
                                                        phb->emulated),
                                              phb->emulated);
  const char *what = emulated != NULL                          ? emulated
                     : phb->seats->len == 0 && phb->index != 0 ? _ ("free")
                                                               : "";

  add_row (table, CLI_STYLE_STRONG, title, what, "", "");
  for (guint i = 0; i < phb->seats->len; i++)
    {
      const CliMapSeat *seat = phb->seats->pdata[i];
      char address[PCI_ADDRESS_LEN];
      g_autofree char *name = cli_map_device_name (seat->function);
      g_autofree char *slot = cli_map_seat_slot (seat);
      g_autofree char *first
          = g_strconcat (i + 1 < phb->seats->len ? lines.branch : lines.last, slot, NULL);
      g_autofree char *from
          = g_strconcat (seat->changed ? "+ " : "  ",
                         pci_address_format (&seat->function->address, address), NULL);

      add_row (table, seat->changed ? CLI_STYLE_GOOD : CLI_STYLE_PLAIN, first, name, "", from);
    }
}

static void
print_guest (const CliMapView *view, const CliMap *map)
{
  g_autofree char *guest = cli_text_clean (view->guest, FALSE);
  const char *const titles[] = { guest, _ ("DEVICE"), "", _ ("FROM") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  Lines lines = get_lines ();

  for (guint i = 0; i < map->phbs->len; i++)
    add_phb (table, map, map->phbs->pdata[i], lines);
  cli_table_print (table);
}

static void
print_map (const CliMapView *view, const CliMap *map)
{
  gboolean has_host = next_seat (view, map, 0) != NULL;

  if (has_host)
    print_host (view, map);
  if (has_host && view->guest != NULL)
    g_print ("\n");
  if (view->guest != NULL)
    print_guest (view, map);
}

void
cli_map_print (const CliMapView *view)
{
  guint hidden = cli_map_count_hidden (view);

  if (view->after != NULL)
    {
      cli_text_print (0, CLI_STYLE_STRONG, view->now->title);
      g_print ("\n");
    }
  print_map (view, view->now);
  if (view->after != NULL)
    {
      g_print ("\n");
      cli_text_print (0, CLI_STYLE_STRONG, view->after->title);
      g_print ("\n");
      print_map (view, view->after);
    }
  if (hidden > 0)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u more group of the host has nothing to do with the guest; --all shows it.",
                    "%u more groups of the host have nothing to do with the guest; --all shows "
                    "them.",
                    hidden),
          hidden);

      g_print ("\n");
      cli_text_print (0, CLI_STYLE_FAINT, text);
    }
  if (view->remark != NULL)
    {
      g_print ("\n");
      cli_text_print (0, CLI_STYLE_BAD, view->remark);
    }
}
