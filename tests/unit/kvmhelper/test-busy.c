/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy.h"

#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-companion.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"

/* Kinds of needs, laid out as a real kernel does (tests/power9/test-busy has the real one). */

#define NVME   "0004:01:00.0"
#define CARD   "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define VF     "0003:01:10.0"

static KvmHelperDouble *
make_host (void)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, NVME, 4, "nvme", 0);
  kvmhelper_double_function (host, CARD, 3, "ixgbe", 0);
  kvmhelper_double_function (host, SECOND, 3, "ixgbe", 0);
  kvmhelper_double_link (host, "proc/1/ns/mnt", "mnt:[1]");
  kvmhelper_double_file (host, "proc/1/mountinfo", "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
  kvmhelper_double_file (host, "proc/swaps", "Filename Type Size Used Priority\n");
  return host;
}

/* A block device, below another one or a function. */
static void
add_block (KvmHelperDouble *host, const char *directory, const char *name, const char *number)
{
  g_autofree char *target = g_strdup_printf ("../../devices/%s/%s", directory, name);
  g_autofree char *link = g_strconcat ("sys/class/block/", name, NULL);
  g_autofree char *file = g_strdup_printf ("sys/devices/%s/%s/dev", directory, name);

  kvmhelper_double_link (host, link, target);
  kvmhelper_double_file (host, file, number);
}

static void
add_disk (KvmHelperDouble *host)
{
  add_block (host, "pci0004:00/" NVME "/nvme/nvme0", "nvme0n1", "259:0\n");
  add_block (host, "pci0004:00/" NVME "/nvme/nvme0/nvme0n1", "nvme0n1p1", "259:1\n");
}

static void
add_interface (KvmHelperDouble *host, const char *directory, const char *name)
{
  g_autofree char *target = g_strdup_printf ("../../devices/%s/net/%s", directory, name);
  g_autofree char *link = g_strconcat ("sys/class/net/", name, NULL);
  g_autofree char *file = g_strdup_printf ("sys/devices/%s/net/%s/mtu", directory, name);

  kvmhelper_double_link (host, link, target);
  kvmhelper_double_file (host, file, "1500\n");
}

/* All needs of a function, "KIND: DETAIL" each, with "!" where it is final. */
static char *
get_needs (const KvmHelperKernel *kernel, const char *address)
{
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (kernel);
  PciAddress function = kvmhelper_double_address (address);
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperFunction) read = kvmhelper_function_read (kernel, &function, &error);
  g_autoptr (GPtrArray) needs = NULL;
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  needs = kvmhelper_busy_get (busy, read);
  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];

      g_string_append_printf (text, "%s%s%s: %s", i == 0 ? "" : "; ", need->final ? "!" : "",
                              need->kind, need->detail);
    }
  return g_string_free (text, FALSE);
}

static void
expect_needs (KvmHelperDouble *host, const char *address, const char *expected)
{
  g_autofree char *needs = get_needs (&host->kernel, address);

  g_assert_cmpstr (needs, ==, expected);
}

static void
test_nothing (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  expect_needs (host, NVME, "");
}

static void
test_partition (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  kvmhelper_double_file (host, "proc/1/mountinfo",
                         "40 21 259:1 / /srv/my\\040disk rw shared:7 - ext4 /dev/nvme0n1p1 rw\n");
  expect_needs (host, NVME, "mounted: /dev/nvme0n1p1 on /srv/my disk");
}

/* partition, md, dm: what holds what, and what is on top of all */
static void
test_stack (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  add_block (host, "virtual/block", "md9", "9:9\n");
  add_block (host, "virtual/block", "dm-0", "252:0\n");
  kvmhelper_double_file (host, "sys/devices/virtual/block/dm-0/dm/name", "vg-root\n");
  kvmhelper_double_link (host,
                         "sys/devices/pci0004:00/" NVME "/nvme/nvme0/nvme0n1/nvme0n1p1/holders/md9",
                         "../../../../../../../virtual/block/md9");
  kvmhelper_double_link (host, "sys/devices/virtual/block/md9/holders/dm-0", "../../dm-0");
  kvmhelper_double_file (host, "proc/swaps",
                         "Filename Type Size Used Priority\n"
                         "/dev/mapper/vg-root                     partition\t5116\t0\t-2\n");
  expect_needs (host, NVME,
                "storage: md9 uses /dev/nvme0n1p1; storage: dm-0 uses /dev/md9; "
                "swap: /dev/mapper/vg-root");
}

