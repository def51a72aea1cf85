/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "simulated-helper.h"

/*
 * A partition, as under PowerVM: KVM has no native XIVE for guests (KVM_CAP_PPC_IRQ_XIVE is 0) and
 * passes no interrupt on; a bare host with kvm_irq_bypass=0; and one with pages of 4 KiB. What is
 * not to be had is said, a guest with ic-mode=xics gets its device all the same, and what it has is
 * told as it is.
 */

#define GIB       (G_GUINT64_CONSTANT (1) << 30)
#define PARAMETER "module/kvm_hv/parameters/kvm_irq_bypass"

static const char partition[]
    = "<simulated-host kernel='6.12' platform='pseries' eeh='no'>"
      "  <phb domain='1'>"
      "    <function address='0001:00:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "              driver='e1000e' msi='1' msix='5'/>"
      "  </phb>"
      "</simulated-host>";

static const char bare[]
    = "<simulated-host kernel='6.12' platform='powernv'>"
      "  <phb domain='1'>"
      "    <function address='0001:00:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "              driver='e1000e' msi='1' msix='5'/>"
      "  </phb>"
      "</simulated-host>";

/* KVM says that it has native XIVE, and no guest could use it (arch/powerpc/kvm/
 * book3s_xive_native.c: kvmppc_xive_native_set_queue_config). */
static const char small_pages[]
    = "<simulated-host kernel='6.12' platform='powernv' page-size='4096'>"
      "  <phb domain='1'>"
      "    <function address='0001:00:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"
      "              driver='e1000e' msi='1' msix='5'/>"
      "  </phb>"
      "</simulated-host>";

/* One guest's whole story, and what is told of it. */
typedef struct
{
  const char *host;
  gboolean bypass_off; /* before the guest gets its device */
  KvmHelperSimIcMode ic_mode;
  const char *xive_native, *irq_bypass;      /* capabilities of the host */
  const char *skipped;                       /* a step of the rehearsal; NULL: none was */
  const char *interrupts;                    /* of the guest */
  guint passed;                              /* of its 4 vectors */
  const char *path, *reason;                 /* of each of them */
  const char *handled_path, *handled_reason; /* … of one that came to the host's handler */
} Story;

static const Story stories[] = {
  { partition, FALSE, KVMHELPER_SIM_IC_XICS, "no", "no", "xive", "xics", 0, "host", "platform",
    "host", "platform" },
  { partition, TRUE, KVMHELPER_SIM_IC_XICS, "no", "no", "xive", "xics", 0, "host", "platform",
    "host", "platform" },
  { partition, FALSE, KVMHELPER_SIM_IC_DUAL, "no", "no", "xive", "emulated", 0, "host", "emulated",
    "host", "emulated" },
  { bare, TRUE, KVMHELPER_SIM_IC_XICS, "yes", "no", "bypass", "xics-on-xive", 0, "unknown",
    "bypass-off", "host", "bypass-off" },
  { bare, TRUE, KVMHELPER_SIM_IC_DUAL, "yes", "no", "bypass", "xive-native", 0, "unknown",
    "bypass-off", "host", "bypass-off" },
  { small_pages, FALSE, KVMHELPER_SIM_IC_DUAL, "yes", "yes", "xive", "emulated", 0, "host",
    "emulated", "host", "emulated" },
  /* and with nothing in the way, so that the above is no accident */
  { bare, FALSE, KVMHELPER_SIM_IC_DUAL, "yes", "yes", NULL, "xive-native", 4, "guest", "rehearsed",
    "host", "handled" },
};

static void
check_capability (GVariant *capabilities, const char *name, const char *expected)
{
  const char *answer, *source;

  g_assert_true (g_variant_lookup (capabilities, name, "(&s&s)", &answer, &source));
  g_test_message ("%s: %s (%s)", name, answer, source);
  g_assert_cmpstr (answer, ==, expected);
}

static const KvmHelperStep *
find_step (const GPtrArray *steps, const char *name)
{
  for (guint i = 0; i < steps->len; i++)
    {
      const KvmHelperStep *step = steps->pdata[i];

      if (g_str_equal (step->name, name))
        return step;
    }
  g_assert_not_reached ();
}

/* What is missing is left out, with the reason; nothing failed. */
static void
check_steps (const GPtrArray *steps, const Story *story)
{
  g_assert_true (kvmhelper_steps_passed (steps));
  g_assert_cmpint (find_step (steps, "attach")->result, ==, KVMHELPER_STEP_OK);
  g_assert_cmpint (find_step (steps, "vector")->result, ==, KVMHELPER_STEP_OK);
  if (story->skipped != NULL)
    {
      const KvmHelperStep *step = find_step (steps, story->skipped);

      g_assert_cmpint (step->result, ==, KVMHELPER_STEP_SKIPPED);
      g_assert_cmpstr (step->detail, !=, "");
    }
  else
    g_assert_cmpint (find_step (steps, "bypass")->result, ==, KVMHELPER_STEP_OK);
}

