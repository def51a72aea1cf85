/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "cli/cli-map-view.h"
#include "cli/cli-terminal.h"

/* The graph as it grows; each map is a cluster, whose nodes have its name before theirs. */
typedef struct
{
  const CliMapView *view;
  GString *text;
  const char *map; /* "now", "after" */
  guint depth;
} Graph;

/* Between quotes: of a label graphviz reads "\N" and the like, so that a backslash is doubled. */
static void
put_quoted (Graph *graph, const char *text)
{
  g_autofree char *clean = cli_text_clean (text, FALSE);

  for (const char *c = clean; *c != '\0'; c++)
    {
      if (*c == '"' || *c == '\\')
        g_string_append_c (graph->text, '\\');
      g_string_append_c (graph->text, *c);
    }
}

static void
indent (Graph *graph)
{
  g_string_append_printf (graph->text, "%*s", (int) graph->depth * 2, "");
}

static void
put_attribute (Graph *graph, const char *name, const char *value)
{
  indent (graph);
  g_string_append_printf (graph->text, "%s=\"", name);
  put_quoted (graph, value);
  g_string_append (graph->text, "\";\n");
}

static void
begin_cluster (Graph *graph, const char *name, const char *label, const char *style)
{
  indent (graph);
  g_string_append_printf (graph->text, "subgraph \"cluster %s", graph->map);
  if (name != NULL)
    g_string_append_printf (graph->text, " %s", name);
  g_string_append (graph->text, "\" {\n");
  graph->depth++;
  put_attribute (graph, "label", label);
  put_attribute (graph, "style", style);
}

static void
end_cluster (Graph *graph)
{
  graph->depth--;
  indent (graph);
  g_string_append (graph->text, "}\n");
}

/* The lines of a node's label; NULL ends them, and one that is empty is none. */
static void
put_node (Graph *graph, const char *side, const PciAddress *address, const char *look,
          const char *const *lines)
{
  char name[PCI_ADDRESS_LEN];
  gboolean first = TRUE;

  indent (graph);
  g_string_append_printf (graph->text, "\"%s %s %s\" [label=\"", graph->map, side,
                          pci_address_format (address, name));
  for (; *lines != NULL; lines++)
    {
      if (**lines == '\0')
        continue;
      if (!first)
        g_string_append (graph->text, "\\n");
      put_quoted (graph, *lines);
      first = FALSE;
    }
  g_string_append_printf (graph->text, "\"%s];\n", look);
}

/* What colour says, lines say as well. */
static const char *
get_look (const CliMapSeat *seat)
{
  switch (seat->where)
    {
    case CLI_MAP_AT_GUEST:
      return seat->changed ? ", style=\"filled,bold\", fillcolor=\"#d9e8ff\""
                           : ", style=\"filled\", fillcolor=\"#d9e8ff\"";
    case CLI_MAP_WITH_IT:
      return ", style=\"filled,dashed\", fillcolor=\"#fff5d6\"";
    case CLI_MAP_AT_OTHERS:
      return ", style=\"filled,dotted\", fillcolor=\"#eaeef2\"";
    case CLI_MAP_AT_HOST:
    default:
      return "";
    }
}

static void
put_seat (Graph *graph, const CliMapSeat *seat)
{
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = cli_map_device_name (seat->function);
  g_autofree char *who = cli_map_seat_guest (seat, graph->view->guest);
  const char *last = who != NULL                      ? who
                     : seat->where == CLI_MAP_AT_HOST ? seat->function->driver
                                                      : "";
  const char *const lines[]
      = { pci_address_format (&seat->function->address, address), name, last, NULL };

  put_node (graph, "host", &seat->function->address, get_look (seat), lines);
}

static void
begin_group (Graph *graph, const HostdevGroup *group)
{
  g_autofree char *title = cli_map_group_title (group);
  g_autofree char *name = g_strdup_printf ("group %u", group->number);
  gboolean quiet = strcmp (group->pe_state, "normal") == 0
                   || strcmp (group->pe_state, "unknown") == 0 || *group->pe_state == '\0';
  g_autofree char *label
      = quiet ? g_strdup (title) : g_strdup_printf ("%s: %s", title, group->pe_state);

  begin_cluster (graph, name, label, "rounded");
}

static void
put_host (Graph *graph, const CliMap *map)
{
  const HostdevGroup *group = NULL;

  for (guint i = 0; i < map->seats->len; i++)
    {
      const CliMapSeat *seat = map->seats->pdata[i];

      if (!cli_map_is_shown (graph->view, seat->group))
        continue;
      if (seat->group != group)
        {
          guint bridge = cli_map_host_bridge (map, seat->group);
          g_autofree char *title = map->zpci
                                       ? g_strdup_printf (_ ("PCI domain %04x of the host"), bridge)
                                       : g_strdup_printf (_ ("PHB %04x of the host"), bridge);
          g_autofree char *name = g_strdup_printf ("host %04x", bridge);
          gboolean same = group != NULL && cli_map_host_bridge (map, group) == bridge;

          if (group != NULL)
            end_cluster (graph);
          if (group != NULL && !same)
            end_cluster (graph);
          if (!same)
            begin_cluster (graph, name, title, "filled");
          if (!same)
            put_attribute (graph, "fillcolor", "#f3f5f7");
          begin_group (graph, seat->group);
          group = seat->group;
        }
      put_seat (graph, seat);
    }
  if (group == NULL)
    return;
  end_cluster (graph);
  end_cluster (graph);
}

