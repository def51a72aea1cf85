/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <locale.h>
#include <string.h>

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
  guint stranger;              /* whom it hits; 0: the one that was meant */
  gboolean becomes_root;       /* with the call, as by a setuid program: its effective id */
  gboolean is_root;
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
  swap->is_root |= limit != NULL && swap->becomes_root;
  if (limit != NULL && swap->stranger != 0)
    pid = swap->stranger;
  return swap->base->calls->memlock (swap->base->data, pid, limit, before);
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
  gssize n = swap->base->calls->read (swap->base->data, handle, buffer, length);
  char *ids = n <= 0 || !swap->is_root ? NULL : g_strstr_len (buffer, n, "\nUid:\t1000\t1000");

  if (ids != NULL)
    memcpy (ids, "\nUid:\t1000\t0000", strlen ("\nUid:\t1000\t0000"));
  return n;
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
swap_init (Swap *swap, const KvmHelperKernel *base)
{
  *swap = (Swap){ .kernel = *base,
                  .base = base,
                  .calls = { .open = swap_open,
                             .close = swap_close,
                             .read = swap_read,
                             .readlink = swap_readlink,
                             .memlock = swap_memlock } };
  swap->kernel.calls = &swap->calls;
  swap->kernel.data = swap;
}

/* It is read, and then what happens with the call happens. */
static void
expect_not_raised (const GrantsWorld *world, const Swap *swap, guint pid)
{
  g_autoptr (GError) error = NULL;
  KvmHelperGrantProcess process;
  int handle = grants_open_process (world, pid);

  g_assert_true (kvmhelper_grant_process_read (&swap->kernel, handle, ALICE, &process, &error));
  g_assert_false (
      kvmhelper_grant_process_raise (&swap->kernel, handle, ALICE, &process, ENOUGH, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  kvmhelper_kernel_close (world->kernel, handle);
}

static void
test_pid_used_again (void)
{
  GrantsWorld world;
  Swap swap;

  grants_world_init (&world, NULL);
  swap_init (&swap, world.kernel);
  swap.stranger = grants_pid_of (grants_start_process (&world, "database", BOB));
  swap.victim = grants_start_process (&world, "qemu", ALICE);
  expect_not_raised (&world, &swap, grants_pid_of (swap.victim));
  grants_expect_limit (&world, swap.stranger, LITTLE);
  grants_world_clear (&world);
}

/* The user's process begins a setuid program while its limit is set: that one has not got it. */
static void
test_becomes_root (void)
{
  GrantsWorld world;
  Swap swap;
  guint pid;

  grants_world_init (&world, NULL);
  swap_init (&swap, world.kernel);
  swap.becomes_root = TRUE;
  pid = grants_pid_of (grants_start_process (&world, "sh", ALICE));
  expect_not_raised (&world, &swap, pid);
  grants_expect_limit (&world, pid, LITTLE);
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

/* What is set is what was asked for now, which somebody agreed to, and not what once was. */
static void
test_no_more_than_asked (void)
{
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  g_autofree char *again = NULL;
  const KvmHelperLimit little = { LITTLE, LITTLE };
  guint pid;

  grants_world_init (&world, NULL);
  pid = kvmhelper_sim_qemu_pid (world.qemu);
  id = grants_give_alice (&world);
  world.kernel->calls->memlock (world.kernel->data, pid, &little, NULL);
  again = grants_give (&world, ALICE, SIMULATED_UUID, pid, ENOUGH / 2, &error);
  g_assert_no_error (error);
  grants_expect_limit (&world, pid, ENOUGH / 2);
  simulated_leases_release (world.leases, id, 10);
  grants_expect_limit (&world, pid, LITTLE);
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
  /* Not every machine knows a user of that number. */
  g_free (wanted->user_name);
  wanted->user_name = g_strdup ("alice");
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

/* A file that is no such file, or in parts: nobody agreed to what cannot be read, and what was
 * taken back comes back no more when it can. */
static void
test_consents_damaged (void)
{
  static const char *const texts[] = {
    "",
    "[1000 0000:01:00.0]\nmemory=1",
    "[1000 0000:01:00.0]\nuser-name=\ndevice=\nmemory=much\nsince=0\n",
    "[-1 0000:01:00.0]\nuser-name=\ndevice=\nmemory=1\nsince=0\n",
    "[4294967295 0000:01:00.0]\nuser-name=\ndevice=\nmemory=1\nsince=0\n",
    "[1000 ../../etc]\nuser-name=\ndevice=\nmemory=1\nsince=0\n",
    "no group=1\n",
    "\377\376",
  };
  const GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  GrantsWorld world;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;

  grants_world_init (&world, NULL);
  path = g_build_filename (world.state, "consents", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (KvmHelperConsents) consents = NULL;
      g_autoptr (GPtrArray) list = NULL;
      gboolean found;

      g_assert_true (g_file_set_contents (path, texts[i], -1, &error));
      consents = kvmhelper_consents_open (world.state);
      list = kvmhelper_consents_list (consents, NULL);
      g_assert_cmpuint (list->len, ==, 0);
      g_assert_false (kvmhelper_consents_has (consents, ALICE, &world.card));
      g_assert_true (kvmhelper_consents_remove (consents, ALICE, &world.card, &found, &error));
      g_assert_false (found);
      g_assert_true (g_file_get_contents (path, &text, NULL, &error));
      g_assert_cmpstr (text, ==, "");
      g_clear_pointer (&text, g_free);
    }
  g_log_set_always_fatal (fatal);
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
  g_test_add_func ("/rights/becomes-root", test_becomes_root);
  g_test_add_func ("/rights/never-less", test_never_less);
  g_test_add_func ("/rights/no-more-than-asked", test_no_more_than_asked);
  g_test_add_func ("/rights/entries-of-others", test_entries_of_others);
  g_test_add_func ("/rights/consents", test_consents);
  g_test_add_func ("/rights/consents-damaged", test_consents_damaged);
  return g_test_run ();
}
