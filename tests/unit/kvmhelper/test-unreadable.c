/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-leases.h"
#include "kvmhelper/kvmhelper-watch.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"

/* What cannot be read is not what is not there, and what a write claims is not what it did. */

#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define UUID   "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct
{
  KvmHelperDouble *host;
  KvmHelperFaults *faults;
  KvmHelperKernel *kernel;
  GCancellable *cancellable;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->host = kvmhelper_double_new ();
  fixture->cancellable = g_cancellable_new ();
  kvmhelper_double_function (fixture->host, FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (fixture->host, SECOND, 3, "tg3", 0);
  kvmhelper_double_file (fixture->host, "proc/sys/kernel/random/boot_id", "boot\n");
  kvmhelper_double_file (fixture->host, "proc/1/net/route", "Iface\n");
}

static void
end_faults (Fixture *fixture)
{
  g_clear_pointer (&fixture->kernel, kvmhelper_faults_unwrap);
  g_clear_pointer (&fixture->faults, kvmhelper_faults_free);
}

static const KvmHelperKernel *
begin_faults (Fixture *fixture, const char *rule)
{
  const char *rules[] = { rule, NULL };
  GError *error = NULL;

  end_faults (fixture);
  fixture->faults = kvmhelper_faults_parse (rules, NULL, &error);
  g_assert_no_error (error);
  fixture->kernel = kvmhelper_faults_wrap (fixture->faults, &fixture->host->kernel);
  return fixture->kernel;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  end_faults (fixture);
  g_object_unref (fixture->cancellable);
  kvmhelper_double_free (fixture->host);
}

static KvmHelperLease *
make_lease (Fixture *fixture)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  GError *error = NULL;
  g_autoptr (KvmHelperGroup) group
      = kvmhelper_group_read (&fixture->host->kernel, &address, &error);
  KvmHelperLease *lease;

  g_assert_no_error (error);
  lease = kvmhelper_lease_new ("boot", UUID, "guest", &address, group->members);
  lease->phase = KVMHELPER_PHASE_PREPARED;
  return lease;
}

static void
assert_back (Fixture *fixture)
{
  kvmhelper_double_assert (fixture->host, FIRST, "e1000e", "");
  kvmhelper_double_assert (fixture->host, SECOND, "tg3", "");
}

static void
test_watch (Fixture *fixture, gconstpointer data)
{
  const KvmHelperKernel *kernel
      = begin_faults (fixture, "readlink *driver 2 EIO; read *vendor ENOMEM; list *one ENOTDIR");
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autoptr (GError) error = NULL;
  PciAddress address = kvmhelper_double_address (FIRST);

  kvmhelper_watch_init (&watch, kernel);
  g_autofree char *driver = kvmhelper_function_driver (&watch.kernel, &address);
  g_autofree char *none = kvmhelper_kernel_readlink (&watch.kernel, KVMHELPER_SYS, "nothing");
  g_autofree char *file = kvmhelper_kernel_readlink (&watch.kernel, KVMHELPER_SYS,
                                                     "bus/pci/devices/" FIRST "/vendor");
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (&watch.kernel, KVMHELPER_SYS, "one");

  g_assert_cmpstr (driver, ==, "e1000e");
  g_assert_null (none);
  g_assert_null (file);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_true (kvmhelper_watch_check (&watch, &error));
  g_assert_no_error (error);

  /* The first failure is what is told. */
  g_autofree char *lost = kvmhelper_function_driver (&watch.kernel, &address);
  g_autofree char *vendor = kvmhelper_kernel_read_line (&watch.kernel, KVMHELPER_SYS,
                                                        "bus/pci/devices/" FIRST "/vendor");
  g_assert_cmpstr (lost, ==, "");
  g_assert_null (vendor);
  g_assert_false (kvmhelper_watch_check (&watch, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_nonnull (strstr (error->message, FIRST "/driver"));
  g_assert_nonnull (strstr (error->message, g_strerror (EIO)));
}

/* A lease is not made of what could not be read: it would give that back. */
static void
test_group (Fixture *fixture, gconstpointer data)
{
  static const char *const rules[] = {
    "readlink *01:00.0/driver EIO", "readlink *01:00.1/driver EACCES",
    "read *driver_override ENOMEM", "open *01:00.1/driver_override EMFILE",
    "readlink *iommu_group EIO",    "list *iommu_groups/3/devices ENOMEM",
    "open *01:00.0/vendor EMFILE",  "read *01:00.1/class EIO",
    "open *01:00.1/config EIO",     "readlink *physfn EIO",
  };
  PciAddress address = kvmhelper_double_address (FIRST);

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperGroup) group
          = kvmhelper_group_read (begin_faults (fixture, rules[i]), &address, &error);

      g_assert_null (group);
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
    }
}

