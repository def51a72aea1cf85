/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver-daemon.h"

/**
 * BenchWays: the ways to one stock libvirtd: direct, through virtppc64d, and through libvirt's own
 * virtproxyd where the environment's VIRTPROXYD names one: a directory with the program and its
 * libvirt.so.0 (build-virtproxyd makes it).
 */
typedef enum
{
  BENCH_WAY_DIRECT,
  BENCH_WAY_RELAYED,
  BENCH_WAY_PROXIED,
} BenchWay;

enum
{
  BENCH_WAYS_MAX = 3
};

typedef struct
{
  TestDaemon daemons;
  GSubprocess *proxy; /* NULL: none was given */
  char *proxy_directory;
  guint n; /* of the ways, in the order of BenchWay */
} BenchWays;

extern const char *const bench_way_names[BENCH_WAYS_MAX];

void bench_ways_start (BenchWays *self);
void bench_ways_stop (BenchWays *self);

/** bench_ways_uri: of @scheme ("test", "storage") and @path. */
char *bench_ways_uri (const BenchWays *self, BenchWay way, const char *scheme, const char *path);

/** bench_ways_process: the PID of who is reached: libvirtd, virtppc64d or virtproxyd. */
const char *bench_ways_process (const BenchWays *self, BenchWay way);

/** bench_ways_new_directory: one that libvirtd may write, in memory where there is such a place. */
char *bench_ways_new_directory (void);
