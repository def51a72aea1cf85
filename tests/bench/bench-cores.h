/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bench-ways.h"

/**
 * BenchCores: which processors who may run on. Where all share all of them, a machine that is busy
 * has less left for client and libvirtd by what the relay takes. Where these two leave the last one
 * free, on every way alike, there is one for whoever stands between: then only what that adds to
 * the way of a call is left. It is not bound to that one, as it is not elsewhere.
 */
enum
{
  /* Fewer are not parted: client and libvirtd would be in each other's way. */
  BENCH_CORES_MIN = 3,
};

/** bench_cores_count: that this process may run on. */
guint bench_cores_count (void);

/** bench_cores_part: from now on, also for threads that there will be. FALSE: all share all. */
void bench_cores_part (const BenchWays *ways, gboolean parted);
