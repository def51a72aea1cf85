/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-daemon.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Who nobody is; libvirtd as root would be the machine's own. */
#define NOBODY 65534

gboolean
test_daemon_installed (void)
{
  g_autofree char *libvirtd = g_find_program_in_path ("libvirtd");
  g_autofree char *sbin = g_find_program_in_path ("/usr/sbin/libvirtd");
  g_autofree char *virsh = g_find_program_in_path ("virsh");

  return (libvirtd != NULL || sbin != NULL) && virsh != NULL;
}

/* In the child: as nobody, and no longer than the test. */
static void
set_up_child (gpointer unused)
{
  if (geteuid () == 0
      && (setgroups (0, NULL) != 0 || setresgid (NOBODY, NOBODY, NOBODY) != 0
          || setresuid (NOBODY, NOBODY, NOBODY) != 0))
    _exit (1);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static void
end_with_parent (gpointer unused)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean
exists (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

void
test_daemon_wait (const char *directory)
{
  for (int i = 0; i < 300 && !exists (directory, "libvirt-sock"); i++)
    g_usleep (G_USEC_PER_SEC / 20);
  g_assert_true (exists (directory, "libvirt-sock"));
}

void
test_daemon_set_up (GSubprocessLauncher *launcher, const char *directory)
{
  g_autofree char *path = g_strdup_printf ("/usr/sbin:/sbin:%s", g_getenv ("PATH"));

  g_subprocess_launcher_set_cwd (launcher, directory);
  g_subprocess_launcher_setenv (launcher, "HOME", directory, TRUE);
  g_subprocess_launcher_setenv (launcher, "PATH", path, TRUE);
  g_subprocess_launcher_setenv (launcher, "XDG_RUNTIME_DIR", directory, TRUE);
  g_subprocess_launcher_unsetenv (launcher, "XDG_CONFIG_HOME");
  g_subprocess_launcher_unsetenv (launcher, "XDG_CACHE_HOME");
  g_subprocess_launcher_set_child_setup (launcher, set_up_child, NULL, NULL);
}

void
test_daemon_give (const char *path)
{
  if (geteuid () == 0)
    g_assert_cmpint (chown (path, NOBODY, NOBODY), ==, 0);
}

void
test_daemon_start_libvirtd (TestDaemon *self)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autofree char *socket = g_build_filename (self->sockets, "libvirt-sock", NULL);
  g_autoptr (GError) error = NULL;

  unlink (socket);
  test_daemon_set_up (launcher, self->directory);
  self->libvirtd
      = g_subprocess_launcher_spawn (launcher, &error, "libvirtd", "--timeout", "0", NULL);
  g_assert_no_error (error);
  test_daemon_wait (self->sockets);
}

void
test_daemon_kill_libvirtd (TestDaemon *self)
{
  g_subprocess_send_signal (self->libvirtd, SIGTERM);
  g_subprocess_wait (self->libvirtd, NULL, NULL);
  g_clear_object (&self->libvirtd);
}

static void
write_config (const TestDaemon *self)
{
  g_autofree char *directory = g_build_filename (self->directory, ".config", "libvirt", NULL);
  g_autofree char *path = g_build_filename (directory, "libvirtd.conf", NULL);
  g_autofree char *parent = g_path_get_dirname (directory);
  const char *const paths[] = { parent, directory, path };

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, self->config, -1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    test_daemon_give (paths[i]);
}

/* Where both are to be, and libvirtd. */
static void
start_upstream (TestDaemon *self)
{
  g_autoptr (GError) error = NULL;

  self->directory = g_dir_make_tmp ("driver-libvirt-XXXXXX", &error);
  g_assert_no_error (error);
  test_daemon_give (self->directory);
  self->sockets = g_build_filename (self->directory, "libvirt", NULL);
  self->relayed = g_dir_make_tmp ("driver-relayed-XXXXXX", &error);
  g_assert_no_error (error);
  if (self->config != NULL)
    write_config (self);
  test_daemon_start_libvirtd (self);
}

static void
start_relay (TestDaemon *self, const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      g_test_verbose () ? G_SUBPROCESS_FLAGS_NONE
                        : G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  self->driver = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  test_daemon_wait (self->relayed);
}

void
test_daemon_start (TestDaemon *self)
{
  start_upstream (self);
  const char *const argv[] = { VIRTPPC64D,
                               "--listen",
                               self->relayed,
                               "--upstream",
                               self->sockets,
                               "--bus",
                               "unix:path=/nonexistent/bus",
                               NULL };
  start_relay (self, argv);
}

void
test_daemon_start_with (TestDaemon *self, const char *program, const char *role)
{
  start_upstream (self);
  const char *const argv[] = { program, role, self->relayed, self->sockets, NULL };
  start_relay (self, argv);
}

void
test_daemon_remove_tree (const char *directory)
{
  const char *const command[] = { "rm", "-rf", directory, NULL };

  g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                NULL);
}

void
test_daemon_stop (TestDaemon *self)
{
  g_subprocess_send_signal (self->driver, SIGTERM);
  g_subprocess_wait (self->driver, NULL, NULL);
  g_assert_true (g_subprocess_get_if_exited (self->driver));
  g_assert_cmpint (g_subprocess_get_exit_status (self->driver), ==, 0);
  g_object_unref (self->driver);
  test_daemon_kill_libvirtd (self);
  test_daemon_remove_tree (self->directory);
  test_daemon_remove_tree (self->relayed);
  g_free (self->directory);
  g_free (self->sockets);
  g_free (self->relayed);
}

char *
test_daemon_uri (const TestDaemon *self, const char *scheme, const char *path, gboolean relayed)
{
  return g_strdup_printf ("%s+unix:///%s?socket=%s/libvirt-sock", scheme, path,
                          relayed ? self->relayed : self->sockets);
}

char *
test_virsh (const char *uri, const char *command, int *status)
{
  g_autofree char *line = g_strdup_printf ("virsh -q -c '%s' %s", uri, command);
  const char *const argv[] = { "sh", "-c", line, NULL };
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  process = g_subprocess_newv (
      argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  *status = g_subprocess_get_exit_status (process);
  return output;
}