static void
put_slot (Graph *graph, const CliMapSeat *seat)
{
  g_autofree char *slot = cli_map_seat_slot (seat);
  g_autofree char *fid = g_strdup_printf (_ ("fid %08x"), seat->fid);
  g_autofree char *name = cli_map_device_name (seat->function);
  const char *const lines[] = { slot, seat->has_zpci ? fid : "", name, NULL };

  put_node (graph, "guest", &seat->function->address, get_look (seat), lines);
}

/* A cluster has to have something in it, or graphviz leaves it out. */
static void
put_empty (Graph *graph, guint phb)
{
  indent (graph);
  g_string_append_printf (graph->text,
                          "\"%s guest PHB %u\" [label=\"\", style=\"invis\", height=0.2];\n",
                          graph->map, phb);
}

static void
put_phb (Graph *graph, const CliMap *map, const CliMapPhb *phb)
{
  g_autofree char *number = cli_map_phb_title (map, phb);
  g_autofree char *remark = cli_map_phb_remark (phb);
  g_autofree char *label
      = *remark == '\0' ? g_strdup (number) : g_strdup_printf ("%s: %s", number, remark);
  g_autofree char *name = g_strdup_printf ("guest %u", phb->index);

  begin_cluster (graph, name, label,
                 phb->seats->len == 0 && phb->emulated == 0 ? "dashed" : "rounded");
  if (phb->seats->len == 0)
    put_empty (graph, phb->index);
  for (guint i = 0; i < phb->seats->len; i++)
    put_slot (graph, phb->seats->pdata[i]);
  end_cluster (graph);
}

static void
put_guest (Graph *graph, const CliMap *map)
{
  g_autofree char *title = g_strdup_printf (_ ("Guest %s"), graph->view->guest);

  begin_cluster (graph, "guest", title, "filled");
  put_attribute (graph, "fillcolor", "#f3f5f7");
  for (guint i = 0; i < map->phbs->len; i++)
    put_phb (graph, map, map->phbs->pdata[i]);
  end_cluster (graph);
}

/* From each function to its slot, where both are in the picture. */
static void
put_edges (Graph *graph, const CliMap *map)
{
  char name[PCI_ADDRESS_LEN];

  for (guint i = 0; i < map->phbs->len; i++)
    {
      const CliMapPhb *phb = map->phbs->pdata[i];

      for (guint j = 0; j < phb->seats->len; j++)
        {
          const CliMapSeat *seat = phb->seats->pdata[j];

          if (!cli_map_is_shown (graph->view, seat->group))
            continue;
          pci_address_format (&seat->function->address, name);
          indent (graph);
          g_string_append_printf (graph->text, "\"%s host %s\" -> \"%s guest %s\"%s;\n", graph->map,
                                  name, graph->map, name, seat->changed ? " [penwidth=2.5]" : "");
        }
    }
}

/* Of a guest that has nothing graphviz would not know on which side of the host it is. */
static void
put_sides (Graph *graph, const CliMap *map)
{
  const CliMapPhb *phb = map->phbs->len > 0 ? map->phbs->pdata[0] : NULL;
  char name[PCI_ADDRESS_LEN];

  for (guint i = 0; phb != NULL && phb->seats->len == 0 && i < map->seats->len; i++)
    {
      const CliMapSeat *seat = map->seats->pdata[i];

      if (!cli_map_is_shown (graph->view, seat->group))
        continue;
      pci_address_format (&seat->function->address, name);
      indent (graph);
      g_string_append_printf (graph->text,
                              "\"%s host %s\" -> \"%s guest PHB %u\" [style=\"invis\"];\n",
                              graph->map, name, graph->map, phb->index);
      return;
    }
}

static void
put_map (Graph *graph, const CliMap *map, const char *name)
{
  graph->map = name;
  begin_cluster (graph, NULL, graph->view->after != NULL ? map->title : "", "solid");
  put_host (graph, map);
  if (graph->view->guest != NULL)
    {
      put_guest (graph, map);
      put_sides (graph, map);
      put_edges (graph, map);
    }
  end_cluster (graph);
}

/* Below it all: why there is no map of what was planned. */
static void
put_remark (Graph *graph)
{
  g_auto (GStrv) lines = NULL;

  if (graph->view->remark == NULL)
    return;
  lines = cli_text_fold (graph->view->remark, 100);
  indent (graph);
  g_string_append (graph->text, "label=\"");
  for (guint i = 0; lines[i] != NULL; i++)
    {
      put_quoted (graph, lines[i]);
      g_string_append (graph->text, "\\l");
    }
  g_string_append (graph->text, "\";\n");
  put_attribute (graph, "labelloc", "b");
}

char *
cli_map_to_dot (const CliMapView *view)
{
  Graph graph = { view, g_string_new ("digraph map {\n"), NULL, 1 };

  g_string_append (graph.text,
                   "  graph [charset=\"UTF-8\", rankdir=\"LR\", fontname=\"sans-serif\"];\n"
                   "  node [shape=\"box\", fontname=\"sans-serif\", fontsize=11];\n"
                   "  edge [color=\"#0b57b0\", arrowhead=\"none\"];\n");
  put_remark (&graph);
  /* What comes last is above. */
  if (view->after != NULL)
    put_map (&graph, view->after, "after");
  put_map (&graph, view->now, "now");
  g_string_append (graph.text, "}\n");
  return g_string_free (graph.text, FALSE);
}
