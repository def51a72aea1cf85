/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "bench-process.h"
#include "bench-series.h"
#include "common/common-dbus.h"
#include "simulated-helper.h"

/**
 * What many leases cost: helpers with 0, 10, 100 and 1,000 of them, each the real program on a
 * dbus-daemon of its own and on a simulated host of 1,024 cards with one function each. They
 * take turns, so that what else the machine does hits them alike. Medians, in microseconds, as
 * JSON:
 *
 *   fill-usec      Prepare, on the average of all the leases that a helper is given
 *   ping-usec      org.freedesktop.DBus.Peer.Ping, which GDBus answers
 *   cycle-usec     Prepare and Release of one lease more
 *   list-usec      ListLeases; list-bytes: its answer
 *   start-usec     from the fork until the helper's name is on the bus, with the records that are
 *                  there; reading the host's description, which a real helper has not, is a part
 *   recover-cpu-usec   of that the records alone: kvmhelper_leases_open, which reads them and looks
 * at what the kernel says …-cpu-usec     what the helper had of the processors for it; of the
 * recovery it is that alone lease-bytes    what a lease has on the heap after that memory after a
 * start, and after all of the above, in KiB
 *
 * and how each grows from 100 to 1,000 leases ("growth"), beside what it is without any: 10 is
 * linear. It fails where that is by half as much worse.
 *
 * The leases are libvirt's, as of guests of the system: a user's own would be 64 at most. What the
 * simulated kernel takes its time for is not waited for, and the records are on a RAM disk where
 * there is one.
 */
enum
{
  ROUNDS = 51,
  STARTS = 5,
  SLOTS = 32, /* of a host bridge; the first one's bus is FIRST_BUS */
  FIRST_BUS = 3,
  SPARE = 1023, /* the card that is leased and given back */
};

#define MAX_GROWTH 15.0

static const guint counts[] = { 0, 10, 100, 1000 };

enum
{
  PING,
  CYCLE,
  LIST,
  START,
  CYCLE_CPU, /* from here on what else the machine does is not in it */
  LIST_CPU,
  START_CPU,
  RECOVER_CPU,
  MEASURES,
};

static const struct
{
  const char *name;
  guint rounds;
} measures[MEASURES]
    = { { "ping-usec", ROUNDS },      { "cycle-usec", ROUNDS },      { "list-usec", ROUNDS },
        { "start-usec", STARTS },     { "cycle-cpu-usec", ROUNDS },  { "list-cpu-usec", ROUNDS },
        { "start-cpu-usec", STARTS }, { "recover-cpu-usec", STARTS } };

typedef struct
{
  guint leases;
  char *state;
  const char *arguments[6];
  BenchProcess *helper;
  gint64 usec[MEASURES][ROUNDS];
  double median[MEASURES];
  double fill, list_bytes, lease_bytes;
  gint64 start_kib, end_kib;
} Place;

static char *
card (guint number)
{
  return g_strdup_printf ("%04x:%02x:00.0", number / SLOTS, number % SLOTS + FIRST_BUS);
}

static char *
prepare (Place *place, guint number)
{
  g_autofree char *address = card (number);
  g_autofree char *uuid = g_strdup_printf ("4dea22b3-1d52-d8f3-2516-%012x", number);

  return bench_process_prepare (place->helper, uuid, address, "never", "no");
}

static void
open_place (Place *place, const char *program, const char *host, const char *directory)
{
  g_autofree char *name = g_strdup_printf ("%u", place->leases);
  const char *const arguments[] = { program, "--simulate", host, "--state-dir", NULL };

  place->state = g_build_filename (directory, name, NULL);
  for (guint i = 0; arguments[i] != NULL; i++)
    place->arguments[i] = arguments[i];
  place->arguments[4] = place->state;
  place->helper = bench_process_new (place->arguments, COMMON_DBUS_SIMULATION_NAME);
}

/* The leases, and then an end with all of them there. */
static void
fill (Place *place)
{
  gint64 begin;

  bench_process_start (place->helper);
  bench_process_freeze_clock (place->helper);
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < place->leases; i++)
    g_free (prepare (place, i));
  place->fill = (double) (g_get_monotonic_time () - begin) / MAX (place->leases, 1);
  bench_process_stop (place->helper);
}

static void
measure_start (Place *place, guint round)
{
  place->usec[START][round] = bench_process_start (place->helper);
  place->usec[START_CPU][round] = bench_process_cpu (place->helper);
  place->start_kib = bench_process_anonymous (place->helper);
  if (round + 1 < STARTS)
    bench_process_stop (place->helper);
}

