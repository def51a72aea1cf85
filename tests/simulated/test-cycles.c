/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cycles-life.h"

/*
 * Thousands of lives of the helper on a host where things go wrong: what is taken is given back,
 * whatever is refused, lied about or pulled out, and at whatever call the helper is killed.
 *
 * A cycle is one life: it opens its leases, does a few things, and ends. Then nothing goes wrong
 * any more, a new helper opens the same leases and gives back what is left; and every function has
 * the driver and the override that it had at first. A life that is killed is a child process, which
 * writes down what its host is like at that moment.
 *
 * CYCLES says how many (10,000, or what the build says); CYCLES_SEED with what (printed);
 * CYCLES_FIRST where to begin: each cycle goes by its own number, so that one can be looked at
 * alone; CYCLES_LOG: what the helper says.
 */

/* --- what is to be true after it --- */

static guint
count_descriptors (void)
{
  GDir *directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint found = 0;

  while (g_dir_read_name (directory) != NULL)
    found++;
  g_dir_close (directory);
  return found;
}

static void
check_bindings (const Cycles *cycles, const KvmHelperKernel *kernel, const CyclesLife *life)
{
  GHashTableIter iter;
  gpointer address, before;

  g_hash_table_iter_init (&iter, cycles->bindings);
  while (g_hash_table_iter_next (&iter, &address, &before))
    {
      g_autofree char *now = cycles_binding (kernel, address);

      if (now == NULL ? !life->changes : !g_str_equal (now, before))
        g_error ("cycle %u (%s): %s has \"%s\", and had \"%s\"", life->number, life->rules,
                 (char *) address, now, (char *) before);
    }
}

/* Nothing goes wrong any more, and nobody holds anything: what is left is given back. */
static void
settle (Cycles *cycles, const CyclesLife *life)
{
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (cycles->sim, &simulated_process);
  const KvmHelperKernel *kernel = kvmhelper_sim_process_kernel (process);
  KvmHelperLeases *leases;
  g_autoptr (GPtrArray) left = NULL;
  g_autoptr (GPtrArray) none = NULL;

  kvmhelper_sim_advance (cycles->sim, 60 * G_USEC_PER_SEC);
  leases = cycles_open_leases (cycles, kernel, NULL);
  left = kvmhelper_leases_list (leases);
  for (guint i = 0; i < left->len; i++)
    {
      const KvmHelperLease *lease = left->pdata[i];
      gboolean done = FALSE;
      g_autoptr (GError) error = NULL;

      if (!kvmhelper_leases_release (leases, lease->id, 0, &done, &error) || !done)
        g_error ("cycle %u (%s): the lease was %s: %s; %s", life->number, life->rules,
                 kvmhelper_phase_name (lease->phase), lease->left,
                 error == NULL ? "still pending" : error->message);
    }
  none = kvmhelper_leases_list (leases);
  g_assert_cmpuint (none->len, ==, 0);
  kvmhelper_leases_free (leases);
  check_bindings (cycles, kernel, life);
  kvmhelper_sim_process_exit (process);
  g_assert_cmpuint (kvmhelper_sim_handles (cycles->sim), ==, 0);
}

/* What faults left behind shows in a life without any: everything that can be rehearsed passes. */
static void
check_rehearsals (Cycles *cycles, const CyclesLife *life)
{
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (cycles->sim, &simulated_process);
  KvmHelperLeases *leases
      = cycles_open_leases (cycles, kvmhelper_sim_process_kernel (process), NULL);

  for (guint i = 0; cycles_addresses[i] != NULL; i++)
    {
      PciAddress address = simulated_address (cycles_addresses[i]);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) steps = kvmhelper_leases_rehearse (leases, &address, &error);

      if (steps == NULL)
        g_error ("cycle %u (%s): %s: %s", life->number, life->rules, cycles_addresses[i],
                 error->message);
      for (guint j = 0; j < steps->len; j++)
        {
          const KvmHelperStep *step = steps->pdata[j];

          if (step->result == KVMHELPER_STEP_FAILED)
            g_error ("cycle %u (%s): %s: %s: %s: %s", life->number, life->rules,
                     cycles_addresses[i], step->name, kvmhelper_errno_name (step->errnum),
                     step->detail);
        }
    }
  kvmhelper_leases_free (leases);
  kvmhelper_sim_process_exit (process);
}

