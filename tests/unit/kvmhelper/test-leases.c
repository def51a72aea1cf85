/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-group.h"
#include "leases-fixture.h"

static void
test_life (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = NULL;
  PciAddress second = kvmhelper_double_address (LEASES_SECOND);

  leases_fixture_assert_taken (fixture);
  kvmhelper_double_assert (fixture->host, LEASES_OTHER, "nvme", "");
  lease = kvmhelper_leases_find_function (fixture->leases, &second);
  g_assert_cmpstr (lease->id, ==, id);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PREPARED);
  g_assert_true (leases_fixture_release (fixture, id, 0));
  leases_fixture_assert_back (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  g_assert_cmpstr (fixture->heard->str, ==, "intent prepared releasing done ");
  g_assert_cmpuint (fixture->rehearsals, ==, 0);
}

static void
test_same_again (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *first
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  guint writes = fixture->host->writes;
  g_autofree char *again
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");

  g_assert_cmpstr (first, ==, again);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 1);
  leases_fixture_prepare_fails (fixture, LEASES_UUID2, LEASES_FIRST, COMMON_ERROR_GROUP_IN_USE,
                                LEASES_UUID);
  leases_fixture_prepare_fails (fixture, LEASES_UUID2, LEASES_SECOND, COMMON_ERROR_GROUP_IN_USE,
                                LEASES_UUID);
  leases_fixture_assert_taken (fixture);
}

static KvmHelperKernelCalls racing; /* the double's, with an event in the middle */
static int (*real_open) (gpointer data, KvmHelperRoot root, const char *path, int flags);
static guint opens, event_at;
static LeasesFixture *event_fixture;
static char *event_lease;

/* After the open number @event_at another call gives the device back. */
static int
racing_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  int handle = real_open (data, root, path, flags);
  gboolean done;

  if (++opens == event_at)
    {
      g_assert_true (kvmhelper_leases_release (event_fixture->leases, event_lease, 0, &done, NULL));
      g_assert_true (done);
    }
  return handle;
}

/* A release ends just while a Prepare looks at the group: the new lease must know the drivers that
 * the host has now, and not those of the old lease. */
static void
test_release_meanwhile (LeasesFixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (LEASES_FIRST);
  g_autoptr (KvmHelperGroup) group = NULL;
  g_autofree char *id = NULL;
  gboolean done;

  event_fixture = fixture;
  event_lease = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  racing = *fixture->host->kernel.calls;
  real_open = racing.open;
  racing.open = racing_open;
  fixture->host->kernel.calls = &racing;
  opens = event_at = 0;
  group = kvmhelper_group_read (&fixture->host->kernel, &address, NULL);
  event_at = opens; /* the last of the first look */
  opens = 0;
  id = leases_fixture_prepare (fixture, LEASES_UUID2, KVMHELPER_REHEARSE_NEVER, "no");
  g_assert_cmpuint (opens, >, event_at);
  event_at = 0;
  g_assert_true (kvmhelper_leases_release (fixture->leases, id, 0, &done, NULL));
  g_assert_true (done);
  leases_fixture_assert_back (fixture);
  g_free (event_lease);
}

/* A function that its group does not list is no ground for a lease. */
static void
test_left_group (LeasesFixture *fixture, gconstpointer data)
{
  kvmhelper_double_remove (fixture->host, "sys/kernel/iommu_groups/3/devices/" LEASES_FIRST);
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_DEVICE_CHANGED,
                                "no function");
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
}

