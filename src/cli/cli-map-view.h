/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "cli/cli-map-state.h"

/**
 * A map, to be looked at. What every view has: the groups that the guest has to do with, or all of
 * them; before, and where there is a plan, after.
 */
typedef struct
{
  const CliMap *now;
  const CliMap *after; /* NULL: nothing is planned, or it cannot be */
  const char *guest;   /* its name; NULL: none */
  const char *remark;  /* a sentence below it all; NULL */
  gboolean all;        /* the groups that the guest has nothing to do with as well */
} CliMapView;

/** cli_map_print: trees, on the terminal. */
void cli_map_print (const CliMapView *view);

/**
 * cli_map_to_svg: a picture, by itself: no script, no font and nothing else from elsewhere. It is
 * dark where the one who looks at it wants that (prefers-color-scheme), and light on paper. What
 * colour says, words and lines say as well. To be freed.
 *
 * It is written here and not by graphviz: the picture is two columns of boxes and lines between
 * them, which takes no layout; and it comes out the same wherever it is made.
 */
char *cli_map_to_svg (const CliMapView *view);

/**
 * cli_map_to_dot: the same for graphviz, a digraph, to be laid out and coloured as whoever has it
 * likes: a cluster for each map, host bridge, group, guest and host bridge of the guest; a node for
 * each function and each slot that has one, and an edge between them. To be freed.
 */
char *cli_map_to_dot (const CliMapView *view);

/** cli_map_to_json: one map: "host" and, where there is a guest, "guest". */
JsonObject *cli_map_to_json (const CliMapView *view, const CliMap *map);

/** cli_map_is_shown: whether the view has that group. */
gboolean cli_map_is_shown (const CliMapView *view, const HostdevGroup *group);

/** cli_map_count_hidden: how many groups it has not. */
guint cli_map_count_hidden (const CliMapView *view);

/** cli_map_group_title: "PE 1fd, group 3"; "group 3" where the host shows no PE, to be freed. */
char *cli_map_group_title (const HostdevGroup *group);

/**
 * cli_map_host_bridge: the host bridge that the group is below, which is its PCI domain on any
 * host. Of s390x that is the uid of its function 0, where those are unique, and else counted by the
 * kernel (Documentation/arch/s390/pci.rst).
 */
guint cli_map_host_bridge (const CliMap *map, const HostdevGroup *group);

/** cli_map_host_title: "PHB 0001"; of s390x "PCI domain 0001"; to be freed. */
char *cli_map_host_title (const CliMap *map, const HostdevGroup *group);

/** cli_map_phb_title: "PHB 1"; "zPCI" for all that an s390x guest has; to be freed. */
char *cli_map_phb_title (const CliMap *map, const CliMapPhb *phb);

/** cli_map_device_name: of the function: its name, class or numbers; to be freed. */
char *cli_map_device_name (const HostdevFunction *function);

/** cli_map_phb_remark: what is said of a PHB beside its number: "2 emulated devices", "free", "";
 * to be freed. */
char *cli_map_phb_remark (const CliMapPhb *phb);
