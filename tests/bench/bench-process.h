/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/**
 * BenchProcess: the helper's program, on a dbus-daemon of its own. On a simulated host nobody asks
 * polkit: the helper asks the bus whose the call is, and lets its own user do all.
 */
typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection; /* the caller's */
  const char *name;            /* on the bus, of the helper */
  const char *const *arguments;
  GSubprocess *process; /* NULL: it does not run */
  guint watch;          /* of its name */
  gboolean there;       /* which is on the bus */
} BenchProcess;

/** bench_process_new: a bus, and no helper yet. @arguments, the program first, and @name outlive
 * it. The bus is the system's for the program, too. */
BenchProcess *bench_process_new (const char *const *arguments, const char *name);

/** bench_process_free: the helper has been stopped. */
void bench_process_free (BenchProcess *self);

/** bench_process_start: for how long the caller waits from the fork until the name is on the bus,
 * in microseconds: then it answers. _stop: it ends in good order, and a simulated host is saved. */
gint64 bench_process_start (BenchProcess *self);
void bench_process_stop (BenchProcess *self);

/** bench_process_freeze_clock: what the simulated kernel takes its time for is not waited for. */
void bench_process_freeze_clock (BenchProcess *self);

/** bench_process_call: a method of the helper's. Takes @arguments. */
GVariant *bench_process_call (BenchProcess *self, const char *method, GVariant *arguments);

/** bench_process_ping: the least that a call can be, which GDBus answers in the same process
 * without the helper: org.freedesktop.DBus.Peer.Ping. In microseconds. */
gint64 bench_process_ping (BenchProcess *self);

/**
 * bench_process_prepare: the lease on @address's group, for a guest @uuid; @rehearse as Prepare has
 * it. What came of that is to be @rehearsed.
 */
char *bench_process_prepare (BenchProcess *self, const char *uuid, const char *address,
                             const char *rehearse, const char *rehearsed);

/** bench_process_release: which is to be done with that. */
void bench_process_release (BenchProcess *self, const char *lease);

/** bench_process_add_memory: a member @name of an object: what the process has of its own
 * ("anonymous-kib", RssAnon of /proc/PID/status) and what it has with a fair share of what it
 * shares
 * ("pss-kib", /proc/PID/smaps_rollup); the number of its threads. */
void bench_process_add_memory (const BenchProcess *self, JsonBuilder *json, const char *name);

/** bench_process_cpu: what its threads, also those that have ended, have had of the processors so
 * far, in microseconds: what else the machine does is not in it. */
gint64 bench_process_cpu (const BenchProcess *self);

/** bench_process_anonymous: RssAnon, in KiB. */
gint64 bench_process_anonymous (const BenchProcess *self);

/** bench_process_read: the number after @key and a colon in @file of /proc/@process. */
gint64 bench_process_read (const char *process, const char *file, const char *key);

/** bench_process_read_cpu: as bench_process_cpu, of @process. */
gint64 bench_process_read_cpu (const char *process);

/** bench_add: a member @name of an object, rounded to a whole number. */
void bench_add (JsonBuilder *json, const char *name, double value);

/** bench_add_ratio: @value / @base, to two digits. */
void bench_add_ratio (JsonBuilder *json, const char *name, double value, double base);

/** bench_print: what was built, as one line. */
void bench_print (JsonBuilder *json);