#define FLOORS 14

/* Floors of two, of which each is on both below: two to the power of the floors ways lead to the
 * top, and each is looked at once. */
static void
test_many_ways (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autofree char *needs = NULL;

  add_disk (host);
  for (guint i = 0; i < 2 * FLOORS; i++)
    {
      g_autofree char *name = g_strdup_printf ("floor%u-%u", i / 2, i % 2);
      g_autofree char *number = g_strdup_printf ("252:%u\n", i);

      add_block (host, "virtual/block", name, number);
      for (guint leg = 0; leg < 2; leg++)
        {
          g_autofree char *below
              = i < 2 ? g_strdup ("pci0004:00/" NVME "/nvme/nvme0/nvme0n1")
                      : g_strdup_printf ("virtual/block/floor%u-%u", i / 2 - 1, leg);
          g_autofree char *link = g_strdup_printf ("sys/devices/%s/holders/%s", below, name);

          kvmhelper_double_link (host, link, "../..");
        }
    }
  needs = get_needs (&host->kernel, NVME);
  for (guint i = 2; i < 2 * FLOORS; i++)
    {
      g_autofree char *need
          = g_strdup_printf ("storage: floor%u-%u uses /dev/floor%u-1", i / 2, i % 2, i / 2 - 1);

      g_assert_nonnull (strstr (needs, need));
    }
  g_assert_cmpuint (host->calls, <, 1000);
}

/* On a disk, and nobody can tell on which: it may be on this one. A file is on what is mounted. */
static void
test_lost_swap (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_block (host, "pci0004:00/" NVME "/nvme/nvme0", "nvme0n1", "259:0\n");
  kvmhelper_double_file (host, "proc/swaps",
                         "Filename Type Size Used Priority\n"
                         "/swap\\040file file\t5116\t0\t-2\n"
                         "/dev/old\\040(deleted) partition\t5116\t0\t-3\n");
  expect_needs (host, NVME, "swap: /dev/old (deleted) may be on /dev/nvme0n1");
}

static void
test_loop (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  add_block (host, "virtual/block", "loop7", "7:7\n");
  kvmhelper_double_file (host, "sys/devices/virtual/block/loop7/loop/backing_file",
                         "/dev/nvme0n1p1\n");
  expect_needs (host, NVME, "storage: loop7 uses /dev/nvme0n1p1");
}

/* btrfs, and XFS with its log elsewhere: their mounts have no number of the disk. */
static void
test_other_disks (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  kvmhelper_double_file (host, "proc/1/mountinfo",
                         "40 21 0:40 / /a rw - btrfs /dev/nvme0n1p1 rw\n"
                         "41 21 254:2 / /b rw - xfs /dev/vda2 rw,logdev=/dev/nvme0n1,noquota\n");
  expect_needs (host, NVME, "mounted: /dev/nvme0n1 on /b; mounted: /dev/nvme0n1p1 on /a");
}

/* In the host's own namespace nothing; in that of a container, and of another process in it. */
static void
test_namespace (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  for (guint pid = 700; pid <= 701; pid++)
    {
      g_autofree char *link = g_strdup_printf ("proc/%u/ns/mnt", pid);
      g_autofree char *file = g_strdup_printf ("proc/%u/mountinfo", pid);

      kvmhelper_double_link (host, link, "mnt:[2]");
      kvmhelper_double_file (host, file,
                             "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
                             "40 21 259:1 / /mnt rw - vfat /dev/nvme0n1p1 rw\n");
    }
  expect_needs (host, NVME,
                "mounted: /dev/nvme0n1p1 on /mnt, for process 700 and others in its mount "
                "namespace");
}

