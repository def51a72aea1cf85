/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-bus.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

struct _CliBus
{
  char *directory;
  char *address;
  GSubprocess *daemon;
};

static char *
write_file (const CliBus *bus, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (bus->directory, name, NULL);

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

static char *
write_config (const CliBus *bus, const char *service_exec)
{
  g_autofree char *service = NULL;
  g_autofree char *text = g_strdup_printf (
      "<busconfig><type>session</type><auth>EXTERNAL</auth><listen>%s</listen>"
      "<servicedir>%s</servicedir>"
      "<policy context='default'><allow user='*'/><allow own='*'/>"
      "<allow send_destination='*'/><allow receive_sender='*'/></policy></busconfig>",
      bus->address, bus->directory);

  if (service_exec != NULL)
    {
      g_autofree char *entry = g_strdup_printf (
          "[D-BUS Service]\nName=org.libvirt.Ppc64.KvmHelper1\nExec=%s\n", service_exec);

      service = write_file (bus, "org.libvirt.Ppc64.KvmHelper1.service", entry);
    }
  return write_file (bus, "bus.conf", text);
}

/* A test that fails aborts; the bus must not stay behind. */
static void
end_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

CliBus *
cli_bus_start (const char *service_exec)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *config = NULL;
  g_autofree char *option = NULL;
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  CliBus *bus = g_new0 (CliBus, 1);
  char ready[1];

  bus->directory = g_dir_make_tmp ("virt-ppc64-bus-XXXXXX", &error);
  g_assert_no_error (error);
  /* The bus is open to other users too; what it allows is in its policy. */
  g_assert_cmpint (g_chmod (bus->directory, 0755), ==, 0);
  bus->address = g_strdup_printf ("unix:path=%s/socket", bus->directory);
  config = write_config (bus, service_exec);
  option = g_strdup_printf ("--config-file=%s", config);
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                        | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  bus->daemon = g_subprocess_launcher_spawn (launcher, &error, "dbus-daemon", option, "--nofork",
                                             "--print-address", NULL);
  g_assert_no_error (error);
  /* It prints its address once it listens. */
  g_input_stream_read (g_subprocess_get_stdout_pipe (bus->daemon), ready, 1, NULL, &error);
  g_assert_no_error (error);
  return bus;
}

void
cli_bus_stop (CliBus *bus)
{
  static const char *const files[]
      = { "bus.conf", "org.libvirt.Ppc64.KvmHelper1.service", "socket" };

  if (bus == NULL)
    return;
  g_subprocess_send_signal (bus->daemon, SIGTERM);
  g_subprocess_wait (bus->daemon, NULL, NULL);
  g_object_unref (bus->daemon);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (bus->directory, files[i], NULL);

      g_unlink (path);
    }
  g_rmdir (bus->directory);
  g_free (bus->directory);
  g_free (bus->address);
  g_free (bus);
}

const char *
cli_bus_get_address (const CliBus *bus)
{
  return bus->address;
}

GDBusConnection *
cli_bus_connect (const CliBus *bus)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (
      bus->address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static gboolean
write_map (const char *file, const char *text)
{
  int fd = open (file, O_WRONLY | O_CLOEXEC);
  gboolean written;

  if (fd < 0)
    return FALSE;
  written = write (fd, text, strlen (text)) == (gssize) strlen (text);
  close (fd);
  return written;
}

gboolean
cli_bus_become_root (void)
{
  g_autofree char *users = g_strdup_printf ("0 %u 1", geteuid ());
  g_autofree char *groups = g_strdup_printf ("0 %u 1", getegid ());

  if (geteuid () == 0)
    return TRUE;
  return unshare (CLONE_NEWUSER) == 0 && write_map ("/proc/self/setgroups", "deny")
         && write_map ("/proc/self/uid_map", users) && write_map ("/proc/self/gid_map", groups);
}

void
cli_run_clear (CliRun *run)
{
  g_clear_pointer (&run->out, g_free);
  g_clear_pointer (&run->err, g_free);
}

static void
on_done (GObject *process, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

CliRun
cli_run (const CliBus *bus, const char *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *line = g_strdup_printf ("'%s' %s", VIRT_PPC64, arguments);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv = NULL;
  CliRun run = { 0 };

  g_subprocess_launcher_setenv (launcher, "DBUS_SYSTEM_BUS_ADDRESS",
                                bus != NULL ? bus->address : "unix:path=/nonexistent/bus", TRUE);
  g_subprocess_launcher_unsetenv (launcher, "COLUMNS");
  g_subprocess_launcher_unsetenv (launcher, "LANGUAGE");
  g_shell_parse_argv (line, NULL, &argv, &error);
  g_assert_no_error (error);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) argv, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8_async (process, NULL, NULL, on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_subprocess_communicate_utf8_finish (process, result, &run.out, &run.err, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  run.code = g_subprocess_get_exit_status (process);
  if (g_test_verbose ())
    g_test_message ("virt-ppc64 %s: %d\n%s%s", arguments, run.code, run.out, run.err);
  return run;
}

char *
cli_data_file (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "cli", "data", name, NULL);
}

void
cli_assert_golden (const char *text, const char *name)
{
  g_autofree char *path = cli_data_file (name);
  g_autofree char *golden = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &golden, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, golden);
}
