/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service-fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/common-error.h"

#define FIRST SERVICE_FIRST
#define UUID  SERVICE_UUID

/* What the helper's rehearsals do here: they begin, and go on until they are broken off; or have
 * come to their good end just then. */
static gint rehearsing, broken_off, passing;

static GPtrArray *
rehearse_for_ever (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                   KvmHelperStepFunc func, gpointer data, GCancellable *cancellable, GError **error)
{
  g_atomic_int_inc (&rehearsing);
  while (!g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
  g_atomic_int_inc (&broken_off);
  if (g_atomic_int_get (&passing))
    return g_ptr_array_new ();
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_CANCELLED, "broken off");
  return NULL;
}

static void
set_up_rehearsing (ServiceFixture *fixture, gconstpointer data)
{
  fixture->rehearse = rehearse_for_ever;
  g_atomic_int_set (&rehearsing, 0);
  g_atomic_int_set (&broken_off, 0);
  service_fixture_set_up (fixture, data);
  fixture->says_yes = TRUE;
}

static void
ignore_reply (GObject *source, GAsyncResult *result, gpointer done)
{
  G_GNUC_UNUSED g_autoptr (GVariant) reply G_GNUC_UNUSED
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  *(gboolean *) done = TRUE;
}

/* Until the helper has no lease; what a call left behind is undone by then. */
static void
assert_nothing_taken (ServiceFixture *fixture)
{
  g_autofree char *text = service_fixture_list_leases (fixture);

  for (guint i = 0; i < 5000 && !g_str_equal (text, "([],)"); i++)
    {
      g_usleep (1000);
      g_free (text);
      text = service_fixture_list_leases (fixture);
    }
  g_assert_cmpstr (text, ==, "([],)");
  kvmhelper_double_assert (fixture->host, FIRST, "e1000e", "");
}

static void
wait_withdrawn (ServiceFixture *fixture, guint wanted)
{
  guint withdrawn;

  do
    {
      g_usleep (1000);
      g_mutex_lock (&fixture->lock);
      withdrawn = fixture->withdrawn;
      g_mutex_unlock (&fixture->lock);
    }
  while (withdrawn < wanted);
}

/* The caller's connection goes while a person is asked: the question is withdrawn, and the yes that
 * comes all the same is for nobody. */
static void
test_during_question (ServiceFixture *fixture, gconstpointer data)
{
  GDBusConnection *caller = service_fixture_connect (fixture);
  gboolean done = FALSE;

  fixture->open = g_ptr_array_new ();
  service_fixture_begin (caller, "Prepare", service_fixture_prepare_arguments ("never"),
                         G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ignore_reply, &done);
  service_fixture_wait_open (fixture, 1);
  g_dbus_connection_close_sync (caller, NULL, NULL);
  wait_withdrawn (fixture, 1);
  service_fixture_answer (fixture, TRUE);
  g_clear_pointer (&fixture->open, g_ptr_array_unref);
  fixture->says_yes = TRUE;
  assert_nothing_taken (fixture);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (caller);
}

/* … and before that is known, polkit says yes. The bus tells the helper in order: of the name that
 * is gone first. */
static void
test_yes_after_leaving (ServiceFixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      GDBusConnection *caller = service_fixture_connect (fixture);
      gboolean done = FALSE;

      fixture->says_yes = FALSE;
      fixture->open = g_ptr_array_new ();
      service_fixture_begin (caller, "Prepare", service_fixture_prepare_arguments ("never"),
                             G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ignore_reply,
                             &done);
      service_fixture_wait_open (fixture, 1);
      g_dbus_connection_close_sync (caller, NULL, NULL);
      /* The bus has noticed when it knows the name no more. */
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      for (gboolean there = TRUE; there;)
        {
          g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
              fixture->client, "org.freedesktop.DBus", "/org/freedesktop/DBus",
              "org.freedesktop.DBus", "NameHasOwner", g_variant_new ("(s)", fixture->subject),
              G_VARIANT_TYPE ("(b)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

          g_variant_get (reply, "(b)", &there);
        }
      service_fixture_answer (fixture, TRUE);
      g_clear_pointer (&fixture->open, g_ptr_array_unref);
      fixture->says_yes = TRUE;
      assert_nothing_taken (fixture);
      g_assert_cmpuint (fixture->host->writes, ==, 0);
      g_object_unref (caller);
    }
}

/* This program once more, as a caller of its own process. */
static GSubprocess *
spawn_caller (ServiceFixture *fixture, const char *end)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, &error, "/proc/self/exe", "--caller",
                          g_test_dbus_get_bus_address (fixture->bus), end, NULL);

  g_assert_no_error (error);
  return process;
}

/* The other program: asks, and ends as it was told when it reads a line. */
static int
run_caller (const char *address, const char *end)
{
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_for_address_sync (
      address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, NULL);
  gboolean done = FALSE;
  char line;

  service_fixture_begin (connection, "Prepare", service_fixture_prepare_arguments ("never"),
                         G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ignore_reply, &done);
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  if (read (STDIN_FILENO, &line, 1) != 1)
    return EXIT_FAILURE;
  if (g_str_equal (end, "exec"))
    execl ("/bin/sleep", "sleep", "60", NULL);
  _exit (EXIT_SUCCESS);
}

/* The process of the caller lives, and is not what it was. */
static void
assert_is_another_program (GSubprocess *process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/comm", g_subprocess_get_identifier (process));
  g_autofree char *name = NULL;

  g_assert_true (g_file_get_contents (path, &name, NULL, NULL));
  g_assert_cmpstr (name, ==, "sleep\n");
}

