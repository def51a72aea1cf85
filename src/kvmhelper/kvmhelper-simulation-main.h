/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * The helper on a simulated host: what its command line has for that, and its course from start to
 * end. It needs no privilege, and touches nothing but its state directory.
 */
typedef struct
{
  char *file;   /* the host's description; NULL: not simulated */
  char *bus;    /* the address of a bus; NULL: the session's */
  int socket;   /* a file descriptor with one caller at its other end, and no bus; -1 */
  char **rules; /* of faults, a text each; NULL */
} KvmHelperSimulationOptions;

#define KVMHELPER_SIMULATION_OPTIONS_INIT                                                          \
  {                                                                                                \
    .socket = -1                                                                                   \
  }

/** kvmhelper_simulation_options_add: the options, for a command line. */
void
kvmhelper_simulation_options_add (GOptionContext *context, KvmHelperSimulationOptions *options);

/** kvmhelper_simulation_options_check: that none is there which says nothing of a real host. */
gboolean
kvmhelper_simulation_options_check (const KvmHelperSimulationOptions *options, GError **error);
void kvmhelper_simulation_options_clear (KvmHelperSimulationOptions *options);

/**
 * kvmhelper_simulation_main: serves until it is told to end. @state_directory is where leases and
 * the host are kept from one start to the next; NULL: nowhere. Returns the status to exit with.
 */
int
kvmhelper_simulation_main (const KvmHelperSimulationOptions *options, const char *state_directory);
