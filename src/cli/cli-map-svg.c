/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "cli/cli-map-view.h"
#include "cli/cli-terminal.h"

/* All in CSS pixels. */
#define WIDTH       1060
#define MARGIN      24
#define HOST_WIDTH  560
#define GUEST_X     700
#define GUEST_WIDTH (WIDTH - MARGIN - GUEST_X)
#define ROW         26
#define HEAD        28
#define PAD         10
#define GAP         14
#define TITLE       40

/* Letters that fit in a column at its font's size; what does not is cut, and whole in its title. */
#define HOST_TEXT_MAX  40
#define DRIVER_MAX     14
#define GUEST_TEXT_MAX 27
#define HEAD_MAX       60

/* Plain properties and no variables: what shows SVG knows no more CSS than that. What is printed is
 * light: the dark part is for screens. */
static const char style[]
    = "text{font:13px system-ui,'DejaVu Sans',sans-serif;fill:#1b1f24}\n"
      ".ground{fill:#fff}\n"
      ".title{font-size:17px;font-weight:600}\n"
      ".head{font-weight:600}\n"
      ".address{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:12px}\n"
      ".faint{fill:#57606a;font-size:12px}\n"
      ".phb{fill:#f3f5f7;stroke:#8c959f}\n"
      ".pe{fill:#fff;stroke:#afb8c1}\n"
      ".host{fill:none;stroke:none}\n"
      ".others{fill:#eaeef2;stroke:#6e7781;stroke-dasharray:1 3}\n"
      ".guest{fill:#d9e8ff;stroke:#0b57b0}\n"
      ".with-group{fill:#fff5d6;stroke:#8a6100;stroke-dasharray:5 3}\n"
      ".new{stroke-width:2.5}\n"
      ".line{fill:none;stroke:#0b57b0;stroke-width:1.5}\n"
      ".line.new{stroke-width:3}\n"
      ".free{fill:none;stroke:#8c959f;stroke-dasharray:3 3}\n"
      "@media screen and (prefers-color-scheme:dark){\n"
      "text{fill:#e6edf3}\n"
      ".ground{fill:#0d1117}\n"
      ".faint{fill:#9da7b3}\n"
      ".phb{fill:#1a2029;stroke:#6e7681}\n"
      ".pe{fill:#0d1117;stroke:#484f58}\n"
      ".others{fill:#2a3038}\n"
      ".guest{fill:#12305c;stroke:#79b8ff}\n"
      ".with-group{fill:#3a2d0a;stroke:#e3b341}\n"
      ".line{stroke:#79b8ff}\n"
      ".free{stroke:#6e7681}\n"
      "}\n";

/* The picture as it grows. */
typedef struct
{
  const CliMapView *view;
  GString *body;
  GHashTable *rows; /* CliMapSeat: the middle of its row on the left, as a pointer's number */
  guint y;
} Canvas;

/* Escaped, and cut to @max letters; then *cut is the whole. */
static char *
fit (const char *text, glong max, char **cut)
{
  g_autofree char *clean = cli_text_clean (text, FALSE);
  g_autofree char *shorter = NULL;

  *cut = NULL;
  if (g_utf8_strlen (clean, -1) <= max)
    return g_markup_escape_text (clean, -1);
  *cut = g_markup_escape_text (clean, -1);
  shorter = g_utf8_substring (clean, 0, max - 1);
  {
    g_autofree char *escaped = g_markup_escape_text (shorter, -1);

    return g_strconcat (escaped, "…", NULL);
  }
}

static void
put_text (Canvas *canvas, guint x, guint y, const char *class, const char *anchor, const char *text,
          glong max)
{
  g_autofree char *cut = NULL;
  g_autofree char *shown = fit (text, max, &cut);

  g_string_append_printf (canvas->body, "<text x=\"%u\" y=\"%u\" class=\"%s\"%s>", x, y, class,
                          anchor);
  if (cut != NULL)
    g_string_append_printf (canvas->body, "<title>%s</title>", cut);
  g_string_append_printf (canvas->body, "%s</text>\n", shown);
}

static void
put_box (Canvas *canvas, guint x, guint y, guint width, guint height, const char *class)
{
  g_string_append_printf (canvas->body,
                          "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"5\" "
                          "class=\"%s\"/>\n",
                          x, y, width, height, class);
}

