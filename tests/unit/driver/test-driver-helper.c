/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "driver/driver-helper.h"
#include "kvmhelper-dbus.h"

#include "cli-bus.h"

#define NOBODY 65534
#define UUID   "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/* A bus on which whoever comes can have any name, and on which one thing has the helper's. */
typedef struct
{
  CliBus *bus;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GDBusConnection *owner;
  KvmHelperDBusKvmHelper1 *skeleton;
  gint calls;
  gsize ready;
} Squatter;

static gboolean
on_list_leases (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  Squatter *self = data;

  g_atomic_int_inc (&self->calls);
  kvm_helper_dbus_kvm_helper1_complete_list_leases (skeleton, invocation,
                                                    g_variant_new ("aa{sv}", NULL));
  return TRUE;
}

/* … that ends in the middle of it; and one that starts in its place. */
static gboolean
on_prepare (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
            const char *domain_uuid, const char *domain_name, const char *address,
            GVariant *options, gpointer data)
{
  Squatter *self = data;

  g_atomic_int_inc (&self->calls);
  g_dbus_connection_close_sync (self->owner, NULL, NULL);
  g_object_unref (invocation);
  return TRUE;
}

static void
take_name (Squatter *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  self->owner = g_dbus_connection_new_for_address_sync (
      cli_bus_get_address (self->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);
  g_assert_no_error (error);
  self->skeleton = kvm_helper_dbus_kvm_helper1_skeleton_new ();
  g_signal_connect (self->skeleton, "handle-list-leases", G_CALLBACK (on_list_leases), self);
  g_signal_connect (self->skeleton, "handle-prepare", G_CALLBACK (on_prepare), self);
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), self->owner,
                                    COMMON_DBUS_KVMHELPER_PATH, &error);
  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (self->owner, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "RequestName",
                                       g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 4), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
}

static gpointer
serve (gpointer data)
{
  Squatter *self = data;

  g_main_context_push_thread_default (self->context);
  take_name (self);
  g_atomic_pointer_set (&self->ready, 1);
  g_main_loop_run (self->loop);
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
  g_object_unref (self->skeleton);
  g_object_unref (self->owner);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* Of another user, where the test is root and can be one. */
static void
squatter_start (Squatter *self, gboolean other)
{
  *self = (Squatter){ .bus = cli_bus_start (NULL) };
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  if (other)
    g_assert_cmpint (setresuid (NOBODY, NOBODY, 0), ==, 0);
  self->thread = g_thread_new ("squatter", serve, self);
  while (g_atomic_pointer_get (&self->ready) == 0)
    g_usleep (1000);
  if (other)
    g_assert_cmpint (setresuid (0, 0, 0), ==, 0);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
squatter_stop (Squatter *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, quit, self->loop, NULL);
  g_source_attach (source, self->context);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  cli_bus_stop (self->bus);
}

static void
assert_unavailable (const GError *error, const char *says)
{
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, says));
}

/* A user of no rank has the name: nothing that he says is believed, and he is not told a thing. */
static void
test_squatter (void)
{
  Squatter squatter;
  g_autoptr (DriverHelper) helper = NULL;
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GError) error = NULL;

  if (geteuid () != 0)
    {
      g_test_skip ("only root has another user to be");
      return;
    }
  squatter_start (&squatter, TRUE);
  helper = driver_helper_new (cli_bus_get_address (squatter.bus));
  leases = driver_helper_list_leases (helper, NULL, &error);
  g_assert_null (leases);
  assert_unavailable (error, "not to root");
  g_assert_cmpint (squatter.calls, ==, 0);
  driver_helper_free (g_steal_pointer (&helper));
  squatter_stop (&squatter);
}

/* The same, of our own user on a bus that was named: that one is believed. */
static void
test_own (void)
{
  Squatter squatter;
  g_autoptr (DriverHelper) helper = NULL;
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GError) error = NULL;

  squatter_start (&squatter, FALSE);
  helper = driver_helper_new (cli_bus_get_address (squatter.bus));
  leases = driver_helper_list_leases (helper, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (squatter.calls, ==, 1);
  driver_helper_free (g_steal_pointer (&helper));
  squatter_stop (&squatter);
}

/* One that is not there, and one that ends in the middle of a call, are told apart. The next call
 * finds that it is not there; nothing is asked of whoever has the name by then without a look. */
static void
test_absent_and_crashed (void)
{
  Squatter squatter;
  g_autoptr (DriverHelper) helper = NULL;
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GError) crashed = NULL;
  g_autoptr (GError) absent = NULL;
  PciAddress address = { 1, 1, 0, 0 };

  squatter_start (&squatter, FALSE);
  helper = driver_helper_new (cli_bus_get_address (squatter.bus));
  g_assert_null (
      driver_helper_prepare (helper, UUID, "guest", &address, HOSTDEV_REHEARSE_AUTO, &crashed));
  assert_unavailable (crashed, "ended before it answered");
  g_assert_cmpint (squatter.calls, ==, 1);
  leases = driver_helper_list_leases (helper, NULL, &absent);
  g_assert_null (leases);
  assert_unavailable (absent, "cannot be reached");
  g_assert_cmpint (squatter.calls, ==, 1);
  driver_helper_free (g_steal_pointer (&helper));
  squatter_stop (&squatter);
}

static gpointer
list_leases (gpointer helper)
{
  GError *error = NULL;

  g_assert_null (driver_helper_list_leases (helper, NULL, &error));
  return error;
}

/* A helper that is started and never comes: who waits for it is let go of at the end. */
static void
test_give_up (void)
{
  g_autofree char *directory = g_dir_make_tmp ("driver-XXXXXX", NULL);
  g_autofree char *mark = g_build_filename (directory, "started", NULL);
  g_autofree char *path = g_build_filename (directory, "helper.service", NULL);
  g_autofree char *text
      = g_strdup_printf ("[D-BUS Service]\nName=" COMMON_DBUS_KVMHELPER_NAME
                         "\nExec=/bin/sh -c \"echo $$ > %s.new; mv %s.new %s; exec sleep 600\"\n",
                         mark, mark, mark);
  g_autoptr (GTestDBus) bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_autofree char *pid = NULL;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_test_dbus_add_service_dir (bus, directory);
  g_test_dbus_up (bus);
  DriverHelper *helper = driver_helper_new (g_test_dbus_get_bus_address (bus));
  gint64 begin = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("waits", list_leases, helper);
  while (!g_file_test (mark, G_FILE_TEST_EXISTS))
    g_usleep (1000);
  driver_helper_give_up (helper);
  g_autoptr (GError) error = g_thread_join (thread);
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE);
  /* The bus itself waits for longer. */
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_TIME_SPAN_SECOND);
  /* And nobody begins to wait any more. */
  g_autoptr (GError) again = list_leases (helper);
  g_assert_error (again, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE);

  driver_helper_free (helper);
  g_assert_true (g_file_get_contents (mark, &pid, NULL, NULL));
  kill ((pid_t) g_ascii_strtoll (pid, NULL, 10), SIGKILL);
  g_test_dbus_down (bus);
  unlink (path);
  unlink (mark);
  rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/driver/helper/squatter", test_squatter);
  g_test_add_func ("/driver/helper/own", test_own);
  g_test_add_func ("/driver/helper/absent-and-crashed", test_absent_and_crashed);
  g_test_add_func ("/driver/helper/give-up", test_give_up);
  return g_test_run ();
}
