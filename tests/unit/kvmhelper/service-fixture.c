/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service-fixture.h"

#include <gio/gunixfdlist.h>
#include <string.h>

#include "common/common-dbus.h"
#include "kvmhelper/kvmhelper-guard.h"

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

/* Who is asked about: a bus name, or "PID START UID" of a process. */
static char *
name_subject (const char *kind, GVariant *subject)
{
  const char *name = "";
  guint32 pid = 0;
  guint64 start = 0;
  gint32 uid = -1;

  if (g_str_equal (kind, "system-bus-name"))
    {
      g_assert_true (g_variant_lookup (subject, "name", "&s", &name));
      return g_strdup (name);
    }
  g_assert_cmpstr (kind, ==, "unix-process");
  g_assert_true (g_variant_lookup (subject, "pid", "u", &pid));
  g_assert_true (g_variant_lookup (subject, "start-time", "t", &start));
  g_assert_true (g_variant_lookup (subject, "uid", "i", &uid));
  return g_strdup_printf ("%u %" G_GUINT64_FORMAT " %d", pid, start, uid);
}

static void
answer_question (ServiceFixture *fixture, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) subject = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *action, *kind, *address = "-", *domain = "-", *domain_name = "-";
  gboolean of_process;
  guint flags;

  g_variant_get (parameters, "((&s@a{sv})&s@a{ss}u&s)", &kind, &subject, &action, &details, &flags,
                 NULL);
  of_process = g_str_equal (kind, "unix-process");
  g_variant_lookup (details, "address", "&s", &address);
  g_variant_lookup (details, "domain", "&s", &domain);
  g_variant_lookup (details, "domain-name", "&s", &domain_name);
  g_mutex_lock (&fixture->lock);
  fixture->questions++;
  g_free (fixture->asked);
  fixture->asked = g_strdup_printf ("%s %u %s %s %s", action, flags, address, domain, domain_name);
  g_free (fixture->subject);
  fixture->subject = name_subject (kind, subject);
  if (of_process && fixture->of_process != NULL)
    g_dbus_method_invocation_return_value (invocation, fixture->of_process);
  else if (of_process)
    g_ptr_array_add (fixture->open_processes, invocation);
  else if (fixture->open != NULL)
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
    {
      g_mutex_lock (&((ServiceFixture *) fixture)->lock);
      ((ServiceFixture *) fixture)->withdrawn++;
      g_mutex_unlock (&((ServiceFixture *) fixture)->lock);
      g_dbus_method_invocation_return_value (invocation, NULL);
    }
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

GDBusConnection *
service_fixture_connect (ServiceFixture *fixture)
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
  ServiceFixture *fixture = data;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (polkit_xml, NULL);
  g_autofree char *state = g_build_filename (fixture->host->directory, "state", NULL);
  KvmHelperServiceConfig config
      = { &fixture->host->kernel, state,
          fixture->rehearse != NULL ? fixture->rehearse : kvmhelper_rehearsal_here };
  GError *error = NULL;

  g_main_context_push_thread_default (fixture->context);
  fixture->polkit = service_fixture_connect (fixture);
  g_dbus_connection_register_object (fixture->polkit, "/org/freedesktop/PolicyKit1/Authority",
                                     node->interfaces[0], &polkit_table, fixture, NULL, &error);
  g_assert_no_error (error);
  own_name (fixture->polkit, "org.freedesktop.PolicyKit1");
  fixture->helper = kvmhelper_guard_connect (g_test_dbus_get_bus_address (fixture->bus), &error);
  g_assert_no_error (error);
  fixture->service = kvmhelper_service_new (&config, fixture->helper, &error);
  g_assert_no_error (error);
  own_name (fixture->helper, COMMON_DBUS_KVMHELPER_NAME);
  fixture->host->calls = 0;
  g_atomic_pointer_set (&fixture->ready, 1);
  g_main_loop_run (fixture->loop);
  g_assert_true (kvmhelper_service_stop (fixture->service));
  kvmhelper_service_free (fixture->service);
  kvmhelper_guard_close (fixture->helper);
  g_object_unref (fixture->helper);
  g_object_unref (fixture->polkit);
  /* What GDBus left to do there, as freeing what its signals were subscribed with; its thread may
   * be about to say so. */
  for (guint i = 0; i < 50; i++)
    {
      while (g_main_context_iteration (fixture->context, FALSE))
        ;
      g_usleep (1000);
    }
  g_main_context_pop_thread_default (fixture->context);
  return NULL;
}