#define ANCHOR_END " text-anchor=\"end\""

/* One function of the host: what it is, and who has it where nobody draws a line to it. */
static void
put_seat (Canvas *canvas, const CliMapSeat *seat, guint y)
{
  guint x = MARGIN + 2 * PAD, width = HOST_WIDTH - 4 * PAD;
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = cli_map_device_name (seat->function);
  g_autofree char *who = seat->where == CLI_MAP_AT_GUEST && seat->has_phb
                             ? NULL
                             : cli_map_seat_guest (seat, canvas->view->guest);
  g_autofree char *class = g_strconcat (cli_map_where_name (seat->where),
                                        seat->changed ? " new" : "", NULL);
  const char *right = who != NULL                      ? who
                      : seat->where == CLI_MAP_AT_HOST ? seat->function->driver
                                                       : "";

  put_box (canvas, x, y + 2, width, ROW - 4, class);
  put_text (canvas, x + PAD, y + 17, "address", "",
            pci_address_format (&seat->function->address, address), PCI_ADDRESS_LEN);
  put_text (canvas, x + 108, y + 17, "", "", name, who != NULL ? HOST_TEXT_MAX - 8 : HOST_TEXT_MAX);
  put_text (canvas, x + width - PAD, y + 17, "faint", ANCHOR_END, right,
            who != NULL ? DRIVER_MAX + 12 : DRIVER_MAX);
  g_hash_table_insert (canvas->rows, (gpointer) seat, GUINT_TO_POINTER (y + ROW / 2));
}

static guint
count_seats (const CliMap *map, guint from)
{
  const HostdevGroup *group = ((const CliMapSeat *) map->seats->pdata[from])->group;
  guint count = 0;

  while (from + count < map->seats->len
         && ((const CliMapSeat *) map->seats->pdata[from + count])->group == group)
    count++;
  return count;
}

/* Of s390x a group has no name, and is one function's as a rule: that has a fid. */
static char *
group_name (const HostdevGroup *group)
{
  const HostdevFunction *first = group->members->pdata[0];

  return *group->name == '\0' && first->has_fid ? g_strdup_printf (_ ("fid %08x"), first->fid)
                                                : g_strdup (group->name);
}

/* A group in its box; returns the y below it. */
static guint
put_group (Canvas *canvas, const CliMap *map, guint from, guint count, guint y)
{
  const HostdevGroup *group = ((const CliMapSeat *) map->seats->pdata[from])->group;
  g_autofree char *title = cli_map_group_title (group);
  g_autofree char *name = group_name (group);
  gboolean wrong = strcmp (group->pe_state, "frozen") == 0
                   || strcmp (group->pe_state, "failed") == 0
                   || strcmp (group->pe_state, "unavailable") == 0;

  put_box (canvas, MARGIN + PAD, y, HOST_WIDTH - 2 * PAD, HEAD + count * ROW + 4, "pe");
  put_text (canvas, MARGIN + 2 * PAD, y + 19, "head", "", title, HEAD_MAX);
  put_text (canvas, MARGIN + HOST_WIDTH - 2 * PAD, y + 19, "faint", ANCHOR_END,
            wrong ? group->pe_state : name, HEAD_MAX);
  for (guint i = 0; i < count; i++)
    put_seat (canvas, map->seats->pdata[from + i], y + HEAD + i * ROW);
  return y + HEAD + count * ROW + 4 + PAD;
}

/* The box of a PHB is as high as what is in it, which is drawn after it: over it. */
static void
put_phb_box (Canvas *canvas, gsize place, guint x, guint y, guint width, guint bottom)
{
  g_autofree char *box
      = g_strdup_printf ("<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"7\" "
                         "class=\"phb\"/>\n",
                         x, y, width, bottom - y);

  g_string_insert (canvas->body, (gssize) place, box);
}

