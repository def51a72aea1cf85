/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-error.h"

static void
test_names (void)
{
  g_assert_cmpstr (common_error_name (COMMON_ERROR_NO_FREE_PHB), ==, "no-free-phb");
  g_assert_cmpstr (common_error_name (COMMON_ERROR_INVALID_XML), ==, "invalid-xml");
  g_assert_cmpstr (common_error_name (COMMON_ERROR_NOT_PSERIES_KVM), ==, "not-pseries-kvm");
  /* Each has its own. */
  for (int i = 0; i < COMMON_ERROR_LAST; i++)
    for (int j = 0; j < i; j++)
      g_assert_cmpstr (common_error_name ((CommonErrorCode) i), !=,
                       common_error_name ((CommonErrorCode) j));
}

/* A code survives the way over D-Bus. */
static void
test_dbus (void)
{
  g_autoptr (GError) sent = g_error_new_literal (COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE, "in use");
  g_autofree char *name = g_dbus_error_encode_gerror (sent);
  g_autoptr (GError) received = g_dbus_error_new_for_dbus_error (name, "in use");

  g_assert_cmpstr (name, ==, "org.libvirt.Ppc64.Error.GroupInUse");
  g_assert_error (received, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE);
  g_assert_cmpint (common_error_code (received), ==, COMMON_ERROR_GROUP_IN_USE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/error/names", test_names);
  g_test_add_func ("/common/error/dbus", test_dbus);
  return g_test_run ();
}
