/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bench-ways.h"

#include <libvirt/libvirt.h>

/**
 * BenchLoad: clients that do one thing again and again, each in a thread of its own, with a
 * connection on every way. Those of one way work at a time: what else the machine does meanwhile
 * hits all ways alike, as they take turns.
 */
typedef struct
{
  virConnectPtr connection;
  virDomainPtr domain;
  virStorageVolPtr volume;
  char *buffer; /* BENCH_CHUNK */
} BenchClient;

enum
{
  BENCH_CHUNK = 256 * 1024,
  BENCH_VOLUME = 4 * 1024 * 1024,
};

typedef struct
{
  const char *name, *scheme, *path;
  gsize bytes; /* that the limit of throughput counts; 0: it does not count here */
  const char *domain;
  gboolean own_volume, shared_volume;
  void (*run) (const BenchClient *client);
} BenchKind;

extern const BenchKind bench_kinds[];
extern const guint bench_n_kinds;

/** bench_kinds_prepare: makes, on libvirtd, the domains, pools and volumes that they are about, for
 * @clients; @connections: one of each scheme, which are to stay as long. */
typedef struct
{
  virConnectPtr test, storage;
  char *directory;
} BenchWorld;

void bench_world_start (BenchWorld *self, const BenchWays *ways, guint clients);
void bench_world_stop (BenchWorld *self);

/** bench_connect: or the end of it all, with libvirt's reason. */
virConnectPtr
bench_connect (const BenchWays *ways, BenchWay way, const char *scheme, const char *path);

typedef struct _BenchLoad BenchLoad;

/** bench_load_new: @clients threads, each with a connection of its own on every way; or, @shared,
 * all with the same one, as a client that has several calls in flight at once. */
BenchLoad *bench_load_new (const BenchWays *ways, const BenchWorld *world, const BenchKind *kind,
                           guint clients, gboolean shared);
void bench_load_free (BenchLoad *self);

/** bench_load_run: all clients on @way for @usec, and until the last has done what it began.
 * @times: gint64, microseconds: how long each took is added. Returns: how many a second. */
double bench_load_run (BenchLoad *self, BenchWay way, gint64 usec, GArray *times);
