/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-service.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-control.h"
#include "sim-host.h"

#define HOST "hosts/one-card.xml"
#define CARD "0000:01:00.0"
#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/* A helper on a simulated host, served in a thread to one caller: the test. */
typedef struct
{
  char *directory;
  char *file;
  KvmHelperSimulation *simulation;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GDBusConnection *client;
  int ends[2];
} Fixture;

static void
open_simulation (Fixture *fixture, char **rules)
{
  g_autoptr (GError) error = NULL;

  fixture->simulation = kvmhelper_simulation_new (fixture->file, fixture->directory, rules, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->directory = g_dir_make_tmp ("kvmhelper-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->file = g_build_filename (DATA_DIR, HOST, NULL);
  open_simulation (fixture, NULL);
}

static void
remove_file (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  kvmhelper_simulation_free (fixture->simulation);
  remove_file (fixture->directory, KVMHELPER_SIMULATION_STATE);
  remove_file (fixture->directory, "rehearsed");
  remove_file (fixture->directory, "leases");
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->directory);
  g_free (fixture->file);
}

static PciAddress
card (void)
{
  PciAddress address;

  g_assert_true (pci_address_parse (CARD, &address, NULL));
  return address;
}

static void
assert_driver (const Fixture *fixture, const char *expected)
{
  PciAddress address = card ();
  g_autofree char *driver
      = kvmhelper_function_driver (kvmhelper_simulation_kernel (fixture->simulation), &address);

  g_assert_cmpstr (driver, ==, expected);
}

static void
give_to_vfio (const Fixture *fixture)
{
  sim_host_give_to_vfio (kvmhelper_simulation_kernel (fixture->simulation), CARD);
}

/* A start after an end, or a kill, finds the host as it was, in the same boot. */
static void
test_save (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *boot = NULL;
  g_autofree char *boot_again = NULL;

  g_assert_cmpstr (kvmhelper_simulation_kernel (fixture->simulation)->simulated, ==,
                   "one-card.xml");
  boot = kvmhelper_kernel_boot_id (kvmhelper_simulation_kernel (fixture->simulation));
  give_to_vfio (fixture);
  assert_driver (fixture, "vfio-pci");
  g_assert_true (kvmhelper_simulation_save (fixture->simulation, &error));
  g_assert_no_error (error);
  kvmhelper_simulation_free (fixture->simulation);
  open_simulation (fixture, NULL);
  assert_driver (fixture, "vfio-pci");
  boot_again = kvmhelper_kernel_boot_id (kvmhelper_simulation_kernel (fixture->simulation));
  g_assert_cmpstr (boot, ==, boot_again);
  g_assert_cmpstr (kvmhelper_simulation_kernel (fixture->simulation)->simulated, ==,
                   "one-card.xml");
}

static void
ignore_step (const KvmHelperStep *step, gpointer data)
{
}

static GPtrArray *
rehearse (const Fixture *fixture, GCancellable *cancellable, GError **error)
{
  PciAddress address = card ();
  const KvmHelperKernel *kernel = kvmhelper_simulation_kernel (fixture->simulation);
  int group;

  g_assert_true (kvmhelper_function_read_group (kernel, &address, &group, NULL));
  return kvmhelper_simulation_rehearse (kernel, (guint) group, &address, ignore_step, NULL,
                                        cancellable, error);
}

/* In a process of its own, whose end leaves nothing. */
static void
test_rehearse (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  guint handles;

  give_to_vfio (fixture);
  handles = kvmhelper_sim_handles (kvmhelper_simulation_host (fixture->simulation));
  steps = rehearse (fixture, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (steps->len, >, 30);
  g_assert_true (kvmhelper_steps_passed (steps));
  g_assert_cmpuint (kvmhelper_sim_handles (kvmhelper_simulation_host (fixture->simulation)), ==,
                    handles);
  g_cancellable_cancel (cancellable);
  g_assert_null (rehearse (fixture, cancellable, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_CANCELLED);
}

/* What goes wrong for the helper goes wrong for its rehearsal. */
static void
test_faults (Fixture *fixture, gconstpointer data)
{
  char *rules[] = { (char *) "ioctl VFIO_SET_IOMMU EBUSY", NULL };
  char *vanish[] = { (char *) "readlink *" CARD "* vanish " CARD, NULL };
  char *wrong[] = { (char *) "nonsense", NULL };
  PciAddress address = card ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  g_autofree char *driver = NULL;
  g_autofree char *failed = NULL;

  kvmhelper_simulation_free (fixture->simulation);
  open_simulation (fixture, rules);
  give_to_vfio (fixture);
  steps = rehearse (fixture, cancellable, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < steps->len && failed == NULL; i++)
    {
      const KvmHelperStep *step = steps->pdata[i];

      if (step->result == KVMHELPER_STEP_FAILED)
        failed = g_strdup_printf ("%s %d", step->name, step->errnum);
    }
  g_assert_cmpstr (failed, ==, "set-iommu 16");
  kvmhelper_simulation_free (fixture->simulation);
  open_simulation (fixture, vanish);
  driver = kvmhelper_function_driver (kvmhelper_simulation_kernel (fixture->simulation), &address);
  g_assert_cmpstr (driver, ==, "");
  g_assert_null (kvmhelper_simulation_new (fixture->file, fixture->directory, wrong, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
}

/* --- over a socket --- */

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

/* Calls the helper, or, with @simulation, what makes things happen: what came back, or the name of
 * the error. @parameters is the text of a tuple. */
static char *
call (Fixture *fixture, gboolean simulation, const char *method, const char *parameters)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  GVariant *arguments = g_variant_parse (NULL, parameters, NULL, NULL, &error);

  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (
      fixture->client, NULL, simulation ? COMMON_DBUS_SIMULATION_PATH : COMMON_DBUS_KVMHELPER_PATH,
      simulation ? COMMON_DBUS_SIMULATION_NAME : COMMON_DBUS_KVMHELPER_NAME, method, arguments,
      NULL, G_DBUS_CALL_FLAGS_NONE, 60000, NULL, &error);
  g_clear_pointer (&arguments, g_variant_unref);
  if (reply != NULL)
    return g_variant_print (reply, FALSE);
  g_test_message ("%s: %s", method, error->message);
  g_assert_cmpint (error->domain, ==, COMMON_ERROR);
  return g_strdup (common_error_name (common_error_code (error)));
}

static void
assert_reply (Fixture *fixture, gboolean simulation, const char *method, const char *parameters,
              const char *expected)
{
  g_autofree char *reply = call (fixture, simulation, method, parameters);

  g_assert_cmpstr (reply, ==, expected);
}

static void
assert_reply_has (Fixture *fixture, gboolean simulation, const char *method, const char *parameters,
                  const char *expected)
{
  g_autofree char *reply = call (fixture, simulation, method, parameters);

  g_test_message ("%s", reply);
  g_assert_nonnull (strstr (reply, expected));
}

static char *
prepare (Fixture *fixture)
{
  g_autofree char *reply = call (fixture, FALSE, "Prepare",
                                 "('" UUID "', 'guest', '" CARD "', {'rehearse': <'never'>})");
  g_auto (GStrv) parts = g_strsplit (reply, "'", 3);

  g_assert_cmpuint (g_strv_length (parts), ==, 3);
  return g_strdup (parts[1]);
}

/* The whole of it: lease, guest, what it has, an error on the bus, and back. */
static void
test_guest (Fixture *fixture, gconstpointer data)
{
  g_autofree char *lease = NULL;
  g_autofree char *arguments = NULL;

  begin_service (fixture);
  assert_reply_has (fixture, FALSE, "GetHost", "()", "'simulated': <'one-card.xml'>");
  assert_reply (fixture, TRUE, "AttachDevice", "('guest', '" CARD "')", "invalid-argument");
  assert_reply_has (fixture, TRUE, "StartGuest", "('guest', {'uuid': <'" UUID "'>})", "(");
  assert_reply (fixture, TRUE, "StartGuest", "('guest', @a{sv} {})", "invalid-argument");
  assert_reply_has (fixture, TRUE, "ListGuests", "()", UUID);
  assert_reply (fixture, TRUE, "AttachDevice", "('guest', '" CARD "')", "kernel-failed");
  lease = prepare (fixture);
  assert_reply (fixture, TRUE, "AttachDevice", "('guest', '" CARD "')", "()");
  assert_reply (fixture, TRUE, "UseDevice", "('guest', '" CARD "', uint32 2)", "()");
  assert_reply (fixture, TRUE, "RaiseInterrupt", "('" CARD "', 'msix', uint32 1)", "()");
  assert_reply_has (fixture, FALSE, "Inspect", "('" CARD "',)", "'vectors': <uint32 2>");
  assert_reply (fixture, TRUE, "FreezePe", "('" CARD "',)", "()");
  assert_reply_has (fixture, FALSE, "Inspect", "('" CARD "',)", "'pe-state': <('frozen'");
  assert_reply_has (fixture, TRUE, "KernelLog", "()", "PE");
  assert_reply (fixture, TRUE, "RecoverDevice", "('guest', '" CARD "')", "()");
  assert_reply_has (fixture, FALSE, "Inspect", "('" CARD "',)", "'pe-state': <('normal'");
  assert_reply (fixture, TRUE, "AdvanceClock", "(uint64 1,)", "()");
  assert_reply (fixture, TRUE, "DetachDevice", "('guest', '" CARD "', uint32 1000)", "()");
  arguments = g_strdup_printf ("('%s', {'timeout': <uint32 0>})", lease);
  assert_reply (fixture, FALSE, "Release", arguments, "('pending',)");
  assert_driver (fixture, "vfio-pci");
  assert_reply (fixture, TRUE, "AdvanceClock", "(uint64 1000000,)", "()");
  assert_reply (fixture, FALSE, "Release", arguments, "('done',)");
  assert_driver (fixture, "e1000e");
  assert_reply (fixture, TRUE, "EndGuest", "('guest', false)", "()");
  assert_reply (fixture, TRUE, "ListGuests", "()", "([],)");
  end_service (fixture);
}

/* A guest that is left, and one that crashes, are no guests any more. */
static void
test_crash (Fixture *fixture, gconstpointer data)
{
  g_autofree char *lease = NULL;
  g_autofree char *arguments = NULL;

  begin_service (fixture);
  assert_reply_has (fixture, TRUE, "StartGuest", "('left', {'memory': <uint32 64>})", "(");
  assert_reply_has (fixture, TRUE, "StartGuest", "('guest', {'ic-mode': <'xics'>})", "(");
  lease = prepare (fixture);
  assert_reply (fixture, TRUE, "AttachDevice", "('guest', '" CARD "')", "()");
  assert_reply_has (fixture, FALSE, "Inspect", "('" CARD "',)", "xics");
  assert_reply (fixture, TRUE, "EndGuest", "('guest', true)", "()");
  arguments = g_strdup_printf ("('%s', @a{sv} {})", lease);
  assert_reply (fixture, FALSE, "Release", arguments, "('done',)");
  assert_driver (fixture, "e1000e");
  end_service (fixture);
}

/* Bad input changes nothing. */
static void
test_arguments (Fixture *fixture, gconstpointer data)
{
  static const char *const wrong[][2] = {
    { "StartGuest", "('', @a{sv} {})" },
    { "StartGuest", "('guest', {'memory': <uint32 0>})" },
    { "StartGuest", "('guest', {'memory': <'much'>})" },
    { "StartGuest", "('guest', {'vcpus': <uint32 100000>})" },
    { "StartGuest", "('guest', {'uuid': <'" CARD "'>})" },
    { "StartGuest", "('guest', {'ic-mode': <'mpic'>})" },
    { "StartGuest", "('guest', {'color': <'blue'>})" },
    { "EndGuest", "('guest', true)" },
    { "RaiseInterrupt", "('" CARD "', 'smoke', uint32 0)" },
    { "Replace", "('" CARD "', uint32 0x10000, uint32 0)" },
    { "AdvanceClock", "(uint64 0xffffffffffffffff,)" },
  };

  begin_service (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    assert_reply (fixture, TRUE, wrong[i][0], wrong[i][1], "invalid-argument");
  assert_reply (fixture, TRUE, "ListGuests", "()", "([],)");
  assert_reply (fixture, TRUE, "FreezePe", "('../../etc',)", "invalid-address");
  assert_reply (fixture, TRUE, "FreezePe", "('0099:01:00.0',)", "device-unknown");
  assert_reply (fixture, TRUE, "FencePhb", "('0099:01:00.0', false)", "device-unknown");
  assert_reply (fixture, TRUE, "Unplug", "('0099:01:00.0',)", "device-unknown");
  assert_reply (fixture, TRUE, "Replace", "('" CARD "', uint32 0x8086, uint32 0x10fb)", "()");
  assert_reply_has (fixture, FALSE, "GetHost", "()", "'device': <uint32 4347>");
  assert_reply (fixture, TRUE, "Unplug", "('" CARD "',)", "()");
  assert_reply (fixture, FALSE, "Inspect", "('" CARD "',)", "device-unknown");
  end_service (fixture);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/simulation/save", test_save },
    { "/kvmhelper/simulation/rehearse", test_rehearse },
    { "/kvmhelper/simulation/faults", test_faults },
    { "/kvmhelper/simulation/guest", test_guest },
    { "/kvmhelper/simulation/crash", test_crash },
    { "/kvmhelper/simulation/arguments", test_arguments },
  };

  g_test_init (&argc, &argv, NULL);
  (void) common_error_quark ();
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
