/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "busy-fixture.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"

/* What of a disk the host needs. */

#define FLOORS 14

static void
test_partition (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  kvmhelper_double_file (host, "proc/1/mountinfo",
                         "40 21 259:1 / /srv/my\\040disk rw shared:7 - ext4 /dev/nvme0n1p1 rw\n");
  busy_expect_needs (host, BUSY_NVME, "mounted: /dev/nvme0n1p1 on /srv/my disk");
}

/* partition, md, dm: what holds what, and what is on top of all */
static void
test_stack (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  busy_add_block (host, "virtual/block", "md9", "9:9\n");
  busy_add_block (host, "virtual/block", "dm-0", "252:0\n");
  kvmhelper_double_file (host, "sys/devices/virtual/block/dm-0/dm/name", "vg-root\n");
  kvmhelper_double_link (
      host, "sys/devices/pci0004:00/" BUSY_NVME "/nvme/nvme0/nvme0n1/nvme0n1p1/holders/md9",
      "../../../../../../../virtual/block/md9");
  kvmhelper_double_link (host, "sys/devices/virtual/block/md9/holders/dm-0", "../../dm-0");
  kvmhelper_double_file (host, "proc/swaps",
                         "Filename Type Size Used Priority\n"
                         "/dev/mapper/vg-root                     partition\t5116\t0\t-2\n");
  busy_expect_needs (host, BUSY_NVME,
                     "storage: md9 uses /dev/nvme0n1p1; storage: dm-0 uses /dev/md9; "
                     "swap: /dev/mapper/vg-root");
}

/* Floors of two, of which each is on both below: two to the power of the floors ways lead to the
 * top, and each is looked at once. */
static void
test_many_ways (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();
  g_autofree char *needs = NULL;

  busy_add_disk (host);
  for (guint i = 0; i < 2 * FLOORS; i++)
    {
      g_autofree char *name = g_strdup_printf ("floor%u-%u", i / 2, i % 2);
      g_autofree char *number = g_strdup_printf ("252:%u\n", i);

      busy_add_block (host, "virtual/block", name, number);
      for (guint leg = 0; leg < 2; leg++)
        {
          g_autofree char *below
              = i < 2 ? g_strdup ("pci0004:00/" BUSY_NVME "/nvme/nvme0/nvme0n1")
                      : g_strdup_printf ("virtual/block/floor%u-%u", i / 2 - 1, leg);
          g_autofree char *link = g_strdup_printf ("sys/devices/%s/holders/%s", below, name);

          kvmhelper_double_link (host, link, "../..");
        }
    }
  needs = busy_get_needs (&host->kernel, BUSY_NVME);
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
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_block (host, "pci0004:00/" BUSY_NVME "/nvme/nvme0", "nvme0n1", "259:0\n");
  kvmhelper_double_file (host, "proc/swaps",
                         "Filename Type Size Used Priority\n"
                         "/swap\\040file file\t5116\t0\t-2\n"
                         "/dev/old\\040(deleted) partition\t5116\t0\t-3\n");
  busy_expect_needs (host, BUSY_NVME, "swap: /dev/old (deleted) may be on /dev/nvme0n1");
}

static void
test_loop (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  busy_add_block (host, "virtual/block", "loop7", "7:7\n");
  kvmhelper_double_file (host, "sys/devices/virtual/block/loop7/loop/backing_file",
                         "/dev/nvme0n1p1\n");
  busy_expect_needs (host, BUSY_NVME, "storage: loop7 uses /dev/nvme0n1p1");
}

/* btrfs, and XFS with its log elsewhere: their mounts have no number of the disk. */
static void
test_other_disks (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  kvmhelper_double_file (host, "proc/1/mountinfo",
                         "40 21 0:40 / /a rw - btrfs /dev/nvme0n1p1 rw\n"
                         "41 21 254:2 / /b rw - xfs /dev/vda2 rw,logdev=/dev/nvme0n1,noquota\n");
  busy_expect_needs (host, BUSY_NVME, "mounted: /dev/nvme0n1 on /b; mounted: /dev/nvme0n1p1 on /a");
}

