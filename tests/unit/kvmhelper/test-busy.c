/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy.h"

#include <locale.h>

#include "busy-fixture.h"
#include "kvmhelper/kvmhelper-companion.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"

/* What of interfaces, consoles and virtual functions the host needs; of disks: test-busy-disk. */

#define VF "0003:01:10.0"

static void
test_nothing (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  busy_expect_needs (host, BUSY_NVME, "");
}

#define INET_HEAD                                                                                  \
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static void
test_inet_stack (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_interface (host, "pci0003:00/" BUSY_CARD, "enP3p1s0f0");
  busy_add_interface (host, "virtual", "bond9");
  busy_add_interface (host, "virtual", "bond9.9");
  busy_add_interface (host, "virtual", "br9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/br9/lower_bond9.9", "../bond9.9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/bond9.9/lower_bond9", "../bond9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/bond9/lower_enP3p1s0f0",
                         "../../../pci0003:00/" BUSY_CARD "/net/enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD "br9\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  busy_expect_needs (host, BUSY_CARD, "route: default route by way of br9, over enP3p1s0f0");
  busy_expect_needs (host, BUSY_SECOND, "");
}

static void
test_inet6 (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_interface (host, "pci0003:00/" BUSY_CARD, "enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/ipv6_route",
                         "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                         "fd000009000000000000000000000002 00000400 00000001 00000000 00000003 "
                         "enP3p1s0f0\n");
  busy_expect_needs (host, BUSY_CARD, "route: default route by way of enP3p1s0f0");
}

/* The route is on a port of Open vSwitch, which is linked to no other. */
static void
test_open_vswitch (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_interface (host, "pci0003:00/" BUSY_CARD, "enP3p1s0f0");
  busy_add_interface (host, "virtual", "ovs-system");
  busy_add_interface (host, "virtual", "br-ex");
  kvmhelper_double_link (host, "sys/devices/virtual/net/ovs-system/lower_enP3p1s0f0",
                         "../../../pci0003:00/" BUSY_CARD "/net/enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD "br-ex\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  busy_expect_needs (host, BUSY_CARD, "route: default route by way of br-ex, over enP3p1s0f0");
}

/* Its directory is there, and lists nothing. */
static void
test_away (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  kvmhelper_double_file (host, "sys/devices/pci0003:00/" BUSY_CARD "/net/x", "");
  kvmhelper_double_remove (host, "sys/devices/pci0003:00/" BUSY_CARD "/net/x");
  busy_expect_needs (host, BUSY_CARD,
                     "route: its network interface is in another network namespace, where routes "
                     "cannot be seen");
}

static void
test_console (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  kvmhelper_double_file (host, "sys/class/tty/console/active", "hvc0 ttyS4 tty0\n");
  kvmhelper_double_link (host, "sys/class/tty/hvc0", "../../devices/virtual/tty/hvc0");
  kvmhelper_double_link (host, "sys/class/tty/ttyS4",
                         "../../devices/pci0003:00/" BUSY_SECOND "/" BUSY_SECOND ":0/" BUSY_SECOND
                         ":0.0/tty/ttyS4");
  kvmhelper_double_link (host, "sys/class/graphics/fb0",
                         "../../devices/pci0003:00/" BUSY_CARD "/graphics/fb0");
  kvmhelper_double_link (host, "sys/class/graphics/fbcon", "../../devices/virtual/graphics/fbcon");
  busy_expect_needs (host, BUSY_CARD, "console: the kernel's console tty0");
  busy_expect_needs (host, BUSY_SECOND, "console: the kernel's console ttyS4");
  busy_expect_needs (host, BUSY_NVME, "");

  /* The firmware's own frame buffer is nobody's: the adapter is the one that it drew on. */
  kvmhelper_double_link (host, "sys/class/graphics/fb0",
                         "../../devices/platform/simple-framebuffer.0/graphics/fb0");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" BUSY_CARD "/boot_vga", "1\n");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" BUSY_SECOND "/boot_vga", "0\n");
  kvmhelper_double_remove (host, "sys/class/tty/ttyS4");
  busy_expect_needs (host, BUSY_CARD, "console: the kernel's console tty0");
  busy_expect_needs (host, BUSY_SECOND, "");
}

/* A PF whose VFs nobody has may be taken by an override; one whose VFs somebody has, never. */
static void
test_vfs (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  kvmhelper_double_function (host, VF, 5, "ixgbevf", 0);
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" BUSY_CARD "/sriov_numvfs", "1\n");
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" BUSY_CARD "/virtfn0", "../" VF);
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/physfn", "../" BUSY_CARD);
  busy_expect_needs (host, BUSY_CARD, "vfs: 1 virtual function");

  busy_add_interface (host, "pci0003:00/" VF, "enP3p1s0f0v0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD
                         "enP3p1s0f0v0\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  busy_expect_needs (host, BUSY_CARD, "!vfs: 1 virtual function, in use: " VF);
  kvmhelper_double_remove (host, "proc/1/net/route");

  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/driver",
                         "../../../bus/pci/drivers/vfio-pci");
  busy_expect_needs (host, BUSY_CARD, "!vfs: 1 virtual function, in use: " VF);
}

/* What cannot be read counts as a need, of every function, and nobody may override it. */
static void
test_unreadable (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();
  const char *rules[] = { "open /proc/1/net/route EACCES", NULL };
  g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, NULL);
  KvmHelperKernel *kernel = kvmhelper_faults_wrap (faults, &host->kernel);
  g_autofree char *needs = busy_get_needs (kernel, BUSY_NVME);

  g_assert_true (g_str_has_prefix (needs, "!unknown: /proc/1/net/route: "));
  kvmhelper_faults_unwrap (kernel);
}

