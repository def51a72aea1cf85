/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-group.h"

#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define OTHER  "0004:01:00.0"
#define UUID   "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define UUID2  "4dea22b3-1d52-d8f3-2516-782e98ab3fa1"

#define BOOT_ID "proc/sys/kernel/random/boot_id"

/* What the listener heard, and what rehearsals came to. */
static GString *heard;
static guint rehearsals;
static gboolean rehearsal_fails;
static guint rehearsal_leaves_held; /* PID that holds the group afterwards */
static KvmHelperDouble *rehearsal_host;
static void (*rehearsal_meanwhile) (void); /* what somebody else does, NULL: nobody */

static void
note_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
  g_string_append_printf (heard, "%s ", phase);
}

static void
note_step (const PciAddress *address, const KvmHelperStep *step, gpointer data)
{
  g_string_append_printf (heard, "%s ", step->name);
}

static const KvmHelperListener listener = { note_lease, note_step, NULL };

static GPtrArray *
rehearse (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
          KvmHelperStepFunc step, gpointer data, GCancellable *cancellable, GError **error)
{
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_step_free);
  KvmHelperStep *one = g_new0 (KvmHelperStep, 1);

  rehearsals++;
  g_assert_cmpuint (group, ==, 3);
  kvmhelper_double_assert (rehearsal_host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (rehearsal_host, SECOND, "vfio-pci", "vfio-pci");
  one->name = g_strdup ("attach");
  one->title = g_strdup ("Attach");
  one->result = rehearsal_fails ? KVMHELPER_STEP_FAILED : KVMHELPER_STEP_OK;
  one->errnum = rehearsal_fails ? EINVAL : 0;
  one->meaning = g_strdup ("No window");
  one->detail = g_strdup ("");
  step (one, data);
  g_ptr_array_add (steps, one);
  if (rehearsal_leaves_held != 0)
    kvmhelper_double_hold (rehearsal_host, rehearsal_leaves_held, 3);
  if (rehearsal_meanwhile != NULL)
    rehearsal_meanwhile ();
  return steps;
}

typedef struct
{
  KvmHelperDouble *host;
  KvmHelperLeases *leases;
  GCancellable *cancellable;
} Fixture;

static KvmHelperLeases *
open_leases (KvmHelperDouble *host, GCancellable *cancellable)
{
  g_autofree char *state = g_build_filename (host->directory, "state", NULL);
  GError *error = NULL;
  KvmHelperLeases *leases
      = kvmhelper_leases_open (&host->kernel, state, rehearse, &listener, cancellable, &error);

  g_assert_no_error (error);
  return leases;
}