/* In the host's own namespace nothing; in that of a container, and of another process in it. */
static void
test_namespace (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  for (guint pid = 700; pid <= 701; pid++)
    {
      g_autofree char *link = g_strdup_printf ("proc/%u/ns/mnt", pid);
      g_autofree char *file = g_strdup_printf ("proc/%u/mountinfo", pid);

      kvmhelper_double_link (host, link, "mnt:[2]");
      kvmhelper_double_file (host, file,
                             "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
                             "40 21 259:1 / /mnt rw - vfat /dev/nvme0n1p1 rw\n");
    }
  busy_expect_needs (host, BUSY_NVME,
                     "mounted: /dev/nvme0n1p1 on /mnt, for process 700 and others in its mount "
                     "namespace");
}

/* What another namespace has and cannot be read is a doubt of the disks, and of nothing else. */
static void
test_namespace_unreadable (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();
  const char *rules[] = { "open /proc/700/mountinfo EACCES", NULL };
  g_autoptr (KvmHelperFaults) faults = kvmhelper_faults_parse (rules, NULL, NULL);
  KvmHelperKernel *kernel = kvmhelper_faults_wrap (faults, &host->kernel);
  g_autofree char *disk = NULL;
  g_autofree char *card = NULL;

  busy_add_disk (host);
  kvmhelper_double_link (host, "proc/700/ns/mnt", "mnt:[2]");
  disk = busy_get_needs (kernel, BUSY_NVME);
  card = busy_get_needs (kernel, BUSY_CARD);
  g_assert_true (g_str_has_prefix (disk, "mounted: /dev/nvme0n1 may be: the mounts of another "));
  g_assert_nonnull (strstr (disk, "/proc/700/mountinfo"));
  g_assert_cmpstr (card, ==, "");
  kvmhelper_faults_unwrap (kernel);
}

/* Nobody has it mounted any more, and the file system lives on. */
static void
test_lazy (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_disk (host);
  kvmhelper_double_file (host, "sys/fs/ext4/nvme0n1p1/delayed_allocation_blocks", "0\n");
  kvmhelper_double_file (host, "sys/fs/ext4/features/lazy_itable_init", "supported\n");
  busy_expect_needs (host, BUSY_NVME, "mounted: /dev/nvme0n1p1, where cannot be seen (ext4)");
}

static void
test_mounted (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_block (host, "pci0004:00/" BUSY_NVME "/nvme/nvme0", "nvme0n1", "259:0\n");
  busy_add_block (host, "pci0004:00/" BUSY_NVME "/nvme/nvme0/nvme0n1", "nvme0n1p2", "259:2\n");
  busy_expect_needs (host, BUSY_NVME, "");
  kvmhelper_double_file (host, "proc/self/mountinfo", "20 1 259:2 / /self rw - ext4 /dev/x rw\n");
  /* Our own mounts are those of a sandbox. */
  busy_expect_needs (host, BUSY_NVME, "");
  kvmhelper_double_file (host, "proc/1/mountinfo",
                         "20 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                         "21 20 0:5 / /dev rw - devtmpfs udev rw\n"
                         "22 20 259:2 /x /srv/my\\040data rw - ext4 /dev/root rw\n"
                         "broken\n");
  kvmhelper_double_file (host, "proc/swaps",
                         "Filename\t\tType\tSize\n/dev/nvme0n1 partition 1 0 -2\n");
  busy_expect_needs (host, BUSY_NVME,
                     "swap: /dev/nvme0n1; "
                     "mounted: /dev/nvme0n1p2 on /; "
                     "mounted: /dev/nvme0n1p2 on /srv/my data");
  busy_expect_needs (host, BUSY_CARD, "");
}

