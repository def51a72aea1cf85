/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "kvmhelper/simulated/kvmhelper-sim-qemu.h"
#include "sim-host.h"

/* The simulated QEMU, and what the helper sees of it. */

#define GIB (G_GUINT64_CONSTANT (1) << 30)

#define FUNCTIONS                                                                                  \
  "  <phb domain='0'>"                                                                             \
  "    <bridge address='0000:00:00.0' bus='1' driver='pcieport'>"                                  \
  "      <function address='0000:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"        \
  "                driver='e1000e' bound='vfio-pci' msi='1' msix='5' group='0'/>"                  \
  "    </bridge>"                                                                                  \
  "  </phb>"                                                                                       \
  "  <phb domain='1'>"                                                                             \
  "    <bridge address='0001:00:00.0' bus='1' driver='pcieport'>"                                  \
  "      <function address='0001:01:00.0' vendor='0x8086' device='0x10c9' class='0x020000'"        \
  "                driver='igb' bound='vfio-pci' msix='10' group='1'/>"                            \
  "      <function address='0001:01:00.1' vendor='0x8086' device='0x10c9' class='0x020000'"        \
  "                driver='igb' bound='%s' msix='10' group='1'/>"                                  \
  "    </bridge>"                                                                                  \
  "  </phb>"

#define POWERNV "<simulated-host kernel='6.12' platform='powernv'>" FUNCTIONS "</simulated-host>"

#define PSERIES                                                                                    \
  "<simulated-host kernel='6.12' platform='pseries' eeh='no'>"                                     \
  "  <phb domain='1'>"                                                                             \
  "    <function address='0001:00:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"          \
  "              driver='e1000e' bound='vfio-pci' msi='1' msix='5' group='1'/>"                    \
  "  </phb>"                                                                                       \
  "</simulated-host>"

static const PciAddress card = { 0, 1, 0, 0 };
static const PciAddress dual = { 1, 1, 0, 0 };
static const PciAddress sibling = { 1, 1, 0, 1 };
static const PciAddress partition_card = { 1, 0, 0, 0 };

/* As libvirt starts a guest of 1 GiB. */
static const KvmHelperSimQemuConfig guest = { .name = "guest",
                                              .uuid = "9a5c3b1e-0000-4000-8000-000000000001",
                                              .memory = GIB,
                                              .memlock = 6471811072,
                                              .uid = 64055,
                                              .vcpus = 2 };

static KvmHelperSim *
host_new (const char *xml)
{
  KvmHelperSim *sim = sim_host_new (xml);

  kvmhelper_sim_advance (sim, 0);
  return sim;
}

static KvmHelperSim *
powernv_new (const char *sibling_driver)
{
  g_autofree char *xml = g_strdup_printf (POWERNV, sibling_driver);

  return host_new (xml);
}

static const KvmHelperKernel *
helper_new (KvmHelperSim *sim)
{
  return kvmhelper_sim_process_kernel (sim_host_start (sim, 0));
}

static KvmHelperSimQemu *
qemu_new (KvmHelperSim *sim, const KvmHelperSimQemuConfig *config)
{
  g_autoptr (GError) error = NULL;
  KvmHelperSimQemu *qemu = kvmhelper_sim_qemu_new (sim, config, &error);

  g_assert_no_error (error);
  return qemu;
}

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
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  KvmHelperInspection *inspection;

  attach (qemu, &card);
  use (qemu, &card, 4);
  inspection = inspect (helper, &card);
  g_assert_cmpuint (inspection->holder_pid, ==, kvmhelper_sim_qemu_pid (qemu));
  g_assert_cmpstr (inspection->interrupts.value, ==, "xive-native");
  g_assert_cmpuint (inspection->vectors, ==, 4);
  g_assert_cmpuint (inspection->passed_through, ==, 4);
  g_assert_cmpstr (inspection->tce_linked.value, ==, "yes");
  g_assert_cmpuint (inspection->list->len, ==, 4);
  /* the guest's own PHB, the device's, and its 64-bit window */
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
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  KvmHelperSimQemuConfig config = guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  KvmHelperInspection *inspection;

  config.ic_mode = KVMHELPER_SIM_IC_XICS;
  qemu = qemu_new (sim, &config);
  attach (qemu, &card);
  use (qemu, &card, 2);
  inspection = inspect (helper, &card);
  g_assert_cmpstr (inspection->interrupts.value, ==, "xics-on-xive");
  g_assert_cmpuint (inspection->passed_through, ==, 2);
  kvmhelper_inspection_free (inspection);
}

