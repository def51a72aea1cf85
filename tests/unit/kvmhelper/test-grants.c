/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-grant-node.h"
#include "kvmhelper/kvmhelper-service.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-control.h"

/* Users' own guests, over D-Bus: consent, grant, and the way back. The caller is the one user that
 * there is; what is not his is tested in tests/simulated/test-grants.c and on a real host. */

#define CARD "0000:01:00.0"
#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

#define MIB    (G_GUINT64_CONSTANT (1) << 20)
#define ENOUGH (1024 * MIB)

typedef struct
{
  char *directory;
  KvmHelperSimulation *simulation;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GDBusConnection *client;
  int ends[2];
  guint qemu; /* its PID */
} Fixture;

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer loop)
{
  quit (loop);
}

static gpointer
serve (gpointer data)
{
  Fixture *fixture = data;
  KvmHelperServiceConfig config = { .kernel = kvmhelper_simulation_kernel (fixture->simulation),
                                    .state_directory = fixture->directory,
                                    .rehearse = kvmhelper_simulation_rehearse,
                                    .authorize = kvmhelper_simulation_authorize };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GDBusInterfaceSkeleton) control = NULL;
  KvmHelperService *service;

  g_main_context_push_thread_default (fixture->context);
  connection = kvmhelper_simulation_connect_socket (fixture->ends[0], &error);
  g_assert_no_error (error);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), fixture->loop);
  service = kvmhelper_service_new (&config, connection, &error);
  g_assert_no_error (error);
  control = kvmhelper_simulation_control_new (fixture->simulation);
  g_dbus_interface_skeleton_export (control, connection, COMMON_DBUS_SIMULATION_PATH, &error);
  g_assert_no_error (error);
  g_dbus_connection_start_message_processing (connection);
  g_main_loop_run (fixture->loop);
  g_assert_true (kvmhelper_service_stop (service));
  kvmhelper_service_free (service);
  g_dbus_interface_skeleton_unexport (control);
  g_main_context_pop_thread_default (fixture->context);
  return NULL;
}

/* @parameters and what comes back have floating references taken; NULL and the error's code. */
static GVariant *
call (Fixture *fixture, gboolean simulation, const char *method, GVariant *parameters,
      GUnixFDList *list, GUnixFDList **out, CommonErrorCode *code)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_with_unix_fd_list_sync (
      fixture->client, NULL, simulation ? COMMON_DBUS_SIMULATION_PATH : COMMON_DBUS_KVMHELPER_PATH,
      simulation ? COMMON_DBUS_SIMULATION_NAME : COMMON_DBUS_KVMHELPER_NAME, method, parameters,
      NULL, G_DBUS_CALL_FLAGS_NONE, 60000, list, out, NULL, &error);

  if (reply == NULL)
    {
      g_test_message ("%s: %s", method, error->message);
      g_assert_cmpint (error->domain, ==, COMMON_ERROR);
      *code = common_error_code (error);
    }
  return reply;
}

static void
begin_service (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) stream = NULL;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fixture->ends), ==, 0);
  fixture->context = g_main_context_new ();
  fixture->loop = g_main_loop_new (fixture->context, FALSE);
  fixture->thread = g_thread_new ("helper", serve, fixture);
  socket = g_socket_new_from_fd (fixture->ends[1], &error);
  g_assert_no_error (error);
  stream = g_socket_connection_factory_create_connection (socket);
  fixture->client = g_dbus_connection_new_sync (G_IO_STREAM (stream), NULL,
                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                                NULL, &error);
  g_assert_no_error (error);
}

static void
end_service (Fixture *fixture)
{
  g_dbus_connection_close_sync (fixture->client, NULL, NULL);
  g_thread_join (fixture->thread);
  g_clear_object (&fixture->client);
  g_main_loop_unref (fixture->loop);
  g_main_context_unref (fixture->context);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = g_build_filename (DATA_DIR, "hosts/one-card.xml", NULL);
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  CommonErrorCode code;

  fixture->directory = g_dir_make_tmp ("kvmhelper-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->simulation = kvmhelper_simulation_new (file, fixture->directory, NULL, &error);
  g_assert_no_error (error);
  begin_service (fixture);
  g_variant_dict_insert (&options, "user", "u", getuid ());
  g_variant_dict_insert (&options, "memory", "u", 512);
  g_variant_dict_insert (&options, "uuid", "s", UUID);
  reply = call (fixture, TRUE, "StartGuest",
                g_variant_new ("(s@a{sv})", "guest", g_variant_dict_end (&options)), NULL, NULL,
                &code);
  g_assert_nonnull (reply);
  g_variant_get (reply, "(u)", &fixture->qemu);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  static const char *const files[]
      = { KVMHELPER_SIMULATION_STATE, "rehearsed", "consents", "leases" };

  end_service (fixture);
  kvmhelper_simulation_free (fixture->simulation);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (fixture->directory, files[i], NULL);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->directory);
}

