/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev-fixture.h"

/* A plan: what is left out is a running pSeries KVM guest on the host of data/powernv.xml that is
 * to get 0000:01:00.0, with two PHBs free. */
typedef struct
{
  const char *host;          /* the file in data */
  const char *from, *to;     /* what of it is changed */
  const char *arch;          /* "ppc64le"; no PHBs with another */
  const char *machine;       /* "pseries-7.2" */
  const char *top, *devices; /* more of the guest */
  char operation;            /* 'a'ttach, 's'tart, 'd'etach; of the latter two the guest has it */
  const char *address;       /* of the device; "" for none in a start */
  const char *more;          /* in the device's XML */
  gboolean unmanaged, no_phbs, is_there, absent;
  const char *claim; /* another guest that libvirt knows to have it: "running" or "defined" */
} Plan;

/* A code, a plan that says it, and one that is as like it as can be and does not. */
typedef struct
{
  HostdevStatementId id;
  Plan yes, no;
} Code;

/* One edge of a rule: what is said by its code, or is not, and the plan that shows it. */
typedef struct
{
  HostdevStatementId id;
  gboolean said;
  Plan plan;
  const char *words; /* in its sentence; NULL: whatever it is */
} Edge;

/** codes_run_edges: makes all these plans. */
int codes_run_edges (int argc, char **argv, const Edge *edges, gsize count);

/** codes_run: makes all these plans; @statements: all that there has to be a case for. */
int codes_run (int argc, char **argv, const char *name, const Code *codes, gsize count,
               const HostdevStatement *statements, gsize n_statements);
