/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/pci_regs.h>
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-leases.h"

/* A group is taken as a whole or not at all: siblings along with what was asked for, bridges never,
 * and nothing of it while the host needs one of them, unless the caller may accept just that. */

#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define THIRD  "0003:02:00.0"
#define VF     "0003:01:10.0"
#define BRIDGE "0003:00:00.0"
#define AUDIO  "0003:01:00.2"
#define UUID   "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct
{
  KvmHelperDouble *host;
  KvmHelperLeases *leases;
  GCancellable *cancellable;
  char *lease;
} Fixture;

static void
on_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
}

static void
on_step (const PciAddress *address, const KvmHelperStep *step, gpointer data)
{
}

/* As below one host bridge of a partition: a bridge, a card of two functions, another one behind a
 * bridge of its own; and one more function of the card in another group. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  static const KvmHelperListener listener = { on_lease, on_step, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *state = NULL;

  fixture->host = kvmhelper_double_new ();
  kvmhelper_double_function (fixture->host, BRIDGE, 3, "pcieport", 1);
  kvmhelper_double_function (fixture->host, FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (fixture->host, SECOND, 3, "tg3", 0);
  kvmhelper_double_function (fixture->host, THIRD, 3, "nvme", 0);
  kvmhelper_double_function (fixture->host, AUDIO, 4, "snd_hda_intel", 0);
  kvmhelper_double_file (fixture->host, "proc/1/net/route", "Iface\n");
  fixture->cancellable = g_cancellable_new ();
  state = g_build_filename (fixture->host->directory, "state", NULL);
  fixture->leases = kvmhelper_leases_open (&fixture->host->kernel, state, kvmhelper_rehearsal_here,
                                           &listener, fixture->cancellable, &error);
  g_assert_no_error (error);
}

static void
assert_untouched (Fixture *fixture)
{
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  kvmhelper_double_assert (fixture->host, FIRST, "e1000e", "");
  kvmhelper_double_assert (fixture->host, SECOND, "tg3", "");
  kvmhelper_double_assert (fixture->host, THIRD, "nvme", "");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  kvmhelper_double_assert (fixture->host, BRIDGE, "pcieport", "");
  kvmhelper_double_assert (fixture->host, AUDIO, "snd_hda_intel", "");
  kvmhelper_leases_free (fixture->leases);
  g_object_unref (fixture->cancellable);
  g_free (fixture->lease);
  kvmhelper_double_free (fixture->host);
}

static gboolean
prepare (Fixture *fixture, const char *function, const char *const *override, GError **error)
{
  PciAddress address = kvmhelper_double_address (function);
  g_auto (KvmHelperPrepared) prepared = { NULL };

  if (!kvmhelper_leases_prepare (fixture->leases, UUID, "guest", &address, KVMHELPER_REHEARSE_NEVER,
                                 override, &prepared, error))
    return FALSE;
  g_free (fixture->lease);
  fixture->lease = g_strdup (prepared.lease->id);
  return TRUE;
}

/* @parts: what the verdict says, NULL-terminated. */
static void
expect_refused (Fixture *fixture, const char *function, const char *const *override,
                const char *const *parts)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (prepare (fixture, function, override, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE);
  g_test_message ("%s", error->message);
  for (guint i = 0; parts[i] != NULL; i++)
    g_assert_nonnull (strstr (error->message, parts[i]));
  assert_untouched (fixture);
}

static void
expect_taken_and_back (Fixture *fixture, const char *function, const char *const *override)
{
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  g_assert_true (prepare (fixture, function, override, &error));
  g_assert_no_error (error);
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, SECOND, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, THIRD, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, BRIDGE, "pcieport", "");
  g_assert_true (kvmhelper_leases_release (fixture->leases, fixture->lease, 0, &done, &error));
  g_assert_true (done);
  kvmhelper_double_assert (fixture->host, FIRST, "e1000e", "");
  kvmhelper_double_assert (fixture->host, SECOND, "tg3", "");
  kvmhelper_double_assert (fixture->host, THIRD, "nvme", "");
}

static void
test_whole (Fixture *fixture, gconstpointer data)
{
  expect_taken_and_back (fixture, SECOND, NULL);
}

