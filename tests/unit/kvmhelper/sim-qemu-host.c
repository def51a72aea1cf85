/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-qemu-host.h"

#include "sim-host.h"

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

const PciAddress sim_qemu_card = { 0, 1, 0, 0 };
const PciAddress sim_qemu_dual = { 1, 1, 0, 0 };

const KvmHelperSimQemuConfig sim_qemu_guest = { .name = "sim_qemu_guest",
                                                .uuid = "9a5c3b1e-0000-4000-8000-000000000001",
                                                .memory = GIB,
                                                .memlock = 6471811072,
                                                .uid = 64055,
                                                .vcpus = 2 };

KvmHelperSim *
sim_qemu_host_new (const char *xml)
{
  KvmHelperSim *sim = sim_host_new (xml);

  kvmhelper_sim_advance (sim, 0);
  return sim;
}

KvmHelperSim *
sim_qemu_powernv_new (const char *sibling_driver)
{
  g_autofree char *xml = g_strdup_printf (POWERNV, sibling_driver);

  return sim_qemu_host_new (xml);
}

const KvmHelperKernel *
sim_qemu_helper_new (KvmHelperSim *sim)
{
  return kvmhelper_sim_process_kernel (sim_host_start (sim, 0));
}

KvmHelperSimQemu *
sim_qemu_start (KvmHelperSim *sim, const KvmHelperSimQemuConfig *config)
{
  g_autoptr (GError) error = NULL;
  KvmHelperSimQemu *qemu = kvmhelper_sim_qemu_new (sim, config, &error);

  g_assert_no_error (error);
  return qemu;
}
