/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The helper's command line. It is that of two programs: ppc64-kvmhelper, and
 * ppc64-kvmhelper-simulated, in whose place it puts itself for --simulate, so that what runs as
 * root has no model of a host in it.
 */
#define KVMHELPER_PROGRAM           "ppc64-kvmhelper"
#define KVMHELPER_PROGRAM_SIMULATED "ppc64-kvmhelper-simulated"

typedef struct
{
  gboolean version;
  gboolean verbose;
  char *state_directory;
  char *config_file;
  char *file;   /* the description of a simulated host; NULL: not simulated */
  char *bus;    /* simulated: the address of a bus; NULL: the session's */
  int socket;   /* simulated: a descriptor with one caller at its other end, and no bus; -1 */
  char **rules; /* simulated: of faults, a text each; NULL */
} KvmHelperOptions;

#define KVMHELPER_OPTIONS_INIT                                                                     \
  {                                                                                                \
    .socket = -1                                                                                   \
  }

/** kvmhelper_options_parse: FALSE also for options that do not go together. */
gboolean
kvmhelper_options_parse (int *argc, char ***argv, KvmHelperOptions *options, GError **error);

void kvmhelper_options_clear (KvmHelperOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperOptions, kvmhelper_options_clear)
