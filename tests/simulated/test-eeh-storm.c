/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "eeh-world.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

/* PEs freeze before a guest gets them, while it does, while it has them and when it has left them;
 * again and again, and for good. What the helper does about it is counted at the seam. */

#define DEAD                                                                                       \
  "<simulated-host kernel='6.12' platform='powernv'><phb domain='0'>"                              \
  "  <pe number='0x1fd' state='dead'/>"                                                            \
  "  <bridge address='0000:00:00.0' bus='1' driver='pcieport'>"                                    \
  "    <function address='0000:01:00.0' vendor='0x8086' device='0x10d3' driver='e1000e'"           \
  "              pe='0x1fd' group='0'/></bridge></phb></simulated-host>"

static void
set_up (EehWorld *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  KvmHelperSim *sim = kvmhelper_sim_new_from_file (HOST_FILE, &error);

  g_assert_no_error (error);
  eeh_world_init (world, sim);
}

static void
tear_down (EehWorld *world, gconstpointer data)
{
  eeh_world_clear (world);
}

static void
assert_back (EehWorld *world)
{
  g_autofree char *now = simulated_binding (world->kernel, EEH_CARD, 0);

  g_assert_cmpstr (now, ==, "e1000e ");
  g_assert_cmpstr (eeh_world_state (world), ==, "normal");
}

/* Frozen on the host's side, and nobody recovers it: thawed, once, and handed over. */
static void
test_frozen_before (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = NULL;

  eeh_world_set_recovery (world, FALSE);
  eeh_world_freeze (world);
  g_assert_cmpstr (eeh_world_state (world), ==, "frozen");
  eeh_counts = (EehCounts){ 0 };
  id = eeh_world_prepare (world);
  /* Before its driver was told to let go, which would have begun the host's recovery. */
  g_assert_cmpuint (eeh_counts.enables, ==, 0);
  g_assert_cmpuint (eeh_counts.resets, ==, 0);
  g_assert_cmpstr (eeh_world_state (world), ==, "normal");
  eeh_world_look (world, 1, "");
  simulated_leases_release (world->leases, id, 0);
  assert_back (world);
  eeh_world_look (world, 0, "");
}

/* The host is just about it: nothing is done before it is through. */
static void
test_recovered_by_the_host (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = NULL;

  eeh_world_freeze (world);
  kvmhelper_sim_advance (world->sim, 100 * 1000);
  eeh_counts = (EehCounts){ 0 };
  eeh_world_prepare_fails (world, COMMON_ERROR_PE_FROZEN, "recovers the PE of " EEH_CARD);
  g_assert_cmpuint (eeh_counts.writes, ==, 0);
  kvmhelper_sim_advance (world->sim, 10 * G_USEC_PER_SEC);
  id = eeh_world_prepare (world);
  simulated_leases_release (world->leases, id, 0);
  assert_back (world);
}

/* It freezes between Prepare and QEMU's open, which lets it go. */
static void
test_during_attach (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = eeh_world_prepare (world);
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, FALSE);

  eeh_world_freeze (world);
  eeh_world_look (world, 1, "unknown>frozen ");
  eeh_world_look (world, 1, "");
  eeh_world_attach (qemu, &world->card);
  eeh_world_commit (world, id);
  eeh_world_look (world, 1, "frozen>normal ");
  g_clear_pointer (&qemu, kvmhelper_sim_qemu_free);
  simulated_leases_release (world->leases, id, 0);
  assert_back (world);
}

/* The guest's PE freezes and is recovered by the guest, again and again: each is said once, and
 * nobody but the guest does anything. */
static void
test_storm (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = eeh_world_prepare (world);
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, FALSE);
  KvmHelperEehCost cost;

  eeh_world_attach (qemu, &world->card);
  eeh_world_commit (world, id);
  eeh_world_look (world, 1, "");
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GError) error = NULL;

      eeh_world_freeze (world);
      eeh_world_look (world, 1, "normal>frozen ");
      eeh_world_look (world, 1, "");
      g_assert_cmpstr (eeh_world_state (world), ==, "frozen");
      kvmhelper_sim_qemu_recover (qemu, &world->card, &error);
      g_assert_no_error (error);
      eeh_world_look (world, 1, "frozen>normal ");
    }
  cost = kvmhelper_eeh_watch_get_cost (world->watch);
  g_test_message ("%.1f us a look", (double) cost.usec / (double) cost.looks);
  g_assert_cmpuint (cost.looks, ==, 151);
  g_assert_cmpuint (cost.reads, ==, 151);
  g_clear_pointer (&qemu, kvmhelper_sim_qemu_free);
  simulated_leases_release (world->leases, id, 0);
  assert_back (world);
}

/* A guest that dies leaves its PE frozen: thawed before a driver of the host's sees it. */
static void
test_left_frozen (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = eeh_world_prepare (world);
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, FALSE);

  eeh_world_attach (qemu, &world->card);
  eeh_world_commit (world, id);
  eeh_world_set_recovery (world, FALSE);
  kvmhelper_sim_qemu_crash (qemu);
  eeh_world_freeze (world);
  g_assert_cmpstr (eeh_world_state (world), ==, "frozen");
  eeh_counts = (EehCounts){ 0 };
  simulated_leases_release (world->leases, id, 0);
  g_assert_cmpuint (eeh_counts.enables, ==, 1);
  g_assert_cmpuint (eeh_counts.resets, ==, 0);
  assert_back (world);
}

