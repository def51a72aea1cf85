/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-tce.h"

#include "kvmhelper-double.h"

#define PID 1234

/* A literal with its NULs, the last one included. */
#define LINE(text) text, sizeof (text)

static const struct
{
  const char *text;
  gsize length;
  gboolean found;
  guint major, minor;
} lines[] = {
  { LINE ("qemu-system-ppc64\0-machine\0pseries-10.0,usb=off,dump-guest-core=off"), TRUE, 10, 0 },
  { LINE ("qemu-system-ppc64\0-M\0pseries-2.12-sxxm"), TRUE, 2, 12 },
  { LINE ("qemu-system-ppc64\0-machine\0accel=kvm,type=pseries-9.2"), TRUE, 9, 2 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries-7.2\0-machine\0ic-mode=xive"), TRUE, 7, 2 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries-7.2\0-M\0pseries-10.1"), TRUE, 10, 1 },
  /* not terminated */
  { "qemu\0-M\0pseries-10.0", 20, TRUE, 10, 0 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries,accel=kvm"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-name\0pseries-10.0"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-machine"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries-rhel9.4.0"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-machine\0powernv10"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries-10"), FALSE, 0, 0 },
  { LINE ("qemu-system-ppc64\0-machine\0pseries-99999999999.0"), FALSE, 0, 0 },
  { LINE (""), FALSE, 0, 0 },
  { "", 0, FALSE, 0, 0 },
};

static void
test_machine (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      guint major = 0, minor = 0;

      g_test_message ("line %u", i);
      g_assert_cmpint (kvmhelper_qemu_machine (lines[i].text, lines[i].length, &major, &minor), ==,
                       lines[i].found);
      g_assert_cmpuint (major, ==, lines[i].major);
      g_assert_cmpuint (minor, ==, lines[i].minor);
    }
}

static void
assert_linked (KvmHelperDouble *host, const KvmHelperHolding *holding, const char *value)
{
  KvmHelperFact fact = kvmhelper_tce_linked (&host->kernel, holding, PID);

  g_assert_cmpstr (fact.value, ==, value);
  g_assert_true (g_str_has_prefix (fact.source, "inferred: "));
  kvmhelper_fact_clear (&fact);
}

/* An old QEMU goes on with a table that drives no hardware, and nothing shows it: that it may be
 * so is said, and never that it is linked. */
static void
test_linked (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  KvmHelperHolding holding = { .vm = 5, .kvm_vfio = 6, .tce_tables = 2, .containers = 1 };

  assert_linked (host, &holding, "unknown");
  kvmhelper_double_bytes (host, "proc/1234/cmdline", LINE ("qemu\0-M\0pseries-7.2"));
  assert_linked (host, &holding, "unknown");
  kvmhelper_double_bytes (host, "proc/1234/cmdline", LINE ("qemu\0-M\0pseries-9.2"));
  assert_linked (host, &holding, "unknown");
  kvmhelper_double_bytes (host, "proc/1234/cmdline", LINE ("qemu\0-M\0pseries-10.0"));
  assert_linked (host, &holding, "yes");
  holding.kvm_vfio = -1;
  assert_linked (host, &holding, "no");
  holding.kvm_vfio = 6;
  holding.tce_tables = 0;
  assert_linked (host, &holding, "no");
}

static void
test_dma (void)
{
  static const struct
  {
    KvmHelperHolding holding;
    const char *value;
  } holdings[] = {
    { { .vm = -1, .kvm_vfio = -1 }, "unknown" },
    { { .vm = 5, .kvm_vfio = -1 }, "user-space" },
    { { .vm = 5, .kvm_vfio = 6 }, "user-space" },
    { { .vm = 5, .kvm_vfio = -1, .tce_tables = 1, .containers = 1 }, "user-space" },
    { { .vm = 5, .kvm_vfio = 6, .tce_tables = 1, .containers = 1 }, "in-kernel" },
    { { .vm = 5, .kvm_vfio = 6, .tce_tables = 3, .containers = 2 }, "in-kernel" },
    /* one of the containers has none */
    { { .vm = 5, .kvm_vfio = 6, .tce_tables = 1, .containers = 2 }, "unknown" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (holdings); i++)
    {
      KvmHelperFact fact = kvmhelper_tce_dma (&holdings[i].holding);

      g_test_message ("holding %u", i);
      g_assert_cmpstr (fact.value, ==, holdings[i].value);
      kvmhelper_fact_clear (&fact);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/tce/machine", test_machine);
  g_test_add_func ("/kvmhelper/tce/linked", test_linked);
  g_test_add_func ("/kvmhelper/tce/dma", test_dma);
  return g_test_run ();
}