static void
expect_companions (const KvmHelperCards *cards, const GPtrArray *functions, const char *address,
                   const char *expected)
{
  PciAddress wanted = kvmhelper_double_address (address);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperFunction *function = functions->pdata[i];
      g_autoptr (GPtrArray) companions = NULL;

      if (!pci_address_equal (&function->address, &wanted))
        continue;
      companions = kvmhelper_cards_companions (cards, function);
      for (guint j = 0; j < companions->len; j++)
        {
          char name[PCI_ADDRESS_LEN];

          g_string_append_printf (
              text, "%s%s", j == 0 ? "" : " ",
              pci_address_format (&((KvmHelperFunction *) companions->pdata[j])->address, name));
        }
    }
  g_assert_cmpstr (text->str, ==, expected);
}

/* Functions of one device, also in other groups; and those behind a switch that sits in the slot.
 */
static void
test_companions (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();
  g_autoptr (GPtrArray) functions = NULL;
  g_autoptr (KvmHelperCards) cards = NULL;

  kvmhelper_double_function (host, "0003:01:00.2", 7, "snd_hda_intel", 0);
  kvmhelper_double_function (host, VF, 5, "ixgbevf", 0);
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/physfn", "../" BUSY_CARD);
  kvmhelper_double_function (host, "0006:03:00.0", 8, "tg3", 0);
  kvmhelper_double_function (host, "0006:04:00.0", 9, "tg3", 0);
  kvmhelper_double_function (host, "0006:05:00.0", 10, "tg3", 0);
  kvmhelper_double_link (
      host, "sys/bus/pci/devices/0006:03:00.0",
      "../../../devices/pci0006:00/0006:00:00.0/0006:01:00.0/0006:02:01.0/0006:03:00.0");
  kvmhelper_double_link (
      host, "sys/bus/pci/devices/0006:04:00.0",
      "../../../devices/pci0006:00/0006:00:00.0/0006:01:00.0/0006:02:02.0/0006:04:00.0");
  for (guint i = 3; i <= 4; i++)
    {
      g_autofree char *from = g_strdup_printf ("sys/devices/pci0006:00/0006:00:00.0/0006:01:00.0/"
                                               "0006:02:0%u.0/0006:0%u:00.0",
                                               i - 2, i);
      g_autofree char *to = g_strdup_printf ("../../../0006:0%u:00.0", i);

      kvmhelper_double_link (host, from, to);
    }
  kvmhelper_double_file (host, "sys/bus/pci/slots/C7/address", "0006:01:00\n");
  kvmhelper_double_file (host, "sys/bus/pci/slots/C8/address", "0006:05\n");

  functions = kvmhelper_function_read_all (&host->kernel);
  cards = kvmhelper_cards_new (&host->kernel, functions);
  expect_companions (cards, functions, BUSY_CARD, BUSY_SECOND " 0003:01:00.2");
  expect_companions (cards, functions, "0003:01:00.2", BUSY_CARD " " BUSY_SECOND);
  expect_companions (cards, functions, VF, "");
  expect_companions (cards, functions, BUSY_NVME, "");
  expect_companions (cards, functions, "0006:03:00.0", "0006:04:00.0");
  expect_companions (cards, functions, "0006:05:00.0", "");
}

