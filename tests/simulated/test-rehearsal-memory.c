/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-host.h"
#include "simulated-helper.h"

/* What becomes of the wish for a rehearsal, what one found is remembered, and the bypass that the
 * helper may switch on. */

#define CARD      "0000:01:00.0"
#define PARAMETER "module/kvm_hv/parameters/kvm_irq_bypass"

static const char host_xml[]
    = "<simulated-host kernel='6.12' platform='powernv'>"
      "  <phb domain='0'>"
      "    <bridge address='0000:00:00.0' bus='1' driver='pcieport'>"
      "      <function address='0000:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "                driver='e1000e' msi='1' msix='5'/>"
      "      <function address='0000:01:00.1' vendor='0x8086' device='0x10d4' class='0x020000'"
      "                driver='e1000e' msi='1' msix='5'/>"
      "    </bridge>"
      "  </phb>"
      "</simulated-host>";

typedef struct
{
  KvmHelperSim *sim;
  const KvmHelperKernel *kernel;
  char *state;
  GCancellable *cancellable;
  KvmHelperConfig *config;
  KvmHelperLeases *leases;
} Helper;

static guint rehearsals;

static GPtrArray *
count_rehearsal (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                 KvmHelperStepFunc step, gpointer data, GCancellable *cancellable, GError **error)
{
  rehearsals++;
  return kvmhelper_rehearsal_here (kernel, group, address, step, data, cancellable, error);
}

static void
ignore_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
}

static void
helper_open (Helper *helper)
{
  static const KvmHelperListener listener = { ignore_lease, simulated_ignore_step, NULL };
  g_autoptr (GError) error = NULL;

  helper->leases = kvmhelper_leases_open (helper->kernel, helper->state, count_rehearsal, &listener,
                                          helper->cancellable, &error);
  g_assert_no_error (error);
  kvmhelper_leases_configure (helper->leases, helper->config);
}

static void
helper_start (Helper *helper)
{
  g_autoptr (GError) error = NULL;

  rehearsals = 0;
  helper->sim = kvmhelper_sim_new_from_xml (host_xml, "test.xml", &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (helper->sim, 0);
  helper->kernel
      = kvmhelper_sim_process_kernel (kvmhelper_sim_process_new (helper->sim, &simulated_process));
  helper->state = simulated_directory_new ("rehearsal-memory");
  helper->cancellable = g_cancellable_new ();
  helper->config = kvmhelper_config_new ();
  helper_open (helper);
}

static void
helper_restart (Helper *helper)
{
  kvmhelper_leases_free (helper->leases);
  helper_open (helper);
}

static void
helper_clear (Helper *helper)
{
  kvmhelper_leases_free (helper->leases);
  kvmhelper_config_free (helper->config);
  g_object_unref (helper->cancellable);
  simulated_directory_remove (helper->state);
  g_free (helper->state);
  kvmhelper_sim_free (helper->sim);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Helper, helper_clear)

/* Prepares and releases: what Prepare says of the rehearsal; @why has @word in it, or is nothing.
 */
static void
expect (Helper *helper, KvmHelperRehearseMode wish, const char *rehearsed, const char *word)
{
  PciAddress card = simulated_address (CARD);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (GError) error = NULL;

  kvmhelper_leases_prepare (helper->leases, SIMULATED_UUID, "guest", &card, wish, NULL, &prepared,
                            &error);
  g_assert_no_error (error);
  g_assert_cmpstr (prepared.rehearsed, ==, rehearsed);
  if (word == NULL)
    g_assert_null (prepared.rehearsed_why);
  else
    g_assert_nonnull (strstr (prepared.rehearsed_why, word));
  g_assert_true ((prepared.steps != NULL) == g_str_equal (rehearsed, "now"));
  simulated_leases_release (helper->leases, prepared.lease->id, 0);
}

static void
expect_refused (Helper *helper, CommonErrorCode code, const char *word)
{
  PciAddress card = simulated_address (CARD);
  g_autoptr (GError) error = NULL;

  g_assert_null (kvmhelper_leases_rehearse (helper->leases, &card, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, word));
}

/* The second attach costs nothing: not after a restart of the helper either. */
static void
test_remembered (void)
{
  g_auto (Helper) helper = { NULL };

  helper_start (&helper);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "now", NULL);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "before", NULL);
  expect (&helper, KVMHELPER_REHEARSE_NEVER, "before", NULL);
  helper_restart (&helper);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "before", NULL);
  g_assert_cmpuint (rehearsals, ==, 1);
  expect (&helper, KVMHELPER_REHEARSE_ALWAYS, "now", NULL);
  g_assert_cmpuint (rehearsals, ==, 2);
}

/* The administrator's word counts before the caller's, in both directions. */
static void
test_configured (void)
{
  g_auto (Helper) helper = { NULL };

  helper_start (&helper);
  helper.config->rehearse = KVMHELPER_REHEARSE_NEVER;
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "no", "rehearse=never");
  expect (&helper, KVMHELPER_REHEARSE_ALWAYS, "no", "rehearse=never");
  g_assert_cmpuint (rehearsals, ==, 0);
  helper.config->rehearse = KVMHELPER_REHEARSE_AUTO;
  expect (&helper, KVMHELPER_REHEARSE_NEVER, "no", "caller");
  helper.config->rehearse = KVMHELPER_REHEARSE_ALWAYS;
  expect (&helper, KVMHELPER_REHEARSE_NEVER, "now", NULL);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "now", NULL);
  g_assert_cmpuint (rehearsals, ==, 2);
}

