/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service-fixture.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-error.h"

#define MIB (1024 * 1024)

/* How often the arguments of a call were unpacked: a handler is called with them then. */
static guint unpacked;

static gboolean
count_unpacked (GSignalInvocationHint *hint, guint n, const GValue *values, gpointer data)
{
  unpacked++;
  return TRUE;
}

static void
watch_handlers (void)
{
  guint n;
  gpointer interface = g_type_default_interface_ref (KVM_HELPER_DBUS_TYPE_KVM_HELPER1);
  g_autofree guint *ids = g_signal_list_ids (KVM_HELPER_DBUS_TYPE_KVM_HELPER1, &n);
  guint handlers = 0;

  for (guint i = 0; i < n; i++)
    if (g_str_has_prefix (g_signal_name (ids[i]), "handle-"))
      {
        g_signal_add_emission_hook (ids[i], 0, count_unpacked, NULL, NULL);
        handlers++;
      }
  g_assert_cmpuint (handlers, >=, 7);
  g_assert_nonnull (interface);
}

/* As large as the system's bus passes on, of whoever may not call: an answer, and nothing else. No
 * question, no handler, no kernel. */
static void
test_huge (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (31 * MIB, 'x');
  g_autofree char *xml = g_strdup_printf ("<domain><name>%.*s</name></domain>", 30 * MIB, text);
  GVariantBuilder options;

  unpacked = 0;
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", text),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", xml),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < 100000; i++)
    g_variant_builder_add (&options, "{sv}", "rehearse", g_variant_new_boolean (TRUE));
  service_fixture_assert_refused (fixture, "Rehearse",
                                  g_variant_new ("(sa{sv})", SERVICE_FIRST, &options),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (fixture->questions, ==, 0);
  g_assert_cmpuint (unpacked, ==, 0);
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

/* What is larger still the bus itself does not take, and ends its caller's connection. */
static void
test_too_huge (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (64 * MIB, 'x');
  g_autoptr (GDBusConnection) caller = service_fixture_connect (fixture);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_dbus_connection_call_sync (
      caller, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME,
      "Inspect", g_variant_new ("(s)", text), NULL, G_DBUS_CALL_FLAGS_NONE, 60000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", ""),
                                  COMMON_ERROR_NOT_AUTHORIZED);
  g_assert_cmpuint (fixture->questions, ==, 1);
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

/* The same of who may: it is the size that is refused, and the next call is as good as ever. */
static void
test_huge_authorized (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (31 * MIB, 'x');
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  fixture->says_yes = TRUE;
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", text),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (fixture->host->calls, ==, 0);
  reply = service_fixture_call (fixture, "ListLeases", NULL, G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
}

/* What is not too large is kept from all but polkit, until that said yes; and polkit is told
 * nothing that is not canonical. */
static void
test_hostile (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (100 * 1024, '/');
  static const char *const hostile[] = { "../../../etc/passwd", "0000:00:1f.8",  "0000:00:1F.0",
                                         "00000:00:00.0",       "%s%s%n",        "0000:00:00.0\n",
                                         "\xc3\xa4/\x7f",       "0003:01:00.0 ", "" };

  unpacked = 0;
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", hostile[i]),
                                      COMMON_ERROR_NOT_AUTHORIZED);
      g_assert_true (g_str_has_suffix (fixture->asked, " 0 - - -"));
      service_fixture_assert_refused (fixture, "Commit", g_variant_new ("(s)", hostile[i]),
                                      COMMON_ERROR_NOT_AUTHORIZED);
      g_assert_true (g_str_has_suffix (fixture->asked, " 0 - - -"));
    }
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", text),
                                  COMMON_ERROR_NOT_AUTHORIZED);
  g_assert_cmpuint (fixture->questions, ==, 2 * G_N_ELEMENTS (hostile) + 1);
  g_assert_cmpuint (unpacked, ==, 0);
  g_assert_cmpuint (fixture->host->calls, ==, 0);

  /* The count can count. */
  fixture->says_yes = TRUE;
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", "x"),
                                  COMMON_ERROR_INVALID_ADDRESS);
  g_assert_cmpuint (unpacked, ==, 1);
}

static GVariant *
call_properties (ServiceFixture *fixture, const char *method, GVariant *parameters, GError **error)
{
  return g_dbus_connection_call_sync (fixture->client, COMMON_DBUS_KVMHELPER_NAME,
                                      COMMON_DBUS_KVMHELPER_PATH, "org.freedesktop.DBus.Properties",
                                      method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, 60000, NULL,
                                      error);
}

/* What GDBus would answer by itself: there is no property, and who asks gets nothing else. */
static void
test_properties (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  fixture->says_yes = TRUE;
  all = call_properties (fixture, "GetAll", g_variant_new ("(s)", COMMON_DBUS_KVMHELPER_NAME),
                         &error);
  g_assert_no_error (error);
  text = g_variant_print (all, FALSE);
  g_assert_cmpstr (text, ==, "({},)");
  g_assert_null (call_properties (
      fixture, "Get", g_variant_new ("(ss)", COMMON_DBUS_KVMHELPER_NAME, "Leases"), &error));
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  g_assert_null (call_properties (
      fixture, "Set",
      g_variant_new ("(ssv)", COMMON_DBUS_KVMHELPER_NAME, "Leases", g_variant_new_boolean (TRUE)),
      &error));
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  g_assert_cmpuint (fixture->questions, ==, 0);
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

/* Descriptors that a method does not take are closed, and the call is refused, on each way out. */
static void
test_descriptors (ServiceFixture *fixture, gconstpointer data)
{
  const GDBusInterfaceInfo *info = kvm_helper_dbus_kvm_helper1_interface_info ();

  for (guint round = 0; round < 2; round++)
    for (guint i = 0; info->methods[i] != NULL; i++)
      {
        g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) reply = NULL;

        for (guint j = 0; j < 16; j++)
          g_assert_cmpint (g_unix_fd_list_append (fds, 0, NULL), ==, j);
        fixture->says_yes = round == 1;
        reply = g_dbus_connection_call_with_unix_fd_list_sync (
            fixture->client, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH,
            COMMON_DBUS_KVMHELPER_NAME, info->methods[i]->name,
            service_fixture_arguments (info->methods[i]), NULL, G_DBUS_CALL_FLAGS_NONE, 60000, fds,
            NULL, NULL, &error);
        g_assert_null (reply);
        g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
      }
  g_assert_cmpuint (fixture->questions, ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (ServiceFixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/authorize-before-parse/huge", test_huge },
    { "/kvmhelper/authorize-before-parse/too-huge", test_too_huge },
    { "/kvmhelper/authorize-before-parse/huge-authorized", test_huge_authorized },
    { "/kvmhelper/authorize-before-parse/hostile", test_hostile },
    { "/kvmhelper/authorize-before-parse/properties", test_properties },
    { "/kvmhelper/authorize-before-parse/descriptors", test_descriptors },
  };

  g_test_init (&argc, &argv, NULL);
  watch_handlers ();
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, ServiceFixture, NULL, service_fixture_set_up, tests[i].func,
                service_fixture_tear_down);
  return g_test_run ();
}
