/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "grants-world.h"
#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-user-watch.h"

/* Leases of users on a simulated host: two users, what they are given, and how they lose it. */

/* Without a grant QEMU may neither open the group nor lock its memory; with one it may both. */
static void
test_life (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  g_autofree char *again = NULL;
  guint pid;

  grants_world_init (&world, NULL);
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  id = grants_give_alice (&world);
  grants_expect_driver (&world, "vfio-pci");
  grants_expect_entry (&world, ALICE, 6);
  grants_expect_entry (&world, BOB, KVMHELPER_NO_ENTRY);
  grants_expect_mode (&world, 0660); /* the mask; the group itself has nothing */
  grants_expect_limit (&world, pid, ENOUGH);

  kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_qemu_use (world.qemu, &world.card, 1, &error);
  g_assert_no_error (error);
  again = grants_give_alice (&world);
  g_assert_cmpstr (again, ==, id);

  kvmhelper_sim_qemu_detach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (world.sim, 10 * G_USEC_PER_SEC);
  simulated_leases_release (world.leases, id, 10);
  grants_expect_driver (&world, "e1000e");
  grants_expect_limit (&world, pid, LITTLE);
  grants_world_clear (&world);
}

/* What the grant is for is needed: each half of it. */
static void
test_needed (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  grants_world_init (&world, NULL);
  id = grants_give_alice (&world);
  g_assert_true (kvmhelper_grant_node_write (world.kernel, grants_group_of (&world), ALICE,
                                             KVMHELPER_NO_ENTRY, NULL));
  grants_expect_mode (&world, 0600);
  g_assert_false (kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error));
  g_assert_nonnull (strstr (error->message, "Permission denied"));
  g_clear_error (&error);
  g_free (id);
  id = grants_give_alice (&world); /* repairs it */
  world.kernel->calls->memlock (world.kernel->data, kvmhelper_sim_qemu_pid (world.qemu),
                                &(KvmHelperLimit){ LITTLE, LITTLE }, NULL);
  g_assert_false (kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error));
  g_clear_error (&error);
  g_free (id);
  id = grants_give_alice (&world);
  kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  grants_world_clear (&world);
}