static void
test_partition (void)
{
  g_autoptr (KvmHelperSim) sim = host_new (PSERIES);
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
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
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  guint before = kvmhelper_sim_handles (sim);

  for (guint i = 0; i < 3; i++)
    {
      attach (qemu, &card);
      use (qemu, &card, 5);
      detach (qemu, &card);
      /* gone for the guest, and not for the host */
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (qemu));
      kvmhelper_sim_advance (sim, 5 * G_TIME_SPAN_SECOND);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (qemu));
      kvmhelper_sim_advance (sim, 2 * G_TIME_SPAN_SECOND);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
    }
  /* but for KVM's VFIO device, and the vPHB's table */
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, before + 2);

  kvmhelper_sim_qemu_set_linger (qemu, 0);
  attach (qemu, &card);
  detach (qemu, &card);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
}

static void
test_siblings (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  KvmHelperInspection *inspection;

  kvmhelper_sim_qemu_set_linger (qemu, 0);
  attach (qemu, &dual);
  attach (qemu, &sibling);
  use (qemu, &dual, 3);
  use (qemu, &sibling, 2);
  inspection = inspect (helper, &dual);
  g_assert_cmpuint (inspection->vectors, ==, 3);
  g_assert_cmpuint (inspection->passed_through, ==, 5); /* of both, in one group */
  g_assert_cmpstr (inspection->eeh.value, ==, "enabled");
  kvmhelper_inspection_free (inspection);
  /* the group stays until both are gone */
  detach (qemu, &dual);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, kvmhelper_sim_qemu_pid (qemu));
  detach (qemu, &sibling);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, 0);
}

static void
test_one_phb (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  KvmHelperSimQemuConfig config = guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  KvmHelperInspection *inspection;

  config.one_phb = TRUE;
  qemu = qemu_new (sim, &config);
  attach (qemu, &card);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &card), ==, 0);
  attach (qemu, &dual);
  use (qemu, &card, 1);
  use (qemu, &dual, 1);
  /* two groups in a container: no EEH for either */
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &card), ==, -1);
  inspection = inspect (helper, &dual);
  g_assert_cmpstr (inspection->eeh.value, ==, "unavailable");
  g_assert_cmpstr (inspection->dma.value, ==, "in-kernel");
  kvmhelper_inspection_free (inspection);
}

static void
test_two_guests (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) first = qemu_new (sim, &guest);
  g_autoptr (KvmHelperSimQemu) second = qemu_new (sim, &guest);
  g_autoptr (GError) error = NULL;

  attach (first, &card);
  attach (second, &dual);
  use (first, &card, 5);
  use (second, &dual, 8);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, kvmhelper_sim_qemu_pid (first));
  g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, kvmhelper_sim_qemu_pid (second));
  g_assert_false (kvmhelper_sim_qemu_attach (second, &card, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_cmpstr (error->message, ==,
                   "vfio 0000:01:00.0: Could not open '/dev/vfio/0': Device or resource busy "
                   "(open: Device or resource busy)");
}

static void
test_crash (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  g_autoptr (KvmHelperSimQemu) next = NULL;

  attach (qemu, &card);
  use (qemu, &card, 5);
  attach (qemu, &dual);
  detach (qemu, &dual); /* it dies while that lingers */
  kvmhelper_sim_qemu_crash (qemu);
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, 0);
  g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
  kvmhelper_sim_advance (sim, 10 * G_TIME_SPAN_SECOND);
  /* and all is there for the next one */
  next = qemu_new (sim, &guest);
  attach (next, &card);
  attach (next, &dual);
  use (next, &card, 5);
}

/* A life with every call that QEMU makes: boot, two functions, use, one given back. */
static void
live (KvmHelperSimQemu *qemu)
{
  const PciAddress *const functions[] = { &card, &dual };

  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (kvmhelper_sim_qemu_attach (qemu, functions[i], NULL))
      kvmhelper_sim_qemu_use (qemu, functions[i], 2, NULL);
  kvmhelper_sim_qemu_recover (qemu, &card, NULL);
  kvmhelper_sim_qemu_detach (qemu, &card, NULL);
}

/* Killed before each of its calls: nothing of it stays. */
static void
test_killed (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  guint call = 1;

  for (gboolean killed = TRUE; killed; call++)
    {
      g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);

      kvmhelper_sim_qemu_kill_at (qemu, call);
      live (qemu);
      killed = kvmhelper_sim_qemu_process (qemu) == NULL;
      if (!killed)
        continue;
      g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, 0);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 0), ==, 0);
      g_assert_cmpuint (kvmhelper_holder_find (helper, 1), ==, 0);
    }
  g_assert_cmpuint (call, >, 100);
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, 0);
}

