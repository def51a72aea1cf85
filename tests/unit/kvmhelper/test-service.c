/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service.h"

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "service-fixture.h"

#define FIRST SERVICE_FIRST
#define UUID  SERVICE_UUID

/* Where polkit says no, every method is refused, and the kernel was not asked for anything. */
static void
test_denial (ServiceFixture *fixture, gconstpointer data)
{
  const GDBusInterfaceInfo *info = kvm_helper_dbus_kvm_helper1_interface_info ();

  for (guint i = 0; info->methods[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", info->methods[i]->name);
      g_assert_null (service_fixture_call (fixture, info->methods[i]->name,
                                           service_fixture_arguments (info->methods[i]),
                                           G_DBUS_CALL_FLAGS_NONE, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
      g_assert_cmpuint (fixture->questions, ==, i + 1);
    }
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

static void
assert_asked (ServiceFixture *fixture, const char *asked)
{
  g_mutex_lock (&fixture->lock);
  g_assert_cmpstr (fixture->asked, ==, asked);
  g_assert_cmpstr (fixture->subject, ==, g_dbus_connection_get_unique_name (fixture->client));
  g_mutex_unlock (&fixture->lock);
}

/* What a rule is told; text that is in no canonical form is not among it. */
static void
test_details (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));

  service_fixture_call (fixture, "Inspect", g_variant_new ("(s)", FIRST), G_DBUS_CALL_FLAGS_NONE,
                        NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.inspect 0 " FIRST " - -");
  service_fixture_call (fixture, "Prepare",
                        g_variant_new ("(sss@a{sv})", UUID, "guest", FIRST, options),
                        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 1 " FIRST " " UUID " guest");
  service_fixture_call (fixture, "Prepare",
                        g_variant_new ("(sss@a{sv})", "4DEA22B3-1d52-d8f3-2516-782e98ab3fa0",
                                       "a\nb", "../../etc", options),
                        G_DBUS_CALL_FLAGS_NONE, NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 0 - - -");
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

static void
test_arguments (ServiceFixture *fixture, gconstpointer data)
{
  fixture->says_yes = TRUE;
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", "3:1:0.0"),
                                  COMMON_ERROR_INVALID_ADDRESS);
  service_fixture_assert_refused (fixture, "Inspect", g_variant_new ("(s)", "0003:01:00.7"),
                                  COMMON_ERROR_DEVICE_UNKNOWN);
  service_fixture_assert_refused (fixture, "Rehearse",
                                  g_variant_new_parsed ("(%s, {'force': <true>})", FIRST),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Rehearse",
                                  g_variant_new_parsed ("(%s, {'override': <['route']>})", FIRST),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Prepare",
                                  g_variant_new_parsed ("('x', 'guest', %s, @a{sv} {})", FIRST),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Prepare",
                                  g_variant_new_parsed ("(%s, '', %s, @a{sv} {})", UUID, FIRST),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Prepare",
                                  g_variant_new_parsed ("(%s, 'a\nb', %s, @a{sv} {})", UUID, FIRST),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (
      fixture, "Prepare",
      g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'sometimes'>})", UUID, FIRST),
      COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (
      fixture, "Prepare",
      g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <1>})", UUID, FIRST),
      COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Release",
                                  g_variant_new_parsed ("(%s, {'timeout': <uint32 61>})", UUID),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Release",
                                  g_variant_new_parsed ("(%s, {'timeout': <1>})", UUID),
                                  COMMON_ERROR_INVALID_ARGUMENT);
  service_fixture_assert_refused (fixture, "Release", g_variant_new_parsed ("('..', @a{sv} {})"),
                                  COMMON_ERROR_LEASE_UNKNOWN);
  service_fixture_assert_refused (fixture, "Commit", g_variant_new_parsed ("(%s,)", UUID),
                                  COMMON_ERROR_LEASE_UNKNOWN);
  g_assert_cmpuint (fixture->host->writes, ==, 0);
}

static void
note_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  GPtrArray *errors = data;
  GError *error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  g_assert_null (reply);
  g_ptr_array_add (errors, error);
}

/* A caller may leave four people's questions open; what asks no person is not counted. */
static void
test_questions (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) errors = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);

  fixture->open = g_ptr_array_new ();
  for (guint i = 0; i < 13; i++)
    {
      g_dbus_connection_call (
          fixture->client, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH,
          COMMON_DBUS_KVMHELPER_NAME, "Inspect", g_variant_new ("(s)", FIRST), NULL,
          i < 5 ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION : G_DBUS_CALL_FLAGS_NONE, 60000,
          NULL, note_reply, errors);
      service_fixture_wait_open (fixture, i < 4 ? i + 1 : i);
    }
  while (errors->len < 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (errors->len, ==, 1);
  g_assert_error ((GError *) errors->pdata[0], COMMON_ERROR, COMMON_ERROR_BUSY);
  service_fixture_answer (fixture, FALSE);
  while (errors->len < 13)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 1; i < errors->len; i++)
    g_assert_error ((GError *) errors->pdata[i], COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
  g_clear_pointer (&fixture->open, g_ptr_array_unref);
}

static void
note_signal (GDBusConnection *connection, const char *sender, const char *path,
             const char *interface, const char *name, GVariant *parameters, gpointer text)
{
  const char *lease, *address, *phase;

  g_variant_get (parameters, "(&s&s&s)", &lease, &address, &phase);
  g_string_append_printf (text, "%s %s ", address, phase);
}

static void
test_lease (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (GVariant) prepared = NULL;
  g_autoptr (GVariant) details = NULL;
  g_autoptr (GVariant) members = NULL;
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) released = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  g_autofree char *text = NULL;
  const char *state, *lease;
  guint subscription = g_dbus_connection_signal_subscribe (
      fixture->client, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_NAME, "LeaseChanged",
      COMMON_DBUS_KVMHELPER_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, note_signal, heard, NULL);

  fixture->says_yes = TRUE;
  prepared = service_fixture_call (
      fixture, "Prepare",
      g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'never'>})", UUID, FIRST),
      G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_variant_get (prepared, "(s@a{sv})", &id, &details);
  g_assert_true (g_variant_lookup (details, "lease", "&s", &lease));
  g_assert_cmpstr (lease, ==, id);
  members = g_variant_lookup_value (details, "members", G_VARIANT_TYPE ("aa{sv}"));
  text = g_variant_print (members, FALSE);
  g_assert_cmpstr (text, ==,
                   "[{'address': <'" FIRST "'>, 'slot': <'pci0003:00/" FIRST
                   "'>, 'driver': <'e1000e'>, 'driver-override': <''>, "
                   "'driver-now': <'vfio-pci'>}]");
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
  list = service_fixture_call (fixture, "ListLeases", NULL, G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_clear_pointer (&text, g_free);
  text = g_variant_print (list, FALSE);
  g_assert_nonnull (strstr (text, id));
  g_assert_nonnull (strstr (text, "'phase': <'prepared'>"));
  released = service_fixture_call (fixture, "Release", g_variant_new ("(sa{sv})", id, NULL),
                                   G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  /* of a lease a rule is told the device and the guest */
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 0 " FIRST " " UUID " guest");
  g_variant_get (released, "(&s)", &state);
  g_assert_cmpstr (state, ==, "done");
  kvmhelper_double_assert (fixture->host, FIRST, "e1000e", "");
  while (strstr (heard->str, "done") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (heard->str, ==,
                   FIRST " intent " FIRST " prepared " FIRST " releasing " FIRST " done ");
  g_dbus_connection_signal_unsubscribe (fixture->client, subscription);
}

static gboolean
let_anybody_in (GDBusMethodInvocation *invocation, guint32 uid, GError **error)
{
  return TRUE;
}

/* Nothing but polkit decides about a real kernel: a service that somebody made with a choice of his
 * own for one is none. */
static void
test_no_other_authority (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *state = g_build_filename (fixture->host->directory, "other", NULL);
  KvmHelperKernel kernel = fixture->host->kernel;
  KvmHelperServiceConfig config = { &kernel, state, kvmhelper_rehearsal_here, let_anybody_in };
  KvmHelperKernel *linux_kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (kernel.simulated);
  g_assert_null (linux_kernel->simulated);
  kvmhelper_kernel_linux_free (linux_kernel);
  g_assert_null (kvmhelper_service_new (&config, fixture->client, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INTERNAL);
  g_assert_false (g_file_test (state, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (ServiceFixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/service/denial", test_denial },
    { "/kvmhelper/service/details", test_details },
    { "/kvmhelper/service/questions", test_questions },
    { "/kvmhelper/service/arguments", test_arguments },
    { "/kvmhelper/service/lease", test_lease },
    { "/kvmhelper/service/no-other-authority", test_no_other_authority },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, ServiceFixture, NULL, service_fixture_set_up, tests[i].func,
                service_fixture_tear_down);
  return g_test_run ();
}
