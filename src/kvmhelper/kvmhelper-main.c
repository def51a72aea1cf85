/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-options.h"
#include "kvmhelper/kvmhelper-guard.h"
#include "kvmhelper/kvmhelper-serve.h"
#include "kvmhelper/kvmhelper-worker.h"

#include <glib/gi18n-lib.h>

static char *
choose_state_directory (const KvmHelperOptions *options)
{
  const char *given = g_getenv ("STATE_DIRECTORY");

  if (options->state_directory != NULL)
    return g_strdup (options->state_directory);
  return g_strdup (given != NULL && *given == '/' ? given : "/var/lib/" KVMHELPER_PROGRAM);
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

/* NULL where what the administrator said cannot be known: nothing is begun then. */
static KvmHelperConfig *
read_config (const char *given, GError **error)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();

  if (!kvmhelper_config_read (config, given != NULL ? given : KVMHELPER_CONFIG_FILE, given == NULL,
                              error))
    return NULL;
  return g_steal_pointer (&config);
}

/* On the Linux that runs here, behind polkit. Neither the kernel nor the
 * configuration is freed: see kvmhelper_serve. */
static int
run_on_linux (const KvmHelperOptions *options)
{
  g_autofree char *state_directory = choose_state_directory (options);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  KvmHelperConfig *config = kernel == NULL ? NULL : read_config (options->config_file, &error);
  KvmHelperServiceConfig service = {
    .kernel = kernel,
    .state_directory = state_directory,
    .rehearse = kvmhelper_worker_rehearse,
    .config = config,
  };
  KvmHelperPlace place = { .name = COMMON_DBUS_KVMHELPER_NAME };
  int status;

  if (config != NULL)
    place.connection = connection = kvmhelper_guard_connect (NULL, &error);
  if (connection != NULL && kvmhelper_serve (&service, &place, &status, &error))
    return status;
  g_printerr ("%s: %s\n", KVMHELPER_PROGRAM, error->message);
  return EXIT_FAILURE;
}

/* The program beside this one, with what this one was given. Returns where there is none. */
static void
become_simulated (char **arguments)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = self == NULL ? NULL : g_path_get_dirname (self);
  g_autofree char *program
      = directory == NULL ? NULL : g_build_filename (directory, KVMHELPER_PROGRAM_SIMULATED, NULL);

  if (program != NULL)
    execv (program, arguments);
  g_printerr ("%s: %s: %s\n", KVMHELPER_PROGRAM, KVMHELPER_PROGRAM_SIMULATED, g_strerror (errno));
}

int
main (int argc, char **argv)
{
  g_auto (KvmHelperOptions) options = KVMHELPER_OPTIONS_INIT;
  g_auto (GStrv) arguments = g_strdupv (argv);
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (argc == 4 && g_str_equal (argv[1], KVMHELPER_WORKER_OPTION))
    return run_worker (argv[2], argv[3]);
  if (!kvmhelper_options_parse (&argc, &argv, &options, &error))
    {
      g_printerr ("%s: %s\n", KVMHELPER_PROGRAM, error->message);
      return EXIT_FAILURE;
    }
  if (options.version)
    {
      printf ("%s %s\n", KVMHELPER_PROGRAM, PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
  if (options.file != NULL)
    {
      become_simulated (arguments);
      return EXIT_FAILURE;
    }
  common_log_init (KVMHELPER_PROGRAM, options.verbose);
  /* On the spot: a call that hangs, and one that GDBus has queued and not begun, may look at the
   * service and the kernel's roots still. */
  _exit (run_on_linux (&options));
}
