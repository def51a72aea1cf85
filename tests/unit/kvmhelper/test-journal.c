/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-journal.h"

#include <glib/gstdio.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-limits.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static KvmHelperLease *
make_lease (void)
{
  KvmHelperFunction functions[] = {
    { .identity = { 0x8086, 0x10d3, 0x8086, 0, 0x20000 },
      .endpoint = TRUE,
      .driver = (char *) "e1000e",
      .driver_override = (char *) "" },
    { .identity = { 0x1014, 1, 2, 3, 4 },
      .endpoint = TRUE,
      .driver = (char *) "",
      .driver_override = (char *) "pci-stub" },
    { .identity = { 0x1014, 5, 6, 7, 0x60400 },
      .endpoint = FALSE,
      .driver = (char *) "pcieport",
      .driver_override = (char *) "" },
  };
  g_autoptr (GPtrArray) members = g_ptr_array_new ();
  KvmHelperMember *first;
  KvmHelperLease *lease;

  g_assert_true (pci_address_parse ("0001:02:03.4", &functions[0].address, NULL));
  g_assert_true (pci_address_parse ("0001:02:03.5", &functions[1].address, NULL));
  g_assert_true (pci_address_parse ("0001:00:00.0", &functions[2].address, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    g_ptr_array_add (members, &functions[i]);
  lease = kvmhelper_lease_new ("boot", UUID, "gäst\nmit = Zeile ]", &functions[0].address, members);
  ((KvmHelperMember *) lease->members->pdata[1])->returned = TRUE;
  first = lease->members->pdata[0];
  g_free (first->slot);
  first->slot = g_strdup ("pci0001:00/0001:02:03.4");
  g_free (first->slot_name);
  first->slot_name = g_strdup ("C4");
  g_free (first->module);
  first->module = g_strdup ("e1000e");
  lease->ending_since = 1763600000;
  kvmhelper_lease_set_command (lease, "modprobe e1000e && virt-ppc64 release x");
  lease->phase = KVMHELPER_PHASE_PENDING;
  lease->holder_pid = 4711;
  kvmhelper_lease_set_left (lease, "process 1 holds it; and \\ more");
  return lease;
}

static void
assert_equal (const KvmHelperLease *a, const KvmHelperLease *b)
{
  g_autofree char *first = kvmhelper_lease_to_text (a);
  g_autofree char *second = kvmhelper_lease_to_text (b);

  g_assert_cmpstr (first, ==, second);
}

static void
test_record (void)
{
  g_autoptr (KvmHelperLease) lease = make_lease ();
  g_autofree char *text = kvmhelper_lease_to_text (lease);
  g_autoptr (KvmHelperLease) read = kvmhelper_lease_from_text (text, strlen (text), NULL);
  g_autoptr (KvmHelperLease) copy = kvmhelper_lease_copy (lease);
  const KvmHelperMember *member;

  g_assert_nonnull (read);
  assert_equal (lease, read);
  assert_equal (lease, copy);
  g_assert_cmpstr (read->domain_name, ==, "gäst\nmit = Zeile ]");
  g_assert_cmpint (read->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_cmpuint (read->holder_pid, ==, 4711);
  g_assert_cmpuint (read->members->len, ==, 2);
  member = read->members->pdata[1];
  g_assert_true (member->returned);
  g_assert_cmpstr (member->driver_override, ==, "pci-stub");
  g_assert_cmphex (member->identity.vendor, ==, 0x1014);
  member = read->members->pdata[0];
  g_assert_cmpstr (member->slot, ==, "pci0001:00/0001:02:03.4");
  g_assert_cmpstr (member->slot_name, ==, "C4");
  g_assert_cmpstr (member->module, ==, "e1000e");
  g_assert_cmpint (read->ending_since, ==, 1763600000);
  g_assert_cmpstr (read->command, ==, "modprobe e1000e && virt-ppc64 release x");
}

/* As helpers wrote them that knew of no slots: what such a one took has to be given back by this
 * one. */
static void
test_older_record (void)
{
  static const char text[] = "[lease]\nversion=1\nid=" UUID "\nboot-id=boot\ndomain-uuid=" UUID
                             "\ndomain-name=guest\naddress=0001:02:03.4\nphase=active\n"
                             "since=1763600000\nholder-pid=4711\ngranted=\nleft=\n\n"
                             "[member 0001:02:03.4]\nvendor=32902\ndevice=4307\n"
                             "subsystem-vendor=32902\nsubsystem-device=0\nclass=131072\n"
                             "driver=e1000e\ndriver-override=\nreturned=false\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLease) lease = kvmhelper_lease_from_text (text, sizeof text - 1, &error);
  const KvmHelperMember *member;

  g_assert_no_error (error);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_ACTIVE);
  g_assert_cmpuint (lease->members->len, ==, 1);
  member = lease->members->pdata[0];
  g_assert_cmpstr (member->driver, ==, "e1000e");
  g_assert_cmpstr (member->slot, ==, "");
  g_assert_cmpstr (member->module, ==, "");
}

/* What could become a path, or is not whole, is no record. */
static void
test_bad_records (void)
{
  static const struct
  {
    const char *what, *by;
  } changes[] = {
    { "driver=e1000e", "driver=../../../../etc" },
    { "driver=e1000e", "driver=.." },
    { "driver=e1000e", "driver=a/b" },
    { "driver-override=pci-stub", "driver-override=x\\ny" },
    { "[member 0001:02:03.4]", "[member ../../x]" },
    { "[member 0001:02:03.4]", "[member 0001:02:03.9]" },
    { "address=0001:02:03.4", "address=0001:02:03" },
    { "version=2", "version=3" },
    { "version=2", "version=0" },
    { "members=2", "members=3" },
    { "module=e1000e", "module=../x" },
    { "slot=pci0001:00/0001:02:03.4", "slot=a\\nb" },
    { "phase=pending", "phase=somewhere" },
    { "phase=pending\n", "" },
    { "vendor=32902", "vendor=99999999999" },
    { "domain-uuid=" UUID, "domain-uuid=../x" },
    { "\nid=", "\nid=../" },
    { "[lease]", "[leasehold]" },
  };
  g_autoptr (KvmHelperLease) lease = make_lease ();
  g_autofree char *text = kvmhelper_lease_to_text (lease);
  gsize length = strlen (text);

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_auto (GStrv) parts = g_strsplit (text, changes[i].what, 2);
      g_autofree char *changed = g_strjoinv (changes[i].by, parts);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", changes[i].by);
      g_assert_cmpuint (g_strv_length (parts), ==, 2);
      g_assert_null (kvmhelper_lease_from_text (changed, strlen (changed), &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED);
    }
  for (gsize cut = 0; cut < length; cut++)
    {
      g_autofree char *part = g_strndup (text, cut);
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperLease) read = kvmhelper_lease_from_text (part, cut, &error);

      g_assert_true ((read == NULL) == (error != NULL));
      /* One that was cut is none, or lacks what does not matter. */
      if (read != NULL)
        g_assert_cmpuint (read->members->len, ==, 2);
    }
  g_assert_null (kvmhelper_lease_from_text ("\xff\xfe", 2, NULL));
}

static void
test_directory (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  g_autofree char *state = g_build_filename (host->directory, "state", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) busy = NULL;
  g_autoptr (KvmHelperJournal) journal = kvmhelper_journal_open (state, &error);
  g_autoptr (KvmHelperLease) lease = make_lease ();
  g_autofree char *record = g_strdup_printf ("%s/leases/%s.lease", state, lease->id);
  g_autoptr (GPtrArray) before = NULL;
  g_autoptr (GPtrArray) after = NULL;
  g_autoptr (GPtrArray) strange = NULL;
  g_autoptr (GPtrArray) none = NULL;
  const KvmHelperLease *unreadable;
  GStatBuf status;

  g_assert_no_error (error);
  g_assert_true (kvmhelper_journal_write (journal, lease, &error));
  g_assert_cmpint (g_stat (record, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  /* one helper at a time */
  g_assert_null (kvmhelper_journal_open (state, &busy));
  g_assert_error (busy, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED);
  before = kvmhelper_journal_load (journal, &error);
  g_assert_cmpuint (before->len, ==, 1);
  assert_equal (before->pdata[0], lease);

  lease->phase = KVMHELPER_PHASE_ACTIVE;
  g_assert_true (kvmhelper_journal_write (journal, lease, &error));
  /* what another program, or a write that was cut short, left there */
  kvmhelper_double_file (host, "state/leases/x.lease", "[lease]\nversion=1\n");
  kvmhelper_double_file (host, "state/leases/.tmp123", "half");
  after = kvmhelper_journal_load (journal, &error);
  g_assert_cmpuint (after->len, ==, 1);
  assert_equal (after->pdata[0], lease);
  /* one that makes no sense, or is newer, may have taken something: it is seen */
  kvmhelper_double_file (host, "state/leases/" UUID ".lease", "[lease]\nversion=99\n");
  strange = kvmhelper_journal_load (journal, &error);
  g_assert_cmpuint (strange->len, ==, 2);
  unreadable = strange->pdata[((const KvmHelperLease *) strange->pdata[0])->unreadable ? 0 : 1];
  g_assert_cmpstr (unreadable->id, ==, UUID);
  g_assert_cmpint (unreadable->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (unreadable->left, "version: 99"));
  g_assert_cmpstr (unreadable->command, ==, "virt-ppc64 release --forget " UUID);
  kvmhelper_double_remove (host, "state/leases/" UUID ".lease");

  g_assert_true (kvmhelper_journal_remove (journal, lease->id, &error));
  g_assert_true (kvmhelper_journal_remove (journal, lease->id, &error));
  none = kvmhelper_journal_load (journal, &error);
  g_assert_cmpuint (none->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* a record that cannot be read makes a warning */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_test_add_func ("/kvmhelper/journal/record", test_record);
  g_test_add_func ("/kvmhelper/journal/older-record", test_older_record);
  g_test_add_func ("/kvmhelper/journal/bad-records", test_bad_records);
  g_test_add_func ("/kvmhelper/journal/directory", test_directory);
  return g_test_run ();
}
