/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leases-world-private.h"

#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-leases-users.h"

/* What is to be true of the world. */

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
  for (guint i = 0; i < G_N_ELEMENTS (world_addresses); i++)
    check_function (world, world_addresses[i]);
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
  for (guint i = 0; i < G_N_ELEMENTS (world_addresses); i++)
    check_function (world, world_addresses[i]);
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
  for (guint i = 0; i < G_N_ELEMENTS (world_addresses); i++)
    {
      g_autofree char *now = simulated_binding (look (world), world_addresses[i], 0);

      g_string_append_printf (text, "%s %s\n", world_addresses[i], now);
    }
  return g_string_free (text, FALSE);
}