/* The PHB is fenced, and no thaw gets through: tried so often and no more, then it waits. */
static void
test_does_not_thaw (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = eeh_world_prepare (world);
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, FALSE);
  g_autofree char *binding = NULL;

  eeh_world_attach (qemu, &world->card);
  eeh_world_commit (world, id);
  eeh_world_set_recovery (world, FALSE);
  kvmhelper_sim_inject_fence (world->sim, &world->card, NULL);
  eeh_world_look (world, 1, "unknown>frozen ");
  kvmhelper_sim_qemu_crash (qemu);
  eeh_counts = (EehCounts){ 0 };
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *left = eeh_world_release_pending (world, id);

      g_assert_nonnull (strstr (left, "PHB#0-PE#"));
      if (i >= 2)
        g_assert_nonnull (strstr (left, "3 of 3"));
    }
  g_assert_cmpuint (eeh_counts.enables, ==, KVMHELPER_EEH_TRIES);
  g_assert_cmpuint (eeh_counts.resets, ==, 0);
  binding = simulated_binding (world->kernel, EEH_CARD, 0);
  g_assert_cmpstr (binding, ==, "vfio-pci vfio-pci");
  eeh_world_look (world, 1, "");
}

/* The PHB dies: that is said, once, and what is left of the lease waits without a try. */
static void
test_dies (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = eeh_world_prepare (world);
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, FALSE);

  eeh_world_attach (qemu, &world->card);
  eeh_world_commit (world, id);
  eeh_world_look (world, 1, "");
  eeh_world_set_recovery (world, FALSE);
  kvmhelper_sim_inject_fail (world->sim, &world->card, NULL);
  eeh_world_look (world, 1, "normal>unavailable ");
  eeh_world_look (world, 1, "");
  kvmhelper_sim_qemu_crash (qemu);
  eeh_counts = (EehCounts){ 0 };
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *left = eeh_world_release_pending (world, id);

      g_assert_nonnull (strstr (left, "cannot tell the state"));
    }
  g_assert_cmpuint (eeh_counts.enables, ==, 0);
  g_assert_cmpuint (eeh_counts.resets, ==, 0);
}

/* Given up for good: nothing is taken, and nothing is written. */
static void
test_failed_before (void)
{
  EehWorld world = { 0 };
  g_autoptr (GError) error = NULL;
  KvmHelperSim *sim = kvmhelper_sim_new_from_xml (DEAD, "dead.xml", &error);

  g_assert_no_error (error);
  eeh_world_init (&world, sim);
  eeh_counts = (EehCounts){ 0 };
  eeh_world_prepare_fails (&world, COMMON_ERROR_PE_FAILED, "failed for good");
  g_assert_cmpuint (eeh_counts.writes, ==, 0);
  g_assert_cmpuint (eeh_counts.ioctls, ==, 0);
  eeh_world_clear (&world);
}

/* Two groups on one PHB of the guest's: QEMU offers EEH for neither, and that is what is shown. */
static void
test_two_groups (EehWorld *world, gconstpointer data)
{
  g_autofree char *first = eeh_world_prepare (world);
  g_autofree char *second = NULL;
  g_autoptr (KvmHelperSimQemu) qemu = eeh_world_start_guest (world, TRUE);
  PciAddress one = world->card, two = simulated_address (EEH_SECOND);
  g_autoptr (KvmHelperInspection) alone = NULL;
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (GError) error = NULL;

  eeh_world_attach (qemu, &one);
  alone = kvmhelper_inspection_new (&world->counted, &one, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (alone->eeh.value, ==, "enabled");
  world->card = two;
  second = eeh_world_prepare (world);
  g_assert_cmpstr (first, !=, second);
  eeh_world_attach (qemu, &two);
  inspection = kvmhelper_inspection_new (&world->counted, &one, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (inspection->eeh.value, ==, "unavailable");
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &one), ==, -1);
  world->card = one;
  eeh_world_freeze (world);
  eeh_world_look (world, 2, "unknown>frozen ");
}

/* By itself: only while there are leases, and not in this thread. */
static void
test_by_itself (EehWorld *world, gconstpointer data)
{
  g_autofree char *id = NULL;
  KvmHelperEehWatch *watch;
  KvmHelperEehCost cost;

  watch = kvmhelper_eeh_watch_new (&world->counted, world->leases, 1, eeh_world_note, world);
  g_usleep (G_USEC_PER_SEC * 3 / 2);
  g_assert_cmpuint (kvmhelper_eeh_watch_get_cost (watch).looks, ==, 0);
  id = eeh_world_prepare (world);
  kvmhelper_eeh_watch_wake (watch);
  eeh_world_freeze (world);
  g_usleep (G_USEC_PER_SEC * 5 / 2);
  cost = kvmhelper_eeh_watch_get_cost (watch);
  g_assert_cmpuint (cost.looks, >=, 1);
  g_assert_cmpuint (cost.looks, <=, 3);
  g_assert_cmpuint (cost.reads, ==, cost.looks);
  simulated_leases_release (world->leases, id, 0);
  kvmhelper_eeh_watch_free (watch);
  g_assert_cmpstr (world->said->str, ==, "unknown>frozen ");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (EehWorld *world, gconstpointer data);
  } tests[] = {
    { "/eeh-storm/frozen-before-attach", test_frozen_before },
    { "/eeh-storm/recovered-by-the-host", test_recovered_by_the_host },
    { "/eeh-storm/during-attach", test_during_attach },
    { "/eeh-storm/in-the-guest", test_storm },
    { "/eeh-storm/left-frozen", test_left_frozen },
    { "/eeh-storm/permanent-after-n", test_does_not_thaw },
    { "/eeh-storm/dies", test_dies },
    { "/eeh-storm/two-groups-in-one-container", test_two_groups },
    { "/eeh-storm/watch-by-itself", test_by_itself },
  };

  setlocale (LC_ALL, "");
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, EehWorld, NULL, set_up, tests[i].test, tear_down);
  g_test_add_func ("/eeh-storm/failed-before-attach", test_failed_before);
  return g_test_run ();
}
