/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simulation-fixture.h"

#include <glib/gstdio.h>
#include <sys/socket.h>

#include "common/common-dbus.h"
#include "kvmhelper/kvmhelper-service.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-control.h"

void
simulation_fixture_open (SimulationFixture *fixture, char **rules)
{
  g_autoptr (GError) error = NULL;

  fixture->simulation = kvmhelper_simulation_new (fixture->file, fixture->directory, rules, &error);
  g_assert_no_error (error);
}

static void
set_up (SimulationFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->directory = g_dir_make_tmp ("kvmhelper-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->file = g_build_filename (DATA_DIR, "hosts/one-card.xml", NULL);
  simulation_fixture_open (fixture, NULL);
}

static void
tear_down (SimulationFixture *fixture, gconstpointer data)
{
  static const char *const files[]
      = { KVMHELPER_SIMULATION_STATE, "rehearsed", "consents", "leases" };

  if (fixture->client != NULL)
    simulation_fixture_end (fixture);
  kvmhelper_simulation_free (fixture->simulation);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (fixture->directory, files[i], NULL);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->directory);
  g_free (fixture->file);
}

int
simulation_fixture_run (int argc, char **argv, const SimulationTest *tests, gsize count)
{
  (void) common_error_quark ();
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < count; i++)
    g_test_add (tests[i].path, SimulationFixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}

/* --- the service --- */

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer loop)
{
  quit (loop);
}

static gpointer
serve (gpointer data)
{
  SimulationFixture *fixture = data;
  KvmHelperServiceConfig config = { .kernel = kvmhelper_simulation_kernel (fixture->simulation),
                                    .state_directory = fixture->directory,
                                    .rehearse = kvmhelper_simulation_rehearse,
                                    .authorize = kvmhelper_simulation_authorize };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GDBusInterfaceSkeleton) control = NULL;
  KvmHelperService *service;

  g_main_context_push_thread_default (fixture->context);
  connection = kvmhelper_simulation_connect_socket (fixture->ends[0], &error);
  g_assert_no_error (error);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), fixture->loop);
  service = kvmhelper_service_new (&config, connection, &error);
  g_assert_no_error (error);
  control = kvmhelper_simulation_control_new (fixture->simulation);
  g_dbus_interface_skeleton_export (control, connection, COMMON_DBUS_SIMULATION_PATH, &error);
  g_assert_no_error (error);
  g_dbus_connection_start_message_processing (connection);
  g_main_loop_run (fixture->loop);
  g_assert_true (kvmhelper_service_stop (service));
  kvmhelper_service_free (service);
  g_dbus_interface_skeleton_unexport (control);
  g_main_context_pop_thread_default (fixture->context);
  return NULL;
}

void
simulation_fixture_begin (SimulationFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) stream = NULL;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fixture->ends), ==, 0);
  fixture->context = g_main_context_new ();
  fixture->loop = g_main_loop_new (fixture->context, FALSE);
  fixture->thread = g_thread_new ("helper", serve, fixture);
  socket = g_socket_new_from_fd (fixture->ends[1], &error);
  g_assert_no_error (error);
  stream = g_socket_connection_factory_create_connection (socket);
  fixture->client = g_dbus_connection_new_sync (G_IO_STREAM (stream), NULL,
                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                                NULL, &error);
  g_assert_no_error (error);
}

void
simulation_fixture_end (SimulationFixture *fixture)
{
  g_dbus_connection_close_sync (fixture->client, NULL, NULL);
  g_thread_join (fixture->thread);
  g_clear_object (&fixture->client);
  g_main_loop_unref (fixture->loop);
  g_main_context_unref (fixture->context);
}

GVariant *
simulation_fixture_call (SimulationFixture *fixture, gboolean control, const char *method,
                         GVariant *parameters, GUnixFDList *list, GUnixFDList **out,
                         CommonErrorCode *code)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_with_unix_fd_list_sync (
      fixture->client, NULL, control ? COMMON_DBUS_SIMULATION_PATH : COMMON_DBUS_KVMHELPER_PATH,
      control ? COMMON_DBUS_SIMULATION_NAME : COMMON_DBUS_KVMHELPER_NAME, method, parameters, NULL,
      G_DBUS_CALL_FLAGS_NONE, 60000, list, out, NULL, &error);

  if (reply != NULL)
    return reply;
  g_test_message ("%s: %s", method, error->message);
  g_assert_cmpint (error->domain, ==, COMMON_ERROR);
  *code = common_error_code (error);
  return NULL;
}