/* More functions than a record has room for: not some of them. */
static void
test_too_many (Fixture *fixture, gconstpointer data)
{
  for (guint i = 2; i < 256; i++)
    {
      g_autofree char *address = g_strdup_printf ("0003:01:%02x.%u", i >> 3, i & 7);

      if (!g_str_equal (address, AUDIO))
        kvmhelper_double_function (fixture->host, address, 3, "tg3", 0);
    }
  /* With the bridge and the card behind it that is one too many. */
  expect_refused (fixture, FIRST, NULL, (const char *const[]){ "more than 256", NULL });
  kvmhelper_double_remove (fixture->host, "sys/kernel/iommu_groups/3/devices/0003:01:1f.7");
  expect_taken_and_back (fixture, FIRST, NULL);
}

/* A frozen function answers all ones, and is none the less a member for that; a bridge stays one.
 */
static void
test_frozen (Fixture *fixture, gconstpointer data)
{
  static const char *const frozen[] = { FIRST, THIRD, BRIDGE };
  char ones[PCI_STD_HEADER_SIZEOF];

  memset (ones, 0xff, sizeof ones);
  for (guint i = 0; i < G_N_ELEMENTS (frozen); i++)
    {
      g_autofree char *path = g_strconcat ("sys/devices/pci0003:00/", frozen[i], "/config", NULL);

      kvmhelper_double_bytes (fixture->host, path, ones, sizeof ones);
    }
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" BRIDGE "/secondary_bus_number",
                         "1\n");
  expect_taken_and_back (fixture, SECOND, NULL);
  expect_taken_and_back (fixture, FIRST, NULL);
}

static void
need_route (Fixture *fixture)
{
  kvmhelper_double_link (fixture->host, "sys/class/net/eth1",
                         "../../devices/pci0003:00/" SECOND "/net/eth1");
  kvmhelper_double_file (fixture->host, "proc/1/net/route",
                         "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
                         "eth1\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
}

static void
need_mount (Fixture *fixture)
{
  kvmhelper_double_link (fixture->host, "sys/class/block/nvme0n1",
                         "../../devices/pci0003:00/" THIRD "/nvme/nvme0/nvme0n1");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" THIRD "/nvme/nvme0/nvme0n1/dev",
                         "259:0\n");
  kvmhelper_double_file (fixture->host, "proc/1/mountinfo",
                         "40 21 259:0 / /srv rw - ext4 /dev/nvme0n1 rw\n");
}

static void
need_console (Fixture *fixture)
{
  kvmhelper_double_file (fixture->host, "sys/class/tty/console/active", "tty0\n");
  kvmhelper_double_link (fixture->host, "sys/class/graphics/fb0",
                         "../../devices/pci0003:00/" FIRST "/graphics/fb0");
}

/* Each is in the way of all of them, and named with its driver; so is who shares the card. */
static void
test_siblings (Fixture *fixture, gconstpointer data)
{
  need_route (fixture);
  expect_refused (
      fixture, FIRST, NULL,
      (const char *const[]){ SECOND " (tg3): route: ", "eth1", "of the same card: " AUDIO, NULL });
  need_mount (fixture);
  need_console (fixture);
  expect_refused (fixture, SECOND, NULL,
                  (const char *const[]){ FIRST " (e1000e): console: ", SECOND " (tg3): route: ",
                                         THIRD " (nvme): mounted: /dev/nvme0n1 on /srv", NULL });
}

/* An override is of just the kinds that it names. */
static void
test_override (Fixture *fixture, gconstpointer data)
{
  const char *const route[] = { "route", NULL };
  const char *const two[] = { "route", "mounted", NULL };
  const char *const all[] = { "console", "route", "mounted", NULL };
  const char *const none[] = { NULL };

  need_route (fixture);
  need_mount (fixture);
  need_console (fixture);
  expect_refused (fixture, FIRST, none, (const char *const[]){ "route", "mounted", NULL });
  expect_refused (fixture, FIRST, route,
                  (const char *const[]){ "mounted: /dev/nvme0n1", "console: ", NULL });
  expect_refused (fixture, FIRST, two, (const char *const[]){ FIRST " (e1000e): console", NULL });
  expect_taken_and_back (fixture, FIRST, all);
}