/* Each of its calls fails once: what it could not take it gives back. */
static void
test_faults (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  gboolean struck = TRUE;
  guint call = 1;

  for (; struck; call++)
    {
      g_autofree char *rule = g_strdup_printf ("call %u EIO", call);
      const char *const rules[] = { rule, NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, &error);
      KvmHelperSimQemuConfig config = guest;
      KvmHelperSimQemu *qemu;

      g_assert_no_error (error);
      config.faults = faults;
      qemu = kvmhelper_sim_qemu_new (sim, &config, &error);
      if (qemu != NULL)
        {
          live (qemu);
          kvmhelper_sim_qemu_free (qemu);
        }
      g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, 0);
      struck = kvmhelper_faults_struck (faults, 0) > 0;
    }
  g_assert_cmpuint (call, >, 100);
}

static void
test_not_viable (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("igb");
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  g_autoptr (GError) error = NULL;
  guint before = kvmhelper_sim_handles (sim);

  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &dual, &error));
  g_assert_true (g_str_has_prefix (error->message, "vfio 0001:01:00.0: group 1 is not viable\n"));
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, before + 1); /* the vPHB's table */
}

static void
test_no_driver (void)
{
  g_autofree char *xml = g_strdup_printf ("<simulated-host kernel='6.12' platform='powernv'>"
                                          "<phb domain='0'>"
                                          "<bridge address='0000:00:00.0' bus='1'>"
                                          "<function address='0000:01:00.0' driver='e1000e' "
                                          "group='0'/></bridge></phb></simulated-host>");
  g_autoptr (KvmHelperSim) sim = host_new (xml);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  g_autoptr (GError) error = NULL;
  const PciAddress nobody = { 3, 1, 0, 0 };

  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &card, &error));
  g_assert_cmpstr (error->message, ==,
                   "vfio 0000:01:00.0: Could not open '/dev/vfio/0': No such file or directory "
                   "(open: No such file or directory)");
  g_clear_error (&error);
  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &nobody, &error));
  g_assert_cmpstr (error->message, ==,
                   "vfio 0003:01:00.0: no iommu_group found: No such file or directory");
}

/* Too little locked memory: what QEMU says of it is wrong, and known. */
static void
test_memlock (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  KvmHelperSimQemuConfig config = guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  g_autoptr (KvmHelperSimQemu) tiny = NULL;
  g_autoptr (GError) error = NULL;
  guint before;

  config.memlock = 64 * 1024 * 1024;
  qemu = qemu_new (sim, &config);
  before = kvmhelper_sim_handles (sim);
  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &card, &error));
  g_assert_cmpstr (error->message, ==,
                   "vfio 0000:01:00.0: RAM memory listener initialization failed: Memory "
                   "registering failed: Operation not permitted (VFIO_IOMMU_SPAPR_REGISTER_MEMORY: "
                   "Cannot allocate memory)");
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, before + 1);
  g_clear_error (&error);

  /* not even for the table of the guest's own PHB */
  config.memlock = 1024 * 1024;
  tiny = qemu_new (sim, &config);
  g_assert_nonnull (strstr (kvmhelper_sim_qemu_log (tiny),
                            "KVM: Failed to create TCE64 table for liobn 0x80000000: Cannot "
                            "allocate memory"));
  g_assert_false (kvmhelper_sim_qemu_attach (tiny, &card, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
}

static void
test_eeh (void)
{
  g_autoptr (KvmHelperSim) sim = powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = helper_new (sim);
  g_autoptr (KvmHelperSimQemu) qemu = qemu_new (sim, &guest);
  g_autoptr (GError) error = NULL;
  KvmHelperInspection *inspection;

  attach (qemu, &card);
  use (qemu, &card, 2);
  kvmhelper_sim_inject_freeze (sim, &card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (sim, G_TIME_SPAN_MINUTE);
  inspection = inspect (helper, &card);
  g_assert_cmpstr (inspection->pe_state.value, ==, "frozen");
  kvmhelper_inspection_free (inspection);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &card), ==, 2);
  kvmhelper_sim_qemu_recover (qemu, &card, &error);
  g_assert_no_error (error);
  g_assert_cmpint (kvmhelper_sim_qemu_pe_state (qemu, &card), ==, 0);
  inspection = inspect (helper, &card);
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
  g_test_add_func ("/sim-qemu/killed", test_killed);
  g_test_add_func ("/sim-qemu/faults", test_faults);
  g_test_add_func ("/sim-qemu/not-viable", test_not_viable);
  g_test_add_func ("/sim-qemu/no-driver", test_no_driver);
  g_test_add_func ("/sim-qemu/memlock", test_memlock);
  g_test_add_func ("/sim-qemu/eeh", test_eeh);
  return g_test_run ();
}
