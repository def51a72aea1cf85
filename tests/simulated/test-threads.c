/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-host.h"
#include "simulated-helper.h"

/*
 * Several callers at once, as D-Bus brings them: they take, rehearse, list and give back functions
 * of the same few groups on one simulated host, while QEMUs come and go. Nobody hangs, each group
 * has one owner at a time, and at the end everything is as it was.
 */
#define THREADS 4
#define ROUNDS  60

static const char *const addresses[]
    = { "0000:01:00.0", "0000:01:00.1", "0001:01:00.0", "0002:01:00.0", "0003:01:00.0" };

typedef struct
{
  KvmHelperSim *sim;
  const KvmHelperKernel *kernel;
  KvmHelperLeases *leases;
  guint taken; /* how often somebody had a function */
} Host;

typedef struct
{
  Host *host;
  GRand *random;
  char *uuid;
} Caller;

/* A guest has it, and nobody else can, until it lets go. */
static void
use (Caller *caller, const PciAddress *address, const char *id)
{
  const KvmHelperSimQemuConfig config = simulated_guest (caller->uuid);
  GError *error = NULL;
  g_autoptr (KvmHelperSimQemu) qemu = kvmhelper_sim_qemu_new (caller->host->sim, &config, &error);
  g_autoptr (GVariant) granted = NULL;

  g_assert_no_error (error);
  kvmhelper_sim_qemu_attach (qemu, address, &error);
  g_assert_no_error (error);
  granted = kvmhelper_leases_commit (caller->host->leases, id, &error);
  /* Another call may look at the group just now. */
  if (granted == NULL)
    g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BUSY);
  else
    g_variant_ref_sink (granted);
  g_clear_error (&error);
  if (g_rand_boolean (caller->random))
    kvmhelper_sim_qemu_crash (qemu);
}

static void
give_back (Caller *caller, const char *id)
{
  gboolean done = FALSE;

  while (!done)
    {
      g_autoptr (GError) error = NULL;

      if (!kvmhelper_leases_release (caller->host->leases, id, 5, &done, &error))
        g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BUSY);
    }
}

static void
take (Caller *caller, const PciAddress *address)
{
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  g_autoptr (GError) error = NULL;

  if (kvmhelper_leases_prepare (caller->host->leases, caller->uuid, "guest", address,
                                (KvmHelperRehearseMode) g_rand_int_range (caller->random, 0, 3),
                                NULL, &prepared, &error))
    {
      g_atomic_int_inc (&caller->host->taken);
      use (caller, address, prepared.lease->id);
      give_back (caller, prepared.lease->id);
    }
  else if (!g_error_matches (error, COMMON_ERROR, COMMON_ERROR_BUSY))
    g_assert_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE);
}

static void
do_something (Caller *caller)
{
  PciAddress address = simulated_address (
      addresses[g_rand_int_range (caller->random, 0, G_N_ELEMENTS (addresses))]);
  g_autoptr (GPtrArray) leases = NULL;

  switch (g_rand_int_range (caller->random, 0, 6))
    {
    case 0:
      leases = kvmhelper_leases_list (caller->host->leases);
      g_variant_unref (
          g_variant_ref_sink (kvmhelper_host_read (caller->host->kernel, leases, NULL)));
      break;
    case 1:
      leases = kvmhelper_leases_rehearse (caller->host->leases, &address, NULL);
      break;
    default:
      take (caller, &address);
      break;
    }
}

static gpointer
call (gpointer data)
{
  Caller *caller = data;

  for (guint i = 0; i < ROUNDS; i++)
    do_something (caller);
  return NULL;
}

static void
run_threads (Host *host)
{
  GThread *threads[THREADS];
  Caller callers[THREADS];

  for (guint i = 0; i < THREADS; i++)
    {
      callers[i].host = host;
      callers[i].random = g_rand_new_with_seed (i);
      callers[i].uuid = g_strdup_printf ("4dea22b3-1d52-d8f3-2516-782e98ab3fa%u", i);
      threads[i] = g_thread_new ("caller", call, &callers[i]);
    }
  for (guint i = 0; i < THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (callers[i].random);
      g_free (callers[i].uuid);
    }
}

static void
test_threads (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *directory = simulated_directory_new ("test-threads");
  g_autoptr (GPtrArray) left = NULL;
  char *before[G_N_ELEMENTS (addresses)];
  GError *error = NULL;
  Host host = { .sim = kvmhelper_sim_new_from_file (HOST_FILE, &error) };
  KvmHelperSimProcess *process;

  g_assert_no_error (error);
  process = kvmhelper_sim_process_new (host.sim, &simulated_process);
  host.kernel = kvmhelper_sim_process_kernel (process);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      before[i] = simulated_binding (host.kernel, addresses[i], 0);
      g_assert_nonnull (before[i]);
    }
  host.leases = simulated_leases_open (host.kernel, directory, cancellable);
  run_threads (&host);
  left = kvmhelper_leases_list (host.leases);
  for (guint i = 0; i < left->len; i++)
    simulated_leases_release (host.leases, ((KvmHelperLease *) left->pdata[i])->id, 5);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autofree char *now = simulated_binding (host.kernel, addresses[i], 0);

      g_assert_cmpstr (now, ==, before[i]);
      g_free (before[i]);
    }
  g_test_message ("functions were taken %u times", host.taken);
  g_assert_cmpuint (host.taken, >=, THREADS);
  kvmhelper_leases_free (host.leases);
  g_assert_cmpuint (kvmhelper_sim_handles (host.sim), ==, 0);
  kvmhelper_sim_free (host.sim);
  simulated_directory_remove (directory);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_add_func ("/simulated/threads", test_threads);
  return g_test_run ();
}
