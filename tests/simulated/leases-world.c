/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leases-world-private.h"

#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-leases-grant.h"

const char *const world_addresses[] = { CARD, "0000:01:00.1", OTHER };

static void
ignore_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
}

static void
note_bindings (World *world)
{
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (world->sim, &simulated_process);
  const KvmHelperKernel *kernel = kvmhelper_sim_process_kernel (process);

  world->bindings = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (world_addresses); i++)
    g_hash_table_insert (world->bindings, (gpointer) world_addresses[i],
                         simulated_binding (kernel, world_addresses[i], 0));
  kvmhelper_sim_process_exit (process);
}

World *
world_new (const char *xml)
{
  World *world = g_new0 (World, 1);
  g_autofree char *text = g_strdup (xml);
  GError *error = NULL;

  if (text == NULL)
    g_assert_true (g_file_get_contents (HOST_FILE, &text, NULL, NULL));
  world->sim = kvmhelper_sim_new_from_xml (text, "leases-host.xml", &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (world->sim, 0);
  world->directory = simulated_directory_new ("test-leases");
  world->state = g_build_filename (world->directory, "state", NULL);
  world->records = g_build_filename (world->state, "leases", NULL);
  world->cancellable = g_cancellable_new ();
  note_bindings (world);
  return world;
}

void
world_free (World *world)
{
  world_stop (world);
  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  kvmhelper_sim_free (world->sim);
  simulated_directory_remove (world->directory);
  g_hash_table_unref (world->bindings);
  g_object_unref (world->cancellable);
  g_free (world->directory);
  g_free (world->state);
  g_free (world->records);
  g_free (world->lease);
  g_free (world);
}

void
world_start (World *world, const char *rules, const KvmHelperFaultHooks *hooks)
{
  const KvmHelperListener listener = { ignore_lease, simulated_ignore_step, NULL };
  const char *all[] = { rules == NULL ? "" : rules, NULL };
  GError *error = NULL;

  g_assert_null (world->process);
  world->process = kvmhelper_sim_process_new (world->sim, &simulated_process);
  world->faults = kvmhelper_faults_parse (all, hooks, &error);
  g_assert_no_error (error);
  world->kernel
      = kvmhelper_faults_wrap (world->faults, kvmhelper_sim_process_kernel (world->process));
  world->leases = kvmhelper_leases_open (world->kernel, world->state, kvmhelper_rehearsal_here,
                                         &listener, world->cancellable, NULL);
}

void
world_stop (World *world)
{
  if (world->process == NULL)
    return;
  g_clear_pointer (&world->leases, kvmhelper_leases_free);
  g_clear_pointer (&world->kernel, kvmhelper_faults_unwrap);
  g_clear_pointer (&world->faults, kvmhelper_faults_free);
  g_clear_pointer (&world->process, kvmhelper_sim_process_exit);
}

void
world_kill (World *world)
{
  world->leases = NULL;
  world->kernel = NULL;
  world->faults = NULL;
  g_clear_pointer (&world->process, kvmhelper_sim_process_exit);
}

static void
copy_file (const char *from_directory, const char *to_directory, const char *name)
{
  g_autofree char *from = g_build_filename (from_directory, name, NULL);
  g_autofree char *to = g_build_filename (to_directory, name, NULL);
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (from, &text, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (to, text, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

void
world_take_copy (World *world)
{
  char *state = simulated_directory_new ("test-leases-copy");
  char *records = g_build_filename (state, "leases", NULL);
  GDir *directory = g_dir_open (world->records, 0, NULL);
  const char *name;

  g_assert_cmpint (g_mkdir_with_parents (records, 0700), ==, 0);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    copy_file (world->records, records, name);
  g_clear_pointer (&directory, g_dir_close);
  g_free (world->state);
  world->state = state;
  g_free (world->records);
  world->records = records;
}

/* --- stations --- */

static void
prepare (World *world, const char *function, KvmHelperRehearseMode mode)
{
  PciAddress address = simulated_address (function);
  g_auto (KvmHelperPrepared) prepared = { NULL };

  if (world->leases != NULL
      && kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &address, mode, NULL,
                                   &prepared, NULL))
    world->lease = g_strdup (prepared.lease->id);
}

static void
attach (World *world, const char *function)
{
  const KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  PciAddress address = simulated_address (function);
  GError *error = NULL;

  if (world->lease == NULL)
    return;
  world->qemu = kvmhelper_sim_qemu_new (world->sim, &config, &error);
  g_assert_no_error (error);
  kvmhelper_sim_qemu_attach (world->qemu, &address, &error);
  g_assert_no_error (error);
}

static void
commit (World *world)
{
  GVariant *granted
      = world->lease == NULL ? NULL : kvmhelper_leases_commit (world->leases, world->lease, NULL);

  if (granted != NULL)
    g_variant_unref (g_variant_ref_sink (granted));
}

static void
leave (World *world)
{
  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
}

static void
release (World *world)
{
  gboolean done;

  if (world->lease != NULL)
    kvmhelper_leases_release (world->leases, world->lease, 0, &done, NULL);
}

/* --- lives --- */

static void
live_with_guest (World *world)
{
  prepare (world, CARD, KVMHELPER_REHEARSE_NEVER);
  attach (world, CARD);
  commit (world);
  leave (world);
  release (world);
}

/* It is to be given back while the guest has it still, and then again. */
static void
live_held (World *world)
{
  prepare (world, OTHER, KVMHELPER_REHEARSE_NEVER);
  attach (world, OTHER);
  commit (world);
  release (world);
  leave (world);
  release (world);
}

static void
live_rehearsed (World *world)
{
  prepare (world, CARD, KVMHELPER_REHEARSE_ALWAYS);
  release (world);
}

static void
live_rehearsal (World *world)
{
  PciAddress address = simulated_address (OTHER);
  GPtrArray *steps
      = world->leases == NULL ? NULL : kvmhelper_leases_rehearse (world->leases, &address, NULL);

  if (steps != NULL)
    g_ptr_array_unref (steps);
}

/* The helper is asked for @function by a process of a user's. */
static void
grant (World *world, const char *function)
{
  g_autoptr (KvmHelperGrant) wanted = kvmhelper_grant_new (USER);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (KvmHelperLease) lease = NULL;
  PciAddress address = simulated_address (function);
  KvmHelperGrantProcess process;
  int handle;

  if (world->leases == NULL)
    return;
  handle = world->kernel->calls->pidfd (world->kernel->data, world->user);
  if (kvmhelper_grant_process_read (world->kernel, handle, USER, &process, NULL)
      && kvmhelper_grant_add (wanted, &process, NULL)
      && kvmhelper_leases_prepare_for (world->leases, SIMULATED_UUID, "guest", &address,
                                       KVMHELPER_REHEARSE_NEVER, wanted, &prepared, NULL))
    {
      g_free (world->lease);
      world->lease = g_strdup (prepared.lease->id);
      lease = kvmhelper_leases_give (world->leases, world->lease, USER, handle, 2 * LITTLE, NULL);
    }
  if (handle >= 0)
    kvmhelper_kernel_close (world->kernel, handle);
}

/* A user's own guest: what he is given besides the drivers is given and taken with the lease. One
 * node goes with it, one stays. */
static void
live_granted (World *world)
{
  const KvmHelperSimProcessConfig config = { .command = "qemu", .uid = USER, .memlock = LITTLE };

  if (world->user == 0)
    world->user
        = kvmhelper_sim_process_kernel (kvmhelper_sim_process_new (world->sim, &config))->pid;
  grant (world, OTHER);
  release (world);
  grant (world, ON_VFIO);
  release (world);
}

const WorldLife world_lives[] = { { "prepare, commit, release", live_with_guest },
                                  { "release while it is held", live_held },
                                  { "prepare with a rehearsal, release", live_rehearsed },
                                  { "rehearse", live_rehearsal },
                                  { "grant, give back", live_granted },
                                  { NULL, NULL } };
