/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service.h"

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper-dbus.h"
#include "kvmhelper-double.h"

#define FIRST "0003:01:00.0"
#define UUID  "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/*
 * A polkit of our own on a bus of our own: it says what the test wants, and keeps what it was
 * asked.
 */
static const char polkit_xml[]
    = "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
      "<method name='CheckAuthorization'>"
      "<arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>"
      "<arg type='a{ss}' direction='in'/><arg type='u' direction='in'/>"
      "<arg type='s' direction='in'/><arg type='(bba{ss})' direction='out'/>"
      "</method>"
      "<method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method>"
      "<property name='BackendName' type='s' access='read'/>"
      "<property name='BackendVersion' type='s' access='read'/>"
      "<property name='BackendFeatures' type='u' access='read'/>"
      "<signal name='Changed'/>"
      "</interface></node>";

typedef struct
{
  GTestDBus *bus;
  GMainContext *context; /* of the thread that serves polkit and the helper */
  GMainLoop *loop;
  GThread *thread;
  GMutex lock;
  gboolean says_yes;
  guint questions;
  GPtrArray *open; /* questions without an answer yet; NULL: each is answered */
  char *asked;     /* action, flags, address, domain */
  char *subject;

  KvmHelperDouble *host;
  KvmHelperService *service;
  GDBusConnection *polkit;
  GDBusConnection *helper;
  GDBusConnection *client;
  gsize ready;
} Fixture;

static void
answer_question (Fixture *fixture, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) subject = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *action, *kind, *address = "-", *domain = "-", *name = "";
  guint flags;

  g_variant_get (parameters, "((&s@a{sv})&s@a{ss}u&s)", &kind, &subject, &action, &details, &flags,
                 NULL);
  g_assert_cmpstr (kind, ==, "system-bus-name");
  g_assert_true (g_variant_lookup (subject, "name", "&s", &name));
  g_variant_lookup (details, "address", "&s", &address);
  g_variant_lookup (details, "domain", "&s", &domain);
  g_mutex_lock (&fixture->lock);
  fixture->questions++;
  g_free (fixture->asked);
  fixture->asked = g_strdup_printf ("%s %u %s %s", action, flags, address, domain);
  g_free (fixture->subject);
  fixture->subject = g_strdup (name);
  if (fixture->open != NULL)
    g_ptr_array_add (fixture->open, invocation);
  else
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("((bba{ss}))", fixture->says_yes, FALSE, NULL));
  g_mutex_unlock (&fixture->lock);
}

