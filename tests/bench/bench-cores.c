/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-cores.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/* What there is, before anything is parted. */
static const cpu_set_t *
all_cores (void)
{
  static gsize once;
  static cpu_set_t all;

  if (g_once_init_enter (&once))
    {
      g_assert_cmpint (sched_getaffinity (0, sizeof all, &all), ==, 0);
      g_once_init_leave (&once, 1);
    }
  return &all;
}

guint
bench_cores_count (void)
{
  return (guint) CPU_COUNT (all_cores ());
}

/* All its threads; one that has ended meanwhile needs none. */
static void
keep (const char *process, const cpu_set_t *cores)
{
  g_autofree char *path = g_build_filename ("/proc", process, "task", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) tasks = g_dir_open (path, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (tasks)) != NULL)
    if (sched_setaffinity (atoi (name), sizeof *cores, cores) != 0)
      g_assert_cmpint (errno, ==, ESRCH);
}

void
bench_cores_part (const BenchWays *ways, gboolean parted)
{
  cpu_set_t cores = *all_cores ();

  if (parted)
    {
      int last = CPU_SETSIZE - 1;

      while (!CPU_ISSET (last, &cores))
        last--;
      CPU_CLR (last, &cores);
    }
  keep ("self", &cores);
  keep (bench_ways_process (ways, BENCH_WAY_DIRECT), &cores);
}
