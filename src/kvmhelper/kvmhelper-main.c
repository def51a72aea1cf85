/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-log.h"
#include "kvmhelper/kvmhelper-service.h"
#include "kvmhelper/kvmhelper-worker.h"

#include <glib/gi18n-lib.h>

#define PROGRAM "ppc64-kvmhelper"

typedef struct
{
  gboolean version;
  gboolean verbose;
  char *state_directory;
} Options;

typedef struct
{
  GMainLoop *loop;
  int status;
} Program;

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
  g_option_context_set_summary (
      context, _ ("Takes PCI devices from this host for KVM guests, and gives them back. Speaks "
                  "D-Bus, as org.libvirt.Ppc64.KvmHelper1."));
  return g_option_context_parse (context, argc, argv, error);
}

static char *
choose_state_directory (const Options *options)
{
  const char *given = g_getenv ("STATE_DIRECTORY");

  if (options->state_directory != NULL)
    return g_strdup (options->state_directory);
  return g_strdup (given != NULL && *given == '/' ? given : "/var/lib/" PROGRAM);
}

static void
end (Program *program, int status)
{
  program->status = MAX (program->status, status);
  g_main_loop_quit (program->loop);
}

static void
name_acquired (GDBusConnection *connection, const char *name, gpointer program)
{
  sd_notify (0, "READY=1");
}

static void
name_lost (GDBusConnection *connection, const char *name, gpointer program)
{
  g_warning ("The name %s is not to be had, or was lost", name);
  end (program, EXIT_FAILURE);
}

static void
bus_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer program)
{
  g_warning ("The system bus is gone%s%s", error == NULL ? "" : ": ",
             error == NULL ? "" : error->message);
  end (program, EXIT_FAILURE);
}

static gboolean
told_to_end (gpointer program)
{
  end (program, EXIT_SUCCESS);
  return G_SOURCE_CONTINUE;
}

/* Serves until it is told to end; what is under way then comes to its end. */
static int
serve (const KvmHelperServiceConfig *config, GDBusConnection *connection)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { loop, EXIT_SUCCESS };
  g_autoptr (GError) error = NULL;
  KvmHelperService *service = kvmhelper_service_new (config, connection, &error);
  guint name;

  if (service == NULL)
    {
      g_printerr ("%s: %s\n", PROGRAM, error->message);
      return EXIT_FAILURE;
    }
  g_unix_signal_add (SIGTERM, told_to_end, &program);
  g_unix_signal_add (SIGINT, told_to_end, &program);
  g_signal_connect (connection, "closed", G_CALLBACK (bus_closed), &program);
  name = g_bus_own_name_on_connection (connection, COMMON_DBUS_KVMHELPER_NAME,
                                       G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, name_acquired,
                                       name_lost, &program, NULL);
  g_main_loop_run (loop);

  sd_notify (0, "STOPPING=1");
  g_bus_unown_name (name);
  if (!kvmhelper_service_stop (service))
    {
      /* Something hangs in the kernel. What it had is in the journal, for the next start. */
      g_warning ("A call did not come to its end in time");
      program.status = EXIT_FAILURE;
    }
  return program.status;
}

int
main (int argc, char **argv)
{
  Options options = { FALSE, FALSE, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = NULL;
  g_autofree char *given_directory = NULL;
  g_autofree char *state_directory = NULL;
  KvmHelperKernel *kernel;
  int status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (argc == 4 && g_str_equal (argv[1], KVMHELPER_WORKER_OPTION))
    {
      kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", NULL);
      status = kernel == NULL ? EXIT_FAILURE : kvmhelper_worker_main (kernel, argv[2], argv[3]);
      g_clear_pointer (&kernel, kvmhelper_kernel_linux_free);
      return status;
    }
  if (!parse_options (&argc, &argv, &options, &error))
    {
      g_printerr ("%s: %s\n", PROGRAM, error->message);
      return EXIT_FAILURE;
    }
  given_directory = options.state_directory;
  if (options.version)
    {
      printf ("%s %s\n", PROGRAM, PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
  common_log_init (PROGRAM, options.verbose);
  state_directory = choose_state_directory (&options);
  kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  if (kernel != NULL)
    connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  if (connection == NULL)
    {
      g_printerr ("%s: %s\n", PROGRAM, error->message);
      g_clear_pointer (&kernel, kvmhelper_kernel_linux_free);
      return EXIT_FAILURE;
    }
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  status = serve (&(KvmHelperServiceConfig){ kernel, state_directory, kvmhelper_worker_rehearse },
                  connection);
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  /* On the spot: a call that hangs, and one that GDBus has queued and not begun, may look at the
   * service and the kernel's roots still. */
  _exit (status);
}