static void
start_host (Cycles *cycles, const char *xml)
{
  GError *error = NULL;

  g_clear_pointer (&cycles->sim, kvmhelper_sim_free);
  cycles->sim = kvmhelper_sim_new_from_xml (xml, "cycles-host.xml", &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (cycles->sim, 0);
}

/* The life of a child, which may be killed. TRUE: it was. The host goes on as it left it. */
static gboolean
live_in_child (Cycles *cycles, CyclesLife *life)
{
  g_autofree char *xml = NULL;
  int status;
  pid_t pid;

  fflush (stdout);
  pid = fork ();
  if (pid == 0)
    {
      life->child = TRUE;
      cycles_life_run (life);
      life->kill_at = 0;
      xml = kvmhelper_sim_to_xml (cycles->sim);
      g_file_set_contents_full (cycles->saved, xml, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (!WIFEXITED (status) || (WEXITSTATUS (status) != 0 && WEXITSTATUS (status) != CYCLES_KILLED))
    g_error ("cycle %u (%s): the helper ended with status 0x%x", life->number, life->rules,
             (guint) status);
  g_assert_true (g_file_get_contents (cycles->saved, &xml, NULL, NULL));
  start_host (cycles, xml);
  return WEXITSTATUS (status) == CYCLES_KILLED;
}

static void
run_cycle (Cycles *cycles, guint32 seed, guint number)
{
  CyclesLife life = { .cycles = cycles, .number = number };
  const guint32 seeds[2] = { seed, number };
  const guint descriptors = count_descriptors ();

  life.random = g_rand_new_with_seed_array (seeds, G_N_ELEMENTS (seeds));
  cycles_life_plan (&life);
  g_test_message ("cycle %u: %s", number, life.rules);
  if (life.child)
    cycles->kills += live_in_child (cycles, &life);
  else
    cycles_life_run (&life);
  settle (cycles, &life);
  if (life.changes)
    start_host (cycles, cycles->original);
  if (number % 20 == 0)
    check_rehearsals (cycles, &life);
  g_assert_cmpuint (count_descriptors (), ==, descriptors);
  g_rand_free (life.random);
  g_free (life.rules);
}

static guint64
from_environment (const char *name, guint64 otherwise)
{
  const char *text = g_getenv (name);
  guint64 value;

  if (text == NULL)
    return otherwise;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &value, NULL))
    g_error ("%s=%s is no number", name, text);
  return value;
}

static void
note_bindings (Cycles *cycles)
{
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (cycles->sim, &simulated_process);
  const KvmHelperKernel *kernel = kvmhelper_sim_process_kernel (process);

  cycles->bindings = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  for (guint i = 0; cycles_addresses[i] != NULL; i++)
    g_hash_table_insert (cycles->bindings, (gpointer) cycles_addresses[i],
                         cycles_binding (kernel, cycles_addresses[i]));
  g_hash_table_insert (cycles->bindings, (gpointer) CYCLES_NEEDED,
                       cycles_binding (kernel, CYCLES_NEEDED));
  kvmhelper_sim_process_exit (process);
}

static void
test_cycles (void)
{
  const guint32 seed = (guint32) from_environment ("CYCLES_SEED", g_random_int ());
  const guint first = (guint) from_environment ("CYCLES_FIRST", 0);
  const guint end = first + (guint) from_environment ("CYCLES", CYCLES);
  Cycles cycles = { .cancellable = g_cancellable_new () };

  g_test_message ("CYCLES_SEED=%u", seed);
  cycles.directory = simulated_directory_new ("test-cycles");
  cycles.state = g_build_filename (cycles.directory, "state", NULL);
  cycles.saved = g_build_filename (cycles.directory, "host.xml", NULL);
  g_assert_true (g_file_get_contents (HOST_FILE, &cycles.original, NULL, NULL));
  start_host (&cycles, cycles.original);
  note_bindings (&cycles);
  g_main_context_default (); /* has a descriptor, from its first use */
  for (guint number = first; number < end; number++)
    run_cycle (&cycles, seed, number);
  g_test_message ("%u calls succeeded, %u failed; %u faults, %u kills", cycles.successes,
                  cycles.failures, cycles.strikes, cycles.kills);
  kvmhelper_sim_free (cycles.sim);
  simulated_directory_remove (cycles.directory);
  g_hash_table_unref (cycles.bindings);
  g_object_unref (cycles.cancellable);
  g_free (cycles.directory);
  g_free (cycles.state);
  g_free (cycles.saved);
  g_free (cycles.original);
}

/* What the helper logs of thousands of lives is too much to keep. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize count_of, gpointer data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0 || g_getenv ("CYCLES_LOG") != NULL)
    return g_log_writer_default (level, fields, count_of, data);
  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (write_log, NULL, NULL);
  g_test_add_func ("/simulated/cycles", test_cycles);
  return g_test_run ();
}