/* The host's column, from @y down; returns the y below it. */
static guint
put_host (Canvas *canvas, const CliMap *map, guint y)
{
  const HostdevGroup *phb = NULL; /* one of the PHB's groups */
  guint top = y;
  gsize place = canvas->body->len;

  for (guint i = 0; i < map->seats->len;)
    {
      const HostdevGroup *group = ((const CliMapSeat *) map->seats->pdata[i])->group;
      guint count = count_seats (map, i);

      if (!cli_map_is_shown (canvas->view, group))
        {
          i += count;
          continue;
        }
      if (phb == NULL || cli_map_host_bridge (map, phb) != cli_map_host_bridge (map, group))
        {
          guint bridge = cli_map_host_bridge (map, group);
          g_autofree char *title = map->zpci
                                       ? g_strdup_printf (_ ("PCI domain %04x of the host"), bridge)
                                       : g_strdup_printf (_ ("PHB %04x of the host"), bridge);

          if (phb != NULL)
            {
              put_phb_box (canvas, place, MARGIN, top, HOST_WIDTH, y);
              y += GAP;
            }
          phb = group;
          top = y;
          place = canvas->body->len;
          put_text (canvas, MARGIN + PAD, y + 19, "head", "", title, HEAD_MAX);
          y += HEAD;
        }
      y = put_group (canvas, map, i, count, y);
      i += count;
    }
  if (phb != NULL)
    put_phb_box (canvas, place, MARGIN, top, HOST_WIDTH, y);
  return y;
}

/* A line from the function to its slot. */
static void
put_line (Canvas *canvas, const CliMapSeat *seat, guint to_y)
{
  guint x = MARGIN + HOST_WIDTH - 2 * PAD, to_x = GUEST_X + PAD;
  guint from_y = GPOINTER_TO_UINT (g_hash_table_lookup (canvas->rows, seat));
  guint middle = (x + to_x) / 2;

  if (from_y == 0)
    return;
  g_string_append_printf (canvas->body, "<path d=\"M%u %uC%u %u %u %u %u %u\" class=\"line%s\"/>\n",
                          x, from_y, middle, from_y, middle, to_y, to_x, to_y,
                          seat->changed ? " new" : "");
}

static void
put_slot (Canvas *canvas, const CliMapSeat *seat, guint y)
{
  guint x = GUEST_X + PAD, width = GUEST_WIDTH - 2 * PAD;
  g_autofree char *slot = cli_map_seat_slot (seat);
  g_autofree char *name = cli_map_device_name (seat->function);

  put_line (canvas, seat, y + ROW / 2);
  put_box (canvas, x, y + 2, width, ROW - 4, seat->changed ? "guest new" : "guest");
  put_text (canvas, x + PAD, y + 17, "address", "", slot, 12);
  put_text (canvas, x + 96, y + 17, "", "", name,
            seat->has_zpci ? GUEST_TEXT_MAX - 12 : GUEST_TEXT_MAX);
  if (seat->has_zpci)
    {
      g_autofree char *fid = g_strdup_printf (_ ("fid %08x"), seat->fid);

      put_text (canvas, x + width - PAD, y + 17, "faint", ANCHOR_END, fid, DRIVER_MAX);
    }
}

static guint
put_guest (Canvas *canvas, const CliMap *map, guint y)
{
  g_autofree char *title = g_strdup_printf (_ ("Guest %s"), canvas->view->guest);

  put_text (canvas, GUEST_X, y + 19, "head", "", title, GUEST_TEXT_MAX + 10);
  y += HEAD;
  for (guint i = 0; i < map->phbs->len; i++)
    {
      const CliMapPhb *phb = map->phbs->pdata[i];
      g_autofree char *number = cli_map_phb_title (map, phb);
      g_autofree char *remark = cli_map_phb_remark (phb);
      gboolean empty = phb->seats->len == 0;
      guint height = HEAD + phb->seats->len * ROW + (empty ? 0 : PAD - 4);

      put_box (canvas, GUEST_X, y, GUEST_WIDTH, height,
               empty && phb->emulated == 0 ? "free" : "phb");
      put_text (canvas, GUEST_X + PAD, y + 19, "head", "", number, 12);
      put_text (canvas, GUEST_X + GUEST_WIDTH - PAD, y + 19, "faint", ANCHOR_END, remark,
                GUEST_TEXT_MAX);
      for (guint j = 0; j < phb->seats->len; j++)
        put_slot (canvas, phb->seats->pdata[j], y + HEAD + j * ROW);
      y += height + GAP;
    }
  return y - GAP;
}

