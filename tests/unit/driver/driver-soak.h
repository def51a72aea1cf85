/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * The parts of the soak that are processes of their own.
 */

/** test_soak_client: calls at random, and counts; until it is killed, or by chance. */
int test_soak_client (const char *uri, gint *calls, gint *errors);

/** test_soak_liar: something that is not quite RPC, and then silence, until it is killed. */
int test_soak_liar (const char *directory);

/**
 * test_soak_relay: as virtppc64d, but each guest of libvirt's test driver counts as one of pSeries
 * KVM, and the helper is the tests' own; so that every transaction runs. Until SIGTERM.
 *
 * Returns: 0 where no lease and no client is left.
 */
int test_soak_relay (const char *listen_dir, const char *upstream);
