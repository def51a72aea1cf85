/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <locale.h>

#include "common/common-error.h"
#include "grants-world.h"
#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

/* What a user is given: entries of nodes, limits of processes; and what administrators agreed to.
 */

/* A process of another user's, one that runs a setuid program, one that has ended, and what is no
 * process at all. */
static void
test_not_his_process (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  KvmHelperGrantProcess process;
  KvmHelperSimProcess *root, *shell;
  int handle, event;

  grants_world_init (&world, NULL);
  root = grants_start_process (&world, "passwd", 0);
  g_assert_null (grants_give (&world, ALICE, SIMULATED_UUID, grants_pid_of (root), ENOUGH, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  grants_expect_limit (&world, grants_pid_of (root), LITTLE);
  grants_expect_driver (&world, "e1000e");

  shell = grants_start_process (&world, "sh", ALICE);
  handle = grants_open_process (&world, grants_pid_of (shell));
  kvmhelper_sim_process_exit (shell);
  g_assert_false (kvmhelper_grant_process_read (world.kernel, handle, ALICE, &process, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  kvmhelper_kernel_close (world.kernel, handle);

  event = world.kernel->calls->eventfd (world.kernel->data);
  g_assert_false (kvmhelper_grant_process_read (world.kernel, event, ALICE, &process, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  kvmhelper_kernel_close (world.kernel, event);
  grants_world_clear (&world);
}

/* The process that was read ends, and its PID is somebody else's when the limit is set: he gets his
 * own back. The model gives no PID twice: so the handle is swapped for that of one that has ended
 * while the limit is being set, which looks the same. */
typedef struct
{
  KvmHelperKernel kernel;
  const KvmHelperKernel *base;
  KvmHelperKernelCalls calls;
  KvmHelperSimProcess *victim; /* ends with the call */
  guint stranger;              /* whom it hits */
} Swap;

static int
swap_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  Swap *swap = data;

  if (limit != NULL && swap->victim != NULL)
    {
      kvmhelper_sim_process_exit (swap->victim);
      swap->victim = NULL;
    }
  return swap->base->calls->memlock (swap->base->data, limit == NULL ? pid : swap->stranger, limit,
                                     before);
}

static int
swap_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  Swap *swap = data;

  return swap->base->calls->open (swap->base->data, root, path, flags);
}

static gssize
swap_read (gpointer data, int handle, void *buffer, gsize length)
{
  Swap *swap = data;

  return swap->base->calls->read (swap->base->data, handle, buffer, length);
}

static void
swap_close (gpointer data, int handle)
{
  Swap *swap = data;

  swap->base->calls->close (swap->base->data, handle);
}

static gssize
swap_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  Swap *swap = data;

  return swap->base->calls->readlink (swap->base->data, root, path, buffer, size);
}

static void
test_pid_used_again (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  KvmHelperGrantProcess process;
  KvmHelperSimProcess *stranger;
  Swap swap = { .calls = { .open = swap_open,
                           .close = swap_close,
                           .read = swap_read,
                           .readlink = swap_readlink,
                           .memlock = swap_memlock } };
  int handle;

  grants_world_init (&world, NULL);
  stranger = grants_start_process (&world, "database", BOB);
  swap.victim = grants_start_process (&world, "qemu", ALICE);
  swap.stranger = grants_pid_of (stranger);
  swap.base = world.kernel;
  swap.kernel = *world.kernel;
  swap.kernel.calls = &swap.calls;
  swap.kernel.data = &swap;
  handle = grants_open_process (&world, grants_pid_of (swap.victim));
  g_assert_true (kvmhelper_grant_process_read (&swap.kernel, handle, ALICE, &process, &error));
  g_assert_false (
      kvmhelper_grant_process_raise (&swap.kernel, handle, ALICE, &process, ENOUGH, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  grants_expect_limit (&world, swap.stranger, LITTLE);
  kvmhelper_kernel_close (world.kernel, handle);
  grants_world_clear (&world);
}

/* Nothing is ever made less by a grant, and what was more stays. */
static void
test_never_less (void)
{
  GrantsWorld world;
  g_autofree char *id = NULL;
  const KvmHelperLimit much = { ENOUGH * 4, ENOUGH * 4 };
  guint pid;

  grants_world_init (&world, NULL);
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  world.kernel->calls->memlock (world.kernel->data, pid, &much, NULL);
  id = grants_give_alice (&world);
  grants_expect_limit (&world, pid, ENOUGH * 4);
  simulated_leases_release (world.leases, id, 10);
  grants_expect_limit (&world, pid, ENOUGH * 4);
  grants_world_clear (&world);
}

/* As chmod(1) leaves it: an entry for @user, and a mask that lets less through. */
static void
set_masked_entry (const GrantsWorld *world, guint group, guint user, guint entry, guint mask)
{
  const struct
  {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entries[5];
  } acl = { { GUINT32_TO_LE (POSIX_ACL_XATTR_VERSION) },
            { { GUINT16_TO_LE (ACL_USER_OBJ), GUINT16_TO_LE (6), G_MAXUINT32 },
              { GUINT16_TO_LE (ACL_USER), GUINT16_TO_LE ((guint16) entry), GUINT32_TO_LE (user) },
              { GUINT16_TO_LE (ACL_GROUP_OBJ), 0, G_MAXUINT32 },
              { GUINT16_TO_LE (ACL_MASK), GUINT16_TO_LE ((guint16) mask), G_MAXUINT32 },
              { GUINT16_TO_LE (ACL_OTHER), 0, G_MAXUINT32 } } };
  g_autofree char *path = g_strdup_printf ("vfio/%u", group);

  g_assert_cmpint (
      world->kernel->calls->set_acl (world->kernel->data, KVMHELPER_DEV, path, &acl, sizeof acl),
      ==, 0);
}

/* An administrator's own entries, a mask of his, and a node that root gave away stay. */
static void
test_entries_of_others (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  guint group;
  int entry;

  grants_world_init (&world, NULL);
  g_free (grants_give_alice (&world)); /* for a node to be there */
  group = grants_group_of (&world);
  g_assert_true (kvmhelper_grant_node_write (world.kernel, group, BOB, 4, &error));
  g_assert_true (
      kvmhelper_grant_node_write (world.kernel, group, ALICE, KVMHELPER_NO_ENTRY, &error));
  grants_expect_entry (&world, BOB, 4);
  grants_expect_mode (&world, 0640);
  /* A wider mask for one does not widen what another has. */
  set_masked_entry (&world, group, BOB, 6, 4);
  grants_expect_entry (&world, BOB, 4);
  g_assert_true (kvmhelper_grant_node_write (world.kernel, group, ALICE, 6, &error));
  grants_expect_entry (&world, BOB, 4);
  grants_expect_entry (&world, ALICE, 6);
  grants_expect_mode (&world, 0660);
  g_assert_true (kvmhelper_grant_node_write (world.kernel, group, BOB, KVMHELPER_NO_ENTRY, &error));
  g_assert_true (
      kvmhelper_grant_node_write (world.kernel, group, ALICE, KVMHELPER_NO_ENTRY, &error));
  grants_expect_mode (&world, 0600);
  /* A group without a node: nothing is there, and nothing need be taken. */
  g_assert_true (kvmhelper_grant_node_read (world.kernel, 4711, ALICE, &entry, &error));
  g_assert_cmpint (entry, ==, KVMHELPER_NO_ENTRY);
  g_assert_true (
      kvmhelper_grant_node_write (world.kernel, 4711, ALICE, KVMHELPER_NO_ENTRY, &error));
  g_assert_false (kvmhelper_grant_node_write (world.kernel, 4711, ALICE, 6, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  grants_world_clear (&world);
}

/* What an administrator agreed to is remembered, for that user, device and place, and no more. */
static void
test_consents (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperConsents) consents = NULL;
  g_autoptr (KvmHelperConsent) wanted = NULL;
  g_autoptr (KvmHelperConsent) more = NULL;
  g_autoptr (KvmHelperConsent) others = NULL;
  g_autoptr (KvmHelperConsent) replaced = NULL;
  g_autoptr (GPtrArray) list = NULL;
  const guint alice = ALICE;
  gboolean found;

  grants_world_init (&world, NULL);
  consents = kvmhelper_consents_open (world.state);
  wanted = kvmhelper_consent_new (world.kernel, ALICE, &world.card, ENOUGH, &error);
  g_assert_no_error (error);
  g_assert_false (kvmhelper_consents_cover (consents, wanted));
  g_assert_true (kvmhelper_consents_add (consents, wanted, &error));
  kvmhelper_consents_free (g_steal_pointer (&consents));
  consents = kvmhelper_consents_open (world.state);
  g_assert_true (kvmhelper_consents_cover (consents, wanted));
  more = kvmhelper_consent_new (world.kernel, ALICE, &world.card, ENOUGH + 1, &error);
  g_assert_false (kvmhelper_consents_cover (consents, more));
  others = kvmhelper_consent_new (world.kernel, BOB, &world.card, 1, &error);
  g_assert_false (kvmhelper_consents_cover (consents, others));
  list = kvmhelper_consents_list (consents, &alice);
  g_assert_cmpuint (list->len, ==, 1);

  /* The number is another user's now; where nobody knew his name, the number counts. */
  g_free (wanted->user_name);
  wanted->user_name = g_strdup ("carol");
  g_assert_false (kvmhelper_consents_cover (consents, wanted));
  g_free (others->user_name);
  others->user_name = g_strdup ("");
  g_assert_true (kvmhelper_consents_add (consents, others, &error));
  g_free (others->user_name);
  others->user_name = g_strdup ("bob");
  g_assert_true (kvmhelper_consents_cover (consents, others));
  g_assert_true (kvmhelper_consents_remove (consents, BOB, &world.card, &found, &error));

  /* Another card at the same address is another card. */
  g_assert_true (kvmhelper_sim_inject_replace (world.sim, &world.card, 0x8086, 0x10fb, &error));
  replaced = kvmhelper_consent_new (world.kernel, ALICE, &world.card, 1, &error);
  g_assert_no_error (error);
  g_assert_false (kvmhelper_consents_cover (consents, replaced));

  g_assert_true (kvmhelper_consents_remove (consents, ALICE, &world.card, &found, &error));
  g_assert_true (found);
  g_assert_true (kvmhelper_consents_remove (consents, ALICE, &world.card, &found, &error));
  g_assert_false (found);
  g_assert_false (kvmhelper_consents_cover (consents, wanted));
  grants_world_clear (&world);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rights/not-his-process", test_not_his_process);
  g_test_add_func ("/rights/pid-used-again", test_pid_used_again);
  g_test_add_func ("/rights/never-less", test_never_less);
  g_test_add_func ("/rights/entries-of-others", test_entries_of_others);
  g_test_add_func ("/rights/consents", test_consents);
  return g_test_run ();
}