void
service_fixture_set_up (ServiceFixture *fixture, gconstpointer data)
{
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (fixture->bus), TRUE);
  fixture->host = kvmhelper_double_new ();
  kvmhelper_double_function (fixture->host, SERVICE_FIRST, 3, "e1000e", 0);
  g_mutex_init (&fixture->lock);
  fixture->context = g_main_context_new ();
  fixture->loop = g_main_loop_new (fixture->context, FALSE);
  fixture->thread = g_thread_new ("bus", serve, fixture);
  while (g_atomic_pointer_get (&fixture->ready) == 0)
    g_usleep (1000);
  fixture->client = service_fixture_connect (fixture);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* As many descriptors are open after a test as after the first one, which found what GLib opens
 * once. A connection's are closed by a thread of GDBus, soon. */
static void
check_fds (void)
{
  static guint expected = 0;
  guint n = count_fds ();

  for (guint i = 0; i < 5000 && expected != 0 && n != expected; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
      n = count_fds ();
    }
  if (expected == 0)
    {
      g_usleep (200 * 1000);
      expected = count_fds ();
    }
  else
    g_assert_cmpuint (n, ==, expected);
}

void
service_fixture_tear_down (ServiceFixture *fixture, gconstpointer data)
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
  check_fds ();
}

GVariant *
service_fixture_call (ServiceFixture *fixture, const char *method, GVariant *parameters,
                      GDBusCallFlags flags, GError **error)
{
  g_autoptr (GUnixFDList) fds = NULL;

  if (parameters != NULL && strchr (g_variant_get_type_string (parameters), 'h') != NULL)
    {
      fds = g_unix_fd_list_new ();
      g_unix_fd_list_append (fds, 0, NULL);
    }
  return g_dbus_connection_call_with_unix_fd_list_sync (
      fixture->client, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH,
      COMMON_DBUS_KVMHELPER_NAME, method, parameters, NULL, flags, 60000, fds, NULL, NULL, error);
}

GVariant *
service_fixture_arguments (const GDBusMethodInfo *method)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_TUPLE);
  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    {
      const GVariantType *type = G_VARIANT_TYPE (method->in_args[i]->signature);

      if (g_variant_type_is_array (type))
        g_variant_builder_add_value (&builder,
                                     g_variant_new_array (g_variant_type_element (type), NULL, 0));
      else if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
        g_variant_builder_add (&builder, "s",
                               g_str_equal (method->in_args[i]->name, "address") ? SERVICE_FIRST
                                                                                 : SERVICE_UUID);
      else if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT32))
        g_variant_builder_add (&builder, "u", 1000);
      else if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT64))
        g_variant_builder_add (&builder, "t", G_GUINT64_CONSTANT (1));
      else
        g_variant_builder_add (&builder, "h", 0);
    }
  return g_variant_builder_end (&builder);
}

void
service_fixture_begin (GDBusConnection *client, const char *method, GVariant *parameters,
                       GDBusCallFlags flags, GAsyncReadyCallback done, gpointer data)
{
  g_dbus_connection_call (client, COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH,
                          COMMON_DBUS_KVMHELPER_NAME, method, parameters, NULL, flags, 60000, NULL,
                          done, data);
}

void
service_fixture_wait_open (ServiceFixture *fixture, guint wanted)
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

void
service_fixture_answer (ServiceFixture *fixture, gboolean yes)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fixture->lock);

  for (guint i = 0; i < fixture->open->len; i++)
    g_dbus_method_invocation_return_value (fixture->open->pdata[i],
                                           g_variant_new ("((bba{ss}))", yes, FALSE, NULL));
  g_ptr_array_set_size (fixture->open, 0);
}

GVariant *
service_fixture_prepare_arguments (const char *rehearse)
{
  return g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <%s>})", SERVICE_UUID, SERVICE_FIRST,
                               rehearse);
}

char *
service_fixture_list_leases (ServiceFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) list
      = service_fixture_call (fixture, "ListLeases", NULL, G_DBUS_CALL_FLAGS_NONE, &error);

  g_assert_no_error (error);
  return g_variant_print (list, FALSE);
}

char *
service_fixture_prepare (ServiceFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = service_fixture_call (fixture, "Prepare", service_fixture_prepare_arguments ("never"),
                              G_DBUS_CALL_FLAGS_NONE, &error);
  char *lease;

  g_assert_no_error (error);
  g_variant_get (reply, "(s@a{sv})", &lease, NULL);
  return lease;
}

void
service_fixture_assert_refused (ServiceFixture *fixture, const char *method, GVariant *parameters,
                                CommonErrorCode code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (
      service_fixture_call (fixture, method, parameters, G_DBUS_CALL_FLAGS_NONE, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
}
