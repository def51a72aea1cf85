/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "leases-world.h"

/*
 * Giving back, when it is not as simple as that: the group is free only some seconds after the
 * device is said to be gone, or never; QEMU crashes; the host is booted anew; a driver does not
 * come back; the device is gone. Nothing is rebound while anybody holds the group, and a lease that
 * does not come to its end says why, and by what command it does.
 */

#define CARD    "0000:01:00.0"
#define SIBLING "0000:01:00.1"
#define BOOT    "0b3a3b62-7a0f-4d5c-9a43-2f8d4c1e6b70"

static guint writes; /* to sysfs, of the helper */

static void
count_write (gpointer data)
{
  writes++;
}

static const KvmHelperFaultHooks counting = { .kill = count_write };

/* A helper, with what goes wrong for it. */
static void
start (World *world, const char *rules)
{
  g_autofree char *all = g_strconcat ("write /sys/* 1+ kill;", rules, NULL);

  world_stop (world);
  world_start (world, all, &counting);
  g_assert_nonnull (world->leases);
}

/* A guest that uses the card. */
static World *
begin (void)
{
  const KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  PciAddress address = simulated_address (CARD);
  World *world = world_new (NULL);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (GVariant) granted = NULL;
  GError *error = NULL;

  start (world, NULL);
  kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &address,
                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error);
  g_assert_no_error (error);
  world->lease = g_strdup (prepared.lease->id);
  world->qemu = kvmhelper_sim_qemu_new (world->sim, &config, &error);
  g_assert_no_error (error);
  kvmhelper_sim_qemu_attach (world->qemu, &address, &error);
  g_assert_no_error (error);
  kvmhelper_sim_qemu_use (world->qemu, &address, 3, &error);
  g_assert_no_error (error);
  granted = kvmhelper_leases_commit (world->leases, world->lease, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (granted);
  writes = 0;
  return world;
}

static gboolean
release (World *world)
{
  GError *error = NULL;
  gboolean done;

  kvmhelper_leases_release (world->leases, world->lease, 0, &done, &error);
  g_assert_no_error (error);
  return done;
}

static void
detach (World *world)
{
  PciAddress address = simulated_address (CARD);
  GError *error = NULL;

  kvmhelper_sim_qemu_detach (world->qemu, &address, &error);
  g_assert_no_error (error);
}

static void
expect_driver (World *world, const char *function, const char *driver)
{
  PciAddress address = simulated_address (function);
  g_autofree char *now = kvmhelper_function_driver (world->kernel, &address);

  g_assert_cmpstr (now, ==, driver);
}

/* The lease is pending, says @left, and names @command. Nothing was written, and both functions are
 * where they were. */
static void
expect_held (World *world, const char *left, const char *command)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (world->leases, world->lease, NULL);

  g_assert_nonnull (lease);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  if (strstr (lease->left, left) == NULL)
    g_error ("\"%s\" has no \"%s\"", lease->left, left);
  g_assert_cmpstr (lease->command, ==, command);
  g_assert_cmpuint (writes, ==, 0);
  expect_driver (world, CARD, "vfio-pci");
  expect_driver (world, SIBLING, "vfio-pci");
}

static void
finish (World *world)
{
  world_check_back (world);
  world_settle (world);
  world_free (world);
}

/* DEVICE_DELETED comes, and QEMU holds the group for 6 s more (qemu-devel, msg488741): no
 * rebind before, in whatever time the helper is told to take. */
static void
test_late_holder (void)
{
  World *world = begin ();
  g_autofree char *command = g_strconcat ("virt-ppc64 release ", world->lease, NULL);

  detach (world);
  g_assert_false (release (world));
  expect_held (world, "has not let go", command);
  kvmhelper_sim_advance (world->sim, 5900 * G_TIME_SPAN_MILLISECOND);
  g_assert_false (release (world));
  expect_held (world, "has not let go", command);
  /* Nor does a helper that starts then know better. */
  start (world, NULL);
  expect_held (world, "has not let go", command);
  kvmhelper_sim_advance (world->sim, 200 * G_TIME_SPAN_MILLISECOND);
  g_assert_true (release (world));
  g_assert_cmpuint (writes, >, 0);
  finish (world);
}

/* It waits as long as it is told to, and gives back within that. */
static gpointer
advance_soon (gpointer sim)
{
  g_usleep (G_USEC_PER_SEC / 2);
  kvmhelper_sim_advance (sim, 6 * G_USEC_PER_SEC);
  return NULL;
}

static void
test_waits (void)
{
  World *world = begin ();
  gboolean done = FALSE;
  GThread *thread;

  detach (world);
  thread = g_thread_new ("clock", advance_soon, world->sim);
  g_assert_true (kvmhelper_leases_release (world->leases, world->lease, 20, &done, NULL));
  g_thread_join (thread);
  g_assert_true (done);
  finish (world);
}

static void
test_crash (void)
{
  World *world = begin ();

  g_assert_false (release (world));
  kvmhelper_sim_qemu_crash (world->qemu);
  g_assert_true (release (world));
  finish (world);
}

