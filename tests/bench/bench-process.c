/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-process.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "common/common-dbus.h"

#define TIMEOUT_MSEC  120000
#define START_SECONDS 120

static void
name_appeared (GDBusConnection *connection, const char *name, const char *owner, gpointer data)
{
  ((BenchProcess *) data)->there = TRUE;
}

static void
name_vanished (GDBusConnection *connection, const char *name, gpointer data)
{
  ((BenchProcess *) data)->there = FALSE;
}

static gboolean
give_up (gpointer data)
{
  g_error ("the helper does not come to be on the bus");
  return G_SOURCE_REMOVE;
}

BenchProcess *
bench_process_new (const char *const *arguments, const char *name)
{
  BenchProcess *self = g_new0 (BenchProcess, 1);
  GError *error = NULL;

  self->arguments = arguments;
  self->name = name;
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (self->bus);
  self->connection = g_dbus_connection_new_for_address_sync (
      g_test_dbus_get_bus_address (self->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);
  g_assert_no_error (error);
  self->watch
      = g_bus_watch_name_on_connection (self->connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                        name_appeared, name_vanished, self, NULL);
  return self;
}

void
bench_process_free (BenchProcess *self)
{
  g_assert_null (self->process);
  g_bus_unwatch_name (self->watch);
  g_object_unref (self->connection);
  g_test_dbus_down (self->bus);
  g_object_unref (self->bus);
  g_free (self);
}

/* The caller's main loop goes round until the name is there, or gone. */
static void
wait_for_name (BenchProcess *self, gboolean there)
{
  while (self->there != there)
    g_main_context_iteration (NULL, TRUE);
}

gint64
bench_process_start (BenchProcess *self)
{
  const char *address = g_test_dbus_get_bus_address (self->bus);
  /* What it logs there is mixed with nobody's JSON. */
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  gboolean simulated = g_str_equal (self->name, COMMON_DBUS_SIMULATION_NAME);
  GError *error = NULL;
  gint64 begin;
  guint timeout;

  /* The simulated one refuses what it takes for the system's bus. */
  g_subprocess_launcher_setenv (
      launcher, simulated ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
  wait_for_name (self, FALSE);
  timeout = g_timeout_add_seconds (START_SECONDS, give_up, NULL);
  begin = g_get_monotonic_time ();
  self->process = g_subprocess_launcher_spawnv (launcher, self->arguments, &error);
  g_assert_no_error (error);
  wait_for_name (self, TRUE);
  begin = g_get_monotonic_time () - begin;
  g_source_remove (timeout);
  return begin;
}

void
bench_process_stop (BenchProcess *self)
{
  GError *error = NULL;

  g_subprocess_send_signal (self->process, SIGTERM);
  g_subprocess_wait_check (self->process, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&self->process);
}

static GVariant *
call (BenchProcess *self, const char *path, const char *interface, const char *method,
      GVariant *arguments)
{
  GError *error = NULL;
  GVariant *reply = g_dbus_connection_call_sync (self->connection, self->name, path, interface,
                                                 method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE,
                                                 TIMEOUT_MSEC, NULL, &error);

  if (reply == NULL)
    g_error ("%s: %s", method, error->message);
  return reply;
}

void
bench_process_freeze_clock (BenchProcess *self)
{
  g_variant_unref (call (self, COMMON_DBUS_SIMULATION_PATH, COMMON_DBUS_SIMULATION_NAME,
                         "AdvanceClock", g_variant_new ("(t)", G_GUINT64_CONSTANT (0))));
}

GVariant *
bench_process_call (BenchProcess *self, const char *method, GVariant *arguments)
{
  return call (self, COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME, method, arguments);
}

gint64
bench_process_ping (BenchProcess *self)
{
  gint64 begin = g_get_monotonic_time ();

  g_variant_unref (
      call (self, COMMON_DBUS_KVMHELPER_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL));
  return g_get_monotonic_time () - begin;
}

char *
bench_process_prepare (BenchProcess *self, const char *uuid, const char *address,
                       const char *rehearse, const char *rehearsed)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *happened = NULL;
  GVariantDict options;
  char *lease;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "rehearse", "s", rehearse);
  reply = bench_process_call (
      self, "Prepare",
      g_variant_new ("(sss@a{sv})", uuid, "guest", address, g_variant_dict_end (&options)));
  g_variant_get (reply, "(s@a{sv})", &lease, &details);
  g_assert_true (g_variant_lookup (details, "rehearsed", "&s", &happened));
  g_assert_cmpstr (happened, ==, rehearsed);
  return lease;
}

void
bench_process_release (BenchProcess *self, const char *lease)
{
  g_autoptr (GVariant) reply
      = bench_process_call (self, "Release", g_variant_new ("(sa{sv})", lease, NULL));
  const char *state;

  g_variant_get (reply, "(&s)", &state);
  g_assert_cmpstr (state, ==, "done");
}

gint64
bench_process_read (const char *process, const char *file, const char *key)
{
  g_autofree char *path = g_build_filename ("/proc", process, file, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  GError *error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], key))
      return g_ascii_strtoll (lines[i] + strlen (key), NULL, 10);
  g_error ("%s has no %s", path, key);
  return -1;
}

gint64
bench_process_read_cpu (const char *process)
{
  struct timespec time;
  clockid_t clock;

  g_assert_cmpint (clock_getcpuclockid (atoi (process), &clock), ==, 0);
  g_assert_cmpint (clock_gettime (clock, &time), ==, 0);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

gint64
bench_process_cpu (const BenchProcess *self)
{
  return bench_process_read_cpu (g_subprocess_get_identifier (self->process));
}

gint64
bench_process_anonymous (const BenchProcess *self)
{
  return bench_process_read (g_subprocess_get_identifier (self->process), "status", "RssAnon:");
}

void
bench_process_add_memory (const BenchProcess *self, JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  bench_add (json, "anonymous-kib", (double) bench_process_anonymous (self));
  bench_add (json, "pss-kib",
             (double) bench_process_read (g_subprocess_get_identifier (self->process),
                                          "smaps_rollup", "Pss:"));
  bench_add (json, "threads",
             (double) bench_process_read (g_subprocess_get_identifier (self->process), "status",
                                          "Threads:"));
  json_builder_end_object (json);
}

static gint64
round_off (double value)
{
  return (gint64) (value + (value < 0 ? -0.5 : 0.5));
}

void
bench_add (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, round_off (value));
}

void
bench_add_ratio (JsonBuilder *json, const char *name, double value, double base)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, (double) round_off (100 * value / base) / 100);
}

void
bench_print (JsonBuilder *json)
{
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  g_autofree char *text = json_to_string (root, FALSE);

  g_print ("%s\n", text);
}