static void
test_refusals (LeasesFixture *fixture, gconstpointer data)
{
  leases_fixture_prepare_fails (fixture, LEASES_UUID, "0009:01:00.0", COMMON_ERROR_DEVICE_UNKNOWN,
                                "0009:01:00.0");
  leases_fixture_prepare_fails (fixture, LEASES_UUID, "0003:00:00.0", COMMON_ERROR_NOT_ENDPOINT,
                                "0003:00:00.0");
  kvmhelper_double_function (fixture->host, "0005:01:00.0", -1, "e1000e", 0);
  leases_fixture_prepare_fails (fixture, LEASES_UUID, "0005:01:00.0", COMMON_ERROR_NO_IOMMU_GROUP,
                                "0005:01:00.0");
  kvmhelper_double_file (fixture->host,
                         "sys/devices/pci0003:00/" LEASES_FIRST "/eeh_pe_config_addr", "0x1fd\n");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" LEASES_FIRST "/eeh_pe_state",
                         "0x00000001 0x00000801\n");
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_SECOND, COMMON_ERROR_PE_FROZEN,
                                "PHB#3-PE#1fd");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" LEASES_FIRST "/eeh_pe_state",
                         "0x00000002 0x00000801\n");
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_SECOND, COMMON_ERROR_PE_FAILED,
                                "for good");
  kvmhelper_double_remove (fixture->host, "sys/devices/pci0003:00/" LEASES_FIRST "/eeh_pe_state");
  kvmhelper_double_remove (fixture->host,
                           "sys/devices/pci0003:00/" LEASES_FIRST "/eeh_pe_config_addr");
  /* A sibling that the host needs is reason enough. */
  kvmhelper_double_link (fixture->host, "sys/class/net/eth1",
                         "../../devices/pci0003:00/" LEASES_SECOND "/net/eth1");
  kvmhelper_double_file (fixture->host, "proc/1/net/route",
                         "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
                         "eth1\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST,
                                COMMON_ERROR_MEMBER_NOT_TAKEABLE, LEASES_SECOND);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  g_assert_cmpstr (fixture->heard->str, ==, "");
}

static void
test_foreign_holder (LeasesFixture *fixture, gconstpointer data)
{
  kvmhelper_double_function (fixture->host, LEASES_FIRST, 3, "vfio-pci", 0);
  kvmhelper_double_hold (fixture->host, 999, 3);
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_GROUP_IN_USE,
                                "999");
  g_assert_cmpuint (fixture->host->group_opens, ==, 0);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
}

static void
test_take_fails (LeasesFixture *fixture, gconstpointer data)
{
  fixture->host->liar = "vfio-pci";
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_BIND_FAILED,
                                LEASES_FIRST);
  leases_fixture_assert_back (fixture);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  g_assert_cmpstr (fixture->heard->str, ==, "intent done ");
}

/* The journal comes first: where it cannot be written nothing is touched. */
static void
test_journal_fails (LeasesFixture *fixture, gconstpointer data)
{
  kvmhelper_double_remove (fixture->host, "state/leases");
  leases_fixture_prepare_fails (fixture, LEASES_UUID, LEASES_FIRST, COMMON_ERROR_JOURNAL_FAILED,
                                "leases");
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_assert_cmpuint (leases_fixture_count (fixture), ==, 0);
  leases_fixture_assert_back (fixture);
}

static void
test_unknown (LeasesFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean done;

  g_assert_false (kvmhelper_leases_release (fixture->leases, LEASES_UUID, 0, &done, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
  g_clear_error (&error);
  g_assert_null (kvmhelper_leases_commit (fixture->leases, LEASES_UUID, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
}

static void
test_commit (LeasesFixture *fixture, gconstpointer data)
{
  g_autofree char *id
      = leases_fixture_prepare (fixture, LEASES_UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  guint pid;

  g_assert_null (kvmhelper_leases_commit (fixture->leases, id, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_NOT_HELD);
  kvmhelper_double_hold (fixture->host, 1234, 3);
  result = g_variant_ref_sink (kvmhelper_leases_commit (fixture->leases, id, NULL));
  g_assert_true (g_variant_lookup (result, "holder-pid", "u", &pid));
  g_assert_cmpuint (pid, ==, 1234);
  leases_fixture_restart (fixture);
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_ACTIVE);
  g_assert_cmpuint (lease->holder_pid, ==, 1234);
  leases_fixture_assert_taken (fixture);
}

int
main (int argc, char **argv)
{
  static const LeasesTest tests[] = {
    { "/kvmhelper/leases/life", test_life },
    { "/kvmhelper/leases/same-again", test_same_again },
    { "/kvmhelper/leases/release-meanwhile", test_release_meanwhile },
    { "/kvmhelper/leases/left-group", test_left_group },
    { "/kvmhelper/leases/refusals", test_refusals },
    { "/kvmhelper/leases/foreign-holder", test_foreign_holder },
    { "/kvmhelper/leases/take-fails", test_take_fails },
    { "/kvmhelper/leases/journal-fails", test_journal_fails },
    { "/kvmhelper/leases/unknown", test_unknown },
    { "/kvmhelper/leases/commit", test_commit },
  };

  g_test_init (&argc, &argv, NULL);
  leases_fixture_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