/* A caller that exits, or that makes its process another program, while it is asked about: whatever
 * has its process id now, it is not who asked (CVE-2013-4288). */
static void
test_process (ServiceFixture *fixture, gconstpointer end)
{
  g_autoptr (GSubprocess) process = NULL;
  GOutputStream *input;

  fixture->open = g_ptr_array_new ();
  process = spawn_caller (fixture, end);
  service_fixture_wait_open (fixture, 1);
  input = g_subprocess_get_stdin_pipe (process);
  g_assert_true (g_output_stream_write_all (input, "\n", 1, NULL, NULL, NULL));
  wait_withdrawn (fixture, 1);
  if (g_str_equal (end, "exec"))
    assert_is_another_program (process);
  else
    g_assert_true (g_subprocess_wait (process, NULL, NULL));
  service_fixture_answer (fixture, TRUE);
  g_clear_pointer (&fixture->open, g_ptr_array_unref);
  fixture->says_yes = TRUE;
  assert_nothing_taken (fixture);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
}

/* Prepare and Rehearse of a caller that leaves while they work: broken off and undone. */
static void
test_during_work (ServiceFixture *fixture, gconstpointer method)
{
  GDBusConnection *caller = service_fixture_connect (fixture);
  gboolean done = FALSE;

  service_fixture_begin (caller, method,
                         g_str_equal (method, "Prepare")
                             ? service_fixture_prepare_arguments ("always")
                             : g_variant_new_parsed ("(%s, @a{sv} {})", FIRST),
                         G_DBUS_CALL_FLAGS_NONE, ignore_reply, &done);
  while (g_atomic_int_get (&rehearsing) == 0)
    g_main_context_iteration (NULL, FALSE);
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
  g_assert_cmpint (g_atomic_int_get (&broken_off), ==, 0);
  g_dbus_connection_close_sync (caller, NULL, NULL);
  assert_nothing_taken (fixture);
  g_assert_cmpint (g_atomic_int_get (&broken_off), ==, 1);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (caller);
}

/* … also where the rehearsal was past being broken off. */
static void
test_after_work (ServiceFixture *fixture, gconstpointer method)
{
  g_atomic_int_set (&passing, 1);
  test_during_work (fixture, method);
  g_atomic_int_set (&passing, 0);
}

/* A lease that another call made is not undone because who asked for it again has left. */
static void
test_lease_of_before (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  fixture->says_yes = TRUE;
  g_free (service_fixture_prepare (fixture));
  before = service_fixture_list_leases (fixture);
  for (guint i = 0; i < 50; i++)
    {
      GDBusConnection *caller = service_fixture_connect (fixture);
      gboolean done = FALSE;

      service_fixture_begin (caller, "Prepare", service_fixture_prepare_arguments ("never"),
                             G_DBUS_CALL_FLAGS_NONE, ignore_reply, &done);
      g_dbus_connection_close_sync (caller, NULL, NULL);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      g_object_unref (caller);
    }
  after = service_fixture_list_leases (fixture);
  g_assert_cmpstr (after, ==, before);
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
}

/* Giving back is never broken off: the device is the host's, whoever asked for it. */
static void
test_release (ServiceFixture *fixture, gconstpointer data)
{
  GDBusConnection *caller = service_fixture_connect (fixture);
  g_autofree char *lease = NULL;
  g_autofree char *text = NULL;
  gboolean done = FALSE;

  fixture->says_yes = TRUE;
  lease = service_fixture_prepare (fixture);
  kvmhelper_double_hold (fixture->host, 4711, 3);
  service_fixture_begin (caller, "Release", g_variant_new ("(sa{sv})", lease, NULL),
                         G_DBUS_CALL_FLAGS_NONE, ignore_reply, &done);
  do
    {
      g_free (text);
      text = service_fixture_list_leases (fixture);
    }
  while (strstr (text, "'releasing'") == NULL);
  g_dbus_connection_close_sync (caller, NULL, NULL);
  kvmhelper_double_let_go (fixture->host, 4711);
  assert_nothing_taken (fixture);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (caller);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    const char *data;
    void (*set_up) (ServiceFixture *fixture, gconstpointer data);
    void (*func) (ServiceFixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/caller-leaves/during-question", NULL, service_fixture_set_up,
      test_during_question },
    { "/kvmhelper/caller-leaves/yes-after-leaving", NULL, service_fixture_set_up,
      test_yes_after_leaving },
    { "/kvmhelper/caller-leaves/exit", "exit", service_fixture_set_up, test_process },
    { "/kvmhelper/caller-leaves/exec", "exec", service_fixture_set_up, test_process },
    { "/kvmhelper/caller-leaves/prepare", "Prepare", set_up_rehearsing, test_during_work },
    { "/kvmhelper/caller-leaves/prepared", "Prepare", set_up_rehearsing, test_after_work },
    { "/kvmhelper/caller-leaves/rehearse", "Rehearse", set_up_rehearsing, test_during_work },
    { "/kvmhelper/caller-leaves/lease-of-before", NULL, service_fixture_set_up,
      test_lease_of_before },
    { "/kvmhelper/caller-leaves/release", NULL, service_fixture_set_up, test_release },
  };

  if (argc == 4 && g_str_equal (argv[1], "--caller"))
    return run_caller (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, ServiceFixture, tests[i].data, tests[i].set_up, tests[i].func,
                service_fixture_tear_down);
  return g_test_run ();
}
