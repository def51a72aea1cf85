/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/**
 * Where each function of a host is at one moment: now, or after what a plan is for.
 */

typedef enum
{
  CLI_MAP_AT_HOST,   /* the host's, with a driver or without */
  CLI_MAP_AT_GUEST,  /* the guest's that the map is about */
  CLI_MAP_WITH_IT,   /* left the host with its group, and no guest sees it */
  CLI_MAP_AT_OTHERS, /* of a group that another guest, or somebody unknown, has */
} CliMapWhere;

/* A function's seat. */
typedef struct
{
  const HostdevGroup *group;
  const HostdevFunction *function;
  CliMapWhere where;
  gboolean changed;  /* it is not where it was in the map before */
  gboolean has_phb;  /* what follows is known */
  guint phb;         /* the guest's PHB, by the controller's index */
  gboolean has_slot; /* … and this */
  guint slot, slot_function;
  gboolean has_zpci; /* of an s390x guest: by what it is known there, whatever its slot */
  guint uid, fid;
} CliMapSeat;

/* A PHB of the guest; an s390x guest has one for all. */
typedef struct
{
  guint index;
  guint emulated;
  GPtrArray *seats; /* CliMapSeat of the map, by slot */
} CliMapPhb;

typedef struct
{
  const char *title; /* translated */
  GPtrArray *seats;  /* CliMapSeat: all endpoints that are in a group, by group and address */
  GPtrArray *phbs;   /* CliMapPhb, by index; empty: there is no guest */
  gboolean zpci;     /* the guest is of s390x; without one, the host */
} CliMap;

void cli_map_free (CliMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliMap, cli_map_free)

/**
 * cli_map_now: @domain is the guest, or NULL: without one the map is of the host alone. A guest
 * that does not run has nothing yet.
 */
CliMap *cli_map_now (const HostdevHost *host, const HostdevDomain *domain);

/**
 * cli_map_after: when what @plan is for was done.
 * @device: that is attached; NULL: a start
 * @start: the plan of the start that comes before an attachment; NULL: the guest runs, or @plan is
 *   of a start
 */
CliMap *
cli_map_after (const HostdevHost *host, const HostdevDomain *domain, const HostdevDevice *device,
               const HostdevPlan *start, const HostdevPlan *plan, const CliMap *now);

/**
 * cli_map_concerns: whether the group has to do with the guest, in either map; @after may be NULL.
 */
gboolean cli_map_concerns (const CliMap *now, const CliMap *after, const HostdevGroup *group);

/** cli_map_seat_guest: who has a function that is not at home, in words; NULL: nobody. */
char *cli_map_seat_guest (const CliMapSeat *seat, const char *guest);

/** cli_map_seat_slot: where in the guest it is, in words: "slot 01.0", "uid 0005"; to be freed. */
char *cli_map_seat_slot (const CliMapSeat *seat);

/** cli_map_where_name: as in JSON: "host", "guest", "with-group", "others". */
const char *cli_map_where_name (CliMapWhere where);
