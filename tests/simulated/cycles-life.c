/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cycles-life.h"

#include <unistd.h>

#include "cycles-random.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

/* What a function is that takes the place of another. */
#define OTHER_VENDOR 0x1af4
#define OTHER_DEVICE 0x1041

const char *const cycles_addresses[] = { "0000:01:00.0", "0000:01:00.1", "0001:01:00.0",
                                         "0002:01:00.0", "0003:01:00.0", "0004:01:00.0",
                                         "0005:01:00.0", CYCLES_BY_HAND, NULL };

static CyclesLife *living; /* for the callbacks that have no data */

static const char *
any_address (CyclesLife *life)
{
  if (g_rand_int_range (life->random, 0, 10) == 0)
    return CYCLES_NEEDED;
  return cycles_addresses[g_rand_int_range (life->random, 0, G_N_ELEMENTS (cycles_addresses) - 1)];
}

static gboolean
chance (CyclesLife *life, int percent)
{
  return g_rand_int_range (life->random, 0, 100) < percent;
}

/* --- what goes wrong --- */

/* The helper is killed; what it had open goes, and the host stays. */
static void
on_kill (gpointer data)
{
  CyclesLife *life = data;
  g_autofree char *xml = kvmhelper_sim_to_xml (life->cycles->sim);

  g_assert_true (life->child);
  g_assert_true (g_file_set_contents_full (life->cycles->saved, xml, -1,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
  _exit (CYCLES_KILLED);
}

static void
on_vanish (const PciAddress *address, gpointer data)
{
  kvmhelper_sim_inject_unplug (((CyclesLife *) data)->cycles->sim, address, NULL);
}

static void
on_replace (const PciAddress *address, gpointer data)
{
  kvmhelper_sim_inject_replace (((CyclesLife *) data)->cycles->sim, address, OTHER_VENDOR,
                                OTHER_DEVICE, NULL);
}

static void
on_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
  CyclesLife *life = data;

  if (life != NULL && life->kill_at > 0 && --life->kill_at == 0)
    on_kill (life);
}

/* --- what the helper does --- */

static GPtrArray *
rehearse (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
          KvmHelperStepFunc step, gpointer data, GCancellable *cancellable, GError **error)
{
  KvmHelperSimProcess *process;
  KvmHelperKernel *worker;
  GPtrArray *steps;

  if (living == NULL || !living->processes)
    return kvmhelper_rehearsal_here (kernel, group, address, step, data, cancellable, error);
  process = kvmhelper_sim_process_new (living->cycles->sim, &simulated_process);
  worker = kvmhelper_faults_wrap (living->faults, kvmhelper_sim_process_kernel (process));
  steps = kvmhelper_rehearsal_here (worker, group, address, step, data, cancellable, error);
  kvmhelper_faults_unwrap (worker);
  kvmhelper_sim_process_exit (process);
  return steps;
}

static void
count (CyclesLife *life, gboolean success)
{
  if (success)
    life->cycles->successes++;
  else
    life->cycles->failures++;
}

static char *
prepare (CyclesLife *life, const char *function)
{
  static const char *const uuids[] = { SIMULATED_UUID, "4dea22b3-1d52-d8f3-2516-782e98ab3fa1" };
  PciAddress address = simulated_address (function);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  gboolean success = kvmhelper_leases_prepare (
      life->leases, uuids[g_rand_int_range (life->random, 0, 2)], "guest", &address,
      (KvmHelperRehearseMode) g_rand_int_range (life->random, 0, 3), NULL, &prepared, NULL);

  count (life, success);
  return success ? g_strdup (prepared.lease->id) : NULL;
}

static void
take_by_qemu (CyclesLife *life, const char *function)
{
  KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  PciAddress address = simulated_address (function);

  config.uid = chance (life, 50) ? 0 : 64055;
  config.ic_mode = (KvmHelperSimIcMode) g_rand_int_range (life->random, 0, 3);
  if (life->qemu == NULL)
    life->qemu = kvmhelper_sim_qemu_new (life->cycles->sim, &config, NULL);
  if (life->qemu != NULL && kvmhelper_sim_qemu_attach (life->qemu, &address, NULL)
      && chance (life, 50))
    kvmhelper_sim_qemu_use (life->qemu, &address, 3, NULL);
}

/* It crashes, or gives the function back, which takes it a while; or goes on. */
static void
leave_by_qemu (CyclesLife *life, const char *function)
{
  PciAddress address = simulated_address (function);

  if (life->qemu == NULL || chance (life, 20))
    return;
  if (chance (life, 50))
    kvmhelper_sim_qemu_detach (life->qemu, &address, NULL);
  else
    {
      if (chance (life, 50))
        kvmhelper_sim_qemu_crash (life->qemu);
      g_clear_pointer (&life->qemu, kvmhelper_sim_qemu_free);
    }
  if (chance (life, 50))
    kvmhelper_sim_advance (life->cycles->sim, 7 * G_USEC_PER_SEC);
}

static void
release (CyclesLife *life, const char *id)
{
  gboolean done;

  count (life, kvmhelper_leases_release (life->leases, id, 0, &done, NULL));
}

/* What is only looked at must not fall over either. */
static void
look (CyclesLife *life, const PciAddress *address)
{
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (life->leases);
  g_autoptr (KvmHelperInspection) inspection
      = kvmhelper_inspection_new (life->kernel, address, NULL, NULL);

  g_variant_unref (g_variant_ref_sink (kvmhelper_host_read (life->kernel, leases, NULL)));
  if (inspection != NULL)
    g_variant_unref (g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL)));
}

