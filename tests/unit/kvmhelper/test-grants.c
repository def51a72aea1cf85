/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/syscall.h>
#include <unistd.h>

#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "simulation-fixture.h"

/* Users' own guests, over D-Bus: consent, grant, and the way back. The caller is the one user that
 * there is; what is not his is tested in tests/simulated/test-grants.c and on a real host. */

#define CARD SIMULATION_CARD
#define UUID SIMULATION_UUID

#define MIB    (G_GUINT64_CONSTANT (1) << 20)
#define ENOUGH (1024 * MIB)

/* A guest's QEMU, of the user that runs the test: its PID. */
static guint
start_qemu (SimulationFixture *fixture)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) reply = NULL;
  CommonErrorCode code;
  guint pid;

  simulation_fixture_begin (fixture);
  g_variant_dict_insert (&options, "user", "u", getuid ());
  g_variant_dict_insert (&options, "memory", "u", 512);
  g_variant_dict_insert (&options, "uuid", "s", UUID);
  reply = simulation_fixture_call (
      fixture, TRUE, "StartGuest",
      g_variant_new ("(s@a{sv})", "guest", g_variant_dict_end (&options)), NULL, NULL, &code);
  g_assert_nonnull (reply);
  g_variant_get (reply, "(u)", &pid);
  return pid;
}

static GUnixFDList *
open_process (SimulationFixture *fixture, guint pid)
{
  GUnixFDList *list = NULL;
  CommonErrorCode code;
  g_autoptr (GVariant) reply = simulation_fixture_call (
      fixture, TRUE, "OpenProcess", g_variant_new ("(u)", pid), NULL, &list, &code);

  g_assert_nonnull (reply);
  return list;
}

static gboolean
allow (SimulationFixture *fixture, const char *address, guint64 memory, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply = simulation_fixture_call (
      fixture, FALSE, "Allow", g_variant_new ("(ust)", getuid (), address, memory), NULL, NULL,
      code);

  return reply != NULL;
}

/* The lease, or NULL. @list: NULL: no descriptor at all. */
static char *
grant (SimulationFixture *fixture, GUnixFDList *list, guint64 memory, const char *option,
       CommonErrorCode *code)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) reply = NULL;
  char *lease = NULL;

  g_variant_dict_insert (&options, option, "s", "never");
  reply = simulation_fixture_call (fixture, FALSE, "Grant",
                                   g_variant_new ("(sssht@a{sv})", UUID, "guest", CARD, 0, memory,
                                                  g_variant_dict_end (&options)),
                                   list, NULL, code);
  if (reply != NULL)
    g_variant_get (reply, "(s@a{sv})", &lease, NULL);
  return lease;
}

static char *
give_back (SimulationFixture *fixture, const char *lease, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply = simulation_fixture_call (
      fixture, FALSE, "GiveBack", g_variant_new ("(sa{sv})", lease, NULL), NULL, NULL, code);
  char *state = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &state);
  return state;
}

static char *
withdraw (SimulationFixture *fixture, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply = simulation_fixture_call (
      fixture, FALSE, "Revoke", g_variant_new ("(us)", getuid (), CARD), NULL, NULL, code);
  char *state = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &state);
  return state;
}

/* What ListGrants says of the card, as text; "": nothing. */
static char *
list (SimulationFixture *fixture, const char *key)
{
  CommonErrorCode code;
  g_autoptr (GVariant) reply = simulation_fixture_call (
      fixture, FALSE, "ListGrants", g_variant_new ("(a{sv})", NULL), NULL, NULL, &code);
  g_autoptr (GVariant) grants = g_variant_get_child_value (reply, 0);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) value = NULL;

  if (g_variant_n_children (grants) == 0)
    return g_strdup ("");
  first = g_variant_get_child_value (grants, 0);
  value = g_variant_lookup_value (first, key, NULL);
  return value == NULL ? g_strdup ("") : g_variant_print (value, FALSE);
}

static void
assert_listed (SimulationFixture *fixture, const char *key, const char *expected)
{
  g_autofree char *value = list (fixture, key);

  g_assert_cmpstr (value, ==, expected);
}

static guint64
limit_of (const SimulationFixture *fixture, guint pid)
{
  const KvmHelperKernel *kernel = kvmhelper_simulation_kernel (fixture->simulation);
  KvmHelperLimit limit = { 0 };

  kernel->calls->memlock (kernel->data, pid, NULL, &limit);
  return limit.soft;
}

static int
entry_in_node (const SimulationFixture *fixture)
{
  const KvmHelperKernel *kernel = kvmhelper_simulation_kernel (fixture->simulation);
  PciAddress address;
  int group, entry;

  g_assert_true (pci_address_parse (CARD, &address, NULL));
  g_assert_true (kvmhelper_function_read_group (kernel, &address, &group, NULL));
  g_assert_true (kvmhelper_grant_node_read (kernel, (guint) group, getuid (), &entry, NULL));
  return entry;
}