/* A sibling that must not be reset speaks for its group, and before rehearse=always. */
static void
test_no_reset (void)
{
  static const char *const marks[] = { "0000:01:00.0", "0000:01:00.1", "8086:10d3", "8086:10d4" };
  g_auto (Helper) helper = { NULL };

  helper_start (&helper);
  helper.config->rehearse = KVMHELPER_REHEARSE_ALWAYS;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      g_strfreev (helper.config->no_reset);
      helper.config->no_reset = g_strsplit (marks[i], ";", -1);
      expect (&helper, KVMHELPER_REHEARSE_ALWAYS, "no", "no-reset");
      expect_refused (&helper, COMMON_ERROR_RESET_UNSAFE, "no-reset");
    }
  g_assert_cmpuint (rehearsals, ==, 0);
  g_strfreev (helper.config->no_reset);
  helper.config->no_reset = g_strsplit ("0000:02:00.0;8086:10d5", ";", -1);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "now", NULL);
}

/* Another device at the address is another one, and another kernel or boot knows of nothing. */
static void
test_identity (void)
{
  g_auto (Helper) helper = { NULL };
  PciAddress card = simulated_address (CARD);
  KvmHelperIdentity identity = { .vendor = 0x8086, .device = 0x10d3, .class = 0x020000 };
  KvmHelperRehearsed *memory;
  KvmHelperFound found;
  g_autofree char *path = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;
  char *boot;

  helper_start (&helper);
  expect (&helper, KVMHELPER_REHEARSE_AUTO, "now", NULL);
  memory = kvmhelper_leases_get_rehearsed (helper.leases);
  g_assert_true (kvmhelper_rehearsed_recall (memory, &card, &identity, &found));
  g_assert_true (found.passed && found.has_windows);
  g_assert_cmpint (found.bypass, ==, KVMHELPER_BYPASS_PASSED);
  g_assert_cmphex (found.page_sizes & 0x1000, ==, 0x1000);
  g_assert_cmpuint (found.windows, ==, 2);
  g_assert_cmphex (found.dma32_start, ==, 0);
  g_assert_cmphex (found.dma32_size, ==, 0x80000000);
  identity.device++;
  g_assert_false (kvmhelper_rehearsed_recall (memory, &card, &identity, &found));
  g_assert_false (found.passed || found.has_windows);
  card.function++;
  identity.device = 0x10d3;
  g_assert_false (kvmhelper_rehearsed_recall (memory, &card, &identity, &found));

  path = g_build_filename (helper.state, "rehearsed", NULL);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  boot = strstr (text, "epoch=");
  boot[strlen ("epoch=")] ^= 1;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  helper_restart (&helper);
  expect (&helper, KVMHELPER_REHEARSE_NEVER, "no", "caller");
}

/* The windows are told with the group's, whichever of its functions was rehearsed. */
static void
test_windows (void)
{
  g_auto (Helper) helper = { NULL };
  g_autoptr (GPtrArray) leases = g_ptr_array_new ();

  helper_start (&helper);
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (GVariant) host = g_variant_ref_sink (kvmhelper_host_read (
          helper.kernel, leases, kvmhelper_leases_get_rehearsed (helper.leases)));
      g_autoptr (GVariant) groups
          = g_variant_lookup_value (host, "groups", G_VARIANT_TYPE ("aa{sv}"));
      g_autoptr (GVariant) group = g_variant_get_child_value (groups, 0);
      g_autoptr (GVariant) windows
          = g_variant_lookup_value (group, "dma-windows", G_VARIANT_TYPE_VARDICT);
      guint count = 0;

      g_assert_true ((windows != NULL) == (round == 1));
      if (round == 1)
        g_assert_true (g_variant_lookup (windows, "windows", "u", &count));
      g_assert_cmpuint (count, ==, round == 1 ? 2 : 0);
      if (round == 0)
        expect (&helper, KVMHELPER_REHEARSE_AUTO, "now", NULL);
    }
}

static void
expect_bypass (Helper *helper, const char *said, const char *value)
{
  PciAddress card = simulated_address (CARD);
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  kvmhelper_leases_prepare (helper->leases, SIMULATED_UUID, "guest", &card,
                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (prepared.bypass, ==, said);
  text = kvmhelper_kernel_read_line (helper->kernel, KVMHELPER_SYS, PARAMETER);
  g_assert_cmpstr (text, ==, value);
  simulated_leases_release (helper->leases, prepared.lease->id, 0);
}

/* It is switched on where the administrator says so, when a device is given, and at no other time.
 */
static void
test_bypass (void)
{
  g_auto (Helper) helper = { NULL };
  g_autoptr (GError) error = NULL;

  helper_start (&helper);
  expect_bypass (&helper, "on", "1");
  kvmhelper_kernel_write (helper.kernel, KVMHELPER_SYS, PARAMETER, "0", &error);
  g_assert_no_error (error);
  expect_bypass (&helper, "off", "0");
  helper.config->irq_bypass_set = TRUE;
  helper_restart (&helper);
  expect_bypass (&helper, "set", "1");
  expect_bypass (&helper, "on", "1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_add_func ("/simulated/rehearsal-memory/remembered", test_remembered);
  g_test_add_func ("/simulated/rehearsal-memory/configured", test_configured);
  g_test_add_func ("/simulated/rehearsal-memory/no-reset", test_no_reset);
  g_test_add_func ("/simulated/rehearsal-memory/identity", test_identity);
  g_test_add_func ("/simulated/rehearsal-memory/windows", test_windows);
  g_test_add_func ("/simulated/rehearsal-memory/bypass", test_bypass);
  return g_test_run ();
}
