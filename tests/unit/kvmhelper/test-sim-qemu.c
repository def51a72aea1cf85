/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "sim-qemu-host.h"

/* The simulated QEMU, and what the helper sees of it. */

static const PciAddress sibling = { 1, 1, 0, 1 };
static const PciAddress partition_card = { 1, 0, 0, 0 };

#define PSERIES                                                                                    \
  "<simulated-host kernel='6.12' platform='pseries' eeh='no'>"                                     \
  "  <phb domain='1'>"                                                                             \
  "    <function address='0001:00:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"          \
  "              driver='e1000e' bound='vfio-pci' msi='1' msix='5' group='1'/>"                    \
  "  </phb>"                                                                                       \
  "</simulated-host>"

static void
attach (KvmHelperSimQemu *qemu, const PciAddress *address)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_qemu_attach (qemu, address, &error);
  g_assert_no_error (error);
}

static void
use (KvmHelperSimQemu *qemu, const PciAddress *address, guint vectors)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_qemu_use (qemu, address, vectors, &error);
  g_assert_no_error (error);
}

static void
detach (KvmHelperSimQemu *qemu, const PciAddress *address)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_qemu_detach (qemu, address, &error);
  g_assert_no_error (error);
}

static KvmHelperInspection *
inspect (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autoptr (GError) error = NULL;
  KvmHelperInspection *inspection = kvmhelper_inspection_new (kernel, address, NULL, &error);

  g_assert_no_error (error);
  return inspection;
}

static void
test_accelerated (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  KvmHelperInspection *inspection;

  attach (qemu, &sim_qemu_card);
  use (qemu, &sim_qemu_card, 4);
  inspection = inspect (helper, &sim_qemu_card);
  g_assert_cmpuint (inspection->holder_pid, ==, kvmhelper_sim_qemu_pid (qemu));
  g_assert_cmpstr (inspection->interrupts.value, ==, "xive-native");
  g_assert_cmpuint (inspection->vectors, ==, 4);
  g_assert_cmpuint (inspection->passed_through, ==, 4);
  g_assert_cmpstr (inspection->tce_linked.value, ==, "yes");
  g_assert_cmpuint (inspection->list->len, ==, 4);
  /* the sim_qemu_guest's own PHB, the device's, and its 64-bit window */
  g_assert_cmpuint (inspection->tce_tables, ==, 3);
  g_assert_cmpstr (inspection->dma.value, ==, "in-kernel");
  g_assert_cmpstr (inspection->eeh.value, ==, "enabled");
  g_assert_cmpstr (inspection->pe_state.value, ==, "normal");
  kvmhelper_inspection_free (inspection);
  g_assert_cmpstr (kvmhelper_sim_qemu_log (qemu), ==, "");
}

static void
test_xics (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  KvmHelperSimQemuConfig config = sim_qemu_guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  KvmHelperInspection *inspection;

  config.ic_mode = KVMHELPER_SIM_IC_XICS;
  qemu = sim_qemu_start (sim, &config);
  attach (qemu, &sim_qemu_card);
  use (qemu, &sim_qemu_card, 2);
  inspection = inspect (helper, &sim_qemu_card);
  g_assert_cmpstr (inspection->interrupts.value, ==, "xics-on-xive");
  g_assert_cmpuint (inspection->passed_through, ==, 2);
  kvmhelper_inspection_free (inspection);
}

static void
test_partition (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_host_new (PSERIES);
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  KvmHelperInspection *inspection;

  g_assert_nonnull (strstr (kvmhelper_sim_qemu_log (qemu), "Falling back to kernel-irqchip=off"));
  attach (qemu, &partition_card);
  use (qemu, &partition_card, 3);
  g_assert_nonnull (
      strstr (kvmhelper_sim_qemu_log (qemu), "vfio/eeh: EEH_PE_OP 0x1 failed: No such device"));
  inspection = inspect (helper, &partition_card);
  g_assert_cmpstr (inspection->interrupts.value, ==, "emulated");
  g_assert_cmpuint (inspection->vectors, ==, 3);
  g_assert_cmpuint (inspection->passed_through, ==, 0);
  g_assert_cmpstr (inspection->dma.value, ==, "in-kernel");
  g_assert_cmpstr (inspection->eeh.value, ==, "unavailable");
  kvmhelper_inspection_free (inspection);
}

static void
test_detach (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  guint before = kvmhelper_sim_handles (sim);

  for (guint i = 0; i < 3; i++)
    {
      attach (qemu, &sim_qemu_card);
      use (qemu, &sim_qemu_card, 5);
      detach (qemu, &sim_qemu_card);
      /* gone for the sim_qemu_guest, and not for the host */
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (qemu));
      kvmhelper_sim_advance (sim, 5 * G_TIME_SPAN_SECOND);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (qemu));
      kvmhelper_sim_advance (sim, 2 * G_TIME_SPAN_SECOND);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
    }
  /* but for KVM's VFIO device, and the vPHB's table */
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, before + 2);

  kvmhelper_sim_qemu_set_linger (qemu, 0);
  attach (qemu, &sim_qemu_card);
  detach (qemu, &sim_qemu_card);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
}

