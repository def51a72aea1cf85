/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "leases-world.h"

/* drivers_probe says that all went well, and nothing was bound (drivers/base/bus.c:
 * drivers_probe_store). And what others taught vfio-pci before changes nothing. */

#define FIRST  "0000:01:00.0"
#define SECOND "0000:01:00.1"

static gboolean
take (World *world, GError **error)
{
  PciAddress address = simulated_address (FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL };

  if (!kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &address,
                                 KVMHELPER_REHEARSE_NEVER, NULL, &prepared, error))
    return FALSE;
  g_free (world->lease);
  world->lease = g_strdup (prepared.lease->id);
  return TRUE;
}

static void
give_back (World *world)
{
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  g_assert_true (kvmhelper_leases_release (world->leases, world->lease, 0, &done, &error));
  g_assert_true (done);
  world_check_back (world);
}

static void
expect_not_bound (const char *rule, const char *function)
{
  World *world = world_new (NULL);
  g_autoptr (GError) error = NULL;

  world_start (world, rule, NULL);
  g_assert_false (take (world, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED);
  g_assert_nonnull (strstr (error->message, function));
  world_check_back (world);
  g_clear_error (&error);

  /* The same helper, asked again when nobody lies. */
  g_assert_true (take (world, &error));
  g_assert_no_error (error);
  give_back (world);
  world_free (world);
}

static void
test_first (void)
{
  expect_not_bound ("write *drivers_probe 1 lie", FIRST);
}

static void
test_second (void)
{
  expect_not_bound ("write *drivers_probe 2 lie", SECOND);
}

static gssize
write_to (const KvmHelperKernel *kernel, const char *path, const char *text)
{
  int handle = kernel->calls->open (kernel->data, KVMHELPER_SYS, path, O_WRONLY);
  gssize n;

  g_assert_cmpint (handle, >=, 0);
  n = kernel->calls->write (kernel->data, handle, text, strlen (text));
  kernel->calls->close (kernel->data, handle);
  return n;
}

/* vfio-pci knows the device's ID already, and refuses it a second time: the helper names drivers
 * by driver_override alone, never by IDs, and the device goes back to the driver that it had. */
static void
test_new_id (void)
{
  World *world = world_new (NULL);
  g_autoptr (GError) error = NULL;

  world_start (world, NULL, NULL);
  g_assert_cmpint (write_to (world->kernel, "bus/pci/drivers/vfio-pci/new_id", "8086 10d3"), >, 0);
  g_assert_cmpint (write_to (world->kernel, "bus/pci/drivers/vfio-pci/new_id", "8086 10d3"), ==,
                   -EEXIST);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (take (world, &error));
      g_assert_no_error (error);
      give_back (world);
    }
  world_free (world);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_add_func ("/simulated/probe-lies/first", test_first);
  g_test_add_func ("/simulated/probe-lies/second", test_second);
  g_test_add_func ("/simulated/probe-lies/new-id-before", test_new_id);
  return g_test_run ();
}