/* md on a partition, dm on the md, mounted: each of it is a need of the disk's function. */
static void
test_stacked (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_block (host, "pci0003:00/" BUSY_CARD "/host0/target0:0:0/0:0:0:0/block", "sda", "8:0\n");
  busy_add_block (host, "pci0003:00/" BUSY_CARD "/host0/target0:0:0/0:0:0:0/block/sda", "sda1",
                  "8:1\n");
  busy_add_block (host, "virtual/block", "md0", "9:0\n");
  busy_add_block (host, "virtual/block", "dm-0", "253:0\n");
  kvmhelper_double_link (host,
                         "sys/devices/pci0003:00/" BUSY_CARD
                         "/host0/target0:0:0/0:0:0:0/block/sda/sda1/holders/md0",
                         "../../x");
  kvmhelper_double_link (host, "sys/devices/virtual/block/md0/holders/dm-0", "../../dm-0");
  /* a ring must not go on for ever */
  kvmhelper_double_link (host, "sys/devices/virtual/block/dm-0/holders/md0", "../../md0");
  kvmhelper_double_file (host, "proc/1/mountinfo", "20 1 253:0 / / rw - xfs /dev/mapper/root rw\n");
  busy_expect_needs (host, BUSY_CARD,
                     "storage: md0 uses /dev/sda1; "
                     "storage: dm-0 uses /dev/md0; "
                     "mounted: /dev/dm-0 on /; "
                     "storage: md0 uses /dev/dm-0");
}

static void
test_multi_disk (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_block (host, "pci0003:00/" BUSY_CARD "/block", "sda", "8:0\n");
  busy_add_block (host, "pci0003:00/" BUSY_SECOND "/block", "sdb", "8:16\n");
  kvmhelper_double_link (host, "sys/fs/btrfs/1234/devices/sdb", "../x");
  kvmhelper_double_file (host, "proc/1/mountinfo", "20 1 0:30 / /data rw - btrfs /dev/sda rw\n");
  busy_expect_needs (host, BUSY_CARD, "mounted: /dev/sda on /data");
  busy_expect_needs (host, BUSY_SECOND, "storage: btrfs 1234 uses /dev/sdb");
}

/* An NVMe namespace of several paths is a virtual disk of all its controllers. */
static void
test_multipath (void)
{
  g_autoptr (KvmHelperDouble) host = busy_host_new ();

  busy_add_block (host, "virtual/nvme-subsystem/nvme-subsys0", "nvme0n1", "259:0\n");
  kvmhelper_double_link (host, "sys/class/nvme-subsystem/nvme-subsys0/nvme0",
                         "../../../devices/pci0004:00/" BUSY_NVME "/nvme/nvme0");
  kvmhelper_double_file (host, "proc/1/mountinfo", "20 1 259:0 / / rw - ext4 /dev/root rw\n");
  busy_expect_needs (host, BUSY_NVME, "mounted: /dev/nvme0n1 on /");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/busy-disk/partition", test_partition);
  g_test_add_func ("/kvmhelper/busy-disk/stack", test_stack);
  g_test_add_func ("/kvmhelper/busy-disk/many-ways", test_many_ways);
  g_test_add_func ("/kvmhelper/busy-disk/lost-swap", test_lost_swap);
  g_test_add_func ("/kvmhelper/busy-disk/loop", test_loop);
  g_test_add_func ("/kvmhelper/busy-disk/other-disks", test_other_disks);
  g_test_add_func ("/kvmhelper/busy-disk/namespace", test_namespace);
  g_test_add_func ("/kvmhelper/busy-disk/namespace-unreadable", test_namespace_unreadable);
  g_test_add_func ("/kvmhelper/busy-disk/lazy", test_lazy);
  g_test_add_func ("/kvmhelper/busy-disk/mounted", test_mounted);
  g_test_add_func ("/kvmhelper/busy-disk/stacked", test_stacked);
  g_test_add_func ("/kvmhelper/busy-disk/multi-disk", test_multi_disk);
  g_test_add_func ("/kvmhelper/busy-disk/multipath", test_multipath);
  return g_test_run ();
}
