/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-simulation-main.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-serve.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-control.h"
#include "kvmhelper/kvmhelper-simulation.h"

#include <glib/gi18n-lib.h>

#define TEMPORARY "ppc64-kvmhelper-simulated-XXXXXX"

void
kvmhelper_simulation_options_add (GOptionContext *context, KvmHelperSimulationOptions *options)
{
  const GOptionEntry entries[] = {
    { "simulate", 0, 0, G_OPTION_ARG_FILENAME, &options->file,
      N_ ("Run on the simulated host that is described there, without privileges and away from "
          "this machine"),
      N_ ("FILE") },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &options->bus,
      N_ ("With --simulate: the bus to be on, in the place of the session's"), N_ ("ADDRESS") },
    { "socket-fd", 0, 0, G_OPTION_ARG_INT, &options->socket,
      N_ ("With --simulate: one caller, at the other end of this socket, and no bus"),
      N_ ("NUMBER") },
    { "fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rules,
      N_ ("With --simulate: what goes wrong in the kernel, see ppc64-simulated-host(5)"),
      N_ ("RULES") },
    { NULL },
  };

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
}

gboolean
kvmhelper_simulation_options_check (const KvmHelperSimulationOptions *options, GError **error)
{
  const char *wrong = NULL;

  if (options->file == NULL
      && (options->bus != NULL || options->socket >= 0 || options->rules != NULL))
    wrong = _ ("--bus, --socket-fd and --fault go with --simulate alone");
  else if (options->bus != NULL && options->socket >= 0)
    wrong = _ ("--bus and --socket-fd do not go together");
  if (wrong != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return wrong == NULL;
}

void
kvmhelper_simulation_options_clear (KvmHelperSimulationOptions *options)
{
  g_free (options->file);
  g_free (options->bus);
  g_strfreev (options->rules);
}

static int
remove_entry (const char *path, const struct stat *stat, int type, struct FTW *place)
{
  return remove (path);
}

static GDBusConnection *
connect_callers (const KvmHelperSimulationOptions *options, GError **error)
{
  if (options->socket >= 0)
    return kvmhelper_simulation_connect_socket (options->socket, error);
  return kvmhelper_simulation_connect_bus (options->bus, error);
}

static gboolean
serve (KvmHelperSimulation *simulation, GDBusConnection *connection, gboolean peer_to_peer,
       const char *state_directory, int *status, GError **error)
{
  KvmHelperServiceConfig config = {
    .kernel = kvmhelper_simulation_kernel (simulation),
    .state_directory = state_directory,
    .rehearse = kvmhelper_simulation_rehearse,
    .authorize = kvmhelper_simulation_authorize,
  };
  KvmHelperPlace place = {
    .connection = connection,
    .name = peer_to_peer ? NULL : COMMON_DBUS_SIMULATION_NAME,
    .beside = kvmhelper_simulation_control_new (simulation),
    .beside_path = COMMON_DBUS_SIMULATION_PATH,
  };

  return kvmhelper_serve (&config, &place, status, error);
}

static gboolean
run (const KvmHelperSimulationOptions *options, const char *state_directory, int *status,
     GError **error)
{
  KvmHelperSimulation *simulation;
  g_autoptr (GDBusConnection) connection = NULL;

  simulation = kvmhelper_simulation_new (options->file, state_directory, options->rules, error);
  if (simulation == NULL)
    return FALSE;
  connection = connect_callers (options, error);
  if (connection == NULL)
    return FALSE;
  if (options->socket < 0)
    g_message ("%s is there for user %u, as %s", options->file, geteuid (),
               COMMON_DBUS_SIMULATION_NAME);
  /* One that could not begin may have found another at work there: nothing is saved then. */
  return serve (simulation, connection, options->socket >= 0, state_directory, status, error)
         && kvmhelper_simulation_save (simulation, error);
}

int
kvmhelper_simulation_main (const KvmHelperSimulationOptions *options, const char *state_directory)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *temporary = NULL;
  int status = EXIT_FAILURE;

  common_log_mark ("simulated");
  if (state_directory == NULL)
    temporary = g_dir_make_tmp (TEMPORARY, &error);
  if ((state_directory == NULL && temporary == NULL)
      || !run (options, temporary != NULL ? temporary : state_directory, &status, &error))
    {
      g_printerr (_ ("%s: simulated: %s\n"), g_get_prgname (), error->message);
      status = EXIT_FAILURE;
    }
  if (temporary != NULL)
    nftw (temporary, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  return status;
}