/* What another namespace has and cannot be read is a doubt of the disks, and of nothing else. */
static void
test_namespace_unreadable (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  const char *rules[] = { "open /proc/700/mountinfo EACCES", NULL };
  g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, NULL);
  KvmHelperKernel *kernel = kvmhelper_faults_wrap (faults, &host->kernel);
  g_autofree char *disk = NULL;
  g_autofree char *card = NULL;

  add_disk (host);
  kvmhelper_double_link (host, "proc/700/ns/mnt", "mnt:[2]");
  disk = get_needs (kernel, NVME);
  card = get_needs (kernel, CARD);
  g_assert_true (g_str_has_prefix (disk, "mounted: /dev/nvme0n1 may be: the mounts of another "));
  g_assert_nonnull (strstr (disk, "/proc/700/mountinfo"));
  g_assert_cmpstr (card, ==, "");
  kvmhelper_faults_unwrap (kernel);
}

/* Nobody has it mounted any more, and the file system lives on. */
static void
test_lazy (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_disk (host);
  kvmhelper_double_file (host, "sys/fs/ext4/nvme0n1p1/delayed_allocation_blocks", "0\n");
  kvmhelper_double_file (host, "sys/fs/ext4/features/lazy_itable_init", "supported\n");
  expect_needs (host, NVME, "mounted: /dev/nvme0n1p1, where cannot be seen (ext4)");
}

