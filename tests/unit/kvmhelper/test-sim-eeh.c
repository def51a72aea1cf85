/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "sim-host.h"

/* EEH of the simulated host: what hardware, host and guest do to each other's PEs. What the
 * kernel's calls answer is held to the real one by tests/conformance. */

/* Two PHBs; the second has a switch: a card right below it, and one with a VF. */
#define HOST                                                                                       \
  "<simulated-host kernel='6.12' platform='powernv'%s>"                                            \
  "  <phb domain='0'>"                                                                             \
  "    <bridge address='0000:00:00.0' bus='1' driver='pcieport'>"                                  \
  "      <function address='0000:01:00.0' vendor='0x8086' device='0x10d3' class='0x020000'"        \
  "                driver='e1000e' bound='%s' msi='1' msix='5' pe='0x1fd' group='0'/>"             \
  "    </bridge>"                                                                                  \
  "  </phb>"                                                                                       \
  "  <phb domain='1'>"                                                                             \
  "    <bridge address='0001:00:00.0' bus='1' driver='pcieport'>"                                  \
  "      <bridge address='0001:01:00.0' bus='2' driver='pcieport'>"                                \
  "        <bridge address='0001:02:00.0' bus='3' driver='pcieport'>"                              \
  "          <function address='0001:03:00.0' vendor='0x144d' device='0xa808' class='0x010802'"    \
  "                    driver='nvme' bound='vfio-pci' msix='33' group='7'/>"                       \
  "        </bridge>"                                                                              \
  "      </bridge>"                                                                                \
  "    </bridge>"                                                                                  \
  "  </phb>"                                                                                       \
  "</simulated-host>"

static const PciAddress card = { 0, 1, 0, 0 };
static const PciAddress behind = { 1, 3, 0, 0 };
static const PciAddress downstream = { 1, 2, 0, 0 };

#define NORMAL "0x00000078 0x00000800"

typedef struct
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  const KvmHelperKernel *kernel;
} Host;

/* Its clock stands still from now on. */
static void
host_start (Host *host, const char *xml)
{
  host->sim = sim_host_new (xml);
  kvmhelper_sim_advance (host->sim, 0);
  host->process = sim_host_start (host->sim, 0);
  host->kernel = kvmhelper_sim_process_kernel (host->process);
}

static Host
host_new (const char *attributes, const char *bound)
{
  g_autofree char *xml = g_strdup_printf (HOST, attributes, bound);
  Host host;

  host_start (&host, xml);
  return host;
}

static void
host_free (Host *host)
{
  kvmhelper_sim_free (host->sim);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Host, host_free)

static char *
attribute (const PciAddress *address, const char *name)
{
  char text[PCI_ADDRESS_LEN];

  return g_strdup_printf ("bus/pci/devices/%s/%s", pci_address_format (address, text), name);
}

static char *
read_state (const Host *host, const PciAddress *address)
{
  g_autofree char *path = attribute (address, "eeh_pe_state");

  return kvmhelper_kernel_read_line (host->kernel, KVMHELPER_SYS, path);
}

#define assert_state(host, address, expected)                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *state_ = read_state (host, address);                                          \
    g_assert_cmpstr (state_, ==, expected);                                                        \
  }                                                                                                \
  G_STMT_END

static gboolean
exists (const Host *host, const PciAddress *address)
{
  g_autofree char *path = attribute (address, "vendor");

  return kvmhelper_kernel_exists (host->kernel, KVMHELPER_SYS, path);
}

static char *
driver_of (const Host *host, const PciAddress *address)
{
  g_autofree char *path = attribute (address, "driver");

  return kvmhelper_kernel_link_name (host->kernel, KVMHELPER_SYS, path);
}

static void
set (const Host *host, const char *name, const char *value)
{
  g_autofree char *path = g_strconcat ("kernel/debug/powerpc/", name, NULL);

  sim_host_write (host->kernel, path, value);
}

static void
freeze (const Host *host, const PciAddress *address)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_inject_freeze (host->sim, address, &error);
  g_assert_no_error (error);
}

static gboolean
logged (const Host *host, const char *line)
{
  g_auto (GStrv) log = kvmhelper_sim_kernel_log (host->sim);

  return g_strv_contains ((const char *const *) log, line);
}

/* What a guest has of a group. */
typedef struct
{
  int group, container, device;
} Held;

static Held
hold (const Host *host, guint number, const char *name)
{
  Held held;

  sim_host_open_group (host->kernel, number, VFIO_SPAPR_TCE_v2_IOMMU, &held.group, &held.container);
  held.device = sim_host_open_device (host->kernel, held.group, name);
  return held;
}