static GUnixFDList *
open_process (Fixture *fixture, guint pid)
{
  GUnixFDList *list = NULL;
  CommonErrorCode code;
  g_autoptr (GVariant) reply
      = call (fixture, TRUE, "OpenProcess", g_variant_new ("(u)", pid), NULL, &list, &code);

  g_assert_nonnull (reply);
  return list;
}

static gboolean
allow (Fixture *fixture, const char *address, guint64 memory, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply
      = call (fixture, FALSE, "Allow", g_variant_new ("(ust)", getuid (), address, memory), NULL,
              NULL, code);

  return reply != NULL;
}

/* The lease, or NULL. @list: NULL: no descriptor at all. */
static char *
grant (Fixture *fixture, GUnixFDList *list, guint64 memory, const char *option,
       CommonErrorCode *code)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) reply = NULL;
  char *lease = NULL;

  g_variant_dict_insert (&options, option, "s", "never");
  reply = call (fixture, FALSE, "Grant",
                g_variant_new ("(sssht@a{sv})", UUID, "guest", CARD, 0, memory,
                               g_variant_dict_end (&options)),
                list, NULL, code);
  if (reply != NULL)
    g_variant_get (reply, "(s@a{sv})", &lease, NULL);
  return lease;
}

static char *
give_back (Fixture *fixture, const char *lease, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply = call (fixture, FALSE, "GiveBack",
                                     g_variant_new ("(sa{sv})", lease, NULL), NULL, NULL, code);
  char *state = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &state);
  return state;
}

static char *
withdraw (Fixture *fixture, CommonErrorCode *code)
{
  g_autoptr (GVariant) reply
      = call (fixture, FALSE, "Revoke", g_variant_new ("(us)", getuid (), CARD), NULL, NULL, code);
  char *state = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &state);
  return state;
}

/* What ListGrants says of the card, as text; "": nothing. */
static char *
list (Fixture *fixture, const char *key)
{
  CommonErrorCode code;
  g_autoptr (GVariant) reply
      = call (fixture, FALSE, "ListGrants", g_variant_new ("(a{sv})", NULL), NULL, NULL, &code);
  g_autoptr (GVariant) grants = g_variant_get_child_value (reply, 0);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) value = NULL;

  if (g_variant_n_children (grants) == 0)
    return g_strdup ("");
  first = g_variant_get_child_value (grants, 0);
  value = g_variant_lookup_value (first, key, NULL);
  return value == NULL ? g_strdup ("") : g_variant_print (value, FALSE);
}

static void
assert_listed (Fixture *fixture, const char *key, const char *expected)
{
  g_autofree char *value = list (fixture, key);

  g_assert_cmpstr (value, ==, expected);
}

static guint64
limit_of_qemu (const Fixture *fixture)
{
  const KvmHelperKernel *kernel = kvmhelper_simulation_kernel (fixture->simulation);
  KvmHelperLimit limit = { 0 };

  kernel->calls->memlock (kernel->data, fixture->qemu, NULL, &limit);
  return limit.soft;
}

static int
entry_in_node (const Fixture *fixture)
{
  const KvmHelperKernel *kernel = kvmhelper_simulation_kernel (fixture->simulation);
  PciAddress address;
  int group, entry;

  g_assert_true (pci_address_parse (CARD, &address, NULL));
  g_assert_true (kvmhelper_function_read_group (kernel, &address, &group, NULL));
  g_assert_true (kvmhelper_grant_node_read (kernel, (guint) group, getuid (), &entry, NULL));
  return entry;
}

