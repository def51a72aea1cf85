/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-leases.h"

typedef struct _LeasesFixture LeasesFixture;

/**
 * The leases of a helper, without a bus, on a host of files: LEASES_FIRST and LEASES_SECOND are
 * group 3 and have drivers (e1000e, tg3), LEASES_OTHER is group 4 (nvme), and 0003:00:00.0 is a
 * bridge without a group. A rehearsal has one step, and ends as the test wants it to.
 */
struct _LeasesFixture
{
  KvmHelperDouble *host;
  KvmHelperLeases *leases; /* NULL: no helper runs */
  GCancellable *cancellable;
  GString *heard; /* by the listener: phases and steps, each with a space behind it */

  guint rehearsals; /* so far */
  gboolean rehearsal_fails;
  guint rehearsal_leaves_held; /* PID that holds the group afterwards; 0: nobody */
  void (*rehearsal_meanwhile) (LeasesFixture *fixture); /* somebody else's deed; NULL: none */
};

#define LEASES_FIRST  "0003:01:00.0"
#define LEASES_SECOND "0003:01:00.1"
#define LEASES_OTHER  "0004:01:00.0"
#define LEASES_UUID   "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define LEASES_UUID2  "4dea22b3-1d52-d8f3-2516-782e98ab3fa1"

typedef struct
{
  const char *path;
  void (*func) (LeasesFixture *fixture, gconstpointer data);
} LeasesTest;

/** leases_fixture_add: each of @tests, with a host of its own and a helper that runs. */
void leases_fixture_add (const LeasesTest *tests, gsize count);

/** leases_fixture_set_up: a host, and no helper yet. */
void leases_fixture_set_up (LeasesFixture *fixture);
void leases_fixture_tear_down (LeasesFixture *fixture);

/** leases_fixture_open: the leases as a helper that starts finds them, to be freed; NULL and @error
 * where it refuses to start. */
KvmHelperLeases *leases_fixture_open (LeasesFixture *fixture, GError **error);
/** leases_fixture_start: a helper starts: fixture->leases. */
void leases_fixture_start (LeasesFixture *fixture);
/** leases_fixture_restart: what was in memory is gone, as after a kill. */
void leases_fixture_restart (LeasesFixture *fixture);

/** leases_fixture_prepare: LEASES_FIRST for @uuid, which succeeds, and was @rehearsed: "no",
 * "before" or "now". The id of the lease, to be freed. */
char *leases_fixture_prepare (LeasesFixture *fixture, const char *uuid, KvmHelperRehearseMode mode,
                              const char *rehearsed);
/** leases_fixture_prepare_fails: for @function, with a message that has @text in it. */
void leases_fixture_prepare_fails (LeasesFixture *fixture, const char *uuid, const char *function,
                                   CommonErrorCode code, const char *text);

/** leases_fixture_release: waits for up to @seconds; whether all was given back. */
gboolean leases_fixture_release (LeasesFixture *fixture, const char *id, guint seconds);

/** leases_fixture_count: leases that there are. */
guint leases_fixture_count (LeasesFixture *fixture);

/** leases_fixture_assert_taken: group 3 is with VFIO; _back: its drivers have it. */
void leases_fixture_assert_taken (LeasesFixture *fixture);
void leases_fixture_assert_back (LeasesFixture *fixture);