static int
operate (const Host *host, const Held *held, guint operation)
{
  const struct vfio_eeh_pe_op request = { .argsz = sizeof request, .op = operation };

  return kvmhelper_kernel_ioctl (host->kernel, held->container, VFIO_EEH_PE_OP, (gulong) &request);
}

static void
test_passed (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");
  Held held = hold (&host, 0, "0000:01:00.0");

  /* 0 -> 2 -> 4 -> 0, and the host keeps out of it */
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 0);
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  assert_state (&host, &card, "0x00000000 0x00000801");
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_UNFREEZE_IO), ==, 0);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 4);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_UNFREEZE_DMA), ==, 0);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 0);
  g_assert_false (logged (&host, "EEH: Recovering PHB#0-PE#1fd"));

  /* what is closed is let go */
  freeze (&host, &card);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  kvmhelper_kernel_close (host.kernel, held.device);
  assert_state (&host, &card, NORMAL);
}

static void
test_recovery (void)
{
  g_auto (Host) host = host_new ("", "e1000e");
  g_autofree char *driver = NULL;

  /* the driver follows: nothing leaves, and two seconds later all is well */
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  assert_state (&host, &card, "0x00000078 0x0000090f"); /* being reset */
  g_assert_true (logged (&host, "EEH: Reset without hotplug activity"));
  kvmhelper_sim_advance (host.sim, 2 * G_TIME_SPAN_SECOND);
  assert_state (&host, &card, NORMAL);
  g_assert_true (logged (&host, "EEH: Recovery successful."));
  driver = driver_of (&host, &card);
  g_assert_cmpstr (driver, ==, "e1000e");
}

static void
test_hotplug (void)
{
  g_auto (Host) host = host_new ("", "");

  /* nobody's: the function is taken out, and plugged in again, by its natural driver */
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  g_assert_false (exists (&host, &card));
  kvmhelper_sim_advance (host.sim, 3 * G_TIME_SPAN_SECOND);
  g_assert_true (logged (&host, "EEH: Sleep 5s ahead of complete hotplug"));
  g_assert_false (exists (&host, &card));
  kvmhelper_sim_advance (host.sim, 4 * G_TIME_SPAN_SECOND);
  g_assert_true (exists (&host, &card));
  assert_state (&host, &card, NORMAL);
}

static void
test_too_often (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");

  for (guint i = 0; i < 5; i++)
    {
      freeze (&host, &card);
      kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
      assert_state (&host, &card, NORMAL);
    }
  /* an hour after the first of them it begins anew */
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_HOUR);
  for (guint i = 0; i < 5; i++)
    {
      freeze (&host, &card);
      kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
      assert_state (&host, &card, NORMAL);
    }
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  g_assert_false (exists (&host, &card));
  g_assert_true (logged (&host,
                         "EEH: PHB#0-PE#1fd has failed 6 times in the last hour and has been "
                         "permanently disabled."));
}

static void
test_switched_off (void)
{
  g_auto (Host) host = host_new ("", "e1000e");

  set (&host, "eeh_disable_recovery", "1");
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  assert_state (&host, &card, "0x00000000 0x00000801");
  g_assert_true (logged (&host, "EEH: Event dropped due to no_recover setting"));
  /* by force it goes all the same */
  set (&host, "eeh_force_recover", "0:1fd");
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  assert_state (&host, &card, NORMAL);
}

/* By force, and a guest has it: the host takes its PE away, and leaves it frozen. */
static void
test_forced (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");
  Held held = hold (&host, 0, "0000:01:00.0");

  set (&host, "eeh_force_recover", "0:1fd");
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  g_assert_true (logged (&host, "EEH: Note: Leaving passthrough PHB#0-PE#1fd frozen."));
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  g_assert_true (exists (&host, &card));
  kvmhelper_kernel_close (host.kernel, held.device);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  g_assert_true (exists (&host, &card)); /* it was found again */
}

/* A host that is written down while it recovers goes on with it. */
static void
test_saved (void)
{
  g_auto (Host) host = host_new ("", "e1000e");
  g_autofree char *xml = NULL;

  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  xml = kvmhelper_sim_to_xml (host.sim);
  host_free (&host);
  host_start (&host, xml);
  assert_state (&host, &card, "0x00000078 0x0000090f");
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  assert_state (&host, &card, NORMAL);
}

