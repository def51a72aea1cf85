/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/simulated/kvmhelper-sim-host.h"
#include "sim-host.h"

/* Descriptions of hosts: what is in them comes to be, what cannot be is refused with its line, and
 * what a host has become can be written and read again. */

static const KvmHelperKernel *
start (KvmHelperSim *sim)
{
  return kvmhelper_sim_process_kernel (sim_host_start (sim, 0));
}

/* --- what is written is read --- */

static void
test_examples (void)
{
  static const char *const folders[] = { DATA_DIR "/hosts", DATA_DIR "/../tests/conformance" };
  guint count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autoptr (GDir) folder = g_dir_open (folders[i], 0, NULL);
      const char *name;

      while ((name = g_dir_read_name (folder)) != NULL)
        {
          g_autofree char *path = g_build_filename (folders[i], name, NULL);
          g_autoptr (GError) error = NULL;
          g_autoptr (KvmHelperSim) sim = NULL;

          if (!g_str_has_suffix (name, ".xml"))
            continue;
          g_test_message ("%s", path);
          sim = kvmhelper_sim_new_from_file (path, &error);
          g_assert_no_error (error);
          sim_host_expect_round_trip (sim);
          count++;
        }
    }
  g_assert_cmpuint (count, >, 5);
}

#define HOST(content)                                                                              \
  "<simulated-host kernel='6.12' platform='powernv'>\n" content "</simulated-host>"

/* A host in the middle of something. */
static const char busy_host[]
    = "<simulated-host kernel='6.12' platform='powernv' release='6.12.1' cpus='2' cpu='A &amp; B'\n"
      "  command-line='quiet eeh=off' kvm-hv='no' bypass='swallowed' drivers-autoprobe='no'>\n"
      "<driver name='tg3' lies='yes' probe-error='EIO'><id vendor='1' device='2'/></driver>\n"
      "<driver name='bnx2x' loaded='no'/>\n"
      "<phb domain='2' state='fenced' bus='1'>\n"
      " <pe number='0x1f' state='mmio-frozen dma-frozen' flags='0x801' freezes='3'/>\n"
      " <bridge address='0002:01:00.0' bus='2' to-pci='yes'>\n"
      "  <function address='0002:02:00.0' driver='bnx2x' pe='0x1f' group='7' removed='yes'/>\n"
      "  <function address='0002:02:01.0' driver='mlx5_core' bound='' driver-override='x y'\n"
      "   reset='flr pm bus' reset-enabled='pm' total-vfs='4' num-vfs='2' vf-driver='mlx5_core'>\n"
      "   <vf number='1' bound='vfio-pci' group='9'/>\n"
      "   <interface name='eth0' up='yes' default-route='yes'/>\n"
      "   <disk name='sda' sectors='8'><partition name='sda1' mount='/a&quot;b' "
      "swap='yes'/></disk>\n"
      "  </function>\n"
      " </bridge>\n"
      "</phb>\n"
      "<phb domain='3'>\n"
      " <function address='0003:00:00.0' driver='bnx2x' group='8' removed='yes'/>\n"
      "</phb>\n"
      "</simulated-host>";

static void
test_state (void)
{
  g_autoptr (KvmHelperSim) sim = sim_host_new (busy_host);
  g_autoptr (KvmHelperSim) again = NULL;
  g_autofree char *xml = NULL;

  sim_host_expect_round_trip (sim);
  xml = kvmhelper_sim_to_xml (sim);
  again = sim_host_new (xml);
  g_assert_cmpstr (again->release, ==, "6.12.1");
  g_assert_cmpstr (again->boot_id, ==, sim->boot_id);
  g_assert_false (again->profile.eeh);
  g_assert_false (again->profile.kvm_hv);
  g_assert_false (again->profile.xive_native);
  g_assert_true (again->profile.xive);
  g_assert_true (again->no_autoprobe);
  g_assert_cmpint (again->profile.bypass, ==, KVMHELPER_SIM_BYPASS_SWALLOWED);
  g_assert_cmpuint (again->phbs->len, ==, 2);
  g_assert_true (((KvmHelperSimPhb *) again->phbs->pdata[0])->fenced);
  for (guint i = 0; i < 2; i++)
    {
      const KvmHelperKernel *kernel = start (i == 0 ? sim : again);

      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:00.0", NULL);
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:01.0/driver", NULL);
      sim_host_expect_text (kernel, "bus/pci/devices/0002:02:01.0/driver_override", "x y");
      sim_host_expect_text (kernel, "bus/pci/devices/0002:02:01.0/reset_method", "pm");
      sim_host_expect_text (kernel, "bus/pci/devices/0002:02:01.0/sriov_numvfs", "2");
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:01.0/iommu_group", "7");
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:01.0/virtfn1", "0002:02:11.1");
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:11.0/driver", "mlx5_core");
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:11.1/driver", "vfio-pci");
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:11.1/iommu_group", "9");
      sim_host_expect_text (kernel, "kernel/iommu_groups/7/name", "domain2-pe1f");
      sim_host_expect_link (kernel, "bus/pci/drivers/bnx2x/module", NULL);
      sim_host_expect_link (kernel, "class/pci_bus/0002:01", "0002:01");
      /* A rescan finds what was removed, which gets no driver by itself here; but nothing behind a
       * bridge that is fenced. */
      sim_host_expect_link (kernel, "bus/pci/devices/0003:00:00.0", NULL);
      sim_host_write (kernel, "bus/pci/rescan", "1");
      sim_host_expect_link (kernel, "bus/pci/devices/0003:00:00.0/iommu_group", "8");
      sim_host_expect_link (kernel, "bus/pci/devices/0003:00:00.0/driver", NULL);
      sim_host_expect_link (kernel, "bus/pci/devices/0002:02:00.0", NULL);
    }
}

