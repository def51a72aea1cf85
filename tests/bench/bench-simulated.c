/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdlib.h>

#include "bench-series.h"
#include "kvmhelper/kvmhelper-host.h"
#include "simulated-helper.h"

/**
 * What a large host costs: one of 4,096 functions beside one with a single card of the same kind,
 * both simulated, so that what is measured is the helper's own work. Medians, in microseconds, as
 * JSON:
 *
 *   load-usec     reads the description and starts the host
 *   list-usec     the description that GetHost answers with (kvmhelper_host_read)
 *   cycle-usec    Prepare with a rehearsal, Commit while a QEMU has the function, Release
 *   cycle-ratio   cycle-usec of the large one to that of the small one
 *
 * The rounds of both hosts take turns, so that what else the machine does hits them alike. The
 * records of the leases are on a RAM disk where there is one: a disk's time is not the helper's.
 * It fails where the large host is not listed within a second of its start, or where a cycle costs
 * more than half as much again as on the small one.
 */
#define LISTS  5
#define CYCLES 101

#define MAX_START_USEC  1000000.0
#define MAX_CYCLE_RATIO 1.5

typedef struct
{
  const char *file;
  PciAddress address; /* of the function that is attached */
  char *state;
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  KvmHelperLeases *leases;
  KvmHelperSimQemu *qemu;
  guint functions;
  gint64 load[LISTS], list[LISTS], cycle[CYCLES];
} Host;

static guint
count_functions (GVariant *description)
{
  g_autoptr (GVariantIter) groups = NULL;
  GVariant *group;
  guint count = 0;

  g_assert_true (g_variant_lookup (description, "groups", "aa{sv}", &groups));
  while ((group = g_variant_iter_next_value (groups)) != NULL)
    {
      g_autoptr (GVariant) members = g_variant_lookup_value (group, "members", NULL);

      count += (guint) g_variant_n_children (members);
      g_variant_unref (group);
    }
  return count;
}

/* Loads the host and lists it; the last one stays. */
static void
load (Host *host, guint round)
{
  g_autoptr (GPtrArray) leases = g_ptr_array_new ();
  g_autoptr (GVariant) description = NULL;
  gint64 begin = g_get_monotonic_time (), loaded;
  GError *error = NULL;

  g_clear_pointer (&host->sim, kvmhelper_sim_free);
  begin = g_get_monotonic_time ();
  host->sim = kvmhelper_sim_new_from_file (host->file, &error);
  g_assert_no_error (error);
  host->process = kvmhelper_sim_process_new (host->sim, &simulated_process);
  loaded = g_get_monotonic_time ();
  description = g_variant_ref_sink (
      kvmhelper_host_read (kvmhelper_sim_process_kernel (host->process), leases, NULL));
  host->load[round] = loaded - begin;
  host->list[round] = g_get_monotonic_time () - loaded;
  host->functions = count_functions (description);
}

static void
start (Host *host, const char *address, const char *state, GCancellable *cancellable)
{
  const KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  GError *error = NULL;

  host->state = g_strdup (state);
  host->address = simulated_address (address);
  /* What the kernel takes its time for is not waited for. */
  kvmhelper_sim_advance (host->sim, 0);
  host->leases
      = simulated_leases_open (kvmhelper_sim_process_kernel (host->process), state, cancellable);
  host->qemu = kvmhelper_sim_qemu_new (host->sim, &config, &error);
  g_assert_no_error (error);
  kvmhelper_sim_qemu_set_linger (host->qemu, 0);
}

static gint64
run_cycle (Host *host)
{
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  g_autoptr (GVariant) granted = NULL;
  gint64 begin = g_get_monotonic_time (), qemu, took;
  GError *error = NULL;

  kvmhelper_leases_prepare (host->leases, SIMULATED_UUID, "guest", &host->address,
                            KVMHELPER_REHEARSE_ALWAYS, NULL, &prepared, &error);
  g_assert_no_error (error);
  took = g_get_monotonic_time () - begin;
  kvmhelper_sim_qemu_attach (host->qemu, &host->address, &error);
  g_assert_no_error (error);
  qemu = g_get_monotonic_time ();
  granted = kvmhelper_leases_commit (host->leases, prepared.lease->id, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (granted);
  took += g_get_monotonic_time () - qemu;
  kvmhelper_sim_qemu_detach (host->qemu, &host->address, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (host->sim, 1);
  qemu = g_get_monotonic_time ();
  simulated_leases_release (host->leases, prepared.lease->id, 0);
  return took + g_get_monotonic_time () - qemu;
}

static void
stop (Host *host)
{
  kvmhelper_sim_qemu_free (host->qemu);
  kvmhelper_leases_free (host->leases);
  kvmhelper_sim_free (host->sim);
  g_free (host->state);
}

static void
print_host (Host *host)
{
  g_print ("{\"functions\":%u,\"load-usec\":%.0f,\"list-usec\":%.0f,\"cycle-usec\":%.0f}",
           host->functions, bench_median (host->load, LISTS), bench_median (host->list, LISTS),
           bench_median (host->cycle, CYCLES));
}

int
main (int argc, char **argv)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *directory = simulated_directory_new ("bench-simulated");
  g_autofree char *small_state = g_build_filename (directory, "small", NULL);
  g_autofree char *large_state = g_build_filename (directory, "large", NULL);
  static Host small, large;
  double start_usec, ratio;

  setlocale (LC_ALL, "");
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_assert_cmpint (argc, ==, 3);
  small.file = argv[1];
  large.file = argv[2];
  for (guint i = 0; i < LISTS; i++)
    {
      load (&small, i);
      load (&large, i);
    }
  start (&small, "0000:03:00.0", small_state, cancellable);
  start (&large, "0007:10:00.0", large_state, cancellable);
  for (guint i = 0; i < CYCLES; i++)
    {
      small.cycle[i] = run_cycle (&small);
      large.cycle[i] = run_cycle (&large);
    }
  g_print ("{\"benchmark\":\"simulated\",\"lists\":%d,\"cycles\":%d,\"hosts\":[", LISTS, CYCLES);
  print_host (&small);
  g_print (",");
  print_host (&large);
  start_usec = bench_median (large.load, LISTS) + bench_median (large.list, LISTS);
  ratio = bench_median (large.cycle, CYCLES) / bench_median (small.cycle, CYCLES);
  g_print ("],\"start-usec\":%.0f,\"cycle-ratio\":%.2f}\n", start_usec, ratio);
  stop (&small);
  stop (&large);
  simulated_directory_remove (directory);
  if (start_usec > MAX_START_USEC || ratio > MAX_CYCLE_RATIO)
    {
      g_printerr ("A large host costs more than it may\n");
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