static void
add_functions (KvmHelperDouble *host)
{
  kvmhelper_double_function (host, FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (host, SECOND, 3, "tg3", 0);
  kvmhelper_double_function (host, OTHER, 4, "nvme", 0);
  kvmhelper_double_function (host, "0003:00:00.0", -1, "pcieport", 1);
  kvmhelper_double_file (host, "sys/bus/pci/slots/C4/address", "0003:01:00\n");
  kvmhelper_double_file (host, "sys/bus/pci/slots/C5/address", "0004:02:00\n");
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->host = kvmhelper_double_new ();
  add_functions (fixture->host);
  fixture->cancellable = g_cancellable_new ();
  rehearsal_host = fixture->host;
  rehearsals = 0;
  rehearsal_fails = FALSE;
  rehearsal_leaves_held = 0;
  rehearsal_meanwhile = NULL;
  heard = g_string_new (NULL);
  fixture->leases = open_leases (fixture->host, fixture->cancellable);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  g_object_unref (fixture->cancellable);
  kvmhelper_double_free (fixture->host);
  g_string_free (heard, TRUE);
}

/* As after a kill: what was in memory is gone. */
static void
restart (Fixture *fixture)
{
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  fixture->leases = open_leases (fixture->host, fixture->cancellable);
}

static char *
prepare (Fixture *fixture, const char *uuid, KvmHelperRehearseMode mode, const char *rehearsed)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  GError *error = NULL;

  g_assert_true (kvmhelper_leases_prepare (fixture->leases, uuid, "guest", &address, mode, NULL,
                                           &prepared, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (prepared.rehearsed, ==, rehearsed);
  g_assert_cmpint (prepared.steps != NULL, ==, g_str_equal (rehearsed, "now"));
  return g_strdup (prepared.lease->id);
}

static void
prepare_fails (Fixture *fixture, const char *uuid, const char *function, CommonErrorCode code,
               const char *text)
{
  PciAddress address = kvmhelper_double_address (function);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_leases_prepare (fixture->leases, uuid, "guest", &address,
                                            KVMHELPER_REHEARSE_AUTO, NULL, &prepared, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" has no \"%s\"", error->message, text);
}

static gboolean
release (Fixture *fixture, const char *id, guint seconds)
{
  GError *error = NULL;
  gboolean done;

  g_assert_true (kvmhelper_leases_release (fixture->leases, id, seconds, &done, &error));
  g_assert_no_error (error);
  return done;
}

static guint
count (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (fixture->leases);

  return list->len;
}

static void
assert_taken (KvmHelperDouble *host)
{
  kvmhelper_double_assert (host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (host, SECOND, "vfio-pci", "vfio-pci");
}

static void
assert_back (KvmHelperDouble *host)
{
  kvmhelper_double_assert (host, FIRST, "e1000e", "");
  kvmhelper_double_assert (host, SECOND, "tg3", "");
}

static void
test_life (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = NULL;
  PciAddress second = kvmhelper_double_address (SECOND);

  assert_taken (fixture->host);
  kvmhelper_double_assert (fixture->host, OTHER, "nvme", "");
  lease = kvmhelper_leases_find_function (fixture->leases, &second);
  g_assert_cmpstr (lease->id, ==, id);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PREPARED);
  g_assert_true (release (fixture, id, 0));
  assert_back (fixture->host);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpstr (heard->str, ==, "intent prepared releasing done ");
  g_assert_cmpuint (rehearsals, ==, 0);
}

static void
test_same_again (Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  guint writes = fixture->host->writes;
  g_autofree char *again = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");

  g_assert_cmpstr (first, ==, again);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  g_assert_cmpuint (count (fixture), ==, 1);
  prepare_fails (fixture, UUID2, FIRST, COMMON_ERROR_GROUP_IN_USE, UUID);
  prepare_fails (fixture, UUID2, SECOND, COMMON_ERROR_GROUP_IN_USE, UUID);
  assert_taken (fixture->host);
}

static KvmHelperKernelCalls racing; /* the double's, with an event in the middle */
static int (*real_open) (gpointer data, KvmHelperRoot root, const char *path, int flags);
static guint opens, event_at;
static Fixture *event_fixture;
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
test_release_meanwhile (Fixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_autoptr (KvmHelperGroup) group = NULL;
  g_autofree char *id = NULL;
  gboolean done;

  event_fixture = fixture;
  event_lease = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  racing = *fixture->host->kernel.calls;
  real_open = racing.open;
  racing.open = racing_open;
  fixture->host->kernel.calls = &racing;
  opens = event_at = 0;
  group = kvmhelper_group_read (&fixture->host->kernel, &address, NULL);
  event_at = opens; /* the last of the first look */
  opens = 0;
  id = prepare (fixture, UUID2, KVMHELPER_REHEARSE_NEVER, "no");
  g_assert_cmpuint (opens, >, event_at);
  event_at = 0;
  g_assert_true (kvmhelper_leases_release (fixture->leases, id, 0, &done, NULL));
  g_assert_true (done);
  assert_back (fixture->host);
  g_free (event_lease);
}

/* A function that its group does not list is no ground for a lease. */
static void
test_left_group (Fixture *fixture, gconstpointer data)
{
  kvmhelper_double_remove (fixture->host, "sys/kernel/iommu_groups/3/devices/" FIRST);
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_DEVICE_CHANGED, "no function");
  g_assert_cmpuint (count (fixture), ==, 0);
}

static void
test_refusals (Fixture *fixture, gconstpointer data)
{
  prepare_fails (fixture, UUID, "0009:01:00.0", COMMON_ERROR_DEVICE_UNKNOWN, "0009:01:00.0");
  prepare_fails (fixture, UUID, "0003:00:00.0", COMMON_ERROR_NOT_ENDPOINT, "0003:00:00.0");
  kvmhelper_double_function (fixture->host, "0005:01:00.0", -1, "e1000e", 0);
  prepare_fails (fixture, UUID, "0005:01:00.0", COMMON_ERROR_NO_IOMMU_GROUP, "0005:01:00.0");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_config_addr",
                         "0x1fd\n");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state",
                         "0x00000001 0x00000801\n");
  prepare_fails (fixture, UUID, SECOND, COMMON_ERROR_PE_FROZEN, "PHB#3-PE#1fd");
  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state",
                         "0x00000002 0x00000801\n");
  prepare_fails (fixture, UUID, SECOND, COMMON_ERROR_PE_FAILED, "for good");
  kvmhelper_double_remove (fixture->host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state");
  kvmhelper_double_remove (fixture->host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_config_addr");
  /* A sibling that the host needs is reason enough. */
  kvmhelper_double_link (fixture->host, "sys/class/net/eth1",
                         "../../devices/pci0003:00/" SECOND "/net/eth1");
  kvmhelper_double_file (fixture->host, "proc/1/net/route",
                         "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
                         "eth1\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_MEMBER_NOT_TAKEABLE, SECOND);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpstr (heard->str, ==, "");
}

static void
test_foreign_holder (Fixture *fixture, gconstpointer data)
{
  kvmhelper_double_function (fixture->host, FIRST, 3, "vfio-pci", 0);
  kvmhelper_double_hold (fixture->host, 999, 3);
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_GROUP_IN_USE, "999");
  g_assert_cmpuint (fixture->host->group_opens, ==, 0);
  g_assert_cmpuint (count (fixture), ==, 0);
}

static void
test_take_fails (Fixture *fixture, gconstpointer data)
{
  fixture->host->liar = "vfio-pci";
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_BIND_FAILED, FIRST);
  assert_back (fixture->host);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpstr (heard->str, ==, "intent done ");
}

