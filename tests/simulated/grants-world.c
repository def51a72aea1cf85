/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grants-world.h"

#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-group.h"

void
grants_start_helper (GrantsWorld *world, const char *rule)
{
  const char *const rules[] = { rule, NULL };
  g_autoptr (GError) error = NULL;

  world->helper = kvmhelper_sim_process_new (world->sim, &simulated_process);
  world->kernel = kvmhelper_sim_process_kernel (world->helper);
  if (rule != NULL)
    {
      world->faults = kvmhelper_faults_parse (rules, NULL, &error);
      g_assert_no_error (error);
      world->kernel = world->faulty = kvmhelper_faults_wrap (world->faults, world->kernel);
    }
  world->leases = simulated_leases_open (world->kernel, world->state, world->cancellable);
}

void
grants_stop_helper (GrantsWorld *world)
{
  g_clear_pointer (&world->leases, kvmhelper_leases_free);
  g_clear_pointer (&world->faulty, kvmhelper_faults_unwrap);
  g_clear_pointer (&world->faults, kvmhelper_faults_free);
  kvmhelper_sim_process_exit (world->helper);
}

KvmHelperSimQemu *
grants_start_qemu (GrantsWorld *world, guint user, const char *uuid)
{
  KvmHelperSimQemuConfig config = simulated_guest (uuid);
  g_autoptr (GError) error = NULL;
  KvmHelperSimQemu *qemu;

  config.uid = user;
  config.session = TRUE;
  config.memlock = LITTLE;
  qemu = kvmhelper_sim_qemu_new (world->sim, &config, &error);
  g_assert_no_error (error);
  return qemu;
}

void
grants_world_init (GrantsWorld *world, const char *rule)
{
  g_autoptr (GError) error = NULL;

  *world = (GrantsWorld){ .state = simulated_directory_new ("grants"),
                          .card = simulated_address (GRANTS_CARD) };
  world->sim = kvmhelper_sim_new_from_file (HOST_FILE, &error);
  g_assert_no_error (error);
  world->cancellable = g_cancellable_new ();
  grants_start_helper (world, rule);
  world->qemu = grants_start_qemu (world, ALICE, SIMULATED_UUID);
}

void
grants_world_clear (GrantsWorld *world)
{
  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  grants_stop_helper (world);
  g_object_unref (world->cancellable);
  kvmhelper_sim_free (world->sim);
  simulated_directory_remove (world->state);
  g_free (world->state);
}

/* As a caller's descriptor comes in a message. */
int
grants_open_process (const GrantsWorld *world, guint pid)
{
  int handle = world->kernel->calls->pidfd (world->kernel->data, pid);

  g_assert_cmpint (handle, >=, 0);
  return handle;
}

/* Grant, as the service does it; the lease's id, or NULL. */
char *
grants_give (GrantsWorld *world, guint user, const char *uuid, guint pid, guint64 memory,
             GError **error)
{
  g_autoptr (KvmHelperGrant) wanted = kvmhelper_grant_new (user);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (KvmHelperLease) lease = NULL;
  KvmHelperGrantProcess process;
  int handle = grants_open_process (world, pid);
  char *id = NULL;

  if (kvmhelper_grant_process_read (world->kernel, handle, user, &process, error)
      && kvmhelper_grant_add (wanted, &process, error)
      && kvmhelper_leases_prepare_for (world->leases, uuid, "guest", &world->card,
                                       KVMHELPER_REHEARSE_NEVER, wanted, &prepared, error))
    lease = kvmhelper_leases_give (world->leases, prepared.lease->id, user, handle, memory, error);
  if (lease != NULL)
    id = g_strdup (lease->id);
  kvmhelper_kernel_close (world->kernel, handle);
  return id;
}

char *
grants_give_alice (GrantsWorld *world)
{
  g_autoptr (GError) error = NULL;
  char *id = grants_give (world, ALICE, SIMULATED_UUID, kvmhelper_sim_qemu_pid (world->qemu),
                          ENOUGH, &error);

  g_assert_no_error (error);
  return id;
}

guint
grants_group_of (const GrantsWorld *world)
{
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (world->kernel, &world->card, NULL);

  g_assert_nonnull (group);
  return group->number;
}

void
grants_expect_entry (const GrantsWorld *world, guint user, int expected)
{
  g_autoptr (GError) error = NULL;
  int entry;

  kvmhelper_grant_node_read (world->kernel, grants_group_of (world), user, &entry, &error);
  g_assert_no_error (error);
  g_assert_cmpint (entry, ==, expected);
}

void
grants_expect_mode (const GrantsWorld *world, guint mode)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", grants_group_of (world));
  KvmHelperStat stat;

  g_assert_cmpint (kvmhelper_kernel_stat (world->kernel, KVMHELPER_DEV, path, &stat), ==, 0);
  g_assert_cmpuint (stat.mode & 07777, ==, mode);
}

void
grants_expect_limit (const GrantsWorld *world, guint pid, guint64 expected)
{
  KvmHelperLimit limit;

  g_assert_cmpint (world->kernel->calls->memlock (world->kernel->data, pid, NULL, &limit), ==, 0);
  g_assert_cmpuint (limit.soft, ==, expected);
  g_assert_cmpuint (limit.hard, ==, expected);
}

void
grants_expect_driver (const GrantsWorld *world, const char *driver)
{
  char name[PCI_ADDRESS_LEN];
  g_autofree char *binding
      = simulated_binding (world->kernel, pci_address_format (&world->card, name), 0);

  g_assert_true (g_str_has_prefix (binding, driver));
}

KvmHelperSimProcess *
grants_start_process (const GrantsWorld *world, const char *command, guint user)
{
  const KvmHelperSimProcessConfig config = { .command = command, .uid = user, .memlock = LITTLE };

  return kvmhelper_sim_process_new (world->sim, &config);
}

guint
grants_pid_of (KvmHelperSimProcess *process)
{
  return kvmhelper_sim_process_kernel (process)->pid;
}