/* The kernel forgot drivers and overrides with the boot; so does the helper. */
static void
test_reboot (void)
{
  World *world = begin ();
  g_autofree char *original = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *rebooted = NULL;
  World *after;

  g_assert_false (release (world));
  g_assert_true (g_file_get_contents (HOST_FILE, &original, NULL, NULL));
  parts = g_strsplit (original, BOOT, -1);
  rebooted = g_strjoinv ("0b3a3b62-7a0f-4d5c-9a43-2f8d4c1e6b71", parts);
  after = world_new (rebooted);
  g_free (after->records);
  after->records = g_strdup (world->records);
  world_stop (world);
  world_take_copy (after);
  start (after, NULL);
  g_assert_cmpuint (writes, ==, 0);
  simulated_directory_remove (after->state);
  finish (after);
  world_settle (world);
  world_free (world);
}

/* What the host no longer has a driver for waits for it, and says how to load it. */
static void
test_driver_not_loaded (void)
{
  World *world = begin ();
  g_autofree char *command
      = g_strconcat ("modprobe e1000e && virt-ppc64 release ", world->lease, NULL);
  g_autoptr (KvmHelperLease) lease = NULL;

  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  start (world, "stat /sys/bus/pci/drivers/e1000e ENOENT; write */e1000e/bind ENOENT");
  g_assert_false (release (world));
  lease = kvmhelper_leases_find (world->leases, world->lease, NULL);
  g_assert_nonnull (strstr (lease->left, CARD ": The driver e1000e, which it had, is not loaded"));
  g_assert_null (strstr (lease->left, SIBLING));
  g_assert_cmpstr (lease->command, ==, command);
  expect_driver (world, CARD, "");
  expect_driver (world, SIBLING, "tg3");
  /* It is there again, and a new helper needs nobody to tell it. */
  start (world, NULL);
  finish (world);
}

/* A driver that will never have it again is no reason for a lease that never ends. */
static void
test_driver_refuses (void)
{
  World *world = begin ();
  g_autofree char *command = g_strconcat ("virt-ppc64 release ", world->lease, NULL);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_leases_forget (world->leases, world->lease, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE);
  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  start (world, "write */e1000e/bind EIO");
  g_assert_false (release (world));
  lease = kvmhelper_leases_find (world->leases, world->lease, NULL);
  g_assert_nonnull (strstr (lease->left, CARD));
  g_assert_cmpstr (lease->command, ==, command);
  g_clear_error (&error);
  kvmhelper_leases_forget (world->leases, world->lease, &error);
  g_assert_no_error (error);
  g_assert_null (kvmhelper_leases_find (world->leases, world->lease, NULL));
  expect_driver (world, CARD, "");
  expect_driver (world, SIBLING, "tg3");
  g_hash_table_replace (world->bindings, (gpointer) CARD, g_strdup (" "));
  finish (world);
}

/* One function is gone for good, the other is given back. */
static void
test_device_gone (void)
{
  World *world = begin ();
  PciAddress address = simulated_address (CARD);
  GError *error = NULL;

  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  kvmhelper_sim_inject_unplug (world->sim, &address, &error);
  g_assert_no_error (error);
  g_assert_true (release (world));
  g_hash_table_remove (world->bindings, CARD);
  expect_driver (world, SIBLING, "tg3");
  world_stop (world);
  world_free (world);
}

/* Makes the lease one that waits for a minute already: the record says since when. */
static void
age (World *world)
{
  g_autofree char *name = g_strconcat (world->lease, ".lease", NULL);
  g_autofree char *path = g_build_filename (world->records, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;

  world_stop (world);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lease = kvmhelper_lease_from_text (text, strlen (text), NULL);
  g_assert_cmpint (lease->ending_since, >, 0);
  lease->ending_since -= KVMHELPER_GUEST_SECONDS;
  g_free (text);
  text = kvmhelper_lease_to_text (lease);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  start (world, NULL);
}

/* A detach that never completes: the guest hangs, or has no rtas_errd. The lease says so; a reset
 * of the guest completes it; nothing is rebound before. */
static void
test_deaf_guest (void)
{
  World *world = begin ();
  g_autofree char *command = g_strconcat ("virt-ppc64 release ", world->lease, NULL);

  kvmhelper_sim_qemu_set_deaf (world->qemu, TRUE);
  detach (world);
  g_assert_false (release (world));
  expect_held (world, "guest guest", command);
  kvmhelper_sim_advance (world->sim, G_TIME_SPAN_HOUR);
  g_assert_false (release (world));
  expect_held (world, "has not let go", command);
  age (world);
  expect_held (world, "a reset of the guest completes it", "virsh reset " SIMULATED_UUID);
  g_assert_true (kvmhelper_sim_qemu_reset (world->qemu, NULL));
  g_assert_false (release (world));
  expect_held (world, "process", "virsh reset " SIMULATED_UUID);
  kvmhelper_sim_advance (world->sim, 6 * G_USEC_PER_SEC);
  g_assert_true (release (world));
  finish (world);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    GTestFunc func;
  } tests[] = {
    { "/simulated/give-back/late-holder", test_late_holder },
    { "/simulated/give-back/waits", test_waits },
    { "/simulated/give-back/crashed-qemu", test_crash },
    { "/simulated/give-back/host-reboot", test_reboot },
    { "/simulated/give-back/driver-not-loaded", test_driver_not_loaded },
    { "/simulated/give-back/driver-refuses", test_driver_refuses },
    { "/simulated/give-back/device-gone", test_device_gone },
    { "/simulated/give-back/guest-never-lets-go", test_deaf_guest },
  };

  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  /* What stays is a warning. */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].func);
  return g_test_run ();
}
