/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <libvirt/libvirt.h>
#include <locale.h>
#include <stdlib.h>

#include "driver-daemon.h"
#include "driver/driver-events.h"

/**
 * What the relay costs: the same calls to the same libvirtd beside virtppc64d and through it, by
 * turns, so that what else the machine does hits both alike. Medians, as JSON on stdout and in the
 * file that the argument names.
 */
enum
{
  CALLS = 3000,
  OPENS = 300,
  BULKS = 300,
};

typedef struct
{
  virConnectPtr connection;
  virDomainPtr domain;
  char *uri;
} Way;

/* The least that a call can be: a question of a few bytes. */
static void
call (const Way *way)
{
  unsigned long version;

  g_assert_cmpint (virConnectGetLibVersion (way->connection, &version), ==, 0);
}

/* A connection, as every virsh makes one. */
static void
open_close (const Way *way)
{
  virConnectPtr connection = virConnectOpen (way->uri);

  g_assert_nonnull (connection);
  virConnectClose (connection);
}

static int
discard (virStreamPtr stream, const char *bytes, size_t length, void *data)
{
  return (int) length;
}

/* A stream: a screenshot of the test driver's. */
static void
bulk (const Way *way)
{
  virStreamPtr stream = virStreamNew (way->connection, 0);
  char *type = virDomainScreenshot (way->domain, stream, 0, 0);

  g_assert_nonnull (type);
  free (type);
  g_assert_cmpint (virStreamRecvAll (stream, discard, NULL), ==, 0);
  virStreamFinish (stream);
  virStreamFree (stream);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static gint64
quantile (GArray *sorted, double q)
{
  return g_array_index (sorted, gint64, (guint) (q * (sorted->len - 1)));
}

static void
measure (JsonBuilder *json, const char *name, void (*run) (const Way *way), const Way ways[2],
         guint rounds)
{
  static const char *const names[2] = { "direct", "relayed" };
  GArray *times[2];
  gint64 medians[2];

  for (int w = 0; w < 2; w++)
    times[w] = g_array_sized_new (FALSE, FALSE, sizeof (gint64), rounds);
  /* The first tenth is for warming up. */
  for (guint i = 0; i < rounds + rounds / 10; i++)
    for (guint turn = 0; turn < 2; turn++)
      {
        guint w = (turn + i) % 2;
        gint64 start = g_get_monotonic_time ();

        run (&ways[w]);
        gint64 took = g_get_monotonic_time () - start;
        if (i >= rounds / 10)
          g_array_append_val (times[w], took);
      }

  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "samples");
  json_builder_add_int_value (json, rounds);
  for (int w = 0; w < 2; w++)
    {
      g_array_sort (times[w], compare);
      medians[w] = quantile (times[w], 0.5);
      json_builder_set_member_name (json, names[w]);
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "median-usec");
      json_builder_add_int_value (json, medians[w]);
      json_builder_set_member_name (json, "p95-usec");
      json_builder_add_int_value (json, quantile (times[w], 0.95));
      json_builder_end_object (json);
      g_array_unref (times[w]);
    }
  json_builder_set_member_name (json, "added-usec");
  json_builder_add_int_value (json, medians[1] - medians[0]);
  json_builder_end_object (json);
}

static char *
measure_all (const Way ways[2])
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "benchmark");
  json_builder_add_string_value (json, "relay");
  measure (json, "call", call, ways, CALLS);
  measure (json, "open", open_close, ways, OPENS);
  measure (json, "stream", bulk, ways, BULKS);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, TRUE);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  TestDaemon daemons;
  Way ways[2];

  setlocale (LC_ALL, "");
  if (!test_daemon_installed ())
    {
      g_printerr ("libvirtd and virsh are not installed\n");
      return 77;
    }
  test_daemon_start (&daemons);
  driver_events_start_loop ();
  for (int w = 0; w < 2; w++)
    {
      ways[w].uri = test_daemon_uri (&daemons, "test", "default", w == 1);
      ways[w].connection = virConnectOpen (ways[w].uri);
      g_assert_nonnull (ways[w].connection);
      ways[w].domain = virDomainLookupByName (ways[w].connection, "test");
      g_assert_nonnull (ways[w].domain);
    }

  g_autofree char *text = measure_all (ways);
  g_print ("%s\n", text);
  if (argc > 1 && !g_file_set_contents (argv[1], text, -1, &error))
    g_error ("%s", error->message);

  for (int w = 0; w < 2; w++)
    {
      virDomainFree (ways[w].domain);
      virConnectClose (ways[w].connection);
      g_free (ways[w].uri);
    }
  test_daemon_stop (&daemons);
  return EXIT_SUCCESS;
}
