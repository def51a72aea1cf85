/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-series.h"

#include <stdlib.h>

static int
compare (const void *a, const void *b)
{
  gint64 first = *(const gint64 *) a, second = *(const gint64 *) b;

  return (first > second) - (first < second);
}

double
bench_median (gint64 *values, gsize count)
{
  qsort (values, count, sizeof *values, compare);
  return (double) values[count / 2];
}