/* Without a consent nothing is touched; with one it is asked for no more. */
static void
test_consent (SimulationFixture *fixture, gconstpointer data)
{
  guint qemu = start_qemu (fixture);
  g_autoptr (GUnixFDList) process = open_process (fixture, qemu);
  g_autofree char *lease = NULL;
  g_autofree char *again = NULL;
  g_autofree char *state = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  g_assert_cmpint (limit_of (fixture, qemu), ==, 8 * MIB);
  assert_listed (fixture, "address", "");

  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  assert_listed (fixture, "address", "'" CARD "'");
  assert_listed (fixture, "memory", "1073741824");
  g_assert_null (grant (fixture, process, ENOUGH + 1, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  lease = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (lease);
  g_assert_cmpint (entry_in_node (fixture), ==, 6);
  g_assert_cmpuint (limit_of (fixture, qemu), ==, ENOUGH);
  assert_listed (fixture, "phase", "'prepared'");
  state = give_back (fixture, lease, &code);
  g_assert_cmpstr (state, ==, "done");
  g_assert_cmpint (entry_in_node (fixture), ==, KVMHELPER_NO_ENTRY);
  g_assert_cmpuint (limit_of (fixture, qemu), ==, 8 * MIB);

  again = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (again);
  /* Another helper still knows of it; QEMU is gone, and with it the lease. */
  simulation_fixture_end (fixture);
  simulation_fixture_begin (fixture);
  assert_listed (fixture, "memory", "1073741824");
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *phase = list (fixture, "phase");

      if (*phase == '\0')
        break;
      g_usleep (100 * 1000);
    }
  assert_listed (fixture, "phase", "");
}

static void
test_revoke (SimulationFixture *fixture, gconstpointer data)
{
  guint qemu = start_qemu (fixture);
  g_autoptr (GUnixFDList) process = open_process (fixture, qemu);
  g_autofree char *lease = NULL;
  g_autofree char *state = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_null (withdraw (fixture, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  lease = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (lease);
  state = withdraw (fixture, &code);
  g_assert_cmpstr (state, ==, "done");
  g_assert_cmpuint (limit_of (fixture, qemu), ==, 8 * MIB);
  assert_listed (fixture, "address", "");
  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
}

/* What is no process of the caller's, on the way through the bus. */
static void
test_descriptors (SimulationFixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) of_init = NULL;
  g_autoptr (GUnixFDList) of_nobody = NULL;
  g_autoptr (GUnixFDList) real = g_unix_fd_list_new ();
  int pidfd = (int) syscall (SYS_pidfd_open, getpid (), 0);
  CommonErrorCode code = COMMON_ERROR_LAST;

  simulation_fixture_begin (fixture);
  of_init = open_process (fixture, 1);
  of_nobody = open_process (fixture, 4711);
  g_assert_cmpint (pidfd, >=, 0);
  g_unix_fd_list_append (real, pidfd, NULL);
  close (pidfd);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  g_assert_null (grant (fixture, NULL, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_null (grant (fixture, of_nobody, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  /* A process of this machine is none of the simulated host. */
  g_assert_null (grant (fixture, real, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  if (getuid () != 0)
    {
      g_assert_null (grant (fixture, of_init, ENOUGH, "rehearse", &code));
      g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
    }
  assert_listed (fixture, "lease", "");
}

static void
test_arguments (SimulationFixture *fixture, gconstpointer data)
{
  guint qemu = start_qemu (fixture);
  g_autoptr (GUnixFDList) process = open_process (fixture, qemu);
  g_autoptr (GVariant) prepared = NULL;
  g_autofree char *lease = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_false (allow (fixture, CARD, 0, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_false (allow (fixture, "../etc", ENOUGH, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ADDRESS);
  g_assert_false (allow (fixture, "0000:00:00.0", ENOUGH, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_NOT_ENDPOINT);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  g_assert_null (grant (fixture, process, ENOUGH, "override", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_null (give_back (fixture, "nonsense", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_LEASE_UNKNOWN);

  /* The system's lease is not the user's to give back, and not to be had for the same guest. */
  prepared = simulation_fixture_call (
      fixture, FALSE, "Prepare",
      g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'never'>})", UUID, CARD), NULL, NULL,
      &code);
  g_assert_nonnull (prepared);
  g_variant_get (prepared, "(s@a{sv})", &lease, NULL);
  g_assert_null (give_back (fixture, lease, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_LEASE_UNKNOWN);
  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_GROUP_IN_USE);
  g_clear_pointer (&prepared, g_variant_unref);
  prepared = simulation_fixture_call (fixture, FALSE, "Release",
                                      g_variant_new ("(sa{sv})", lease, NULL), NULL, NULL, &code);
  g_assert_nonnull (prepared);
}

int
main (int argc, char **argv)
{
  static const SimulationTest tests[] = {
    { "/kvmhelper/grants/consent", test_consent },
    { "/kvmhelper/grants/revoke", test_revoke },
    { "/kvmhelper/grants/descriptors", test_descriptors },
    { "/kvmhelper/grants/arguments", test_arguments },
  };

  return simulation_fixture_run (argc, argv, tests, G_N_ELEMENTS (tests));
}
