/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-interrupts.h"

/* As Linux 6.12 and 7.2 on an emulated POWER9 host write it. */
static const char linux_6_12[]
    = "           CPU0       CPU1       \n"
      " 16:          0          0  XIVE-IPI   0 Edge      IPI-0\n"
      " 49:          0          0  OPAL EVT   9 Level     opal-eeh\n"
      " 56:          0          5  XIVE-IRQ 16777263 Edge      kvm-1-0\n"
      " 57:          0          0  PNV-PCI-MSI 524288 Edge      vfio-msix[0](0000:01:00.0)\n"
      " 68:          3          4  PNV-PCI-MSI 524291 Edge      vfio-msix[10](0000:01:00.0)\n"
      " 69:          1          0  XIVE-IRQ 1044472 Level     vfio-intx(0003:01:00.0), "
      "vfio-intx(0003:01:00.1)\n"
      "LOC:       1001        711   Local timer interrupts for timer event device\n";
static const char linux_7_2[]
    = "            CPU0       \n"
      "  57:          2  PNV-PCI-MSI-0000:01:00.0     0 Edge      vfio-msi[0](0000:01:00.0)\n";

static void
assert_vector (const GArray *vectors, guint index, const char *function, const char *name,
               guint number, guint64 count)
{
  const KvmHelperVector *vector = &g_array_index (vectors, KvmHelperVector, index);
  char address[PCI_ADDRESS_LEN];

  g_assert_cmpuint (index, <, vectors->len);
  g_assert_cmpstr (pci_address_format (&vector->function, address), ==, function);
  g_assert_cmpstr (vector->name, ==, name);
  g_assert_cmpuint (vector->number, ==, number);
  g_assert_cmpuint (vector->count, ==, count);
  g_assert_cmpint (vector->message, ==, name[0] == 'm');
}

static void
test_kernels (void)
{
  g_autoptr (GArray) older = kvmhelper_interrupts_parse (linux_6_12);
  g_autoptr (GArray) newer = kvmhelper_interrupts_parse (linux_7_2);

  g_assert_cmpuint (older->len, ==, 4);
  assert_vector (older, 0, "0000:01:00.0", "msix[0]", 57, 0);
  assert_vector (older, 1, "0000:01:00.0", "msix[10]", 68, 7);
  assert_vector (older, 2, "0003:01:00.0", "intx", 69, 1);
  assert_vector (older, 3, "0003:01:00.1", "intx", 69, 1);
  g_assert_cmpuint (newer->len, ==, 1);
  assert_vector (newer, 0, "0000:01:00.0", "msi[0]", 57, 2);
}

/* Whatever it is, it is no vector. */
static void
test_broken (void)
{
  static const char *const texts[] = {
    "",
    "\n\n",
    "CPU0\n",
    "57: 0 x vfio-msix[0](0000:01:00.0)\n",
    "CPU0\n57: 0 x vfio-msix[0](0000:01:00.0",
    "CPU0\n57: 0 x vfio-msix[0]0000:01:00.0)",
    "CPU0\n57: 0 x vfio-msix[0](0000:01:00.8)",
    "CPU0\n57: 0 x vfio-msix[0]()",
    "CPU0\n57: 0 x vfio-msix[123456789](0000:01:00.0)",
    "CPU0\n57: 0 x vfio-other(0000:01:00.0)",
    "CPU0\n57: 0 x vfio-msi[\xff](0000:01:00.0)",
    "CPU0\n57: 0 x vfio-msix\xff(0000:01:00.0)",
    "CPU0\n57: 0 x vfio-msix[0]x(0000:01:00.0)",
    "CPU0\n57: 0 x vfio-msix[](0000:01:00.0)",
    "CPU0\n57: 0 x vfio-intx1(0000:01:00.0)",
    "CPU0\n57: 0 x msix[0](0000:01:00.0)",
    "CPU0\n57 0 x vfio-msix[0](0000:01:00.0)",
    "CPU0\n57: -1 x vfio-msix[0](0000:01:00.0)",
    "CPU0\nLOC: 0 x vfio-msix[0](0000:01:00.0)",
    "CPU0\n99999999999: 0 x vfio-msix[0](0000:01:00.0)",
    /* a CPU went while it was written */
    "CPU0 CPU1\n57: 0 x vfio-msix[0](0000:01:00.0)",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GArray) vectors = kvmhelper_interrupts_parse (texts[i]);

      g_test_message ("%s", texts[i]);
      g_assert_cmpuint (vectors->len, ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/interrupts/kernels", test_kernels);
  g_test_add_func ("/kvmhelper/interrupts/broken", test_broken);
  return g_test_run ();
}
