/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>

#include "cli/cli-exit.h"
#include "cli/cli-helper-error.h"

static void
assert_exit (GQuark domain, int code, CliExit for_error, CliExit for_refusal)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, "x");

  g_assert_cmpint (cli_exit_for_error (error), ==, for_error);
  g_assert_cmpint (cli_exit_for_refusal (error), ==, for_refusal);
}

static void
test_exit_codes (void)
{
  assert_exit (CLI_USAGE_ERROR, 0, 2, 2);
  assert_exit (G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, 2, 2);
  assert_exit (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED, 4, 4);
  assert_exit (COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE, 5, 5);
  assert_exit (COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE, 6, 6);
  assert_exit (COMMON_ERROR, COMMON_ERROR_INVALID_XML, 1, 1);
  assert_exit (COMMON_ERROR, COMMON_ERROR_BUSY, 1, 1);
  assert_exit (COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN, 1, 3);
  assert_exit (COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE, 1, 3);
  assert_exit (COMMON_ERROR, COMMON_ERROR_ADVISE_IRQ_BYPASS, 1, 3);
  assert_exit (COMMON_ERROR, COMMON_ERROR_REHEARSAL_FAILED, 1, 3);
  assert_exit (G_IO_ERROR, G_IO_ERROR_FAILED, 1, 1);
}

static void
test_names (void)
{
  g_autoptr (GError) usage = g_error_new_literal (CLI_USAGE_ERROR, 0, "x");
  g_autoptr (GError) phb = g_error_new_literal (COMMON_ERROR, COMMON_ERROR_NO_FREE_PHB, "x");

  g_assert_cmpstr (cli_exit_error_name (usage), ==, "usage");
  g_assert_cmpstr (cli_exit_error_name (phb), ==, "no-free-phb");
}

static void
assert_explained (CliHelperMoment moment, const char *dbus_name, CommonErrorCode code,
                  const char *says)
{
  g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (dbus_name, "the bus said so");

  cli_helper_error_explain (&error, moment);
  g_assert_error (error, COMMON_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, says));
  g_assert_nonnull (strstr (error->message, "the bus said so"));
  g_assert_null (strstr (error->message, "GDBus.Error"));
}

static void
test_explain (void)
{
  (void) common_error_quark ();
  assert_explained (CLI_HELPER_OPENING, "org.freedesktop.DBus.Error.ServiceUnknown",
                    COMMON_ERROR_HELPER_UNAVAILABLE, "not installed");
  assert_explained (CLI_HELPER_OPENING, "org.freedesktop.DBus.Error.Spawn.ChildExited",
                    COMMON_ERROR_HELPER_UNAVAILABLE, "could not be started");
  assert_explained (CLI_HELPER_OPENING, "org.freedesktop.systemd1.UnitMasked",
                    COMMON_ERROR_HELPER_UNAVAILABLE, "could not be started");
  assert_explained (CLI_HELPER_CALLING, "org.freedesktop.DBus.Error.NoReply",
                    COMMON_ERROR_HELPER_UNAVAILABLE, "ended before it answered");
  assert_explained (CLI_HELPER_CALLING, "org.freedesktop.DBus.Error.Timeout",
                    COMMON_ERROR_TIMED_OUT, "did not answer in time");
  assert_explained (CLI_HELPER_CALLING, "org.freedesktop.DBus.Error.AccessDenied",
                    COMMON_ERROR_NOT_AUTHORIZED, "may not");
  assert_explained (CLI_HELPER_CALLING, "org.freedesktop.DBus.Error.UnknownMethod",
                    COMMON_ERROR_INTERNAL, "could not be asked");
  assert_explained (CLI_HELPER_CALLING, "org.libvirt.Ppc64.Error.NotAuthorized",
                    COMMON_ERROR_NOT_AUTHORIZED, "the bus said so");
  assert_explained (CLI_HELPER_CALLING, "org.libvirt.Ppc64.Error.GroupInUse",
                    COMMON_ERROR_GROUP_IN_USE, "the bus said so");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/errors/exit-codes", test_exit_codes);
  g_test_add_func ("/cli/errors/names", test_names);
  g_test_add_func ("/cli/errors/explain", test_explain);
  return g_test_run ();
}
