/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/common-error.h"

/* This program is its own worker; how it behaves is in the number of the group. */
enum
{
  WELL,
  CUT_SHORT,
  KILLED,
  HANGING,
  NOISY
};

static int
be_worker (int behaviour)
{
  puts ("{'name': <'vm'>, 'title': <'VM'>, 'result': <'ok'>, 'usec': <uint64 5>}");
  puts ("rubbish");
  puts ("{'name': <'vm'>, 'title': <'\xff'>, 'result': <'ok'>}");
  puts ("{'name': <'xive'>, 'title': <'XIVE'>, 'result': <'failed'>, 'errno': <19>}");
  fflush (stdout);
  switch (behaviour)
    {
    case WELL:
      puts ("end");
      return EXIT_SUCCESS;
    case KILLED:
      raise (SIGKILL);
      return EXIT_FAILURE;
    case HANGING:
      for (;;)
        pause ();
    case NOISY:
      for (;;)
        if (printf ("no end of a line ") < 0 || fflush (stdout) != 0)
          return EXIT_FAILURE;
    default:
      return EXIT_FAILURE;
    }
}

static void
count_step (const KvmHelperStep *step, gpointer count)
{
  ++*(guint *) count;
}

static GPtrArray *
rehearse (guint behaviour, GCancellable *cancellable, GError **error)
{
  const PciAddress address = { 1, 2, 3, 4 };
  guint count = 0;
  GPtrArray *steps = kvmhelper_worker_rehearse (NULL, behaviour, &address, count_step, &count,
                                                cancellable, error);

  if (steps != NULL)
    g_assert_cmpuint (count, ==, steps->len);
  return steps;
}

static const KvmHelperStep *
last_step (const GPtrArray *steps)
{
  return steps->pdata[steps->len - 1];
}

static void
test_well (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) steps = rehearse (WELL, cancellable, NULL);

  g_assert_cmpuint (steps->len, ==, 2);
  g_assert_cmpstr (last_step (steps)->name, ==, "xive");
  g_assert_cmpint (last_step (steps)->errnum, ==, 19);
}

static void
test_ill (void)
{
  static const int cases[] = { CUT_SHORT, KILLED, NOISY };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GPtrArray) steps = rehearse ((guint) cases[i], cancellable, NULL);

      g_assert_cmpuint (steps->len, ==, 3);
      g_assert_cmpstr (last_step (steps)->name, ==, "worker");
      g_assert_cmpint (last_step (steps)->result, ==, KVMHELPER_STEP_FAILED);
      g_assert_cmpstr (last_step (steps)->meaning, !=, "");
    }
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (300000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* A worker that hangs is ended, and reaped. */
static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

  g_assert_null (rehearse (HANGING, cancellable, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_CANCELLED);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], KVMHELPER_WORKER_OPTION))
    {
      g_assert_cmpstr (argv[3], ==, "0001:02:03.4");
      return be_worker (atoi (argv[2]));
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/worker/well", test_well);
  g_test_add_func ("/kvmhelper/worker/ill", test_ill);
  g_test_add_func ("/kvmhelper/worker/cancel", test_cancel);
  return g_test_run ();
}