/* Nothing is unbound while it is not known who holds the group: it might wait for the holder. */
static void
test_unknown_group (Fixture *fixture, gconstpointer data)
{
  static const char *const rules[] = { "readlink *iommu_group EIO", "read *vendor EIO" };
  g_autoptr (KvmHelperLease) lease = make_lease (fixture);
  gboolean held;
  guint writes;

  g_assert_true (kvmhelper_binding_take (&fixture->host->kernel, lease, NULL, NULL));
  writes = fixture->host->writes;
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_assert_false (kvmhelper_binding_give_back (begin_faults (fixture, rules[i]), lease, &held));
      g_assert_false (held);
      g_assert_nonnull (strstr (lease->left, g_strerror (EIO)));
    }
  g_assert_cmpuint (fixture->host->writes, ==, writes);
  g_assert_true (kvmhelper_binding_give_back (&fixture->host->kernel, lease, &held));
  assert_back (fixture);
}

/* A member without a driver is not back because its driver cannot be read. */
static void
test_unknown_driver (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean held;

  kvmhelper_double_remove (fixture->host, "sys/devices/pci0003:00/" FIRST "/driver");
  lease = make_lease (fixture);
  g_assert_true (kvmhelper_binding_take (&fixture->host->kernel, lease, NULL, NULL));
  g_assert_false (
      kvmhelper_binding_give_back (begin_faults (fixture, "readlink *0/driver EIO"), lease, &held));
  g_assert_false (((KvmHelperMember *) lease->members->pdata[0])->returned);
  g_assert_true (kvmhelper_binding_give_back (&fixture->host->kernel, lease, &held));
  kvmhelper_double_assert (fixture->host, FIRST, "", "");
}

/* Without the override in force drivers_probe would give the function to another driver. */
static void
test_override_not_set (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = make_lease (fixture);
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_binding_take (begin_faults (fixture, "write *driver_override 1 lie"),
                                          lease, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  assert_back (fixture);
}

/* The last write of all: the override of a function that has its driver again. */
static void
test_override_not_cleared (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = make_lease (fixture);
  gboolean held;

  g_assert_true (kvmhelper_binding_take (&fixture->host->kernel, lease, NULL, NULL));
  g_assert_false (kvmhelper_binding_give_back (
      begin_faults (fixture, "write *driver_override 1+ lie"), lease, &held));
  g_assert_nonnull (strstr (lease->left, "vfio-pci"));
  g_assert_true (kvmhelper_binding_give_back (&fixture->host->kernel, lease, &held));
  assert_back (fixture);
}

/* A driver that the kernel would not choose: on its way back the function is on no other one, which
 * would look as if somebody had given it away. */
static void
test_bound_by_hand (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean held;

  kvmhelper_double_file (fixture->host, "sys/devices/pci0003:00/" FIRST "/natural", "e1000");
  kvmhelper_double_file (fixture->host, "sys/bus/pci/drivers/e1000/bind", "");
  lease = make_lease (fixture);
  g_assert_true (kvmhelper_binding_take (&fixture->host->kernel, lease, NULL, NULL));
  g_assert_false (kvmhelper_binding_give_back (begin_faults (fixture, "write */e1000e/bind EIO"),
                                               lease, &held));
  kvmhelper_double_assert (fixture->host, FIRST, "", "");
  g_assert_true (kvmhelper_binding_give_back (&fixture->host->kernel, lease, &held));
  assert_back (fixture);
}

/* --- leases --- */

static void
on_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
}