/* The journal comes first: where it cannot be written nothing is touched. */
static void
test_journal_fails (Fixture *fixture, gconstpointer data)
{
  kvmhelper_double_remove (fixture->host, "state/leases");
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_JOURNAL_FAILED, "leases");
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_assert_cmpuint (count (fixture), ==, 0);
  assert_back (fixture->host);
}

static void
test_rehearsal (Fixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  g_autofree char *fourth = NULL;

  steps = kvmhelper_leases_rehearse (fixture->leases, &address, NULL);
  g_assert_nonnull (steps);
  g_assert_cmpuint (steps->len, ==, 1);
  assert_back (fixture->host);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpstr (heard->str, ==, "intent attach done ");

  /* It is remembered, over a restart too; for this device and in this boot. */
  first = prepare (fixture, UUID, KVMHELPER_REHEARSE_AUTO, "before");
  g_assert_true (release (fixture, first, 0));
  restart (fixture);
  second = prepare (fixture, UUID, KVMHELPER_REHEARSE_AUTO, "before");
  g_assert_true (release (fixture, second, 0));
  third = prepare (fixture, UUID, KVMHELPER_REHEARSE_ALWAYS, "now");
  g_assert_true (release (fixture, third, 0));
  kvmhelper_double_file (fixture->host, "proc/sys/kernel/osrelease", "6.18\n");
  restart (fixture);
  fourth = prepare (fixture, UUID, KVMHELPER_REHEARSE_AUTO, "now");
  g_assert_cmpuint (rehearsals, ==, 3);
}

static void
test_rehearsal_fails (Fixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_autoptr (GPtrArray) steps = NULL;

  rehearsal_fails = TRUE;
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_REHEARSAL_FAILED, "No window");
  assert_back (fixture->host);
  g_assert_cmpuint (count (fixture), ==, 0);
  /* by itself it is an answer, no error; and it is not remembered as passed */
  steps = kvmhelper_leases_rehearse (fixture->leases, &address, NULL);
  g_assert_false (kvmhelper_steps_passed (steps));
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_REHEARSAL_FAILED, "EINVAL");
  g_assert_cmpuint (rehearsals, ==, 3);
}

