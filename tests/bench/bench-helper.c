/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdlib.h>

#include "bench-process.h"
#include "bench-series.h"
#include "common/common-dbus.h"
#include "simulated-helper.h"

/**
 * What the helper costs where a device is given away and taken back: Prepare and Release of the
 * real program, over a dbus-daemon, on a simulated host, beside a ping of the same process: what
 * D-Bus alone takes. Each round makes one of each, so that what else the machine does hits them
 * alike. Medians, in microseconds, as JSON:
 *
 *   ping-usec    org.freedesktop.DBus.Peer.Ping, which GDBus answers
 *   list-usec    ListLeases without a lease: what a method costs that does nothing
 *   cycles       for each way to rehearse ("never", by a helper that has never done it; "auto", by
 *                one that remembers it; "always"): prepare-usec, release-usec, cycle-usec (both),
 *                ping-ratio (cycle-usec to ping-usec), and cycle-cpu-usec, what the helper had of
 *                the processors for it
 *   memory       of a helper with nothing to do, in KiB: the simulated one, whose model of a host
 *                is in it, after its start, and after 1, 1,000 and 2,000 cycles; and the one that
 *                is root on a real host ("root-start"), which is given nothing to do here
 *   growth-bytes what a cycle leaves behind, between the 1,000th and the 2,000th
 *
 * What the simulated kernel takes its time for is not waited for, and the records of the leases are
 * on a RAM disk where there is one: the time of a disk and of a device's reset is not the helper's.
 * It fails where the helper grows with every cycle.
 */
#define CARD "0000:01:00.0"

enum
{
  ROUNDS = 1001,
  CYCLES = 1000,
};

#define MAX_GROWTH_BYTES 64.0

/* A way to rehearse: who is asked for it, for what, and what comes of it. */
typedef struct
{
  guint helper;
  const char *rehearse, *rehearsed;
  gint64 prepare[ROUNDS], release[ROUNDS], cycle[ROUNDS], cpu[ROUNDS];
} Way;

static gint64
time_list (BenchProcess *helper)
{
  gint64 begin = g_get_monotonic_time ();

  g_variant_unref (bench_process_call (helper, "ListLeases", NULL));
  return g_get_monotonic_time () - begin;
}

static void
run_cycle (BenchProcess *helper, Way *way, guint round)
{
  gint64 cpu = bench_process_cpu (helper), begin = g_get_monotonic_time (), prepared;
  g_autofree char *lease
      = bench_process_prepare (helper, SIMULATED_UUID, CARD, way->rehearse, way->rehearsed);

  prepared = g_get_monotonic_time ();
  bench_process_release (helper, lease);
  way->cycle[round] = g_get_monotonic_time () - begin;
  way->cpu[round] = bench_process_cpu (helper) - cpu;
  way->prepare[round] = prepared - begin;
  way->release[round] = way->cycle[round] - way->prepare[round];
}

static void
add_way (JsonBuilder *json, Way *way, double ping_usec)
{
  double cycle_usec = bench_median (way->cycle, ROUNDS);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "rehearse");
  json_builder_add_string_value (json, way->rehearse);
  bench_add (json, "prepare-usec", bench_median (way->prepare, ROUNDS));
  bench_add (json, "release-usec", bench_median (way->release, ROUNDS));
  bench_add (json, "cycle-usec", cycle_usec);
  bench_add (json, "cycle-cpu-usec", bench_median (way->cpu, ROUNDS));
  bench_add_ratio (json, "ping-ratio", cycle_usec, ping_usec);
  json_builder_end_object (json);
}