/* One user's lease is nobody else's, whatever they say of the guest; and it is not the system's. */
static void
test_two_users (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autofree char *id = NULL;
  KvmHelperSimQemu *other;
  int handle;

  grants_world_init (&world, NULL);
  id = grants_give_alice (&world);
  other = grants_start_qemu (&world, BOB, SIMULATED_UUID);
  g_assert_null (
      grants_give (&world, BOB, SIMULATED_UUID, kvmhelper_sim_qemu_pid (other), ENOUGH, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE);
  g_assert_null (
      strstr (error->message, SIMULATED_UUID)); /* whose guest it is, is no news to him */
  g_clear_error (&error);
  handle = grants_open_process (&world, kvmhelper_sim_qemu_pid (other));
  g_assert_null (kvmhelper_leases_give (world.leases, id, BOB, handle, ENOUGH, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
  g_clear_error (&error);
  kvmhelper_kernel_close (world.kernel, handle);
  grants_expect_entry (&world, BOB, KVMHELPER_NO_ENTRY);
  grants_expect_limit (&world, kvmhelper_sim_qemu_pid (other), LITTLE);

  /* Neither does libvirt's own guest get it by the same UUID. */
  g_assert_false (kvmhelper_leases_prepare (world.leases, SIMULATED_UUID, "guest", &world.card,
                                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE);
  kvmhelper_sim_qemu_free (other);
  grants_world_clear (&world);
}

/* While QEMU holds the group a release takes the node at once, and the memory with the device. */
static void
test_release_while_held (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  gboolean done = TRUE;

  grants_world_init (&world, NULL);
  id = grants_give_alice (&world);
  kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  g_assert_true (kvmhelper_leases_release (world.leases, id, 0, &done, &error));
  g_assert_false (done);
  grants_expect_entry (&world, ALICE, KVMHELPER_NO_ENTRY);
  grants_expect_driver (&world, "vfio-pci");
  kvmhelper_sim_qemu_crash (world.qemu);
  simulated_leases_release (world.leases, id, 10);
  grants_expect_driver (&world, "e1000e");
  grants_world_clear (&world);
}

/* The user's processes end, as when he logs out: the lease does. */
static void
test_process_ends (void)
{
  GrantsWorld world;
  g_autofree char *id = NULL;

  grants_world_init (&world, NULL);
  id = grants_give_alice (&world);
  g_assert_true (kvmhelper_leases_watch_users (world.leases, TRUE));
  grants_expect_entry (&world, ALICE, 6);
  kvmhelper_sim_qemu_crash (world.qemu);
  kvmhelper_leases_watch_users (world.leases, FALSE);
  g_assert_false (kvmhelper_leases_watch_users (world.leases, FALSE));
  grants_expect_driver (&world, "e1000e");
  grants_world_clear (&world);
}

/* Cold: the limit is the daemon's, QEMU has it from there, and outlives it. */
static void
test_daemon (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autofree char *id = NULL;
  KvmHelperSimProcess *daemon;
  const KvmHelperLimit enough = { ENOUGH, ENOUGH };
  guint pid;

  grants_world_init (&world, NULL);
  daemon = grants_start_process (&world, "virtqemud", ALICE);
  id = grants_give (&world, ALICE, SIMULATED_UUID, grants_pid_of (daemon), ENOUGH, &error);
  g_assert_no_error (error);
  grants_expect_limit (&world, grants_pid_of (daemon), ENOUGH);
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  world.kernel->calls->memlock (world.kernel->data, pid, &enough, NULL); /* fork */
  kvmhelper_sim_qemu_attach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_process_exit (daemon);
  g_assert_true (kvmhelper_leases_watch_users (world.leases, FALSE));
  lease = kvmhelper_leases_find (world.leases, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_ACTIVE);
  g_assert_cmpuint (lease->holder_pid, ==, pid);
  grants_expect_entry (&world, ALICE, 6);
  kvmhelper_sim_qemu_detach (world.qemu, &world.card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (world.sim, 10 * G_USEC_PER_SEC);
  simulated_leases_release (world.leases, id, 10);
  grants_expect_limit (&world, pid, LITTLE);
  grants_world_clear (&world);
}

/* Two devices of one guest: the limit is the higher one of both until the last of them is back. */
static void
test_shared_limit (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  guint pid;

  grants_world_init (&world, NULL);
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  first = grants_give (&world, ALICE, SIMULATED_UUID, pid, ENOUGH, &error);
  g_assert_no_error (error);
  world.card = simulated_address (GRANTS_SECOND);
  second = grants_give (&world, ALICE, SIMULATED_UUID, pid, ENOUGH / 2, &error);
  g_assert_no_error (error);
  grants_expect_limit (&world, pid, ENOUGH);
  simulated_leases_release (world.leases, first, 10);
  grants_expect_limit (&world, pid, ENOUGH / 2);
  simulated_leases_release (world.leases, second, 10);
  grants_expect_limit (&world, pid, LITTLE);
  grants_world_clear (&world);
}

/* QEMU has the daemon's limit from its start, and is granted a device itself: its own limit is what
 * the daemon's was. */
static void
test_inherited (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *cold = NULL;
  g_autofree char *hot = NULL;
  const KvmHelperLimit enough = { ENOUGH, ENOUGH };
  guint daemon, pid;

  grants_world_init (&world, NULL);
  daemon = grants_pid_of (grants_start_process (&world, "virtqemud", ALICE));
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  cold = grants_give (&world, ALICE, SIMULATED_UUID, daemon, ENOUGH, &error);
  g_assert_no_error (error);
  world.kernel->calls->memlock (world.kernel->data, pid, &enough, NULL); /* fork */
  world.card = simulated_address (GRANTS_SECOND);
  hot = grants_give (&world, ALICE, SIMULATED_UUID, pid, ENOUGH / 2, &error);
  g_assert_no_error (error);
  grants_expect_limit (&world, pid, ENOUGH);
  simulated_leases_release (world.leases, hot, 10);
  grants_expect_limit (&world, pid, LITTLE);
  grants_expect_limit (&world, daemon, ENOUGH);
  simulated_leases_release (world.leases, cold, 10);
  grants_expect_limit (&world, daemon, LITTLE);
  grants_world_clear (&world);
}

/* A lease outlives many guests: those that have ended take no place. */
static void
test_many_processes (void)
{
  GrantsWorld world;
  g_autofree char *first = NULL;

  grants_world_init (&world, NULL);
  first = grants_give_alice (&world);
  for (guint i = 0; i < 3 * KVMHELPER_MAX_GRANT_PROCESSES; i++)
    {
      g_autofree char *again = NULL;
      KvmHelperSimQemu *next = grants_start_qemu (&world, ALICE, SIMULATED_UUID);

      kvmhelper_sim_qemu_free (world.qemu);
      world.qemu = next;
      again = grants_give_alice (&world);
      g_assert_cmpstr (again, ==, first);
    }
  grants_world_clear (&world);
}

/* Until nothing is left of the lease, and at most ten seconds. */
static void
wait_for_end (const GrantsWorld *world, const char *id)
{
  gboolean ended = FALSE;

  for (guint i = 0; i < 1000 && !ended; i++)
    {
      g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (world->leases, id, NULL);

      ended = lease == NULL;
      g_usleep (10 * 1000);
    }
  g_assert_true (ended);
}

/* The consent is gone, and the helper was killed before it took the lease back: the next one does,
 * and QEMU, which lives, loses all of it. */
static void
test_revoked (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperConsents) consents = NULL;
  g_autoptr (KvmHelperConsent) consent = NULL;
  g_autofree char *id = NULL;
  KvmHelperUserWatch *watch;
  gboolean found;

  grants_world_init (&world, NULL);
  consents = kvmhelper_consents_open (world.state);
  consent = kvmhelper_consent_new (world.kernel, ALICE, &world.card, ENOUGH, &error);
  g_assert_true (kvmhelper_consents_add (consents, consent, &error));
  id = grants_give_alice (&world);
  kvmhelper_leases_end_revoked (world.leases, consents);
  grants_expect_entry (&world, ALICE, 6);
  g_assert_true (kvmhelper_consents_remove (consents, ALICE, &world.card, &found, &error));

  grants_stop_helper (&world);
  grants_start_helper (&world, NULL);
  grants_expect_entry (&world, ALICE, 6);
  watch = kvmhelper_user_watch_new (world.leases, consents);
  kvmhelper_user_watch_wake (watch);
  wait_for_end (&world, id);
  kvmhelper_user_watch_free (watch);
  grants_expect_driver (&world, "e1000e");
  grants_expect_limit (&world, kvmhelper_sim_qemu_pid (world.qemu), LITTLE);
  grants_world_clear (&world);
}

/* Nothing works any more from one call on, the helper ends, and the next one finds all of it:
 * either the lease with what it gives, or nothing at all. *@first is the call from which on it
 * fails, of those that a helper makes after its start; its number, for 0. FALSE: it made no so
 * many. */
static gboolean
cut_short (guint *first, gboolean released)
{
  g_autofree char *rule = g_strdup_printf ("call %u+ EIO", *first == 0 ? G_MAXINT : *first);
  g_autofree char *id = NULL;
  g_autoptr (GPtrArray) left = NULL;
  GrantsWorld world;
  guint64 calls = 0;
  gboolean done = FALSE, struck;

  grants_world_init (&world, released ? NULL : rule);
  world.card = simulated_address (GRANTS_ON_VFIO);
  if (!released)
    calls = kvmhelper_faults_calls (world.faults);
  id = grants_give (&world, ALICE, SIMULATED_UUID, kvmhelper_sim_qemu_pid (world.qemu), ENOUGH,
                    NULL);
  if (released)
    {
      grants_stop_helper (&world);
      grants_start_helper (&world, rule);
      calls = kvmhelper_faults_calls (world.faults);
      kvmhelper_leases_release (world.leases, id, 0, &done, NULL);
    }
  struck = kvmhelper_faults_struck (world.faults, 0) > 0;
  grants_stop_helper (&world);
  grants_start_helper (&world, NULL);
  left = kvmhelper_leases_list (world.leases);
  for (guint i = 0; i < left->len; i++)
    {
      const KvmHelperLease *lease = left->pdata[i];

      g_assert_nonnull (lease->grant);
      simulated_leases_release (world.leases, lease->id, 10);
    }
  grants_expect_driver (&world, "vfio-pci");
  grants_expect_entry (&world, ALICE, KVMHELPER_NO_ENTRY);
  grants_expect_mode (&world, 0600);
  grants_expect_limit (&world, kvmhelper_sim_qemu_pid (world.qemu), LITTLE);
  grants_world_clear (&world);
  if (*first == 0)
    *first = (guint) calls;
  return struck;
}

static void
test_cut_short (gconstpointer released)
{
  guint start = 0, first;

  g_assert_false (cut_short (&start, GPOINTER_TO_INT (released)));
  first = start + 2; /* the first of all is the test's own, to have a handle of QEMU */
  while (cut_short (&first, GPOINTER_TO_INT (released)))
    first++;
  g_test_message ("%u calls", first - start);
  g_assert_cmpuint (first, >, start + 20);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grants/life", test_life);
  g_test_add_func ("/grants/needed", test_needed);
  g_test_add_func ("/grants/two-users", test_two_users);
  g_test_add_func ("/grants/release-while-held", test_release_while_held);
  g_test_add_func ("/grants/process-ends", test_process_ends);
  g_test_add_func ("/grants/daemon", test_daemon);
  g_test_add_func ("/grants/shared-limit", test_shared_limit);
  g_test_add_func ("/grants/inherited", test_inherited);
  g_test_add_func ("/grants/many-processes", test_many_processes);
  g_test_add_func ("/grants/revoked", test_revoked);
  g_test_add_data_func ("/grants/cut-short/giving", GINT_TO_POINTER (FALSE), test_cut_short);
  g_test_add_data_func ("/grants/cut-short/giving-back", GINT_TO_POINTER (TRUE), test_cut_short);
  return g_test_run ();
}