/* A rehearsal that leaves the group held: nothing is rebound, and it goes on later. */
static void
test_rehearsal_hangs (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *id = NULL;

  rehearsal_fails = TRUE;
  rehearsal_leaves_held = 555;
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_REHEARSAL_FAILED, "Attach");
  assert_taken (fixture->host);
  list = kvmhelper_leases_list (fixture->leases);
  g_assert_cmpuint (list->len, ==, 1);
  id = g_strdup (((KvmHelperLease *) list->pdata[0])->id);
  g_assert_cmpint (((KvmHelperLease *) list->pdata[0])->phase, ==, KVMHELPER_PHASE_PENDING);
  prepare_fails (fixture, UUID, FIRST, COMMON_ERROR_GROUP_IN_USE, "555");
  kvmhelper_double_let_go (fixture->host, 555);
  g_assert_true (release (fixture, id, 0));
  assert_back (fixture->host);
}

static void
test_release_held (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  guint writes = fixture->host->writes;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (KvmHelperLease) lease = NULL;

  kvmhelper_double_hold (fixture->host, 1234, 3);
  g_assert_false (release (fixture, id, 1));
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, G_USEC_PER_SEC * 9 / 10);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  assert_taken (fixture->host);
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (lease->left, "1234"));

  /* it goes on by itself */
  kvmhelper_double_let_go (fixture->host, 1234);
  begin = g_get_monotonic_time ();
  while (count (fixture) > 0 && g_get_monotonic_time () - begin < 10 * G_USEC_PER_SEC)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (count (fixture), ==, 0);
  assert_back (fixture->host);
  /* The thread that did it says so last; it has ended now. */
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  g_assert_cmpstr (heard->str, ==, "intent prepared releasing pending done ");
}

static gpointer
let_go_soon (gpointer host)
{
  g_usleep (G_USEC_PER_SEC / 2);
  kvmhelper_double_let_go (host, 1234);
  return NULL;
}

static void
test_release_waits (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  GThread *thread;

  kvmhelper_double_hold (fixture->host, 1234, 3);
  thread = g_thread_new ("let-go", let_go_soon, fixture->host);
  g_assert_true (release (fixture, id, 10));
  g_thread_join (thread);
  assert_back (fixture->host);
}

/* A driver that does not take its function back: the member stays in the record, the others are
 * done. */
static void
test_release_left (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = NULL;

  fixture->host->liar = "e1000e";
  g_assert_false (release (fixture, id, 10));
  kvmhelper_double_assert (fixture->host, SECOND, "tg3", "");
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_nonnull (strstr (lease->left, FIRST));
  g_assert_null (strstr (lease->left, SECOND));
  g_assert_false (((KvmHelperMember *) lease->members->pdata[0])->returned);
  g_assert_true (((KvmHelperMember *) lease->members->pdata[1])->returned);
  fixture->host->liar = NULL;
  g_assert_true (release (fixture, id, 0));
  assert_back (fixture->host);
}

/* A record that makes no sense is shown and left alone, until somebody says to forget it. */
static void
test_unreadable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  kvmhelper_double_file (fixture->host, "state/leases/" UUID ".lease", "[lease]\nversion=99\n");
  for (guint round = 0; round < 2; round++)
    {
      restart (fixture);
      g_assert_cmpuint (count (fixture), ==, 1);
      g_assert_false (release (fixture, UUID, 0));
    }
  lease = kvmhelper_leases_find (fixture->leases, UUID, NULL);
  g_assert_true (lease->unreadable);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (lease->left, UUID));
  kvmhelper_leases_forget (fixture->leases, UUID, &error);
  g_assert_no_error (error);
  restart (fixture);
  g_assert_cmpuint (count (fixture), ==, 0);
}

/* The same address and the same kind of card, behind another bridge: not what was taken. */
static void
test_other_slot (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  const KvmHelperMember *member = lease->members->pdata[0];

  g_assert_cmpstr (member->slot, ==, "pci0003:00/" FIRST);
  g_assert_cmpstr (member->slot_name, ==, "C4");
  g_assert_cmpstr (((const KvmHelperMember *) lease->members->pdata[1])->slot_name, ==, "C4");
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/0003:00:01.0/" FIRST, "../" FIRST);
  kvmhelper_double_link (fixture->host, "sys/bus/pci/devices/" FIRST,
                         "../../../devices/pci0003:00/0003:00:01.0/" FIRST);
  g_assert_true (release (fixture, id, 0));
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, SECOND, "tg3", "");
}