static void
measure_calls (BenchProcess *helpers[2], JsonBuilder *json)
{
  static Way ways[] = { { 0, "never", "no" }, { 1, "auto", "before" }, { 1, "always", "now" } };
  static gint64 ping[2 * ROUNDS], list[2 * ROUNDS];
  double ping_usec;

  /* What is remembered from here on. */
  run_cycle (helpers[1], &ways[2], 0);
  for (guint round = 0; round < ROUNDS; round++)
    {
      for (guint i = 0; i < 2; i++)
        {
          ping[2 * round + i] = bench_process_ping (helpers[i]);
          list[2 * round + i] = time_list (helpers[i]);
        }
      for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
        run_cycle (helpers[ways[i].helper], &ways[i], round);
    }
  ping_usec = MAX (bench_median (ping, G_N_ELEMENTS (ping)), 1);
  bench_add (json, "rounds", ROUNDS);
  bench_add (json, "ping-usec", ping_usec);
  bench_add (json, "list-usec", bench_median (list, G_N_ELEMENTS (list)));
  json_builder_set_member_name (json, "cycles");
  json_builder_begin_array (json);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    add_way (json, &ways[i], ping_usec);
  json_builder_end_array (json);
}

static void
run_cycles (BenchProcess *helper, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *lease = bench_process_prepare (helper, SIMULATED_UUID, CARD, "never", "no");

      bench_process_release (helper, lease);
    }
}

/* What a cycle leaves behind, in bytes. */
static double
measure_memory (BenchProcess *helper, JsonBuilder *json)
{
  gint64 before;

  bench_process_add_memory (helper, json, "start");
  bench_process_freeze_clock (helper);
  run_cycles (helper, 1);
  bench_process_add_memory (helper, json, "cycle-1");
  run_cycles (helper, CYCLES - 1);
  bench_process_add_memory (helper, json, "cycle-1000");
  before = bench_process_anonymous (helper);
  run_cycles (helper, CYCLES);
  bench_process_add_memory (helper, json, "cycle-2000");
  return 1024.0 * (double) (bench_process_anonymous (helper) - before) / CYCLES;
}

static void
run_calls (const char *program, const char *host, const char *const states[2], JsonBuilder *json)
{
  const char *const arguments[2][6] = {
    { program, "--simulate", host, "--state-dir", states[0], NULL },
    { program, "--simulate", host, "--state-dir", states[1], NULL },
  };
  BenchProcess *helpers[2];

  for (guint i = 0; i < 2; i++)
    {
      helpers[i] = bench_process_new (arguments[i], COMMON_DBUS_SIMULATION_NAME);
      bench_process_start (helpers[i]);
      bench_process_freeze_clock (helpers[i]);
    }
  measure_calls (helpers, json);
  for (guint i = 0; i < 2; i++)
    {
      bench_process_stop (helpers[i]);
      bench_process_free (helpers[i]);
    }
}

/* What a cycle leaves behind, in bytes. */
static double
run_for_memory (const char *const *simulated, const char *const *root, JsonBuilder *json)
{
  BenchProcess *helper = bench_process_new (simulated, COMMON_DBUS_SIMULATION_NAME);
  double growth;

  bench_process_start (helper);
  growth = measure_memory (helper, json);
  bench_process_stop (helper);
  bench_process_free (helper);

  helper = bench_process_new (root, COMMON_DBUS_KVMHELPER_NAME);
  bench_process_start (helper);
  bench_process_add_memory (helper, json, "root-start");
  bench_process_stop (helper);
  bench_process_free (helper);
  return growth;
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *directory = simulated_directory_new ("bench-helper");
  char *states[4];
  double growth;

  setlocale (LC_ALL, "");
  g_assert_cmpint (argc, ==, 4);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    states[i] = g_strdup_printf ("%s/%u", directory, i);
  const char *const simulated[]
      = { argv[1], "--simulate", argv[3], "--state-dir", states[2], NULL };
  const char *const root[] = { argv[2], "--state-dir", states[3], NULL };

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "benchmark");
  json_builder_add_string_value (json, "helper");
  run_calls (argv[1], argv[3], (const char *const *) states, json);
  json_builder_set_member_name (json, "memory");
  json_builder_begin_object (json);
  growth = run_for_memory (simulated, root, json);
  json_builder_end_object (json);
  bench_add (json, "growth-bytes", growth);
  json_builder_end_object (json);
  bench_print (json);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    g_free (states[i]);
  simulated_directory_remove (directory);
  if (growth > MAX_GROWTH_BYTES)
    {
      g_printerr ("The helper grows by %.0f bytes a cycle\n", growth);
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