static void
test_siblings (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  KvmHelperInspection *inspection;

  kvmhelper_sim_qemu_set_linger (qemu, 0);
  attach (qemu, &sim_qemu_dual);
  attach (qemu, &sibling);
  use (qemu, &sim_qemu_dual, 3);
  use (qemu, &sibling, 2);
  inspection = inspect (helper, &sim_qemu_dual);
  g_assert_cmpuint (inspection->vectors, ==, 3);
  g_assert_cmpuint (inspection->passed_through, ==, 5); /* of both, in one group */
  g_assert_cmpstr (inspection->eeh.value, ==, "enabled");
  kvmhelper_inspection_free (inspection);
  /* the group stays until both are gone */
  detach (qemu, &sim_qemu_dual);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, kvmhelper_sim_qemu_pid (qemu));
  detach (qemu, &sibling);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, 0);
}

static void
test_one_phb (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  KvmHelperSimQemuConfig config = sim_qemu_guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  KvmHelperInspection *inspection;

  config.one_phb = TRUE;
  qemu = sim_qemu_start (sim, &config);
  attach (qemu, &sim_qemu_card);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &sim_qemu_card), ==, 0);
  attach (qemu, &sim_qemu_dual);
  use (qemu, &sim_qemu_card, 1);
  use (qemu, &sim_qemu_dual, 1);
  /* two groups in a container: no EEH for either */
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &sim_qemu_card), ==, -1);
  inspection = inspect (helper, &sim_qemu_dual);
  g_assert_cmpstr (inspection->eeh.value, ==, "unavailable");
  g_assert_cmpstr (inspection->dma.value, ==, "in-kernel");
  kvmhelper_inspection_free (inspection);
}

static void
test_two_guests (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) first = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (KvmHelperSimQemu) second = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (GError) error = NULL;

  attach (first, &sim_qemu_card);
  attach (second, &sim_qemu_dual);
  use (first, &sim_qemu_card, 5);
  use (second, &sim_qemu_dual, 8);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (first));
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, kvmhelper_sim_qemu_pid (second));
  g_assert_false (kvmhelper_sim_qemu_attach (second, &sim_qemu_card, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_cmpstr (error->message, ==,
                   "vfio 0000:01:00.0: Could not open '/dev/vfio/0': Device or resource busy "
                   "(open: Device or resource busy)");
}

static void
test_crash (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (KvmHelperSimQemu) next = NULL;

  attach (qemu, &sim_qemu_card);
  use (qemu, &sim_qemu_card, 5);
  attach (qemu, &sim_qemu_dual);
  detach (qemu, &sim_qemu_dual); /* it dies while that lingers */
  kvmhelper_sim_qemu_crash (qemu);
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, 0);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
  kvmhelper_sim_advance (sim, 10 * G_TIME_SPAN_SECOND);
  /* and all is there for the next one */
  next = sim_qemu_start (sim, &sim_qemu_guest);
  attach (next, &sim_qemu_card);
  attach (next, &sim_qemu_dual);
  use (next, &sim_qemu_card, 5);
}

static void
test_eeh (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (GError) error = NULL;
  KvmHelperInspection *inspection;

  attach (qemu, &sim_qemu_card);
  use (qemu, &sim_qemu_card, 2);
  kvmhelper_sim_inject_freeze (sim, &sim_qemu_card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (sim, G_TIME_SPAN_MINUTE);
  inspection = inspect (helper, &sim_qemu_card);
  g_assert_cmpstr (inspection->pe_state.value, ==, "frozen");
  kvmhelper_inspection_free (inspection);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &sim_qemu_card), ==, 2);
  kvmhelper_sim_qemu_recover (qemu, &sim_qemu_card, &error);
  g_assert_no_error (error);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &sim_qemu_card), ==, 0);
  inspection = inspect (helper, &sim_qemu_card);
  g_assert_cmpstr (inspection->pe_state.value, ==, "normal");
  kvmhelper_inspection_free (inspection);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-qemu/accelerated", test_accelerated);
  g_test_add_func ("/sim-qemu/xics", test_xics);
  g_test_add_func ("/sim-qemu/partition", test_partition);
  g_test_add_func ("/sim-qemu/detach", test_detach);
  g_test_add_func ("/sim-qemu/siblings", test_siblings);
  g_test_add_func ("/sim-qemu/one-phb", test_one_phb);
  g_test_add_func ("/sim-qemu/two-guests", test_two_guests);
  g_test_add_func ("/sim-qemu/crash", test_crash);
  g_test_add_func ("/sim-qemu/eeh", test_eeh);
  return g_test_run ();
}