/* What was done to a host since is written as well. */
static void
test_change (void)
{
  g_autoptr (KvmHelperSim) sim
      = sim_host_new (HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='1'>"
                            "<function address='0000:01:00.0' vendor='0x8086' device='0x10d3' "
                            "driver='e1000e' total-vfs='2'>"
                            "<interface name='eth0' up='yes' default-route='yes'/></function>"
                            "</bridge></phb>"));
  const KvmHelperKernel *kernel = start (sim);
  g_autoptr (KvmHelperSim) again = NULL;
  g_autofree char *xml = NULL;

  sim_host_write (kernel, "module/kvm_hv/parameters/kvm_irq_bypass", "0");
  sim_host_write (kernel, "bus/pci/drivers/vfio-pci/new_id", "1234 5678");
  sim_host_give_to_vfio (kernel, "0000:01:00.0");
  sim_host_write (kernel, "bus/pci/devices/0000:01:00.0/reset_method", "flr");
  xml = kvmhelper_sim_to_xml (sim);
  again = sim_host_new (xml);
  sim_host_expect_round_trip (sim);
  kernel = start (again);
  sim_host_expect_text (kernel, "module/kvm_hv/parameters/kvm_irq_bypass", "0");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:01:00.0/driver", "vfio-pci");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:01:00.0/driver_override", "vfio-pci");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:01:00.0/reset_method", "flr");
  sim_host_write (kernel, "bus/pci/drivers/vfio-pci/remove_id", "1234 5678");
  /* Its interface comes back with its driver, and is down as a new one is. */
  sim_host_write (kernel, "bus/pci/devices/0000:01:00.0/driver_override", "\n");
  sim_host_write (kernel, "bus/pci/devices/0000:01:00.0/driver/unbind", "0000:01:00.0");
  sim_host_write (kernel, "bus/pci/drivers_probe", "0000:01:00.0");
  sim_host_expect_text (kernel, "class/net/eth0/operstate", "down");
}

/* --- what the kernel makes of it --- */

static void
test_powernv (void)
{
  g_autoptr (KvmHelperSim) sim = sim_host_new (
      HOST ("<phb domain='0'>"
            "<bridge address='0000:00:00.0' bus='1'>"
            " <bridge address='0000:01:00.0' bus='2'>"
            "  <bridge address='0000:02:00.0' bus='3'>"
            "   <function address='0000:03:00.0'/><function address='0000:03:00.1'/></bridge>"
            "  <bridge address='0000:02:01.0' bus='4' to-pci='yes'>"
            "   <function address='0000:04:00.0'/>"
            "   <bridge address='0000:04:01.0' bus='5'><function address='0000:05:02.0'/></bridge>"
            "  </bridge>"
            " </bridge>"
            "</bridge></phb>"
            "<phb domain='1'><bridge address='0001:00:00.0' bus='1'>"
            " <function address='0001:01:00.0'/></bridge></phb>"));
  const KvmHelperKernel *kernel = start (sim);

  sim_host_expect_link (kernel, "bus/pci/devices/0000:00:00.0/iommu_group", NULL);
  sim_host_expect_link (kernel, "bus/pci/devices/0000:02:00.0/iommu_group", NULL);
  /* the bus of the root port, that of the upstream port, that of both downstream ports … */
  sim_host_expect_text (kernel, "bus/pci/devices/0000:00:00.0/eeh_pe_config_addr", "0x1fe");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:01:00.0/eeh_pe_config_addr", "0x1fd");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:02:01.0/eeh_pe_config_addr", "0x1fc");
  sim_host_expect_text (kernel, "kernel/iommu_groups/0/name", "domain0-pe1fb");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:03:00.1/iommu_group", "0");
  /* … and all that is behind the bridge to PCI, another bridge as well: it comes after an endpoint
   */
  sim_host_expect_text (kernel, "kernel/iommu_groups/1/name", "domain0-pe1fa");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:04:00.0/iommu_group", "1");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:04:01.0/iommu_group", "1");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:05:02.0/iommu_group", "1");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:05:02.0/eeh_pe_config_addr", "0x1fa");
  /* The second host bridge is one of the small ones. */
  sim_host_expect_text (kernel, "kernel/iommu_groups/2/name", "domain1-pefd");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:03:00.0/reset_method", "flr bus");
  sim_host_expect_text (kernel, "bus/pci/devices/0000:03:00.1/reset_method", "flr");
}