static void
do_something (CyclesLife *life)
{
  const char *function = any_address (life);
  PciAddress address = simulated_address (function);
  g_autofree char *id = NULL;

  if (life->freezes && !g_str_equal (function, CYCLES_BY_HAND))
    kvmhelper_sim_inject_freeze (life->cycles->sim, &address, NULL);
  if (chance (life, 15))
    {
      g_autoptr (GPtrArray) steps = kvmhelper_leases_rehearse (life->leases, &address, NULL);

      count (life, steps != NULL && kvmhelper_steps_passed (steps));
      return;
    }
  id = prepare (life, function);
  if (id != NULL && chance (life, 60))
    take_by_qemu (life, function);
  if (chance (life, 15))
    look (life, &address);
  if (id != NULL && chance (life, 60))
    {
      g_autoptr (GVariant) granted = kvmhelper_leases_commit (life->leases, id, NULL);

      count (life, granted != NULL);
      if (granted != NULL)
        g_variant_ref_sink (granted);
    }
  if (chance (life, 80))
    leave_by_qemu (life, function);
  if (id != NULL && chance (life, 80))
    release (life, id);
}

char *
cycles_binding (const KvmHelperKernel *kernel, const char *function)
{
  return simulated_binding (kernel, function, OTHER_VENDOR);
}

KvmHelperLeases *
cycles_open_leases (const Cycles *cycles, const KvmHelperKernel *kernel, CyclesLife *life)
{
  const KvmHelperListener listener = { on_lease, simulated_ignore_step, life };
  GError *error = NULL;
  KvmHelperLeases *leases = kvmhelper_leases_open (kernel, cycles->state, rehearse, &listener,
                                                   cycles->cancellable, &error);

  if (life == NULL || leases != NULL)
    g_assert_no_error (error);
  g_clear_error (&error);
  return leases;
}

void
cycles_life_run (CyclesLife *life)
{
  const KvmHelperFaultHooks hooks = { on_kill, on_vanish, on_replace, life };
  const char *rules[] = { life->rules, NULL };
  KvmHelperSim *sim = life->cycles->sim;
  GError *error = NULL;
  const int things = g_rand_int_range (life->random, 1, 4);

  life->process = kvmhelper_sim_process_new (sim, &simulated_process);
  life->faults = kvmhelper_faults_parse (rules, &hooks, &error);
  g_assert_no_error (error);
  life->kernel = kvmhelper_faults_wrap (life->faults, kvmhelper_sim_process_kernel (life->process));
  living = life;
  life->leases = cycles_open_leases (life->cycles, life->kernel, life);
  for (int i = 0; i < things && life->leases != NULL; i++)
    do_something (life);
  g_clear_pointer (&life->leases, kvmhelper_leases_free);
  living = NULL;
  for (guint i = 0; i < kvmhelper_faults_count (life->faults); i++)
    life->cycles->strikes += kvmhelper_faults_struck (life->faults, i);
  kvmhelper_faults_unwrap (life->kernel);
  kvmhelper_faults_free (life->faults);
  kvmhelper_sim_process_exit (life->process);
  g_clear_pointer (&life->qemu, kvmhelper_sim_qemu_free);
}

void
cycles_life_plan (CyclesLife *life)
{
  g_autofree char *rules = NULL;
  g_autofree char *kill = NULL;

  life->processes = chance (life, 40);
  rules = cycles_random_rules (life->random, cycles_addresses, life->processes, &life->changes);
  life->freezes = chance (life, 5);
  life->changes = life->changes || life->freezes;
  life->child = chance (life, 25);
  if (life->child && chance (life, 25))
    life->kill_at = (guint) g_rand_int_range (life->random, 1, 6);
  else if (life->child)
    kill = cycles_random_kill (life->random, 2500);
  life->rules = kill == NULL ? g_steal_pointer (&rules) : g_strconcat (rules, ";", kill, NULL);
}