static void
test_fence (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");
  g_autoptr (GError) error = NULL;
  Held held = hold (&host, 0, "0000:01:00.0");

  kvmhelper_sim_inject_fence (host.sim, &card, &error);
  g_assert_no_error (error);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_UNFREEZE_IO), ==, -EIO);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_RESET_HOT), ==, -EIO);
  /* while the host works on it, the guest is to wait */
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 5);
  kvmhelper_sim_advance (host.sim, 9 * G_TIME_SPAN_SECOND);
  g_assert_true (logged (&host, "EEH: Passed-through PE PHB#0-PE#1fd was thawed by reset, "
                                "re-freezing for safety."));
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  /* and then has its own to recover */
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_RESET_HOT), ==, 0);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_RESET_DEACTIVATE), ==, 0);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 0);
  assert_state (&host, &card, NORMAL);
  /* the other PHB has nothing to do with it */
  assert_state (&host, &behind, NORMAL);
}

static void
test_dead (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");
  g_autoptr (GError) error = NULL;
  Held held = hold (&host, 0, "0000:01:00.0");

  kvmhelper_sim_inject_fail (host.sim, &card, &error);
  g_assert_no_error (error);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  g_assert_true (logged (&host, "EEH: dead PHB#0 detected, location: N/A"));
  /* it stays as long as the guest has it */
  g_assert_true (exists (&host, &card));
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 5);
  kvmhelper_kernel_close (host.kernel, held.device);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  g_assert_false (exists (&host, &card));
  g_assert_true (exists (&host, &behind));
}

static void
test_bridge (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");
  Held held = hold (&host, 7, "0001:03:00.0");
  g_autofree char *mode = NULL;
  g_autofree char *path = attribute (&downstream, "eeh_mode");

  mode = kvmhelper_kernel_read_line (host.kernel, KVMHELPER_SYS, path);
  g_assert_cmpstr (mode, ==, "0x205");

  /* an error above is the host's: the guest waits for it, and recovers its own then */
  freeze (&host, &downstream);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_SECOND);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 5);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 2);
  assert_state (&host, &downstream, NORMAL);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_ENABLE), ==, 0);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, 0);
}

/* As the helper sees it. */
static void
assert_helper_says (const Host *host, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (host->kernel, &card, &error);
  KvmHelperFact fact;

  g_assert_no_error (error);
  fact = kvmhelper_eeh_fact (host->kernel, group);
  g_assert_cmpstr (fact.value, ==, expected);
  kvmhelper_fact_clear (&fact);
}

static void
test_helper (void)
{
  g_auto (Host) host = host_new ("", "vfio-pci");

  assert_helper_says (&host, "normal");
  hold (&host, 0, "0000:01:00.0");
  freeze (&host, &card);
  assert_helper_says (&host, "frozen");
}

static void
test_off (void)
{
  g_auto (Host) host = host_new (" command-line='eeh=off'", "vfio-pci");
  Held held = hold (&host, 0, "0000:01:00.0");
  g_autofree char *state = read_state (&host, &card);
  g_autofree char *line = NULL;

  g_assert_null (state);
  g_assert_cmpint (operate (&host, &held, VFIO_EEH_PE_GET_STATE), ==, -ENODEV);
  line = kvmhelper_kernel_read_line (host.kernel, KVMHELPER_PROC, "powerpc/eeh");
  g_assert_true (g_str_has_prefix (line, "EEH Subsystem is globally disabled"));
  freeze (&host, &card);
  kvmhelper_sim_advance (host.sim, G_TIME_SPAN_MINUTE);
  g_assert_false (logged (&host, "EEH: Recovery successful."));
  assert_helper_says (&host, "unknown");
}

static void
test_unknown (void)
{
  g_auto (Host) host = host_new ("", "e1000e");
  const PciAddress nobody = { 9, 9, 9, 1 };
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_sim_inject_freeze (host.sim, &nobody, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "0009:09:09.1"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-eeh/passed", test_passed);
  g_test_add_func ("/sim-eeh/recovery", test_recovery);
  g_test_add_func ("/sim-eeh/hotplug", test_hotplug);
  g_test_add_func ("/sim-eeh/too-often", test_too_often);
  g_test_add_func ("/sim-eeh/switched-off", test_switched_off);
  g_test_add_func ("/sim-eeh/forced", test_forced);
  g_test_add_func ("/sim-eeh/saved", test_saved);
  g_test_add_func ("/sim-eeh/fence", test_fence);
  g_test_add_func ("/sim-eeh/dead", test_dead);
  g_test_add_func ("/sim-eeh/bridge", test_bridge);
  g_test_add_func ("/sim-eeh/helper", test_helper);
  g_test_add_func ("/sim-eeh/off", test_off);
  g_test_add_func ("/sim-eeh/unknown", test_unknown);
  return g_test_run ();
}