static void
on_step (const PciAddress *address, const KvmHelperStep *step, gpointer data)
{
}

static KvmHelperLeases *
open_leases (Fixture *fixture, const KvmHelperKernel *kernel, GError **error)
{
  static const KvmHelperListener listener = { on_lease, on_step, NULL };
  g_autofree char *state = g_build_filename (fixture->host->directory, "state", NULL);

  return kvmhelper_leases_open (kernel, state, kvmhelper_rehearsal_here, &listener,
                                fixture->cancellable, error);
}

static gboolean
prepare (KvmHelperLeases *leases, char **id, GError **error)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };

  if (!kvmhelper_leases_prepare (leases, UUID, "guest", &address, KVMHELPER_REHEARSE_NEVER, NULL,
                                 &prepared, error))
    return FALSE;
  *id = g_strdup (prepared.lease->id);
  return TRUE;
}

/* A record of no boot would be dropped by the next helper, and what it has never given back. */
static void
test_boot_id (Fixture *fixture, gconstpointer data)
{
  const KvmHelperKernel *kernel = begin_faults (fixture, "open *boot_id 3+ EMFILE");
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLeases) leases = open_leases (fixture, kernel, &error);
  g_autofree char *id = NULL;

  g_assert_no_error (error);
  g_assert_false (prepare (leases, &id, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  g_clear_error (&error);
  g_clear_pointer (&leases, kvmhelper_leases_free);

  leases = open_leases (fixture, &fixture->host->kernel, &error);
  g_assert_true (prepare (leases, &id, &error));
  g_clear_pointer (&leases, kvmhelper_leases_free);
  leases = open_leases (fixture, kernel, &error);
  g_assert_null (leases);
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_clear_error (&error);
  leases = open_leases (fixture, &fixture->host->kernel, &error);
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (leases);
  g_assert_cmpuint (list->len, ==, 1);
}

/* What cannot be read may be the host's default route. */
static void
test_needs (Fixture *fixture, gconstpointer data)
{
  g_autoptr (KvmHelperLeases) leases
      = open_leases (fixture, begin_faults (fixture, "read */net/route EIO"), NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  g_assert_false (prepare (leases, &id, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_nonnull (strstr (error->message, "/proc/1/net/route"));
  g_assert_cmpuint (fixture->host->writes, ==, 0);
}

/* It is asked for, and not known whose group it is: it goes on later. */
static void
test_release (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLeases) leases = open_leases (fixture, &fixture->host->kernel, &error);
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autofree char *id = NULL;
  gboolean done = TRUE;

  g_assert_true (prepare (leases, &id, &error));
  g_clear_pointer (&leases, kvmhelper_leases_free);
  leases = open_leases (fixture, begin_faults (fixture, "readlink *iommu_group 1 EIO"), &error);
  g_assert_true (kvmhelper_leases_release (leases, id, 0, &done, &error));
  g_assert_no_error (error);
  g_assert_false (done);
  lease = kvmhelper_leases_find (leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  g_assert_nonnull (strstr (lease->left, "iommu_group"));
  g_assert_true (kvmhelper_leases_release (leases, id, 0, &done, &error));
  g_assert_true (done);
  assert_back (fixture);
}

#define ADD(name, test)                                                                            \
  g_test_add ("/kvmhelper/unreadable/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  ADD ("watch", test_watch);
  ADD ("group", test_group);
  ADD ("unknown-group", test_unknown_group);
  ADD ("unknown-driver", test_unknown_driver);
  ADD ("override-not-set", test_override_not_set);
  ADD ("override-not-cleared", test_override_not_cleared);
  ADD ("bound-by-hand", test_bound_by_hand);
  ADD ("boot-id", test_boot_id);
  ADD ("needs", test_needs);
  ADD ("release", test_release);
  return g_test_run ();
}