/* Nobody may rehearse what the host needs. Who may take it in spite of that gets it without a
 * rehearsal, whatever he wishes. */
static void
test_rehearse (Fixture *fixture, gconstpointer data)
{
  const char *const route[] = { "route", NULL };
  PciAddress address = kvmhelper_double_address (FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (GError) refused = NULL;
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  need_route (fixture);
  g_assert_null (kvmhelper_leases_rehearse (fixture->leases, &address, &refused));
  g_assert_error (refused, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE);
  g_assert_nonnull (strstr (refused->message, SECOND " (tg3): route: "));
  assert_untouched (fixture);

  kvmhelper_leases_prepare (fixture->leases, UUID, "guest", &address, KVMHELPER_REHEARSE_ALWAYS,
                            route, &prepared, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (prepared.rehearsed, ==, "no");
  g_assert_nonnull (strstr (prepared.rehearsed_why, "route"));
  g_assert_null (prepared.steps);
  g_assert_true (kvmhelper_leases_release (fixture->leases, prepared.lease->id, 0, &done, &error));
  g_assert_true (done);
}

/* What is overridden is in the log, with whose it is. */
static GString *logged;

static GLogWriterOutput
keep_log (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  for (gsize i = 0; i < count; i++)
    if (fields[i].length < 0 && (level & G_LOG_LEVEL_WARNING) != 0)
      g_string_append_printf (logged, "%s=%s\n", fields[i].key, (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static void
test_log (Fixture *fixture, gconstpointer data)
{
  const char *const route[] = { "route", NULL };
  g_autofree char *lease = NULL;

  need_route (fixture);
  g_string_truncate (logged, 0);
  expect_taken_and_back (fixture, FIRST, route);
  lease = g_strdup_printf ("LEASE=%s\n", fixture->lease);
  g_assert_nonnull (strstr (logged->str, "PCI_ADDRESS=" FIRST "\n"));
  g_assert_nonnull (strstr (logged->str, "DOMAIN_UUID=" UUID "\n"));
  g_assert_nonnull (strstr (logged->str, lease));
  g_assert_nonnull (strstr (logged->str, SECOND " (tg3): route: "));
}

/* A PF in the group and its VF in another: the PF's VFs can be lost, but from nobody. */
static void
test_vfs (Fixture *fixture, gconstpointer data)
{
  const char *const vfs[] = { "vfs", NULL };
  g_autoptr (GError) error = NULL;
  gboolean done;

  kvmhelper_double_function (fixture->host, VF, 5, "ixgbevf", 0);
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/sriov_numvfs", "1\n");
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/" FIRST "/virtfn0", "../" VF);
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/" VF "/physfn", "../" FIRST);
  expect_refused (fixture, SECOND, NULL,
                  (const char *const[]){ FIRST " (e1000e): vfs: 1 virtual function", NULL });

  /* Its VF is somebody's. */
  g_assert_true (prepare (fixture, VF, NULL, &error));
  g_assert_no_error (error);
  fixture->host->writes = 0;
  expect_refused (fixture, SECOND, vfs, (const char *const[]){ VF, "guest", NULL });
  g_assert_true (kvmhelper_leases_release (fixture->leases, fixture->lease, 0, &done, NULL));
  g_assert_true (done);
  fixture->host->writes = 0;

  /* … on VFIO for one that nobody told us of. */
  kvmhelper_double_function (fixture->host, VF, 5, "vfio-pci", 0);
  expect_refused (fixture, SECOND, vfs, (const char *const[]){ "in use: " VF, NULL });
  kvmhelper_double_function (fixture->host, VF, 5, "ixgbevf", 0);
  expect_taken_and_back (fixture, SECOND, vfs);
}

#define ADD(name, test)                                                                            \
  g_test_add ("/kvmhelper/group-viability/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  logged = g_string_new (NULL);
  g_log_set_writer_func (keep_log, NULL, NULL);
  ADD ("whole", test_whole);
  ADD ("too-many", test_too_many);
  ADD ("frozen", test_frozen);
  ADD ("siblings", test_siblings);
  ADD ("override", test_override);
  ADD ("rehearse", test_rehearse);
  ADD ("vfs", test_vfs);
  ADD ("log", test_log);
  return g_test_run ();
}
