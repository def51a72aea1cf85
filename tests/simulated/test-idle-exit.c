/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A helper with nothing to do ends, the bus starts another when it is called, and no call is lost
 * between the two: calls are made all around the moment at which it goes.
 *
 * Arguments: the helper, and a host's description.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>

#include "common/common-dbus.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

#define IDLE_MSEC 1000
#define CARD      "0000:01:00.0"

static const char *helper, *host;

typedef struct
{
  GTestDBus *bus;
  char *directory;
  GDBusConnection *connection;
} Fixture;

static void
write_file (const Fixture *self, const char *name, const char *text)
{
  g_autofree char *file = g_build_filename (self->directory, name, NULL);

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *service = NULL;

  self->directory = g_dir_make_tmp ("test-idle-exit-XXXXXX", NULL);
  service = g_strdup_printf ("[D-BUS Service]\nName=%s\n"
                             "Exec=%s --simulate %s --config %s/config --state-dir %s/state\n",
                             COMMON_DBUS_SIMULATION_NAME, helper, host, self->directory,
                             self->directory);
  write_file (self, "helper.service", service);
  write_file (self, "config", "[kvmhelper]\nidle-exit=1\n");
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_add_service_dir (self->bus, self->directory);
  g_test_dbus_up (self->bus);
  self->connection = g_dbus_connection_new_for_address_sync (
      g_test_dbus_get_bus_address (self->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, NULL);
  g_assert_nonnull (self->connection);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -rf %s", self->directory);

  g_clear_object (&self->connection);
  g_test_dbus_down (self->bus);
  g_clear_object (&self->bus);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (self->directory);
}

static GVariant *
call (const Fixture *self, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply
      = g_dbus_connection_call_sync (self->connection, COMMON_DBUS_SIMULATION_NAME,
                                     COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME, method,
                                     arguments, NULL, G_DBUS_CALL_FLAGS_NONE, 30000, NULL, &error);

  g_assert_no_error (error);
  return reply;
}

static void
list_leases (const Fixture *self, gsize expected)
{
  g_autoptr (GVariant) reply = call (self, "ListLeases", NULL);
  g_autoptr (GVariant) leases = g_variant_get_child_value (reply, 0);

  g_assert_cmpuint (g_variant_n_children (leases), ==, expected);
}

/* The unique name of the helper that is there now; NULL: none. */
static char *
get_owner (const Fixture *self)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "GetNameOwner", g_variant_new ("(s)", COMMON_DBUS_SIMULATION_NAME), NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  char *owner = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &owner);
  return owner;
}

static gboolean
has_gone (const Fixture *self, guint msec)
{
  for (guint i = 0; i < msec / 50; i++)
    {
      g_autofree char *owner = get_owner (self);

      if (owner == NULL)
        return TRUE;
      g_usleep (50000);
    }
  return FALSE;
}

static void
test_ends_and_comes_back (Fixture *self, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  list_leases (self, 0);
  first = get_owner (self);
  g_assert_nonnull (first);
  g_assert_true (has_gone (self, 10 * IDLE_MSEC));
  list_leases (self, 0);
  second = get_owner (self);
  g_assert_cmpstr (first, !=, second);
}

/* One that watches over a lease stays. */
static void
test_stays_with_a_lease (Fixture *self, gconstpointer data)
{
  g_autoptr (GVariant) prepared = NULL;
  g_autoptr (GVariant) released = NULL;
  g_autofree char *first = NULL;
  g_autofree char *later = NULL;
  const char *lease;
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "rehearse", "s", "never");
  prepared
      = call (self, "Prepare",
              g_variant_new ("(sss@a{sv})", UUID, "guest", CARD, g_variant_dict_end (&options)));
  g_variant_get_child (prepared, 0, "&s", &lease);
  first = get_owner (self);
  g_assert_false (has_gone (self, 3 * IDLE_MSEC));
  later = get_owner (self);
  g_assert_cmpstr (first, ==, later);
  list_leases (self, 1);
  released = call (self, "Release", g_variant_new ("(sa{sv})", lease, NULL));
  g_assert_true (has_gone (self, 10 * IDLE_MSEC));
  list_leases (self, 0);
}

/* Each call comes a little later after the last than the one before, from before the helper goes to
 * after: every one is answered. */
static void
test_no_call_is_lost (Fixture *self, gconstpointer data)
{
  const int first = -6, last = 30, step = 2;
  guint helpers = 0;
  g_autofree char *before = NULL;

  list_leases (self, 0);
  before = get_owner (self);
  for (int late = first; late <= last; late += step)
    {
      char *now;

      g_usleep ((gulong) (IDLE_MSEC + late) * 1000);
      list_leases (self, 0);
      now = get_owner (self);
      if (g_strcmp0 (now, before) != 0)
        helpers++;
      g_free (before);
      before = now;
    }
  g_test_message ("%u calls, %u of them started a helper", (last - first) / step + 1, helpers);
  /* Else the moment was not among them. */
  g_assert_cmpuint (helpers, >, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  helper = argv[1];
  host = argv[2];
  g_test_add ("/simulated/idle-exit/ends-and-comes-back", Fixture, NULL, set_up,
              test_ends_and_comes_back, tear_down);
  g_test_add ("/simulated/idle-exit/stays-with-a-lease", Fixture, NULL, set_up,
              test_stays_with_a_lease, tear_down);
  g_test_add ("/simulated/idle-exit/no-call-is-lost", Fixture, NULL, set_up, test_no_call_is_lost,
              tear_down);
  return g_test_run ();
}
