/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kvmhelper/kvmhelper-function.h"
#include "sim-host.h"
#include "simulation-fixture.h"

/* A helper on a simulated host, and its host over the bus. */

#define CARD SIMULATION_CARD
#define UUID SIMULATION_UUID

static PciAddress
card (void)
{
  PciAddress address;

  g_assert_true (pci_address_parse (CARD, &address, NULL));
  return address;
}

static void
assert_driver (const SimulationFixture *fixture, const char *expected)
{
  PciAddress address = card ();
  g_autofree char *driver
      = kvmhelper_function_driver (kvmhelper_simulation_kernel (fixture->simulation), &address);

  g_assert_cmpstr (driver, ==, expected);
}

static void
give_to_vfio (const SimulationFixture *fixture)
{
  sim_host_give_to_vfio (kvmhelper_simulation_kernel (fixture->simulation), CARD);
}

/* A start after an end, or a kill, finds the host as it was, in the same boot. */
static void
test_save (SimulationFixture *fixture, gconstpointer data)
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
  simulation_fixture_open (fixture, NULL);
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
rehearse (const SimulationFixture *fixture, GCancellable *cancellable, GError **error)
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
test_rehearse (SimulationFixture *fixture, gconstpointer data)
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
test_faults (SimulationFixture *fixture, gconstpointer data)
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
  simulation_fixture_open (fixture, rules);
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
  simulation_fixture_open (fixture, vanish);
  driver = kvmhelper_function_driver (kvmhelper_simulation_kernel (fixture->simulation), &address);
  g_assert_cmpstr (driver, ==, "");
  g_assert_null (kvmhelper_simulation_new (fixture->file, fixture->directory, wrong, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
}

/* --- over a socket --- */

/* Calls the helper, or, with @simulation, what makes things happen: what came back, or the name of
 * the error. @parameters is the text of a tuple. */
static char *
call (SimulationFixture *fixture, gboolean simulation, const char *method, const char *parameters)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) arguments = g_variant_parse (NULL, parameters, NULL, NULL, &error);
  CommonErrorCode code;

  g_assert_no_error (error);
  reply = simulation_fixture_call (fixture, simulation, method, arguments, NULL, NULL, &code);
  return reply != NULL ? g_variant_print (reply, FALSE) : g_strdup (common_error_name (code));
}

static void
assert_reply (SimulationFixture *fixture, gboolean simulation, const char *method,
              const char *parameters, const char *expected)
{
  g_autofree char *reply = call (fixture, simulation, method, parameters);

  g_assert_cmpstr (reply, ==, expected);
}

static void
assert_reply_has (SimulationFixture *fixture, gboolean simulation, const char *method,
                  const char *parameters, const char *expected)
{
  g_autofree char *reply = call (fixture, simulation, method, parameters);

  g_test_message ("%s", reply);
  g_assert_nonnull (strstr (reply, expected));
}

static char *
prepare (SimulationFixture *fixture)
{
  g_autofree char *reply = call (fixture, FALSE, "Prepare",
                                 "('" UUID "', 'guest', '" CARD "', {'rehearse': <'never'>})");
  g_auto (GStrv) parts = g_strsplit (reply, "'", 3);

  g_assert_cmpuint (g_strv_length (parts), ==, 3);
  return g_strdup (parts[1]);
}

/* The whole of it: lease, guest, what it has, an error on the bus, and back. */
static void
test_guest (SimulationFixture *fixture, gconstpointer data)
{
  g_autofree char *lease = NULL;
  g_autofree char *arguments = NULL;

  simulation_fixture_begin (fixture);
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
}

/* A guest that is left, and one that crashes, are no guests any more. */
static void
test_crash (SimulationFixture *fixture, gconstpointer data)
{
  g_autofree char *lease = NULL;
  g_autofree char *arguments = NULL;

  simulation_fixture_begin (fixture);
  assert_reply_has (fixture, TRUE, "StartGuest", "('left', {'memory': <uint32 64>})", "(");
  assert_reply_has (fixture, TRUE, "StartGuest", "('guest', {'ic-mode': <'xics'>})", "(");
  lease = prepare (fixture);
  assert_reply (fixture, TRUE, "AttachDevice", "('guest', '" CARD "')", "()");
  assert_reply_has (fixture, FALSE, "Inspect", "('" CARD "',)", "xics");
  assert_reply (fixture, TRUE, "EndGuest", "('guest', true)", "()");
  arguments = g_strdup_printf ("('%s', @a{sv} {})", lease);
  assert_reply (fixture, FALSE, "Release", arguments, "('done',)");
  assert_driver (fixture, "e1000e");
}

/* Bad input changes nothing. */
static void
test_arguments (SimulationFixture *fixture, gconstpointer data)
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

  simulation_fixture_begin (fixture);
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
}

int
main (int argc, char **argv)
{
  static const SimulationTest tests[] = {
    { "/kvmhelper/simulation/save", test_save },
    { "/kvmhelper/simulation/rehearse", test_rehearse },
    { "/kvmhelper/simulation/faults", test_faults },
    { "/kvmhelper/simulation/guest", test_guest },
    { "/kvmhelper/simulation/crash", test_crash },
    { "/kvmhelper/simulation/arguments", test_arguments },
  };

  return simulation_fixture_run (argc, argv, tests, G_N_ELEMENTS (tests));
}
