/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leases-world.h"

#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-leases-grant.h"
#include "kvmhelper/kvmhelper-leases-users.h"

/* Two functions in a group; and one whose override is not in force. */
#define CARD  "0000:01:00.0"
#define OTHER "0005:01:00.0"

/* One on VFIO from the beginning: its node outlives a lease. */
#define ON_VFIO "0004:01:00.0"

/* A user, and how much memory a process of his may lock by itself, in bytes. */
#define USER   1000
#define LITTLE (8 * 1024 * 1024)

static const char *const addresses[] = { CARD, "0000:01:00.1", OTHER };

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
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    g_hash_table_insert (world->bindings, (gpointer) addresses[i],
                         simulated_binding (kernel, addresses[i], 0));
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

/* --- what is to be true --- */

static const KvmHelperKernel *
look (World *world)
{
  g_assert_nonnull (world->process);
  return kvmhelper_sim_process_kernel (world->process);
}

static void
check_lease (World *world, const KvmHelperLease *lease)
{
  gboolean pending = lease->phase == KVMHELPER_PHASE_PENDING;

  if (!pending && lease->phase != KVMHELPER_PHASE_PREPARED
      && lease->phase != KVMHELPER_PHASE_ACTIVE)
    g_error ("the lease %s is %s", lease->id, kvmhelper_phase_name (lease->phase));
  if (pending && (*lease->left == '\0' || *lease->command == '\0'))
    g_error ("the lease %s is pending: \"%s\", \"%s\"", lease->id, lease->left, lease->command);
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *driver = kvmhelper_function_driver (look (world), &member->address);

      if (!pending && !common_driver_is_vfio (driver))
        g_error ("the lease %s is %s, and a member is on \"%s\"", lease->id,
                 kvmhelper_phase_name (lease->phase), driver);
    }
}

/* Whether a lease has the function, and did not give it back yet. */
static gboolean
is_leased (World *world, const char *function)
{
  PciAddress address = simulated_address (function);
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find_function (world->leases, &address);

  return lease != NULL && !kvmhelper_lease_find_member (lease, &address)->returned;
}

static void
check_function (World *world, const char *function)
{
  PciAddress address = simulated_address (function);
  g_autofree char *now = simulated_binding (look (world), function, 0);
  const char *before = g_hash_table_lookup (world->bindings, function);
  int group = -1;

  kvmhelper_function_read_group (look (world), &address, &group, NULL);
  if (is_leased (world, function))
    return;
  if (g_strcmp0 (now, before) != 0)
    g_error ("%s is nobody's, has \"%s\" and had \"%s\"", function, now, before);
  if (group >= 0 && kvmhelper_holder_find (look (world), (guint) group) != 0)
    g_error ("%s is a guest's, and no lease knows", function);
}

/* A user has nothing of @function that no lease says. */
static void
check_node (World *world, const char *function)
{
  PciAddress address = simulated_address (function);
  int group, entry;

  g_assert_true (kvmhelper_function_read_group (look (world), &address, &group, NULL));
  g_assert_true (kvmhelper_grant_node_read (look (world), (guint) group, USER, &entry, NULL));
  if (entry != KVMHELPER_NO_ENTRY)
    g_error ("%s is nobody's, and user %u may open it", function, USER);
}

static void
check_user (World *world)
{
  const KvmHelperKernel *kernel = look (world);
  KvmHelperLimit limit = { 0 };

  if (world->user == 0 || kvmhelper_leases_count_user (world->leases, USER) > 0)
    return;
  check_node (world, ON_VFIO);
  check_node (world, OTHER);
  kernel->calls->memlock (kernel->data, world->user, NULL, &limit);
  if (limit.soft != LITTLE || limit.hard != LITTLE)
    g_error ("no lease is left, and a process of user %u may lock memory for one", USER);
}

void
world_check_legal (World *world)
{
  g_autoptr (GPtrArray) leases = NULL;

  g_assert_nonnull (world->leases);
  leases = kvmhelper_leases_list (world->leases);
  for (guint i = 0; i < leases->len; i++)
    check_lease (world, leases->pdata[i]);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    check_function (world, addresses[i]);
  check_user (world);
}

void
world_check_back (World *world)
{
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (world->leases);

  for (guint i = 0; i < leases->len; i++)
    {
      const KvmHelperLease *lease = leases->pdata[i];

      g_error ("the lease %s is still %s: %s", lease->id, kvmhelper_phase_name (lease->phase),
               lease->left);
    }
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    check_function (world, addresses[i]);
  check_user (world);
}

void
world_settle (World *world)
{
  g_autoptr (GPtrArray) leases = NULL;

  world_stop (world);
  if (world->qemu != NULL)
    kvmhelper_sim_qemu_crash (world->qemu);
  g_clear_pointer (&world->qemu, kvmhelper_sim_qemu_free);
  g_clear_pointer (&world->lease, g_free);
  kvmhelper_sim_advance (world->sim, 60 * G_USEC_PER_SEC);
  world_start (world, NULL, NULL);
  g_assert_nonnull (world->leases);
  leases = kvmhelper_leases_list (world->leases);
  for (guint i = 0; i < leases->len; i++)
    simulated_leases_release (world->leases, ((const KvmHelperLease *) leases->pdata[i])->id, 0);
  world_check_back (world);
  world_stop (world);
  g_assert_cmpuint (kvmhelper_sim_handles (world->sim), ==, 0);
}

char *
world_describe (World *world)
{
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (world->leases);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < leases->len; i++)
    {
      g_autoptr (KvmHelperLease) lease = kvmhelper_lease_copy (leases->pdata[i]);
      g_autofree char *record = NULL;

      lease->ending_since = 0; /* of this start, or of the one before */
      record = kvmhelper_lease_to_text (lease);
      g_string_append (text, record);
    }
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autofree char *now = simulated_binding (look (world), addresses[i], 0);

      g_string_append_printf (text, "%s %s\n", addresses[i], now);
    }
  return g_string_free (text, FALSE);
}
