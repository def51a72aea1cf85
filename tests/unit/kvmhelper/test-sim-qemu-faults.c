/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "sim-qemu-host.h"

/* The simulated QEMU, where something goes wrong: what it says, and that it leaves nothing behind.
 */

/* A life with every call that QEMU makes: boot, two functions, use, one given back. */
static void
live (KvmHelperSimQemu *qemu)
{
  const PciAddress *const functions[] = { &sim_qemu_card, &sim_qemu_dual };

  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (kvmhelper_sim_qemu_attach (qemu, functions[i], NULL))
      kvmhelper_sim_qemu_use (qemu, functions[i], 2, NULL);
  kvmhelper_sim_qemu_recover (qemu, &sim_qemu_card, NULL);
  kvmhelper_sim_qemu_detach (qemu, &sim_qemu_card, NULL);
}

/* Killed before each of its calls: nothing of it stays. */
static void
test_killed (void)
{
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  const KvmHelperKernel *helper = sim_qemu_helper_new (sim);
  guint call = 1;

  for (gboolean killed = TRUE; killed; call++)
    {
      g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);

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
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  gboolean struck = TRUE;
  guint call = 1;

  for (; struck; call++)
    {
      g_autofree char *rule = g_strdup_printf ("call %u EIO", call);
      const char *const rules[] = { rule, NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, &error);
      KvmHelperSimQemuConfig config = sim_qemu_guest;
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
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("igb");
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (GError) error = NULL;
  guint before = kvmhelper_sim_handles (sim);

  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &sim_qemu_dual, &error));
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
  g_autoptr (KvmHelperSim) sim = sim_qemu_host_new (xml);
  g_autoptr (KvmHelperSimQemu) qemu = sim_qemu_start (sim, &sim_qemu_guest);
  g_autoptr (GError) error = NULL;
  const PciAddress nobody = { 3, 1, 0, 0 };

  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &sim_qemu_card, &error));
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
  g_autoptr (KvmHelperSim) sim = sim_qemu_powernv_new ("vfio-pci");
  KvmHelperSimQemuConfig config = sim_qemu_guest;
  g_autoptr (KvmHelperSimQemu) qemu = NULL;
  g_autoptr (KvmHelperSimQemu) tiny = NULL;
  g_autoptr (GError) error = NULL;
  guint before;

  config.memlock = 64 * 1024 * 1024;
  qemu = sim_qemu_start (sim, &config);
  before = kvmhelper_sim_handles (sim);
  g_assert_false (kvmhelper_sim_qemu_attach (qemu, &sim_qemu_card, &error));
  g_assert_cmpstr (error->message, ==,
                   "vfio 0000:01:00.0: RAM memory listener initialization failed: Memory "
                   "registering failed: Operation not permitted (VFIO_IOMMU_SPAPR_REGISTER_MEMORY: "
                   "Cannot allocate memory)");
  g_assert_cmpuint (kvmhelper_sim_handles (sim), ==, before + 1);
  g_clear_error (&error);

  /* not even for the table of the sim_qemu_guest's own PHB */
  config.memlock = 1024 * 1024;
  tiny = sim_qemu_start (sim, &config);
  g_assert_nonnull (strstr (kvmhelper_sim_qemu_log (tiny),
                            "KVM: Failed to create TCE64 table for liobn 0x80000000: Cannot "
                            "allocate memory"));
  g_assert_false (kvmhelper_sim_qemu_attach (tiny, &sim_qemu_card, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-qemu-faults/killed", test_killed);
  g_test_add_func ("/sim-qemu-faults/faults", test_faults);
  g_test_add_func ("/sim-qemu-faults/not-viable", test_not_viable);
  g_test_add_func ("/sim-qemu-faults/no-driver", test_no_driver);
  g_test_add_func ("/sim-qemu-faults/memlock", test_memlock);
  return g_test_run ();
}