static void
put_map (Canvas *canvas, const CliMap *map)
{
  guint host_bottom, guest_bottom = 0;

  g_hash_table_remove_all (canvas->rows);
  if (canvas->view->after != NULL)
    {
      put_text (canvas, MARGIN, canvas->y + 22, "title", "", map->title, HEAD_MAX);
      canvas->y += TITLE;
    }
  host_bottom = put_host (canvas, map, canvas->y);
  if (canvas->view->guest != NULL)
    guest_bottom = put_guest (canvas, map, canvas->y);
  canvas->y = MAX (host_bottom, guest_bottom) + MARGIN;
}

/* What the picture has of a kind, and of what is new. */
static gboolean
has_kind (const CliMapView *view, CliMapWhere where, gboolean changed)
{
  const CliMap *maps[] = { view->now, view->after };

  for (guint i = 0; i < G_N_ELEMENTS (maps); i++)
    for (guint j = 0; maps[i] != NULL && j < maps[i]->seats->len; j++)
      {
        const CliMapSeat *seat = maps[i]->seats->pdata[j];

        if (seat->where == where && (where != CLI_MAP_AT_GUEST || seat->changed == changed)
            && cli_map_is_shown (view, seat->group))
          return TRUE;
      }
  return FALSE;
}

/* What the looks of a row mean; only of what is in the picture. */
static void
put_legend (Canvas *canvas)
{
  const struct
  {
    CliMapWhere where;
    gboolean changed;
    const char *class, *text;
  } samples[] = {
    { CLI_MAP_AT_GUEST, FALSE, "guest", _ ("the guest has it") },
    { CLI_MAP_AT_GUEST, TRUE, "guest new", _ ("the guest gets it") },
    { CLI_MAP_WITH_IT, FALSE, "with-group", _ ("leaves the host with its group") },
    { CLI_MAP_AT_OTHERS, FALSE, "others", _ ("somebody else has it") },
  };
  guint x = MARGIN;

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++)
    if (has_kind (canvas->view, samples[i].where, samples[i].changed))
      {
        put_box (canvas, x, canvas->y, 26, 16, samples[i].class);
        put_text (canvas, x + 34, canvas->y + 13, "faint", "", samples[i].text, HEAD_MAX);
        x += 34 + 6 * (guint) g_utf8_strlen (samples[i].text, -1) + 36;
      }
  canvas->y += x > MARGIN ? 16 + MARGIN : 0;
}

static void
put_foot (Canvas *canvas)
{
  guint hidden = cli_map_count_hidden (canvas->view);

  if (hidden > 0)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u more group of the host has nothing to do with the guest.",
                    "%u more groups of the host have nothing to do with the guest.", hidden),
          hidden);

      put_text (canvas, MARGIN, canvas->y + 8, "faint", "", text, 200);
      canvas->y += MARGIN;
    }
  if (canvas->view->remark != NULL)
    {
      g_auto (GStrv) lines = cli_text_fold (canvas->view->remark, 140);

      for (guint i = 0; lines[i] != NULL; i++, canvas->y += 18)
        put_text (canvas, MARGIN, canvas->y + 8, "", "", lines[i], 200);
      canvas->y += 8;
    }
}

char *
cli_map_to_svg (const CliMapView *view)
{
  Canvas canvas = { view, g_string_new (NULL), g_hash_table_new (NULL, NULL), MARGIN };
  g_autofree char *title = view->guest != NULL
                               ? g_strdup_printf (_ ("PCI devices of the guest %s"), view->guest)
                               : g_strdup (_ ("PCI devices of the host"));
  g_autofree char *cut = NULL;
  g_autofree char *escaped = fit (title, G_MAXLONG, &cut);
  int width = view->guest != NULL ? WIDTH : HOST_WIDTH + 2 * MARGIN;
  char *svg;

  put_map (&canvas, view->now);
  if (view->after != NULL)
    put_map (&canvas, view->after);
  put_legend (&canvas);
  put_foot (&canvas);
  svg = g_strdup_printf (
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" "
      "role=\"img\">\n<title>%s</title>\n<style>\n%s</style>\n"
      "<rect width=\"100%%\" height=\"100%%\" class=\"ground\"/>\n%s</svg>\n",
      width, canvas.y, width, canvas.y, escaped, style, canvas.body->str);
  g_string_free (canvas.body, TRUE);
  g_hash_table_unref (canvas.rows);
  return svg;
}
