/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include "bench-cores.h"
#include "bench-load.h"
#include "bench-process.h"
#include "bench-series.h"

/**
 * What the relay costs: the same calls to the same libvirtd beside virtppc64d and through it, and
 * through libvirt's own virtproxyd where there is one (bench-ways.h), by turns. Medians, as JSON.
 *
 * Arguments: which kinds of call, of bench-world.c; without any, all, and what idle clients cost.
 *
 * It fails where a small call of a single client takes longer by more than MAX_ADDED_USEC, or where
 * less passes than MIN_THROUGHPUT of what passes beside it, for replies and streams of 64 KiB and
 * more, while several are under way and the relay has a processor (bench-cores.h). A ratio is the
 * median of those of each turn, so that a turn that the machine was busy in counts once.
 *
 * All else is measured, and "judged" is false there:
 * - one client that waits for each reply: nothing is under way meanwhile, so how many pass is how
 *   long one takes. To be woken, once each way, costs the relay more than a twentieth of the whole
 *   call of 64 KiB; what it costs is the limit of the small call.
 * - all processors shared by all: who keeps them busy has less of them by what the relay takes.
 *   "at-best" is what can pass then: the processors' time of a call beside the relay, of client and
 *   libvirtd, to that of one through it, with the relay's. Where there are too few processors to
 *   part them these are judged, for want of others.
 */
#define MIN_THROUGHPUT 0.95
#define MAX_ADDED_USEC 40

enum
{
  TURNS = 11, /* and one to warm up */
  TURN_USEC = 150 * 1000,
  /* Where a turn takes longer than it should, as on a busy machine, there are fewer. */
  TURNS_MIN = 5,
  TURNS_USEC = 8 * G_USEC_PER_SEC,
  GROWTH_TURNS = 21,
  GROWTH_USEC = 50 * 1000,
};

static const guint counts[] = { 1, 16, 200 };
/* Calls under way at once on one connection, as of a client with threads. libvirtd works on five of
   a client's at a time (max_client_requests); the others wait where they do with libvirtd alone. */
enum
{
  IN_FLIGHT = 8,
};

/* What one row is of. */
typedef struct
{
  const BenchKind *kind;
  guint clients;   /* threads */
  gboolean shared; /* they have one connection */
  gboolean parted; /* the relay has a processor (bench-cores.h) */
} Row;

typedef struct
{
  GArray *times[BENCH_WAYS_MAX];  /* gint64: microseconds that one took */
  GArray *rates[BENCH_WAYS_MAX];  /* double: a second, of each turn */
  GArray *ratios[BENCH_WAYS_MAX]; /* double: of them, to the direct one of the same turn */
  gint64 cpu[BENCH_WAYS_MAX];     /* microseconds, of bench_ways_process, in all of them */
  gint64 all[BENCH_WAYS_MAX];     /* with client and libvirtd */
} Series;