/* Without a consent nothing is touched; with one it is asked for no more. */
static void
test_consent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) process = open_process (fixture, fixture->qemu);
  g_autofree char *lease = NULL;
  g_autofree char *again = NULL;
  g_autofree char *state = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  g_assert_cmpint (limit_of_qemu (fixture), ==, 8 * MIB);
  assert_listed (fixture, "address", "");

  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  assert_listed (fixture, "address", "'" CARD "'");
  assert_listed (fixture, "memory", "1073741824");
  g_assert_null (grant (fixture, process, ENOUGH + 1, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  lease = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (lease);
  g_assert_cmpint (entry_in_node (fixture), ==, 6);
  g_assert_cmpuint (limit_of_qemu (fixture), ==, ENOUGH);
  assert_listed (fixture, "phase", "'prepared'");
  state = give_back (fixture, lease, &code);
  g_assert_cmpstr (state, ==, "done");
  g_assert_cmpint (entry_in_node (fixture), ==, KVMHELPER_NO_ENTRY);
  g_assert_cmpuint (limit_of_qemu (fixture), ==, 8 * MIB);

  again = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (again);
  /* Another helper still knows of it; QEMU is gone, and with it the lease. */
  end_service (fixture);
  begin_service (fixture);
  assert_listed (fixture, "memory", "1073741824");
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *phase = list (fixture, "phase");

      if (*phase == '\0')
        break;
      g_usleep (100 * 1000);
    }
  assert_listed (fixture, "phase", "");
}

static void
test_revoke (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) process = open_process (fixture, fixture->qemu);
  g_autofree char *lease = NULL;
  g_autofree char *state = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_null (withdraw (fixture, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  lease = grant (fixture, process, ENOUGH, "rehearse", &code);
  g_assert_nonnull (lease);
  state = withdraw (fixture, &code);
  g_assert_cmpstr (state, ==, "done");
  g_assert_cmpuint (limit_of_qemu (fixture), ==, 8 * MIB);
  assert_listed (fixture, "address", "");
  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_CONSENT_MISSING);
}

/* What is no process of the caller's, on the way through the bus. */
static void
test_descriptors (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) of_init = open_process (fixture, 1);
  g_autoptr (GUnixFDList) of_nobody = open_process (fixture, 4711);
  g_autoptr (GUnixFDList) real = g_unix_fd_list_new ();
  int pidfd = (int) syscall (SYS_pidfd_open, getpid (), 0);
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_cmpint (pidfd, >=, 0);
  g_unix_fd_list_append (real, pidfd, NULL);
  close (pidfd);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  g_assert_null (grant (fixture, NULL, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_null (grant (fixture, of_nobody, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  /* A process of this machine is none of the simulated host. */
  g_assert_null (grant (fixture, real, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  if (getuid () != 0)
    {
      g_assert_null (grant (fixture, of_init, ENOUGH, "rehearse", &code));
      g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
    }
  assert_listed (fixture, "lease", "");
}

static void
test_arguments (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) process = open_process (fixture, fixture->qemu);
  g_autoptr (GVariant) prepared = NULL;
  g_autofree char *lease = NULL;
  CommonErrorCode code = COMMON_ERROR_LAST;

  g_assert_false (allow (fixture, CARD, 0, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_false (allow (fixture, "../etc", ENOUGH, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ADDRESS);
  g_assert_false (allow (fixture, "0000:00:00.0", ENOUGH, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_NOT_ENDPOINT);
  g_assert_true (allow (fixture, CARD, ENOUGH, &code));
  g_assert_null (grant (fixture, process, ENOUGH, "override", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_null (give_back (fixture, "nonsense", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_LEASE_UNKNOWN);

  /* The system's lease is not the user's to give back, and not to be had for the same guest. */
  prepared = call (fixture, FALSE, "Prepare",
                   g_variant_new_parsed ("(%s, 'guest', %s, {'rehearse': <'never'>})", UUID, CARD),
                   NULL, NULL, &code);
  g_assert_nonnull (prepared);
  g_variant_get (prepared, "(s@a{sv})", &lease, NULL);
  g_assert_null (give_back (fixture, lease, &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_LEASE_UNKNOWN);
  g_assert_null (grant (fixture, process, ENOUGH, "rehearse", &code));
  g_assert_cmpint (code, ==, COMMON_ERROR_GROUP_IN_USE);
  g_clear_pointer (&prepared, g_variant_unref);
  prepared = call (fixture, FALSE, "Release", g_variant_new ("(sa{sv})", lease, NULL), NULL, NULL,
                   &code);
  g_assert_nonnull (prepared);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/grants/consent", test_consent },
    { "/kvmhelper/grants/revoke", test_revoke },
    { "/kvmhelper/grants/descriptors", test_descriptors },
    { "/kvmhelper/grants/arguments", test_arguments },
  };

  (void) common_error_quark ();
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