static void
check_vectors (GVariant *inspection, const Story *story, guint handled)
{
  g_autoptr (GVariant) list
      = g_variant_lookup_value (inspection, "vector-list", G_VARIANT_TYPE ("aa{sv}"));
  const char *text, *source;
  guint passed, found = 0;

  g_assert_true (g_variant_lookup (inspection, "interrupts", "(&s&s)", &text, &source));
  g_assert_cmpstr (text, ==, story->interrupts);
  g_assert_true (
      g_variant_lookup (inspection, "vectors-passed-through", "(u&s)", &passed, &source));
  g_assert_cmpuint (passed, ==, story->passed);
  g_assert_cmpstr (source, !=, "");
  g_assert_cmpuint (g_variant_n_children (list), ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GVariant) vector = g_variant_get_child_value (list, i);
      guint64 count;

      g_assert_true (g_variant_lookup (vector, "host-count", "t", &count));
      g_assert_true (g_variant_lookup (vector, "path", "(&s&s)", &text, &source));
      g_test_message ("%s (%s), %u at the host", text, source, (guint) count);
      found += (guint) count;
      g_assert_cmpstr (text, ==, count == 0 ? story->path : story->handled_path);
      g_assert_true (g_variant_lookup (vector, "reason", "&s", &text));
      g_assert_cmpstr (text, ==, count == 0 ? story->reason : story->handled_reason);
    }
  g_assert_cmpuint (found, ==, handled);
}

/* The device raises its second interrupt: the host's handler has it, or the guest. */
static void
raise_one (KvmHelperSim *sim, const KvmHelperKernel *kernel, KvmHelperLeases *leases,
           const PciAddress *card, const Story *story)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (GVariant) variant = NULL;

  kvmhelper_sim_inject_interrupt (sim, card, VFIO_PCI_MSIX_IRQ_INDEX, 1, &error);
  g_assert_no_error (error);
  inspection
      = kvmhelper_inspection_new (kernel, card, kvmhelper_leases_get_rehearsed (leases), &error);
  g_assert_no_error (error);
  variant = g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL));
  check_vectors (variant, story, story->passed == 0 ? 1 : 0);
}

static void
test_story (gconstpointer data)
{
  const Story *story = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperSim) sim = kvmhelper_sim_new_from_xml (story->host, "test.xml", &error);
  const KvmHelperKernel *kernel;
  KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  g_autofree char *state = simulated_directory_new ("degraded-interrupts");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GVariant) capabilities = NULL;
  g_autoptr (GVariant) result = NULL;
  PciAddress card = simulated_address ("0001:00:00.0");
  KvmHelperLeases *leases;
  KvmHelperSimQemu *qemu;

  g_assert_no_error (error);
  kvmhelper_sim_advance (sim, 0);
  kernel = kvmhelper_sim_process_kernel (kvmhelper_sim_process_new (sim, &simulated_process));
  if (story->bypass_off)
    kvmhelper_kernel_write (kernel, KVMHELPER_SYS, PARAMETER, "0", &error);
  g_assert_no_error (error);
  capabilities
      = g_variant_ref_sink (kvmhelper_capabilities_read (kernel, kvmhelper_platform_read (kernel)));
  check_capability (capabilities, "xive-native", story->xive_native);
  check_capability (capabilities, "irq-bypass", story->irq_bypass);
  check_capability (capabilities, "xics", "yes");

  leases = simulated_leases_open (kernel, state, cancellable);
  {
    g_auto (KvmHelperPrepared) prepared = { NULL };

    kvmhelper_leases_prepare (leases, SIMULATED_UUID, "guest", &card, KVMHELPER_REHEARSE_AUTO, NULL,
                              &prepared, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (prepared.rehearsed, ==, "now");
    check_steps (prepared.steps, story);
    config.memory = GIB;
    config.memlock = 8 * GIB;
    config.ic_mode = story->ic_mode;
    qemu = kvmhelper_sim_qemu_new (sim, &config, &error);
    g_assert_no_error (error);
    kvmhelper_sim_qemu_attach (qemu, &card, &error);
    g_assert_no_error (error);
    kvmhelper_sim_qemu_use (qemu, &card, 4, &error);
    g_assert_no_error (error);
    result = kvmhelper_leases_commit (leases, prepared.lease->id, &error);
    g_assert_no_error (error);
    g_variant_ref_sink (result);
    check_vectors (result, story, 0);
    raise_one (sim, kernel, leases, &card, story);
    kvmhelper_sim_qemu_free (qemu);
    simulated_leases_release (leases, prepared.lease->id, 30);
  }
  kvmhelper_leases_free (leases);
  simulated_directory_remove (state);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (stories); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/simulated/degraded-interrupts/%s%s/%s",
                             stories[i].host == bare          ? "bare"
                             : stories[i].host == small_pages ? "small-pages"
                                                              : "partition",
                             stories[i].bypass_off ? "-bypass-off" : "", stories[i].interrupts);

      g_test_add_data_func (path, &stories[i], test_story);
    }
  return g_test_run ();
}
