/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-options.h"
#include "kvmhelper/kvmhelper-serve.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-control.h"
#include "kvmhelper/kvmhelper-simulation.h"

#include <glib/gi18n-lib.h>

#define TEMPORARY "ppc64-kvmhelper-simulated-XXXXXX"

static int
remove_entry (const char *path, const struct stat *stat, int type, struct FTW *place)
{
  return remove (path);
}

static GDBusConnection *
connect_callers (const KvmHelperOptions *options, GError **error)
{
  if (options->socket >= 0)
    return kvmhelper_simulation_connect_socket (options->socket, error);
  return kvmhelper_simulation_connect_bus (options->bus, error);
}

static gboolean
serve (KvmHelperSimulation *simulation, GDBusConnection *connection, gboolean peer_to_peer,
       const char *state_directory, const KvmHelperConfig *configured, int *status, GError **error)
{
  KvmHelperServiceConfig config = {
    .kernel = kvmhelper_simulation_kernel (simulation),
    .state_directory = state_directory,
    .rehearse = kvmhelper_simulation_rehearse,
    .authorize = kvmhelper_simulation_authorize,
    .config = configured,
  };
  KvmHelperPlace place = {
    .connection = connection,
    .name = peer_to_peer ? NULL : COMMON_DBUS_SIMULATION_NAME,
    .beside = kvmhelper_simulation_control_new (simulation),
    .beside_path = COMMON_DBUS_SIMULATION_PATH,
  };

  return kvmhelper_serve (&config, &place, status, error);
}

/* Nothing of this machine's file. Nobody starts a simulated host again that has ended. */
static KvmHelperConfig *
configure (const char *file, GError **error)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();

  config->idle_exit_seconds = 0;
  if (file != NULL && !kvmhelper_config_read (config, file, FALSE, error))
    return NULL;
  return g_steal_pointer (&config);
}

/* What is made here is not freed: see kvmhelper_serve. */
static gboolean
run (const KvmHelperOptions *options, const char *state_directory, int *status, GError **error)
{
  KvmHelperSimulation *simulation;
  KvmHelperConfig *config;
  g_autoptr (GDBusConnection) connection = NULL;

  config = configure (options->config_file, error);
  if (config == NULL)
    return FALSE;
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
  return serve (simulation, connection, options->socket >= 0, state_directory, config, status,
                error)
         && kvmhelper_simulation_save (simulation, error);
}

static int
simulate (const KvmHelperOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *temporary = NULL;
  const char *directory = options->state_directory;
  int status = EXIT_FAILURE;

  common_log_mark ("simulated");
  if (directory == NULL)
    directory = temporary = g_dir_make_tmp (TEMPORARY, &error);
  if (directory == NULL || !run (options, directory, &status, &error))
    {
      g_printerr (_ ("%s: simulated: %s\n"), g_get_prgname (), error->message);
      status = EXIT_FAILURE;
    }
  if (temporary != NULL)
    nftw (temporary, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  return status;
}

/* The helper on a simulated host. It needs no privilege, and touches nothing but its state
 * directory. */
int
main (int argc, char **argv)
{
  g_auto (KvmHelperOptions) options = KVMHELPER_OPTIONS_INIT;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (!kvmhelper_options_parse (&argc, &argv, &options, &error) || options.file == NULL)
    {
      g_printerr ("%s: %s\n", KVMHELPER_PROGRAM_SIMULATED,
                  error != NULL ? error->message : _ ("it takes --simulate"));
      return EXIT_FAILURE;
    }
  common_log_init (KVMHELPER_PROGRAM, options.verbose);
  /* On the spot, as ppc64-kvmhelper does. */
  _exit (simulate (&options));
}
