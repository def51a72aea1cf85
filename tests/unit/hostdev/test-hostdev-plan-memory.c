/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-fixture.h"

#define CARD "0001:02:00.0"
#define PHBS FIXTURE_PHB (0) FIXTURE_PHB (1)

#define MEMORY(kib)     "<memory unit='KiB'>" #kib "</memory>"
#define HARD_LIMIT(kib) "<memtune><hard_limit unit='KiB'>" #kib "</hard_limit></memtune>"

static HostdevPlan *
attach (const char *top)
{
  return fixture_attach ("powernv.xml", top, PHBS, CARD, "");
}

/* 1 GiB and two PHBs: libvirt's formula gives 4,218,880 KiB. */
static void
test_hard_limit (void)
{
  g_autoptr (HostdevPlan) none = attach (MEMORY (1048576));
  g_autoptr (HostdevPlan) enough = attach (MEMORY (1048576) HARD_LIMIT (4218880));
  g_autoptr (HostdevPlan) less = attach (MEMORY (1048576) HARD_LIMIT (4218879));
  g_autoptr (HostdevPlan) equal = attach (MEMORY (1048576) HARD_LIMIT (1048576));
  g_autoptr (HostdevPlan) never = attach (MEMORY (1048576) HARD_LIMIT (1048575));
  g_autoptr (HostdevPlan) unknown = attach (HARD_LIMIT (1));
  const HostdevReason *reason;

  fixture_expect_clean (none);
  fixture_expect_clean (enough);
  fixture_expect_clean (unknown);
  reason = fixture_expect (less, HOSTDEV_WARN, COMMON_ERROR_MEMORY_LIMIT, "2 PHBs");
  g_assert_nonnull (strstr (reason->remedy, "4218880"));
  g_assert_true (hostdev_plan_is_allowed (less));
  fixture_expect (equal, HOSTDEV_WARN, COMMON_ERROR_MEMORY_LIMIT, "hard_limit");
  /* what QEMU would say, and what it means, before it does */
  reason = fixture_expect (never, HOSTDEV_REFUSE, COMMON_ERROR_MEMORY_LIMIT,
                           "Memory registering failed: Operation not permitted");
  g_assert_false (hostdev_plan_is_allowed (never));
}

static HostdevPlan *
start (const char *host_to, const char *top)
{
  g_autoptr (HostdevHost) host
      = fixture_host ("powernv.xml", "<host platform=\"powernv\"", host_to);
  g_autofree char *device = fixture_hostdev (CARD, "");
  g_autofree char *devices = g_strconcat (PHBS, device, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain (top, devices);

  return hostdev_plan_start (domain, host);
}

/* All of a guest's memory is locked from its start on. */
static void
test_host_memory (void)
{
#define HOST(mib) "<host platform=\"powernv\" memory=\"65536\" memory-available=\"" #mib "\""
#define HUGE      "<memoryBacking><hugepages/></memoryBacking>"
  g_autoptr (HostdevPlan) enough = start (HOST (1024), MEMORY (1048576));
  g_autoptr (HostdevPlan) little = start (HOST (1023), MEMORY (1048576));
  g_autoptr (HostdevPlan) huge = start (HOST (1023), HUGE MEMORY (1048576));
  g_autoptr (HostdevPlan) unknown = start ("<host platform=\"powernv\"", MEMORY (1048576));

  g_assert_null (fixture_find (enough, COMMON_ERROR_MEMORY_LIMIT));
  fixture_expect (little, HOSTDEV_WARN, COMMON_ERROR_MEMORY_LIMIT, "1023");
  g_assert_null (fixture_find (huge, COMMON_ERROR_MEMORY_LIMIT));
  g_assert_null (fixture_find (unknown, COMMON_ERROR_MEMORY_LIMIT));
}

static HostdevPlan *
attach_with_windows (const char *attributes)
{
  g_autofree char *to
      = g_strdup_printf ("<dma-windows %s/>\n    <function address=\"" CARD "\"", attributes);
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", "<function address=\"" CARD "\"", to);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", PHBS);
  g_autoptr (HostdevDevice) device = fixture_device (CARD, "");

  return hostdev_plan_attach (domain, device, host);
}

static void
test_windows (void)
{
#define POWERNV "dma32-start='0x0' dma32-size='0x80000000' windows='2' levels='5'"
  g_autoptr (HostdevPlan) powernv = attach_with_windows (POWERNV " page-sizes='0x40211000'");
  g_autoptr (HostdevPlan) pseries = attach_with_windows (
      "dma32-start='0' dma32-size='0x40000000' windows='2' levels='1' page-sizes='0x401211000'");
  g_autoptr (HostdevPlan) elsewhere = attach_with_windows (
      "dma32-start='0x10000000' dma32-size='0x40000000' windows='2' page-sizes='0x1000'");
  g_autoptr (HostdevPlan) large = attach_with_windows (POWERNV " page-sizes='0x40210000'");
  g_autoptr (HostdevPlan) small = attach_with_windows (
      "dma32-start='0' dma32-size='0x20000000' windows='2' page-sizes='0x1000'");
  g_autoptr (HostdevPlan) one = attach_with_windows (
      "dma32-start='0' dma32-size='0x40000000' windows='1' page-sizes='0x1000'");

  fixture_expect_clean (powernv);
  fixture_expect_clean (pseries);
  fixture_expect (elsewhere, HOSTDEV_REFUSE, COMMON_ERROR_DMA_WINDOW, "0x10000000");
  fixture_expect (large, HOSTDEV_REFUSE, COMMON_ERROR_DMA_WINDOW, "0x40210000");
  fixture_expect (small, HOSTDEV_WARN, COMMON_ERROR_DMA_WINDOW, "512");
  fixture_expect (one, HOSTDEV_WARN, COMMON_ERROR_DMA_WINDOW, "1 DMA window");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan-memory/hard-limit", test_hard_limit);
  g_test_add_func ("/hostdev/plan-memory/host-memory", test_host_memory);
  g_test_add_func ("/hostdev/plan-memory/windows", test_windows);
  return g_test_run ();
}