static void
polkit_call (GDBusConnection *connection, const char *sender, const char *path,
             const char *interface, const char *method, GVariant *parameters,
             GDBusMethodInvocation *invocation, gpointer fixture)
{
  if (g_str_equal (method, "CheckAuthorization"))
    answer_question (fixture, parameters, invocation);
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

static GVariant *
polkit_property (GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *name, GError **error, gpointer fixture)
{
  return g_str_equal (name, "BackendFeatures") ? g_variant_new_uint32 (0)
                                               : g_variant_new_string ("test");
}

static const GDBusInterfaceVTable polkit_table
    = { .method_call = polkit_call, .get_property = polkit_property };

static GDBusConnection *
connect_bus (Fixture *fixture)
{
  GError *error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (
      g_test_dbus_get_bus_address (fixture->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
own_name (GDBusConnection *connection, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply G_GNUC_UNUSED = g_dbus_connection_call_sync (
      connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new ("(su)", name, 4), G_VARIANT_TYPE ("(u)"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

  g_assert_no_error (error);
}

static gpointer
serve (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (polkit_xml, NULL);
  g_autofree char *state = g_build_filename (fixture->host->directory, "state", NULL);
  KvmHelperServiceConfig config = { &fixture->host->kernel, state, kvmhelper_rehearsal_here };
  GError *error = NULL;

  g_main_context_push_thread_default (fixture->context);
  fixture->polkit = connect_bus (fixture);
  g_dbus_connection_register_object (fixture->polkit, "/org/freedesktop/PolicyKit1/Authority",
                                     node->interfaces[0], &polkit_table, fixture, NULL, &error);
  g_assert_no_error (error);
  own_name (fixture->polkit, "org.freedesktop.PolicyKit1");
  fixture->helper = connect_bus (fixture);
  fixture->service = kvmhelper_service_new (&config, fixture->helper, &error);
  g_assert_no_error (error);
  own_name (fixture->helper, COMMON_DBUS_KVMHELPER_NAME);
  fixture->host->calls = 0;
  g_atomic_pointer_set (&fixture->ready, 1);
  g_main_loop_run (fixture->loop);
  g_assert_true (kvmhelper_service_stop (fixture->service));
  kvmhelper_service_free (fixture->service);
  g_object_unref (fixture->helper);
  g_object_unref (fixture->polkit);
  g_main_context_pop_thread_default (fixture->context);
  return NULL;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (fixture->bus), TRUE);
  fixture->host = kvmhelper_double_new ();
  kvmhelper_double_function (fixture->host, FIRST, 3, "e1000e", 0);
  g_mutex_init (&fixture->lock);
  fixture->context = g_main_context_new ();
  fixture->loop = g_main_loop_new (fixture->context, FALSE);
  fixture->thread = g_thread_new ("bus", serve, fixture);
  while (g_atomic_pointer_get (&fixture->ready) == 0)
    g_usleep (1000);
  fixture->client = connect_bus (fixture);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  GSource *source = g_idle_source_new ();

  g_source_set_callback (source, quit, fixture->loop, NULL);
  g_source_attach (source, fixture->context);
  g_source_unref (source);
  g_thread_join (fixture->thread);
  g_object_unref (fixture->client);
  g_main_loop_unref (fixture->loop);
  g_main_context_unref (fixture->context);
  kvmhelper_double_free (fixture->host);
  g_free (fixture->asked);
  g_free (fixture->subject);
  g_mutex_clear (&fixture->lock);
  g_test_dbus_stop (fixture->bus);
  g_object_unref (fixture->bus);
}

static GVariant *
call (Fixture *fixture, const char *method, GVariant *parameters, GDBusCallFlags flags,
      GError **error)
{
  return g_dbus_connection_call_sync (fixture->client, COMMON_DBUS_KVMHELPER_NAME,
                                      COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME,
                                      method, parameters, NULL, flags, 60000, NULL, error);
}

/* Arguments of a method: addresses and UUIDs where its arguments are those. */
static GVariant *
make_arguments (const GDBusMethodInfo *method)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_TUPLE);
  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    if (g_str_equal (method->in_args[i]->signature, "a{sv}"))
      g_variant_builder_add_value (&builder, g_variant_new ("a{sv}", NULL));
    else
      g_variant_builder_add_value (
          &builder,
          g_variant_new_string (g_str_equal (method->in_args[i]->name, "address") ? FIRST : UUID));
  return g_variant_builder_end (&builder);
}

/* Where polkit says no, every method is refused, and the kernel was not asked for anything. */
static void
test_denial (Fixture *fixture, gconstpointer data)
{
  const GDBusInterfaceInfo *info = kvm_helper_dbus_kvm_helper1_interface_info ();

  for (guint i = 0; info->methods[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", info->methods[i]->name);
      g_assert_null (call (fixture, info->methods[i]->name, make_arguments (info->methods[i]),
                           G_DBUS_CALL_FLAGS_NONE, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
      g_assert_cmpuint (fixture->questions, ==, i + 1);
    }
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

static void
assert_asked (Fixture *fixture, const char *asked)
{
  g_mutex_lock (&fixture->lock);
  g_assert_cmpstr (fixture->asked, ==, asked);
  g_assert_cmpstr (fixture->subject, ==, g_dbus_connection_get_unique_name (fixture->client));
  g_mutex_unlock (&fixture->lock);
}

/* What a rule is told; text that is in no canonical form is not among it. */
static void
test_details (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));

  call (fixture, "Inspect", g_variant_new ("(s)", FIRST), G_DBUS_CALL_FLAGS_NONE, NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.inspect 0 " FIRST " -");
  call (fixture, "Prepare", g_variant_new ("(sss@a{sv})", UUID, "guest", FIRST, options),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 1 " FIRST " " UUID);
  call (fixture, "Prepare",
        g_variant_new ("(sss@a{sv})", "4DEA22B3-1d52-d8f3-2516-782e98ab3fa0", "guest", "../../etc",
                       options),
        G_DBUS_CALL_FLAGS_NONE, NULL);
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 0 - -");
  g_assert_cmpuint (fixture->host->calls, ==, 0);
}

static void
assert_refused (Fixture *fixture, const char *method, GVariant *parameters, CommonErrorCode code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call (fixture, method, parameters, G_DBUS_CALL_FLAGS_NONE, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
}

static void
test_arguments (Fixture *fixture, gconstpointer data)
{
  fixture->says_yes = TRUE;
  assert_refused (fixture, "Inspect", g_variant_new ("(s)", "3:1:0.0"),
                  COMMON_ERROR_INVALID_ADDRESS);
  assert_refused (fixture, "Inspect", g_variant_new ("(s)", "0003:01:00.7"),
                  COMMON_ERROR_DEVICE_UNKNOWN);
  assert_refused (fixture, "Rehearse", g_variant_new_parsed ("(%s, {'force': <true>})", FIRST),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Prepare", g_variant_new_parsed ("('x', 'guest', %s, @a{sv} {})", FIRST),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Prepare", g_variant_new_parsed ("(%s, '', %s, @a{sv} {})", UUID, FIRST),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Prepare",
                  g_variant_new_parsed ("(%s, 'a\nb', %s, @a{sv} {})", UUID, FIRST),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (
      fixture, "Prepare",
      g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'sometimes'>})", UUID, FIRST),
      COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Prepare",
                  g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <1>})", UUID, FIRST),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Release", g_variant_new_parsed ("(%s, {'timeout': <uint32 61>})", UUID),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Release", g_variant_new_parsed ("(%s, {'timeout': <1>})", UUID),
                  COMMON_ERROR_INVALID_ARGUMENT);
  assert_refused (fixture, "Release", g_variant_new_parsed ("('..', @a{sv} {})"),
                  COMMON_ERROR_LEASE_UNKNOWN);
  assert_refused (fixture, "Commit", g_variant_new_parsed ("(%s,)", UUID),
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

/* Waits until @wanted questions are open. */
static void
wait_for_questions (Fixture *fixture, guint wanted)
{
  guint open;

  do
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
      g_mutex_lock (&fixture->lock);
      open = fixture->open->len;
      g_mutex_unlock (&fixture->lock);
    }
  while (open < wanted);
}

/* A caller may leave four people's questions open; what asks no person is not counted. */
static void
test_questions (Fixture *fixture, gconstpointer data)
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
      wait_for_questions (fixture, i < 4 ? i + 1 : i);
    }
  while (errors->len < 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (errors->len, ==, 1);
  g_assert_error ((GError *) errors->pdata[0], COMMON_ERROR, COMMON_ERROR_BUSY);
  for (guint i = 0; i < fixture->open->len; i++)
    g_dbus_method_invocation_return_value (fixture->open->pdata[i],
                                           g_variant_new ("((bba{ss}))", FALSE, FALSE, NULL));
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
test_lease (Fixture *fixture, gconstpointer data)
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
  prepared = call (fixture, "Prepare",
                   g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'never'>})", UUID, FIRST),
                   G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_variant_get (prepared, "(s@a{sv})", &id, &details);
  g_assert_true (g_variant_lookup (details, "lease", "&s", &lease));
  g_assert_cmpstr (lease, ==, id);
  members = g_variant_lookup_value (details, "members", G_VARIANT_TYPE ("aa{sv}"));
  text = g_variant_print (members, FALSE);
  g_assert_cmpstr (text, ==,
                   "[{'address': <'" FIRST "'>, 'driver': <'e1000e'>, 'driver-override': <''>, "
                   "'driver-now': <'vfio-pci'>}]");
  kvmhelper_double_assert (fixture->host, FIRST, "vfio-pci", "vfio-pci");
  list = call (fixture, "ListLeases", NULL, G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_clear_pointer (&text, g_free);
  text = g_variant_print (list, FALSE);
  g_assert_nonnull (strstr (text, id));
  g_assert_nonnull (strstr (text, "'phase': <'prepared'>"));
  released = call (fixture, "Release", g_variant_new ("(sa{sv})", id, NULL), G_DBUS_CALL_FLAGS_NONE,
                   &error);
  g_assert_no_error (error);
  /* of a lease a rule is told the device and the guest */
  assert_asked (fixture, "org.libvirt.ppc64.kvmhelper.lease 0 " FIRST " " UUID);
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
let_anybody_in (GDBusMethodInvocation *invocation, GError **error)
{
  return TRUE;
}

/* Nothing but polkit decides about a real kernel: a service that somebody made with a choice of his
 * own for one is none. */
static void
test_no_other_authority (Fixture *fixture, gconstpointer data)
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
    void (*func) (Fixture *fixture, gconstpointer data);
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
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