#define INET_HEAD                                                                                  \
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static void
test_inet_stack (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_interface (host, "pci0003:00/" CARD, "enP3p1s0f0");
  add_interface (host, "virtual", "bond9");
  add_interface (host, "virtual", "bond9.9");
  add_interface (host, "virtual", "br9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/br9/lower_bond9.9", "../bond9.9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/bond9.9/lower_bond9", "../bond9");
  kvmhelper_double_link (host, "sys/devices/virtual/net/bond9/lower_enP3p1s0f0",
                         "../../../pci0003:00/" CARD "/net/enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD "br9\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  expect_needs (host, CARD, "route: default route by way of br9, over enP3p1s0f0");
  expect_needs (host, SECOND, "");
}

static void
test_inet6 (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_interface (host, "pci0003:00/" CARD, "enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/ipv6_route",
                         "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                         "fd000009000000000000000000000002 00000400 00000001 00000000 00000003 "
                         "enP3p1s0f0\n");
  expect_needs (host, CARD, "route: default route by way of enP3p1s0f0");
}

/* The route is on a port of Open vSwitch, which is linked to no other. */
static void
test_open_vswitch (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  add_interface (host, "pci0003:00/" CARD, "enP3p1s0f0");
  add_interface (host, "virtual", "ovs-system");
  add_interface (host, "virtual", "br-ex");
  kvmhelper_double_link (host, "sys/devices/virtual/net/ovs-system/lower_enP3p1s0f0",
                         "../../../pci0003:00/" CARD "/net/enP3p1s0f0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD "br-ex\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  expect_needs (host, CARD, "route: default route by way of br-ex, over enP3p1s0f0");
}

/* Its directory is there, and lists nothing. */
static void
test_away (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  kvmhelper_double_file (host, "sys/devices/pci0003:00/" CARD "/net/x", "");
  kvmhelper_double_remove (host, "sys/devices/pci0003:00/" CARD "/net/x");
  expect_needs (host, CARD,
                "route: its network interface is in another network namespace, where routes "
                "cannot be seen");
}

static void
test_console (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  kvmhelper_double_file (host, "sys/class/tty/console/active", "hvc0 ttyS4 tty0\n");
  kvmhelper_double_link (host, "sys/class/tty/hvc0", "../../devices/virtual/tty/hvc0");
  kvmhelper_double_link (host, "sys/class/tty/ttyS4",
                         "../../devices/pci0003:00/" SECOND "/" SECOND ":0/" SECOND
                         ":0.0/tty/ttyS4");
  kvmhelper_double_link (host, "sys/class/graphics/fb0",
                         "../../devices/pci0003:00/" CARD "/graphics/fb0");
  kvmhelper_double_link (host, "sys/class/graphics/fbcon", "../../devices/virtual/graphics/fbcon");
  expect_needs (host, CARD, "console: the kernel's console tty0");
  expect_needs (host, SECOND, "console: the kernel's console ttyS4");
  expect_needs (host, NVME, "");

  /* The firmware's own frame buffer is nobody's: the adapter is the one that it drew on. */
  kvmhelper_double_link (host, "sys/class/graphics/fb0",
                         "../../devices/platform/simple-framebuffer.0/graphics/fb0");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" CARD "/boot_vga", "1\n");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" SECOND "/boot_vga", "0\n");
  kvmhelper_double_remove (host, "sys/class/tty/ttyS4");
  expect_needs (host, CARD, "console: the kernel's console tty0");
  expect_needs (host, SECOND, "");
}

/* A PF whose VFs nobody has may be taken by an override; one whose VFs somebody has, never. */
static void
test_vfs (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  kvmhelper_double_function (host, VF, 5, "ixgbevf", 0);
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" CARD "/sriov_numvfs", "1\n");
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" CARD "/virtfn0", "../" VF);
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/physfn", "../" CARD);
  expect_needs (host, CARD, "vfs: 1 virtual function");

  add_interface (host, "pci0003:00/" VF, "enP3p1s0f0v0");
  kvmhelper_double_file (host, "proc/1/net/route",
                         INET_HEAD
                         "enP3p1s0f0v0\t00000000\t0209000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  expect_needs (host, CARD, "!vfs: 1 virtual function, in use: " VF);
  kvmhelper_double_remove (host, "proc/1/net/route");

  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/driver",
                         "../../../bus/pci/drivers/vfio-pci");
  expect_needs (host, CARD, "!vfs: 1 virtual function, in use: " VF);
}

/* What cannot be read counts as a need, of every function, and nobody may override it. */
static void
test_unreadable (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  const char *rules[] = { "open /proc/1/net/route EACCES", NULL };
  g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, NULL);
  KvmHelperKernel *kernel = kvmhelper_faults_wrap (faults, &host->kernel);
  g_autofree char *needs = get_needs (kernel, NVME);

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
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (GPtrArray) functions = NULL;
  g_autoptr (KvmHelperCards) cards = NULL;

  kvmhelper_double_function (host, "0003:01:00.2", 7, "snd_hda_intel", 0);
  kvmhelper_double_function (host, VF, 5, "ixgbevf", 0);
  kvmhelper_double_link (host, "sys/devices/pci0003:00/" VF "/physfn", "../" CARD);
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
  expect_companions (cards, functions, CARD, SECOND " 0003:01:00.2");
  expect_companions (cards, functions, "0003:01:00.2", CARD " " SECOND);
  expect_companions (cards, functions, VF, "");
  expect_companions (cards, functions, NVME, "");
  expect_companions (cards, functions, "0006:03:00.0", "0006:04:00.0");
  expect_companions (cards, functions, "0006:05:00.0", "");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/busy/nothing", test_nothing);
  g_test_add_func ("/kvmhelper/busy/partition", test_partition);
  g_test_add_func ("/kvmhelper/busy/stack", test_stack);
  g_test_add_func ("/kvmhelper/busy/many-ways", test_many_ways);
  g_test_add_func ("/kvmhelper/busy/lost-swap", test_lost_swap);
  g_test_add_func ("/kvmhelper/busy/loop", test_loop);
  g_test_add_func ("/kvmhelper/busy/other-disks", test_other_disks);
  g_test_add_func ("/kvmhelper/busy/namespace", test_namespace);
  g_test_add_func ("/kvmhelper/busy/namespace-unreadable", test_namespace_unreadable);
  g_test_add_func ("/kvmhelper/busy/lazy", test_lazy);
  g_test_add_func ("/kvmhelper/busy/inet-stack", test_inet_stack);
  g_test_add_func ("/kvmhelper/busy/inet6", test_inet6);
  g_test_add_func ("/kvmhelper/busy/open-vswitch", test_open_vswitch);
  g_test_add_func ("/kvmhelper/busy/away", test_away);
  g_test_add_func ("/kvmhelper/busy/console", test_console);
  g_test_add_func ("/kvmhelper/busy/vfs", test_vfs);
  g_test_add_func ("/kvmhelper/busy/unreadable", test_unreadable);
  g_test_add_func ("/kvmhelper/busy/companions", test_companions);
  return g_test_run ();
}