static void
test_routes (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  kvmhelper_double_link (host, "sys/class/net/enP3",
                         "../../devices/pci0003:00/" BUSY_CARD "/net/enP3");
  kvmhelper_double_link (host, "sys/class/net/enP4",
                         "../../devices/pci0003:00/" BUSY_SECOND "/net/enP4");
  kvmhelper_double_link (host, "sys/class/net/br0", "../../devices/virtual/net/br0");
  kvmhelper_double_link (host, "sys/devices/virtual/net/br0/lower_enP4", "../../../x");
  kvmhelper_double_file (host, "proc/1/net/route",
                         "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
                         "enP3\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                         "br0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
  busy_expect_needs (host, BUSY_CARD, "");
  busy_expect_needs (host, BUSY_SECOND, "route: default route by way of br0, over enP4");
  kvmhelper_double_file (
      host, "proc/1/net/ipv6_route",
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     enP3\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
      "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001     enP4\n");
  busy_expect_needs (host, BUSY_CARD, "route: default route by way of enP3");
}

static void
test_console_and_vfs (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  kvmhelper_double_file (host, "sys/class/tty/console/active", "tty0 ttyS4\n");
  kvmhelper_double_link (host, "sys/class/tty/ttyS4",
                         "../../devices/pci0003:00/" BUSY_CARD "/tty/ttyS4");
  kvmhelper_double_link (host, "sys/class/graphics/fb0",
                         "../../devices/pci0003:00/" BUSY_SECOND "/graphics/fb0");
  kvmhelper_double_file (host, "sys/devices/pci0004:00/" BUSY_NVME "/sriov_numvfs", "2\n");
  busy_expect_needs (host, BUSY_CARD, "console: the kernel's console ttyS4");
  busy_expect_needs (host, BUSY_SECOND, "console: the kernel's console tty0");
  busy_expect_needs (host, BUSY_NVME, "vfs: 2 virtual functions");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/busy/nothing", test_nothing);
  g_test_add_func ("/kvmhelper/busy/inet-stack", test_inet_stack);
  g_test_add_func ("/kvmhelper/busy/inet6", test_inet6);
  g_test_add_func ("/kvmhelper/busy/open-vswitch", test_open_vswitch);
  g_test_add_func ("/kvmhelper/busy/routes", test_routes);
  g_test_add_func ("/kvmhelper/busy/away", test_away);
  g_test_add_func ("/kvmhelper/busy/console", test_console);
  g_test_add_func ("/kvmhelper/busy/vfs", test_vfs);
  g_test_add_func ("/kvmhelper/busy/console-and-vfs", test_console_and_vfs);
  g_test_add_func ("/kvmhelper/busy/unreadable", test_unreadable);
  g_test_add_func ("/kvmhelper/busy/companions", test_companions);
  return g_test_run ();
}