static void
test_pseries (void)
{
  g_autoptr (KvmHelperSim) sim
      = sim_host_new ("<simulated-host kernel='7.2' platform='pseries'>"
                      "<phb domain='0'><bridge address='0000:00:00.0' bus='1'>"
                      "<function address='0000:01:00.0'/></bridge></phb>"
                      "<phb domain='1'/>"
                      "<phb domain='2'><function address='0002:00:00.0'/></phb></simulated-host>");
  const KvmHelperKernel *kernel = start (sim);

  sim_host_expect_link (kernel, "bus/pci/devices/0000:00:00.0/iommu_group", "0");
  sim_host_expect_link (kernel, "bus/pci/devices/0000:01:00.0/iommu_group", "0");
  sim_host_expect_text (kernel, "kernel/iommu_groups/0/name", "domain0-pe0");
  sim_host_expect_text (kernel, "kernel/iommu_groups/1/name", "domain1-pe0");
  sim_host_expect_link (kernel, "bus/pci/devices/0002:00:00.0/iommu_group", "2");
  g_assert_false (sim->profile.xive_native);
  g_assert_cmpint (sim->profile.bypass, ==, KVMHELPER_SIM_BYPASS_REFUSED);
}

/* --- what cannot be --- */

static void
test_refused (void)
{
  static const struct
  {
    const char *xml;
    const char *message;
  } bad[] = {
    { "nonsense", "test.xml: Line 1" },
    { "<simulated-host kernel='6.12' platform='powernv'>\n<nonsense/></simulated-host>",
      "test.xml: Line 2" },
    { "<simulated-host kernel='5.0' platform='powernv'/>", "no model of Linux 5.0" },
    { "<simulated-host kernel='6.12' platform='powernv' cpus='0'/>", "at least one CPU" },
    { "<simulated-host kernel='6.12' platform='powernv' page-size='8192'/>", "not of 8192" },
    { HOST ("<driver name='a'/>\n<driver name='a'/>"), "Line 3: There are two drivers a" },
    { HOST ("<driver name='a' probe-error='ENOSUCH'/>"), "Line 2: There is no errno ENOSUCH" },
    { HOST ("<phb domain='1'/>\n<phb domain='1'/>"), "Line 3: There are two host bridges" },
    { HOST ("<phb domain='1' msi-count='0'/>"), "interrupts" },
    { HOST ("<phb domain='1'>\n<function address='0000:00:00.0'/></phb>"),
      "Line 3: 0000:00:00.0 is not in the domain 0001" },
    { HOST ("<phb domain='0'><function address='0000:01:00.0'/></phb>"),
      "0000:01:00.0 is not on the bus 00 of its host bridge" },
    { HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='1'>"
            "<function address='0000:02:00.0'/></bridge></phb>"),
      "0000:02:00.0 is not on the bus 01 of the bridge above it" },
    { HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='0'/></phb>"),
      "There are two buses 0000:00" },
    { HOST ("<phb domain='0' bus='5'><bridge address='0000:05:00.0' bus='4'/></phb>"),
      "higher number" },
    { HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='1'/>"
            "<bridge address='0000:00:01.0' bus='1'/></phb>"),
      "There are two buses 0000:01" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0'/>\n"
            "<function address='0000:00:00.0'/></phb>"),
      "Line 3: There are two functions 0000:00:00.0" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' bound='tg3'/></phb>"),
      "0000:00:00.0 is bound to the driver tg3, which is not there" },
    { "<simulated-host kernel='6.1' platform='powernv'><phb domain='0'>"
      "<function address='0000:00:00.0' bound='vfio-pci'/></phb></simulated-host>",
      "takes nothing under Linux 6.1" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' vendor='65536'/></phb>"),
      "vendor=“65536”" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='1' num-vfs='2'/></phb>"),
      "2 virtual functions are more than 1" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='2' num-vfs='1'>"
            "<vf number='1'/></function></phb>"),
      "Virtual function 1 is not there: num-vfs is 1" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='2' num-vfs='1'>"
            "<vf number='0'/><vf number='0'/></function></phb>"),
      "There are two virtual functions 0" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='2' num-vfs='2' "
            "vf-offset='1'/><function address='0000:00:00.2'/></phb>"),
      "no room for the address of virtual function 1" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='2' vf-stride='0'/></phb>"),
      "cannot have the same address" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='2' num-vfs='1' "
            "removed='yes'/></phb>"),
      "was removed" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' pe='1'/>\n"
            "<function address='0000:00:00.1' pe='2'/></phb>"),
      "Line 3: 0000:00:00.1 belongs to the PE 0x1, not 0x2" },
    { HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='1' pe='1'>\n"
            "<function address='0000:01:00.0' pe='1'/></bridge></phb>"),
      "Line 3: Functions of another bus are PE 0x1 already" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' group='1'/>\n"
            "<function address='0000:00:00.1' group='2'/></phb>"),
      "Line 3: 0000:00:00.1 is in IOMMU group 1, not 2" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' group='1'/></phb>\n"
            "<phb domain='1'><function address='0001:00:00.0' group='1'/></phb>"),
      "Line 3: Another PE is IOMMU group 1 already" },
    { HOST ("<phb domain='0'><bridge address='0000:00:00.0' bus='1' group='1'/></phb>"),
      "0000:00:00.0 is in no IOMMU group" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0' total-vfs='1' num-vfs='1'>"
            "<vf number='0' pe='0x1fe'/></function></phb>"),
      "Other functions are PE 0x1fe already" },
    { HOST ("<phb domain='0' pes='3'><bridge address='0000:00:00.0' bus='1'>"
            "<function address='0000:01:00.0'/></bridge><bridge address='0000:00:01.0' bus='2'>"
            "<function address='0000:02:00.0'/></bridge></phb>"),
      "no more than 3 PEs" },
    { HOST ("<phb domain='0'>\n<pe number='5'/></phb>"), "Line 3: No function is PE 0x5" },
    { HOST ("<phb domain='0'><pe number='5'/>\n<pe number='5'/>"
            "<function address='0000:00:00.0' pe='5'/></phb>"),
      "Line 3: There are two states of PE 0x5" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0'><interface name='a'/>\n"
            "<disk name='a'/></function></phb>"),
      "Line 3: There are two of the name a" },
    { HOST ("<phb domain='0'><function address='0000:00:00.0'>"
            "<interface name='a' default-route='yes'/></function></phb>"),
      "a, which is not up" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperSim) sim = kvmhelper_sim_new_from_xml (bad[i].xml, "test.xml", &error);

      g_test_message ("%s", error == NULL ? bad[i].xml : error->message);
      g_assert_null (sim);
      g_assert_true (g_error_matches (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST)
                     || g_error_matches (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML));
      g_assert_true (g_str_has_prefix (error->message, "test.xml: Line "));
      g_assert_nonnull (strstr (error->message, bad[i].message));
    }
}