/* On the host as the helper has left it. */
static void
measure_recovery (Place *place, GCancellable *cancellable)
{
  g_autofree char *file = g_build_filename (place->state, "simulated-host.xml", NULL);
  GError *error = NULL;
  KvmHelperSim *sim = kvmhelper_sim_new_from_file (file, &error);
  const KvmHelperKernel *kernel;

  g_assert_no_error (error);
  kernel = kvmhelper_sim_process_kernel (kvmhelper_sim_process_new (sim, &simulated_process));
  for (guint i = 0; i < STARTS; i++)
    {
      gsize before = mallinfo2 ().uordblks;
      clock_t begin = clock ();
      KvmHelperLeases *leases = simulated_leases_open (kernel, place->state, cancellable);
      g_autoptr (GPtrArray) list = NULL;

      place->usec[RECOVER_CPU][i] = (clock () - begin) * G_USEC_PER_SEC / CLOCKS_PER_SEC;
      place->lease_bytes = (double) (mallinfo2 ().uordblks - before) / MAX (place->leases, 1);
      list = kvmhelper_leases_list (leases);
      g_assert_cmpuint (list->len, ==, place->leases);
      kvmhelper_leases_free (leases);
    }
  kvmhelper_sim_free (sim);
}

static void
measure_cycle (Place *place, guint round)
{
  gint64 cpu = bench_process_cpu (place->helper), begin = g_get_monotonic_time ();
  g_autofree char *lease = prepare (place, SPARE);

  bench_process_release (place->helper, lease);
  place->usec[CYCLE][round] = g_get_monotonic_time () - begin;
  place->usec[CYCLE_CPU][round] = bench_process_cpu (place->helper) - cpu;
}

static void
measure_list (Place *place, guint round)
{
  gint64 cpu = bench_process_cpu (place->helper), begin = g_get_monotonic_time ();
  g_autoptr (GVariant) reply = bench_process_call (place->helper, "ListLeases", NULL);
  g_autoptr (GVariant) leases = g_variant_get_child_value (reply, 0);

  place->usec[LIST][round] = g_get_monotonic_time () - begin;
  place->usec[LIST_CPU][round] = bench_process_cpu (place->helper) - cpu;
  place->list_bytes = (double) g_variant_get_size (reply);
  g_assert_cmpuint (g_variant_n_children (leases), ==, place->leases);
}

static void
measure (Place *places, guint count, GCancellable *cancellable)
{
  for (guint i = 0; i < count; i++)
    fill (&places[i]);
  for (guint i = 0; i < count; i++)
    measure_recovery (&places[i], cancellable);
  for (guint round = 0; round < STARTS; round++)
    for (guint i = 0; i < count; i++)
      measure_start (&places[i], round);
  for (guint i = 0; i < count; i++)
    bench_process_freeze_clock (places[i].helper);
  for (guint round = 0; round < ROUNDS; round++)
    for (guint i = 0; i < count; i++)
      {
        places[i].usec[PING][round] = bench_process_ping (places[i].helper);
        measure_cycle (&places[i], round);
        measure_list (&places[i], round);
      }
}

static void
add_place (JsonBuilder *json, Place *place)
{
  json_builder_begin_object (json);
  bench_add (json, "leases", place->leases);
  bench_add (json, "fill-usec", place->fill);
  for (guint i = 0; i < MEASURES; i++)
    bench_add (json, measures[i].name, place->median[i]);
  bench_add (json, "list-bytes", place->list_bytes);
  if (place->leases > 0)
    bench_add (json, "lease-bytes", place->lease_bytes);
  bench_add (json, "start-kib", (double) place->start_kib);
  bench_process_add_memory (place->helper, json, "memory");
  json_builder_end_object (json);
}

/* What ten times as many leases cost more than none, to what the first ones do. What is lost in the
 * noise has not grown. */
static double
growth (const double few, const double many, double none)
{
  return (many - none) / MAX (few - none, 0.1 * none);
}

static gboolean
add_growth (JsonBuilder *json, const Place *places, guint count)
{
  const Place *none = &places[0], *few = &places[count - 2], *many = &places[count - 1];
  gboolean good = TRUE;

  json_builder_set_member_name (json, "growth");
  json_builder_begin_object (json);
  for (guint i = CYCLE_CPU; i < MEASURES; i++)
    {
      double grown = growth (few->median[i], many->median[i], none->median[i]);

      bench_add_ratio (json, measures[i].name, grown, 1);
      good = good && grown <= MAX_GROWTH;
    }
  json_builder_end_object (json);
  return good;
}

int
main (int argc, char **argv)
{
  static Place places[G_N_ELEMENTS (counts)];
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *directory = simulated_directory_new ("bench-leases");
  gboolean good;

  setlocale (LC_ALL, "");
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_assert_cmpint (argc, ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      places[i].leases = counts[i];
      open_place (&places[i], argv[1], argv[2], directory);
    }
  measure (places, G_N_ELEMENTS (places), cancellable);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "benchmark");
  json_builder_add_string_value (json, "leases");
  bench_add (json, "rounds", ROUNDS);
  bench_add (json, "starts", STARTS);
  json_builder_set_member_name (json, "helpers");
  json_builder_begin_array (json);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      for (guint m = 0; m < MEASURES; m++)
        places[i].median[m] = bench_median (places[i].usec[m], measures[m].rounds);
      add_place (json, &places[i]);
      bench_process_stop (places[i].helper);
      bench_process_free (places[i].helper);
      g_free (places[i].state);
    }
  json_builder_end_array (json);
  good = add_growth (json, places, G_N_ELEMENTS (places));
  json_builder_end_object (json);
  bench_print (json);
  simulated_directory_remove (directory);
  if (!good)
    {
      g_printerr ("Leases cost more than they may\n");
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
