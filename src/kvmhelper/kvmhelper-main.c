/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-serve.h"
#include "kvmhelper/kvmhelper-simulation-main.h"
#include "kvmhelper/kvmhelper-worker.h"

#include <glib/gi18n-lib.h>

#define PROGRAM "ppc64-kvmhelper"

typedef struct
{
  gboolean version;
  gboolean verbose;
  char *state_directory;
  KvmHelperSimulationOptions simulation;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->state_directory);
  kvmhelper_simulation_options_clear (&options->simulation);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
parse_options (int *argc, char ***argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_directory,
      N_ ("Where leases are written down"), N_ ("DIRECTORY") },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &options->verbose, N_ ("Log what is of use to debug"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Print the version and exit"),
      NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  kvmhelper_simulation_options_add (context, &options->simulation);
  g_option_context_set_summary (
      context, _ ("Takes PCI devices from this host for KVM guests, and gives them back. Speaks "
                  "D-Bus, as org.libvirt.Ppc64.KvmHelper1."));
  return g_option_context_parse (context, argc, argv, error)
         && kvmhelper_simulation_options_check (&options->simulation, error);
}

static char *
choose_state_directory (const Options *options)
{
  const char *given = g_getenv ("STATE_DIRECTORY");

  if (options->state_directory != NULL)
    return g_strdup (options->state_directory);
  return g_strdup (given != NULL && *given == '/' ? given : "/var/lib/" PROGRAM);
}

static int
run_worker (const char *group, const char *address)
{
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", NULL);
  int status;

  if (kernel == NULL)
    return EXIT_FAILURE;
  status = kvmhelper_worker_main (kernel, group, address);
  kvmhelper_kernel_linux_free (kernel);
  return status;
}

/* On the Linux that runs here, behind polkit. The kernel is not freed: see kvmhelper_serve. */
static int
run_on_linux (const Options *options)
{
  g_autofree char *state_directory = choose_state_directory (options);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  KvmHelperServiceConfig config = { kernel, state_directory, kvmhelper_worker_rehearse, NULL };
  KvmHelperPlace place = { .name = COMMON_DBUS_KVMHELPER_NAME };
  int status;

  if (kernel != NULL)
    place.connection = connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  if (connection != NULL && kvmhelper_serve (&config, &place, &status, &error))
    return status;
  g_printerr ("%s: %s\n", PROGRAM, error->message);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { .simulation = KVMHELPER_SIMULATION_OPTIONS_INIT };
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (argc == 4 && g_str_equal (argv[1], KVMHELPER_WORKER_OPTION))
    return run_worker (argv[2], argv[3]);
  if (!parse_options (&argc, &argv, &options, &error))
    {
      g_printerr ("%s: %s\n", PROGRAM, error->message);
      return EXIT_FAILURE;
    }
  if (options.version)
    {
      printf ("%s %s\n", PROGRAM, PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
  common_log_init (PROGRAM, options.verbose);
  /* On the spot: a call that hangs, and one that GDBus has queued and not begun, may look at the
   * service and the kernel's roots still. */
  if (options.simulation.file != NULL)
    _exit (kvmhelper_simulation_main (&options.simulation, options.state_directory));
  _exit (run_on_linux (&options));
}