static int
compare_int (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static int
compare_double (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
quantile (GArray *times, double q)
{
  g_array_sort (times, compare_int);
  return (double) g_array_index (times, gint64, (guint) (q * (times->len - 1)));
}

static double
median (GArray *values)
{
  g_array_sort (values, compare_double);
  return g_array_index (values, double, values->len / 2);
}

static gint64
read_client (void)
{
  struct timespec time;

  g_assert_cmpint (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time), ==, 0);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* Runs @way once. Its processors' time so far, and that of all who took part, are added. */
static double
take_turn (BenchLoad *load, const BenchWays *ways, BenchWay way, gint64 usec, Series *series)
{
  const char *process = bench_ways_process (ways, way);
  const char *libvirtd = bench_ways_process (ways, BENCH_WAY_DIRECT);
  gint64 own = bench_process_read_cpu (process), served = bench_process_read_cpu (libvirtd);
  gint64 client = read_client ();
  double rate = bench_load_run (load, way, usec, series->times[way]);

  client = read_client () - client;
  own = bench_process_read_cpu (process) - own;
  served = bench_process_read_cpu (libvirtd) - served;
  series->cpu[way] += own;
  series->all[way] += client + served + (way != BENCH_WAY_DIRECT ? own : 0);
  return rate;
}

static void
take_turns (BenchLoad *load, const BenchWays *ways, guint turns, gint64 usec, Series *series)
{
  for (guint w = 0; w < ways->n; w++)
    {
      series->times[w] = g_array_new (FALSE, FALSE, sizeof (gint64));
      series->rates[w] = g_array_new (FALSE, FALSE, sizeof (double));
      series->ratios[w] = g_array_new (FALSE, FALSE, sizeof (double));
      series->cpu[w] = series->all[w] = 0;
    }
  const gint64 start = g_get_monotonic_time ();
  for (guint turn = 0;
       turn <= turns && (turn <= TURNS_MIN || g_get_monotonic_time () - start < TURNS_USEC); turn++)
    {
      double rates[BENCH_WAYS_MAX];

      for (guint i = 0; i < ways->n; i++)
        {
          guint w = (turn + i) % ways->n;

          rates[w] = take_turn (load, ways, w, usec, series);
          if (turn == 0)
            {
              g_array_set_size (series->times[w], 0);
              series->cpu[w] = series->all[w] = 0;
            }
        }
      for (guint w = 0; turn > 0 && w < ways->n; w++)
        {
          double ratio = rates[w] / rates[BENCH_WAY_DIRECT];

          g_array_append_val (series->rates[w], rates[w]);
          g_array_append_val (series->ratios[w], ratio);
        }
    }
}

static void
series_clear (Series *series, guint ways)
{
  for (guint w = 0; w < ways; w++)
    {
      g_array_unref (series->times[w]);
      g_array_unref (series->rates[w]);
      g_array_unref (series->ratios[w]);
    }
}

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_truth (JsonBuilder *json, const char *name, gboolean value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_boolean_value (json, value);
}

/* The processors' time of one, of all who take part. */
static double
per_call (const Series *series, guint way)
{
  return (double) series->all[way] / series->times[way]->len;
}

static void
add_series (JsonBuilder *json, const Series *series, const BenchKind *kind, guint ways)
{
  double direct = quantile (series->times[BENCH_WAY_DIRECT], 0.5);

  for (guint w = 0; w < ways; w++)
    {
      double rate = median (series->rates[w]);

      json_builder_set_member_name (json, bench_way_names[w]);
      json_builder_begin_object (json);
      bench_add (json, "per-second", rate);
      if (kind->bytes > 0)
        bench_add (json, "mib-per-second", rate * (double) kind->bytes / (1024 * 1024));
      bench_add (json, "p50-usec", quantile (series->times[w], 0.5));
      bench_add (json, "p99-usec", quantile (series->times[w], 0.99));
      bench_add_ratio (json, "cpu-usec", (double) series->cpu[w], series->times[w]->len);
      if (w != BENCH_WAY_DIRECT)
        {
          bench_add_ratio (json, "throughput", median (series->ratios[w]), 1);
          bench_add_ratio (json, "at-best", per_call (series, BENCH_WAY_DIRECT),
                           per_call (series, w));
          bench_add (json, "added-p50-usec", quantile (series->times[w], 0.5) - direct);
        }
      json_builder_end_object (json);
    }
}

/* Whether there is a limit for it (above). */
static gboolean
is_judged (const Row *row)
{
  if (row->kind->bytes == 0)
    return row->clients == 1;
  return row->clients > 1 && (row->parted || bench_cores_count () < BENCH_CORES_MIN);
}

static gboolean
is_good (const Series *series, const Row *row)
{
  if (row->kind->bytes > 0)
    return median (series->ratios[BENCH_WAY_RELAYED]) >= MIN_THROUGHPUT;
  return quantile (series->times[BENCH_WAY_RELAYED], 0.5)
             - quantile (series->times[BENCH_WAY_DIRECT], 0.5)
         <= MAX_ADDED_USEC;
}

static void
add_cores (JsonBuilder *json, const Row *row)
{
  guint all = bench_cores_count ();

  json_builder_set_member_name (json, "processors");
  json_builder_begin_object (json);
  bench_add (json, "client-and-libvirtd", row->parted ? all - 1 : all);
  bench_add (json, "between", all);
  add_truth (json, "shared", !row->parted);
  json_builder_end_object (json);
}

static gboolean
measure (JsonBuilder *json, const BenchWays *ways, const BenchWorld *world, const Row *row)
{
  gboolean judged = is_judged (row), good;
  BenchLoad *load;
  Series series;

  g_printerr ("%s, %u %s%s\n", row->kind->name, row->clients, row->shared ? "in flight" : "clients",
              row->parted ? ", a processor for the relay" : "");
  bench_cores_part (ways, row->parted);
  load = bench_load_new (ways, world, row->kind, row->clients, row->shared);
  take_turns (load, ways, TURNS, TURN_USEC, &series);
  bench_load_free (load);
  good = !judged || is_good (&series, row);
  json_builder_begin_object (json);
  add_text (json, "kind", row->kind->name);
  bench_add (json, "clients", row->shared ? 1 : row->clients);
  bench_add (json, "in-flight", row->clients);
  add_cores (json, row);
  add_series (json, &series, row->kind, ways->n);
  add_truth (json, "judged", judged);
  if (judged)
    add_truth (json, "pass", good);
  json_builder_end_object (json);
  series_clear (&series, ways->n);
  return good;
}

/* Idle ones, and what each is to the process that serves them: before it has done anything, and
   after it has had a reply of 64 KiB. */
static void
measure_idle (JsonBuilder *json, const BenchWays *ways, guint clients)
{
  g_autofree virConnectPtr *connections = g_new0 (virConnectPtr, clients);

  for (guint w = 0; w < ways->n; w++)
    {
      const char *process = bench_ways_process (ways, w);
      gint64 before = bench_process_read (process, "smaps_rollup", "Pss:"), opened, used;

      for (guint i = 0; i < clients; i++)
        connections[i] = bench_connect (ways, w, "test", "default");
      opened = bench_process_read (process, "smaps_rollup", "Pss:");
      for (guint i = 0; i < clients; i++)
        {
          virDomainPtr domain = virDomainLookupByName (connections[i], "described-64");
          char *text = virDomainGetMetadata (domain, VIR_DOMAIN_METADATA_DESCRIPTION, NULL, 0);

          g_assert_nonnull (text);
          free (text);
          virDomainFree (domain);
        }
      used = bench_process_read (process, "smaps_rollup", "Pss:");
      json_builder_set_member_name (json, bench_way_names[w]);
      json_builder_begin_object (json);
      bench_add (json, "pss-kib", (double) before);
      bench_add_ratio (json, "kib-per-client", (double) (opened - before), clients);
      bench_add_ratio (json, "kib-per-client-used", (double) (used - before), clients);
      json_builder_end_object (json);
      for (guint i = 0; i < clients; i++)
        virConnectClose (connections[i]);
    }
}

/* A small call of one client, with so many others that are there and do nothing. */
static void
measure_growth (JsonBuilder *json, const BenchWays *ways, const BenchWorld *world, guint clients)
{
  g_autofree virConnectPtr *others = g_new0 (virConnectPtr, clients * ways->n);
  BenchLoad *load = bench_load_new (ways, world, &bench_kinds[0], 1, FALSE);
  Series series;

  /* libvirtd has as many for each of them; of the relay's and the proxy's each has its own. */
  for (guint i = 1; i < clients; i++)
    for (guint w = 0; w < ways->n; w++)
      others[i * ways->n + w] = bench_connect (ways, w, "test", "default");
  take_turns (load, ways, GROWTH_TURNS, GROWTH_USEC, &series);
  bench_load_free (load);
  for (guint i = ways->n; i < clients * ways->n; i++)
    virConnectClose (others[i]);
  json_builder_begin_object (json);
  bench_add (json, "clients", clients);
  add_series (json, &series, &bench_kinds[0], ways->n);
  json_builder_end_object (json);
  series_clear (&series, ways->n);
}

/* All clients of one kind; and for replies, one with several calls in flight. */
static gboolean
measure_kind (JsonBuilder *json, const BenchWays *ways, const BenchWorld *world,
              const BenchKind *kind, gboolean parted)
{
  gboolean good = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      const Row row = { kind, counts[i], FALSE, parted };

      good = measure (json, ways, world, &row) && good;
    }
  if (kind->bytes > 0 && kind->domain != NULL)
    {
      const Row row = { kind, IN_FLIGHT, TRUE, parted };

      good = measure (json, ways, world, &row) && good;
    }
  return good;
}

static gboolean
measure_load (JsonBuilder *json, const BenchWays *ways, const BenchWorld *world, char **names)
{
  const gboolean enough = bench_cores_count () >= BENCH_CORES_MIN;
  gboolean good = TRUE;

  json_builder_set_member_name (json, "load");
  json_builder_begin_array (json);
  for (guint k = 0; k < bench_n_kinds; k++)
    for (gboolean parted = FALSE; parted <= enough; parted++)
      if (*names == NULL || g_strv_contains ((const char *const *) names, bench_kinds[k].name))
        good = measure_kind (json, ways, world, &bench_kinds[k], parted) && good;
  json_builder_end_array (json);
  bench_cores_part (ways, FALSE);
  return good;
}

static void
measure_others (JsonBuilder *json, const BenchWays *ways, const BenchWorld *world)
{
  json_builder_set_member_name (json, "idle");
  json_builder_begin_object (json);
  measure_idle (json, ways, counts[G_N_ELEMENTS (counts) - 1]);
  json_builder_end_object (json);

  json_builder_set_member_name (json, "beside-idle");
  json_builder_begin_array (json);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    measure_growth (json, ways, world, counts[i]);
  json_builder_end_array (json);
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  BenchWorld world;
  BenchWays ways;
  gboolean good;

  setlocale (LC_ALL, "");
  if (!test_daemon_installed ())
    {
      g_printerr ("libvirtd and virsh are not installed\n");
      return 77;
    }
  bench_ways_start (&ways);
  bench_world_start (&world, &ways, counts[G_N_ELEMENTS (counts) - 1]);

  json_builder_begin_object (json);
  add_text (json, "benchmark", "relay");
  if (argc == 1)
    measure_others (json, &ways, &world);
  good = measure_load (json, &ways, &world, argv + 1);
  json_builder_set_member_name (json, "limits");
  json_builder_begin_object (json);
  bench_add_ratio (json, "throughput", MIN_THROUGHPUT, 1);
  bench_add (json, "added-p50-usec", MAX_ADDED_USEC);
  json_builder_end_object (json);
  add_truth (json, "pass", good);
  json_builder_end_object (json);
  bench_print (json);

  bench_world_stop (&world);
  bench_ways_stop (&ways);
  if (!good)
    {
      g_printerr ("The relay costs more than it may\n");
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