static void
test_no_file (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (kvmhelper_sim_new_from_file ("/nonexistent/host.xml", &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "/nonexistent/host.xml"));
}

/* --- many --- */

static void
test_thousands (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperSim) sim = NULL;
  g_autoptr (GPtrArray) leases = g_ptr_array_new ();
  g_autoptr (GVariant) host = NULL;
  g_autoptr (GVariant) groups = NULL;
  gint64 began = g_get_monotonic_time (), loaded;

  sim = kvmhelper_sim_new_from_file (THOUSANDS, &error);
  g_assert_no_error (error);
  loaded = g_get_monotonic_time ();
  host = g_variant_ref_sink (kvmhelper_host_read (start (sim), leases, NULL));
  g_test_message ("loaded in %" G_GINT64_FORMAT " ms, read in %" G_GINT64_FORMAT " ms",
                  (loaded - began) / 1000, (g_get_monotonic_time () - loaded) / 1000);
  groups = g_variant_lookup_value (host, "groups", NULL);
  g_assert_cmpuint (g_variant_n_children (groups), ==, 512);
  g_assert_cmpuint (g_hash_table_size (sim->functions), ==, 4096 + 16 * 34);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/sim-description/examples", test_examples);
  g_test_add_func ("/kvmhelper/sim-description/state", test_state);
  g_test_add_func ("/kvmhelper/sim-description/change", test_change);
  g_test_add_func ("/kvmhelper/sim-description/powernv", test_powernv);
  g_test_add_func ("/kvmhelper/sim-description/pseries", test_pseries);
  g_test_add_func ("/kvmhelper/sim-description/refused", test_refused);
  g_test_add_func ("/kvmhelper/sim-description/no-file", test_no_file);
  g_test_add_func ("/kvmhelper/sim-description/thousands", test_thousands);
  return g_test_run ();
}
