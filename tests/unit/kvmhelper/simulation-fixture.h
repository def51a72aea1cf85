/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-simulation.h"

/**
 * A helper on a simulated host (data/hosts/one-card.xml), served in a thread of its own to one
 * caller: the test. What is done here succeeds, or the test fails.
 */
typedef struct
{
  char *directory; /* its state */
  char *file;
  KvmHelperSimulation *simulation;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GDBusConnection *client; /* NULL: it is not served now */
  int ends[2];
} SimulationFixture;

#define SIMULATION_CARD "0000:01:00.0"
#define SIMULATION_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct
{
  const char *path;
  void (*func) (SimulationFixture *fixture, gconstpointer data);
} SimulationTest;

/** simulation_fixture_run: a test program's main: each of @tests with a host of its own. */
int simulation_fixture_run (int argc, char **argv, const SimulationTest *tests, gsize count);

/** simulation_fixture_open: the host as it was saved, or a new one. @rules: of faults, or NULL. */
void simulation_fixture_open (SimulationFixture *fixture, char **rules);

/** simulation_fixture_begin: serves it; _end: until then, or to the end of the test. */
void simulation_fixture_begin (SimulationFixture *fixture);
void simulation_fixture_end (SimulationFixture *fixture);

/**
 * simulation_fixture_call: calls the helper, or, with @control, what makes things happen on its
 * host. A floating @parameters is taken; @list and @out: descriptors, may be NULL. The reply; or
 * NULL, and *@code is that of the error.
 */
GVariant *simulation_fixture_call (SimulationFixture *fixture, gboolean control, const char *method,
                                   GVariant *parameters, GUnixFDList *list, GUnixFDList **out,
                                   CommonErrorCode *code);
