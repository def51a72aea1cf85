/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-hook-side.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/common-error.h"

/* libvirt holds the domain: to ask it would be a deadlock. */
static gboolean
never_ask (gpointer data, const char *uuid, guint timeout, char **xml, GError **error)
{
  g_assert_not_reached ();
}

void
test_hook_set_up (TestHook *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->directory = g_dir_make_tmp ("driver-hook-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->directory, "hook", NULL);
  self->fake = test_helper_new ();
  self->helper = driver_helper_new (test_helper_get_address (self->fake));
  self->domains = (DriverDomains){ never_ask, self };
  self->transactions = driver_transactions_new (self->helper, &self->domains, 60);
  g_assert_true (driver_sockets_listen (self->directory, 0660, self->fds, &error));
  g_assert_no_error (error);
  self->hook
      = driver_hook_new (self->fds[DRIVER_SOCKET_HOOK], self->helper, self->transactions, &error);
  g_assert_no_error (error);
}

void
test_hook_tear_down (TestHook *self, gconstpointer data)
{
  driver_hook_free (self->hook);
  driver_transactions_free (self->transactions);
  driver_helper_free (self->helper);
  test_helper_free (self->fake);
  for (int s = 0; s < DRIVER_SOCKET_LAST; s++)
    {
      g_autofree char *path
          = g_build_filename (self->directory, driver_socket_name ((DriverSocket) s), NULL);

      if (s != DRIVER_SOCKET_HOOK)
        close (self->fds[s]);
      g_unlink (path);
    }
  g_rmdir (self->directory);
  g_free (self->directory);
  g_free (self->path);
}

char *
test_hook_xml (const char *type, const char *metadata, const char *devices)
{
  return g_strdup_printf (
      "<domain type='%s'><name>guest</name><uuid>" TEST_UUID "</uuid><metadata>%s</metadata>"
      "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices>"
      "<controller type='pci' index='0' model='pci-root'/>"
      "<controller type='pci' index='1' model='pci-root'><target index='1'/></controller>"
      "<controller type='pci' index='2' model='pci-root'><target index='2'/></controller>"
      "%s</devices></domain>",
      type, metadata, devices);
}

static void
on_done (GObject *process, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

/* Runs the hook program, with that on stdin; returns the exit status. */
int
test_hook_run (const char *socket, const char *operation, const char *xml, char **message)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                   | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL, *errors = NULL;

  g_subprocess_launcher_setenv (launcher, DRIVER_HOOK_SOCKET_ENV, socket, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, DRIVER_HOOK, "guest", operation, "begin",
                                         "-", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8_async (process, xml, NULL, on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_subprocess_communicate_utf8_finish (process, result, &output, &errors, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpstr (output, ==, "");
  *message = g_steal_pointer (&errors);
  return g_subprocess_get_exit_status (process);
}

void
test_hook_check (TestHook *self, const char *operation, const char *xml, int status,
                 const char *words, const char *log)
{
  g_autofree char *message = NULL;

  test_helper_clear_log (self->fake);
  g_assert_cmpint (test_hook_run (self->path, operation, xml, &message), ==, status);
  if (words == NULL)
    g_assert_cmpstr (message, ==, "");
  else if (strstr (message, words) == NULL)
    g_error ("“%s” is not in “%s”", words, message);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, log);
}
