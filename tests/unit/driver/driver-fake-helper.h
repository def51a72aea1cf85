/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * TestHelper: the test, in the place of ppc64-kvmhelper on a bus of its own. The host is that of
 * data/host.gvariant; leases are kept as the helper keeps them, by group. What was called stands in
 * a log, such as "GetHost Prepare(0001:01:00.0,auto) Commit(L1)".
 */
typedef struct _TestHelper TestHelper;

TestHelper *test_helper_new (void);
void test_helper_free (TestHelper *helper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestHelper, test_helper_free)

const char *test_helper_get_address (const TestHelper *helper);

/** test_helper_get_log: what was called since the last test_helper_clear_log. */
const char *test_helper_get_log (const TestHelper *helper);
void test_helper_clear_log (TestHelper *helper);

/** test_helper_get_addresses: what SetGuestAddresses told, a line each: the lease, and all of it.
 */
const char *test_helper_get_addresses (const TestHelper *helper);

/** test_helper_leave: takes the name off the bus; test_helper_come puts it there again. */
void test_helper_leave (TestHelper *helper);
void test_helper_come (TestHelper *helper);

/** test_helper_fail_prepare: the function whose Prepare fails, with COMMON_ERROR_REHEARSAL_FAILED;
 * NULL: none. */
void test_helper_fail_prepare (TestHelper *helper, const char *address);

/** test_helper_set_eeh: what a guest has of EEH when it is committed; a constant. */
void test_helper_set_eeh (TestHelper *helper, const char *eeh);

/** test_helper_hold: Prepare waits, until test_helper_go. */
void test_helper_hold (TestHelper *helper);
void test_helper_go (TestHelper *helper);
gboolean test_helper_is_holding (gpointer helper);

/** test_helper_add_lease: as if prepared @age seconds ago. */
void test_helper_add_lease (TestHelper *helper, const char *domain_uuid, const char *address,
                            const char *phase, guint age);
/** test_helper_set_user: all leases that there are, are of this user's own guests. */
void test_helper_set_user (TestHelper *helper, guint32 user);
guint test_helper_get_n_leases (const TestHelper *helper);
