/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-binding.h"

#include <errno.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-group.h"

#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define BRIDGE "0003:00:00.0"

static KvmHelperDouble *
make_host (void)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (host, SECOND, 3, "tg3", 0);
  kvmhelper_double_function (host, BRIDGE, 3, "pcieport", 1);
  return host;
}

static KvmHelperLease *
make_lease (KvmHelperDouble *host)
{
  PciAddress address;
  g_autoptr (KvmHelperGroup) group = NULL;
  KvmHelperLease *lease;

  g_assert_true (pci_address_parse (FIRST, &address, NULL));
  group = kvmhelper_group_read (&host->kernel, &address, NULL);
  g_assert_nonnull (group);
  lease = kvmhelper_lease_new ("boot", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0", "guest", &address,
                               group->members);
  lease->phase = KVMHELPER_PHASE_PREPARED;
  return lease;
}

static void
assert_as_before (KvmHelperDouble *host)
{
  kvmhelper_double_assert (host, FIRST, "e1000e", "");
  kvmhelper_double_assert (host, SECOND, "tg3", "");
  kvmhelper_double_assert (host, BRIDGE, "pcieport", "");
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
}

static void
test_there_and_back (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  g_autoptr (GError) error = NULL;
  gboolean held;

  g_assert_cmpuint (lease->members->len, ==, 2);
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  g_assert_no_error (error);
  kvmhelper_double_assert (host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (host, SECOND, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (host, BRIDGE, "pcieport", "");
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  assert_as_before (host);
  g_assert_cmpstr (lease->left, ==, "");
}

/* What is on a VFIO driver already is not touched, neither way. */
static void
test_already_there (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean held;

  kvmhelper_double_function (host, FIRST, 3, "vfio-pci", 0);
  lease = make_lease (host);
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  g_assert_cmpuint (host->writes, ==, 0);
}

static void
test_unbound_before (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean held;

  kvmhelper_double_function (host, FIRST, 3, "", 0);
  lease = make_lease (host);
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  kvmhelper_double_assert (host, FIRST, "vfio-pci", "vfio-pci");
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  kvmhelper_double_assert (host, FIRST, "", "");
}

/* An override comes back, whether it was in force or not. */
static void
test_overrides (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = NULL;
  gboolean held;

  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/driver_override", "e1000e\n");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" SECOND "/driver_override", "vfio-pci\n");
  lease = make_lease (host);
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  kvmhelper_double_assert (host, FIRST, "e1000e", "e1000e");
  kvmhelper_double_assert (host, SECOND, "tg3", "vfio-pci");
}

/* A driver that was bound by hand is not the one that the kernel would choose. */
static void
test_bound_by_hand (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  gboolean held;

  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/natural", "tg3");
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  assert_as_before (host);
}

/* drivers_probe says yes and nothing is bound. */
static void
test_lying_probe (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  g_autoptr (GError) error = NULL;

  host->liar = "vfio-pci";
  g_assert_false (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED);
  g_assert_nonnull (strstr (error->message, FIRST));
  assert_as_before (host);
}

static void
test_no_vfio (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  g_autoptr (GError) error = NULL;

  kvmhelper_double_remove (host, "sys/bus/pci/drivers/vfio-pci");
  g_assert_false (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_VFIO_UNAVAILABLE);
  g_assert_cmpuint (host->writes, ==, 0);
}

/* Each of the writes is refused once: everything is as it was. */
static void
test_failing_writes (void)
{
  guint writes;

  {
    g_autoptr (KvmHelperDouble) host = make_host ();
    g_autoptr (KvmHelperLease) lease = make_lease (host);

    g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
    writes = host->writes;
    g_assert_cmpuint (writes, ==, 6);
  }
  for (guint i = 1; i <= writes; i++)
    {
      g_autoptr (KvmHelperDouble) host = make_host ();
      g_autoptr (KvmHelperLease) lease = make_lease (host);
      g_autoptr (GError) error = NULL;

      host->fail_at = i;
      host->fail_errno = EIO;
      g_assert_false (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
      g_assert_nonnull (strstr (error->message, g_strerror (EIO)));
      assert_as_before (host);
    }
}

/* Giving back fails at each write: what is left is told, and another try does the rest. */
static void
test_failing_return (void)
{
  for (guint i = 1; i <= 6; i++)
    {
      g_autoptr (KvmHelperDouble) host = make_host ();
      g_autoptr (KvmHelperLease) lease = make_lease (host);
      gboolean held;

      g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
      host->writes = 0;
      host->fail_at = i;
      host->fail_errno = EIO;
      g_assert_false (kvmhelper_binding_give_back (&host->kernel, lease, &held));
      g_assert_false (held);
      g_assert_nonnull (strstr (lease->left, i <= 3 ? SECOND : FIRST));
      g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
      assert_as_before (host);
    }
}

/* Both ways fail: the error has the reason and what is left. */
static void
test_failing_undo (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  g_autoptr (GError) error = NULL;
  gboolean held;

  host->liar = "vfio-pci";
  host->fail_at = 4; /* the first write of the undoing */
  host->fail_errno = EPERM;
  g_assert_false (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED);
  g_assert_nonnull (strstr (error->message, g_strerror (EPERM)));
  g_assert_false (kvmhelper_lease_find_member (lease, &lease->address)->returned);
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  assert_as_before (host);
}

static void
test_held (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  gboolean held;

  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  host->writes = 0;
  host->group_opens = 0;
  kvmhelper_double_hold (host, 777, 3);
  g_assert_false (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  g_assert_true (held);
  g_assert_nonnull (strstr (lease->left, "777"));
  g_assert_cmpuint (host->group_opens, ==, 0);
  kvmhelper_double_let_go (host, 777);
  kvmhelper_double_hold_in_kernel (host, 3, TRUE);
  g_assert_false (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  g_assert_true (held);
  g_assert_cmpuint (host->writes, ==, 0);
  kvmhelper_double_assert (host, FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_hold_in_kernel (host, 3, FALSE);
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  assert_as_before (host);
}

/* Another device at the address is not ours to bind, and one that is gone needs nothing. */
static void
test_changed (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  g_autoptr (GError) error = NULL;
  gboolean held;

  kvmhelper_double_replace (host, FIRST);
  g_assert_false (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED);
  g_assert_cmpuint (host->writes, ==, 0);
  g_clear_error (&error);

  g_clear_pointer (&lease, kvmhelper_lease_free);
  lease = make_lease (host);
  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, &error));
  kvmhelper_double_unplug (host, SECOND);
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  kvmhelper_double_assert (host, FIRST, "e1000e", "");
}

/* Somebody gave it to another driver of the host meanwhile: that is his affair. */
static void
test_taken_over (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperLease) lease = make_lease (host);
  gboolean held;

  g_assert_true (kvmhelper_binding_take (&host->kernel, lease, NULL, NULL));
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" FIRST "/driver",
                         "../../../bus/pci/drivers/pci-stub");
  g_assert_true (kvmhelper_binding_give_back (&host->kernel, lease, &held));
  kvmhelper_double_assert (host, FIRST, "pci-stub", "vfio-pci");
  kvmhelper_double_assert (host, SECOND, "tg3", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* a warning is what one of these is about */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_test_add_func ("/kvmhelper/binding/there-and-back", test_there_and_back);
  g_test_add_func ("/kvmhelper/binding/already-there", test_already_there);
  g_test_add_func ("/kvmhelper/binding/unbound-before", test_unbound_before);
  g_test_add_func ("/kvmhelper/binding/overrides", test_overrides);
  g_test_add_func ("/kvmhelper/binding/bound-by-hand", test_bound_by_hand);
  g_test_add_func ("/kvmhelper/binding/lying-probe", test_lying_probe);
  g_test_add_func ("/kvmhelper/binding/no-vfio", test_no_vfio);
  g_test_add_func ("/kvmhelper/binding/failing-writes", test_failing_writes);
  g_test_add_func ("/kvmhelper/binding/failing-return", test_failing_return);
  g_test_add_func ("/kvmhelper/binding/failing-undo", test_failing_undo);
  g_test_add_func ("/kvmhelper/binding/held", test_held);
  g_test_add_func ("/kvmhelper/binding/changed", test_changed);
  g_test_add_func ("/kvmhelper/binding/taken-over", test_taken_over);
  return g_test_run ();
}
