/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "journal-calls.h"
#include "leases-world.h"

/*
 * Every call fails once: those by which records are written, each with several errors, and those
 * to the kernel, with errors that take turns (FAIL_EVERY=1: with each of them; under the
 * sanitizers, which make it slow, not each of the calls otherwise). After each every function has
 * the driver it had, or a lease tells what is left and why; and when nothing fails any more,
 * everything is back.
 */

typedef struct
{
  guint number; /* that fails, from 1; 0: none */
  gboolean onwards;
  int errnum;
  guint calls; /* so far */
} Fault;

static int
before_call (const JournalCall *call, gpointer data)
{
  Fault *fault = data;

  fault->calls++;
  return fault->calls == fault->number || (fault->onwards && fault->calls > fault->number)
             ? fault->errnum
             : 0;
}

/* One life with one fault, after which the world is as it was. */
static void
live (World *world, const WorldLife *life, const char *rules, Fault *fault)
{
  const JournalHooks hooks = { before_call, NULL, fault };

  journal_calls_watch (world->records, &hooks);
  fault->calls = 0;
  world_start (world, rules, NULL);
  life->run (world);
  if (world->leases != NULL)
    world_check_legal (world);
  journal_calls_watch (NULL, NULL);
  if (fault->errnum == EINTR)
    world_check_back (world);
  world_settle (world);
}

/* How many calls a life makes when nothing fails: by which records are written, and to the kernel.
 */
static void
count_calls (const WorldLife *life, guint *journal, guint *kernel)
{
  World *world = world_new (NULL);
  Fault none = { 0 };
  const JournalHooks hooks = { before_call, NULL, &none };

  journal_calls_watch (world->records, &hooks);
  world_start (world, NULL, NULL);
  life->run (world);
  journal_calls_watch (NULL, NULL);
  *journal = none.calls;
  *kernel = (guint) kvmhelper_faults_calls (world->faults);
  world_settle (world);
  world_free (world);
}

/* Each call of the journal, alone and with all that come after it. */
static void
test_journal (gconstpointer data)
{
  static const int errors[] = { EIO, ENOSPC, EROFS, EINTR };
  const WorldLife *life = data;
  World *world = world_new (NULL);
  guint calls, kernel;

  count_calls (life, &calls, &kernel);
  g_assert_cmpuint (calls, >, 5);
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    for (guint number = 1; number <= calls; number++)
      for (guint onwards = 0; onwards < (errors[i] == EINTR ? 1 : 2); onwards++)
        {
          Fault fault = { number, onwards == 1, errors[i], 0 };

          g_test_message ("%s: call %u%s: %s", life->name, number, onwards == 1 ? "+" : "",
                          g_strerror (errors[i]));
          live (world, life, NULL, &fault);
        }
  g_test_message ("%s: %u calls by which records are written", life->name, calls);
  world_free (world);
}

static void
test_kernel (gconstpointer data)
{
  static const char *const errors[] = { "EIO", "EBUSY", "ENOMEM", "ENOSPC" };
  const WorldLife *life = data;
  const gboolean every = g_getenv ("FAIL_EVERY") != NULL;
  World *world = world_new (NULL);
  guint journal, calls;

  count_calls (life, &journal, &calls);

  for (guint number = 1; number <= calls; number += every ? 1 : STRIDE)
    for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
      {
        g_autofree char *rule = g_strdup_printf ("call %u %s", number, errors[i]);
        Fault none = { 0 };

        if (!every && i != number % G_N_ELEMENTS (errors))
          continue;
        g_test_message ("%s: %s", life->name, rule);
        live (world, life, rule, &none);
      }
  g_test_message ("%s: %u calls to the kernel", life->name, calls);
  world_free (world);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  /* What stays is a warning. */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  for (guint i = 0; world_lives[i].name != NULL; i++)
    {
      g_autofree char *journal = g_strdup_printf ("/simulated/every-call-fails/journal/%u", i + 1);
      g_autofree char *kernel = g_strdup_printf ("/simulated/every-call-fails/kernel/%u", i + 1);

      g_test_add_data_func (journal, &world_lives[i], test_journal);
      g_test_add_data_func (kernel, &world_lives[i], test_kernel);
    }
  return g_test_run ();
}