static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean done;

  g_assert_false (kvmhelper_leases_release (fixture->leases, UUID, 0, &done, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
  g_clear_error (&error);
  g_assert_null (kvmhelper_leases_commit (fixture->leases, UUID, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
}

static void
test_commit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
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
  restart (fixture);
  lease = kvmhelper_leases_find (fixture->leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_ACTIVE);
  g_assert_cmpuint (lease->holder_pid, ==, 1234);
  assert_taken (fixture->host);
}

/* Prepared and active leases stay over a restart; those of another boot are forgotten. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autofree char *again = NULL;
  guint writes = fixture->host->writes;

  restart (fixture);
  again = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_assert_cmpstr (id, ==, again);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  kvmhelper_double_file (fixture->host, BOOT_ID, "another\n");
  restart (fixture);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpuint (fixture->host->writes, ==, writes);
}

static KvmHelperLeases *released_by;

/* Somebody releases a lease that is just being made, at a moment when the kernel does not tell what
 * sits there. */
static void
release_unreadable (void)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (released_by);
  g_autofree char *path = g_build_filename (rehearsal_host->directory,
                                            "sys/devices/pci0003:00/" FIRST "/vendor", NULL);
  g_autofree char *vendor = NULL;
  const KvmHelperLease *lease = list->pdata[0];
  g_autoptr (KvmHelperLease) late = NULL;
  gboolean done;

  g_assert_true (g_file_get_contents (path, &vendor, NULL, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_true (kvmhelper_leases_release (released_by, lease->id, 0, &done, NULL));
  g_assert_false (done);
  late = kvmhelper_leases_find (released_by, lease->id, NULL);
  g_assert_cmpint (late->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_assert_true (g_file_set_contents (path, vendor, -1, NULL));
}

static gboolean
end_wait (gpointer waiting)
{
  *(gboolean *) waiting = FALSE;
  return G_SOURCE_REMOVE;
}

/* The try that was put off comes when the guest has the lease. */
static void
test_late_try (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean waiting = TRUE;
  GError *error = NULL;

  released_by = fixture->leases;
  rehearsal_meanwhile = release_unreadable;
  id = prepare (fixture, UUID, KVMHELPER_REHEARSE_ALWAYS, "now");
  g_timeout_add (2500, end_wait, &waiting);
  while (waiting)
    g_main_context_iteration (NULL, TRUE);
  lease = kvmhelper_leases_find (fixture->leases, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PREPARED);
  assert_taken (fixture->host);
}

/* A boot that does not tell its name is not another one: nothing is begun, and no lease is lost. */
static void
test_restart_nameless (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "", "\n" };
  g_autofree char *id = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");
  g_autofree char *state = g_build_filename (fixture->host->directory, "state", NULL);
  g_autofree char *path = g_build_filename (fixture->host->directory, BOOT_ID, NULL);
  g_autofree char *boot_id = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  GError *error = NULL;

  g_assert_true (g_file_get_contents (path, &boot_id, NULL, NULL));
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  for (guint i = 0; i <= G_N_ELEMENTS (names); i++)
    {
      if (i < G_N_ELEMENTS (names))
        kvmhelper_double_file (fixture->host, BOOT_ID, names[i]);
      else
        g_assert_cmpint (g_unlink (path), ==, 0);
      g_assert_null (kvmhelper_leases_open (&fixture->host->kernel, state, rehearse, &listener,
                                            fixture->cancellable, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
      g_clear_error (&error);
    }
  kvmhelper_double_file (fixture->host, BOOT_ID, boot_id);
  fixture->leases = open_leases (fixture->host, fixture->cancellable);
  lease = kvmhelper_leases_find (fixture->leases, id, &error);
  g_assert_no_error (error);
  assert_taken (fixture->host);
}

/* While the helper was away somebody gave a member back: the rest follows. */
static void
test_restart_broken (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = prepare (fixture, UUID, KVMHELPER_REHEARSE_NEVER, "no");

  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/driver_override",
                         "(null)\n");
  kvmhelper_double_link (fixture->host, "sys/devices/pci0003:00/" FIRST "/driver",
                         "../../../bus/pci/drivers/e1000e");
  restart (fixture);
  g_assert_cmpuint (count (fixture), ==, 0);
  assert_back (fixture->host);
}

static void
crash_here (KvmHelperDouble *host, gboolean releasing, gboolean rehearsing, guint crash_at)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  KvmHelperLeases *leases = open_leases (host, cancellable);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  PciAddress address = kvmhelper_double_address (FIRST);
  gboolean done;

  if (!releasing)
    host->crash_at = crash_at;
  if (rehearsing)
    kvmhelper_leases_rehearse (leases, &address, NULL);
  else
    kvmhelper_leases_prepare (leases, UUID, "guest", &address, KVMHELPER_REHEARSE_NEVER, NULL,
                              &prepared, NULL);
  if (!releasing)
    _exit (1); /* there are no more writes than that */
  host->writes = 0;
  host->crash_at = crash_at;
  kvmhelper_leases_release (leases, prepared.lease->id, 0, &done, NULL);
  _exit (1);
}

/* The helper is killed after each write to sysfs in turn; the next one makes it good, and so does
 * the one after. */
static void
crash_points (gboolean releasing, gboolean rehearsing, guint at_least)
{
  for (guint i = 1;; i++)
    {
      g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
      Fixture fixture = { host, NULL, g_cancellable_new () };
      pid_t child;
      int status;

      add_functions (host);
      rehearsal_host = host;
      heard = g_string_new (NULL);
      child = fork ();
      if (child == 0)
        {
          KvmHelperDouble *own = kvmhelper_double_attach (host->directory);

          rehearsal_host = own;
          crash_here (own, releasing, rehearsing, i);
        }
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_true (WIFEXITED (status));
      for (guint round = 0; round < 2; round++)
        {
          fixture.leases = open_leases (host, fixture.cancellable);
          /* Without a crash Prepare ends with a lease, which stays. */
          if (WEXITSTATUS (status) == 0 || releasing || rehearsing)
            {
              assert_back (host);
              g_assert_cmpuint (count (&fixture), ==, 0);
            }
          else
            g_assert_cmpuint (count (&fixture), ==, 1);
          kvmhelper_leases_free (fixture.leases);
        }
      g_object_unref (fixture.cancellable);
      g_string_free (heard, TRUE);
      if (WEXITSTATUS (status) != 0)
        {
          g_assert_cmpuint (i, >, at_least);
          return;
        }
    }
}

static void
test_crash_prepare (void)
{
  rehearsal_leaves_held = 0;
  crash_points (FALSE, FALSE, 6);
}

static void
test_crash_release (void)
{
  crash_points (TRUE, FALSE, 6);
}

static void
test_crash_rehearse (void)
{
  rehearsal_fails = FALSE;
  crash_points (FALSE, TRUE, 12);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/leases/life", test_life },
    { "/kvmhelper/leases/same-again", test_same_again },
    { "/kvmhelper/leases/release-meanwhile", test_release_meanwhile },
    { "/kvmhelper/leases/left-group", test_left_group },
    { "/kvmhelper/leases/refusals", test_refusals },
    { "/kvmhelper/leases/foreign-holder", test_foreign_holder },
    { "/kvmhelper/leases/take-fails", test_take_fails },
    { "/kvmhelper/leases/journal-fails", test_journal_fails },
    { "/kvmhelper/leases/rehearsal", test_rehearsal },
    { "/kvmhelper/leases/rehearsal-fails", test_rehearsal_fails },
    { "/kvmhelper/leases/rehearsal-hangs", test_rehearsal_hangs },
    { "/kvmhelper/leases/release-held", test_release_held },
    { "/kvmhelper/leases/release-waits", test_release_waits },
    { "/kvmhelper/leases/release-left", test_release_left },
    { "/kvmhelper/leases/unreadable", test_unreadable },
    { "/kvmhelper/leases/other-slot", test_other_slot },
    { "/kvmhelper/leases/unknown", test_unknown },
    { "/kvmhelper/leases/commit", test_commit },
    { "/kvmhelper/leases/late-try", test_late_try },
    { "/kvmhelper/leases/restart", test_restart },
    { "/kvmhelper/leases/restart-nameless", test_restart_nameless },
    { "/kvmhelper/leases/restart-broken", test_restart_broken },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  g_test_add_func ("/kvmhelper/leases/crash/prepare", test_crash_prepare);
  g_test_add_func ("/kvmhelper/leases/crash/release", test_crash_release);
  g_test_add_func ("/kvmhelper/leases/crash/rehearse", test_crash_rehearse);
  return g_test_run ();
}
