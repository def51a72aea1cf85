/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-inspect.h"

#include "kvmhelper-double.h"

#define FIRST   "0003:01:00.0"
#define SIBLING "0003:01:00.1"
#define SECOND  "0003:02:00.0"
#define PID     1234

static const char interrupts[]
    = "           CPU0\n"
      " 56:          0  PNV-PCI-MSI 524288 Edge      vfio-msix[0](" FIRST ")\n"
      " 57:          7  PNV-PCI-MSI 524289 Edge      vfio-msix[1](" FIRST ")\n"
      " 58:          0  PNV-PCI-MSI 524290 Edge      vfio-msix[0](" SECOND ")\n"
      " 59:          0  XIVE-IRQ 1044472 Level     vfio-intx(" FIRST ")\n"
      " 60:          0  XIVE-IRQ 1044473 Level     other(" FIRST ")\n"
      " 61:          0  PNV-PCI-MSI 524291 Edge      vfio-msi[0](" SIBLING ")\n";

static KvmHelperDouble *
make_host (void)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, FIRST, 3, "vfio-pci", 0);
  kvmhelper_double_function (host, SIBLING, 3, "vfio-pci", 0);
  kvmhelper_double_function (host, SECOND, 4, "vfio-pci", 0);
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state",
                         "0x00000078 0x00000800\n");
  kvmhelper_double_file (host, "proc/interrupts", interrupts);
  return host;
}

static void
add_descriptor (KvmHelperDouble *host, guint descriptor, const char *link)
{
  g_autofree char *path = g_strdup_printf ("proc/%u/fd/%u", PID, descriptor);

  kvmhelper_double_link (host, path, link);
}

static void
add_guest (KvmHelperDouble *host, const char *controller)
{
  kvmhelper_double_hold (host, PID, 3);
  add_descriptor (host, 10, "/dev/kvm");
  add_descriptor (host, 11, "anon_inode:kvm-vm");
  add_descriptor (host, 12, "anon_inode:kvm-spapr-tce");
  add_descriptor (host, 13, "anon_inode:kvm-spapr-tce");
  add_descriptor (host, 14, "anon_inode:kvm-vfio");
  add_descriptor (host, 15, "anon_inode:[vfio-device]");
  add_descriptor (host, 16, "/dev/vfio/vfio");
  if (controller != NULL)
    add_descriptor (host, 17, controller);
  kvmhelper_double_file (host, "proc/1234/task/1235/stat", "");
  /* the double ends the test where one of these is opened */
  kvmhelper_double_file (host, "sys/kernel/debug/kvm/1235-11/xive", "VCPU 0: VP=0x41000002/00\n");
  kvmhelper_double_file (host, "sys/kernel/debug/powerpc/xive/interrupts", "");
}

static KvmHelperInspection *
inspect (KvmHelperDouble *host)
{
  g_autoptr (GError) error = NULL;
  KvmHelperInspection *inspection;
  PciAddress address;

  g_assert_true (pci_address_parse (FIRST, &address, NULL));
  inspection = kvmhelper_inspection_new (&host->kernel, &address, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
  g_assert_cmpuint (host->group_opens, ==, 0);
  return inspection;
}

static void
test_guest (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariant) list = NULL;
  g_autofree char *summary = NULL;
  const char *function, *name;
  guint number;
  guint64 count;

  add_guest (host, "anon_inode:kvm-xive-native");
  inspection = inspect (host);
  g_assert_cmpuint (inspection->holder_pid, ==, PID);
  g_assert_cmpstr (inspection->interrupts.value, ==, "xive-native");
  g_assert_cmpstr (inspection->interrupts.source, ==, "/proc/1234/fd/17");
  g_assert_cmpuint (inspection->vectors, ==, 3);
  g_assert_cmpuint (inspection->passed_through, ==, 2);
  g_assert_true (g_str_has_prefix (inspection->passed_source, "inferred: "));
  g_assert_cmpstr (inspection->dma.value, ==, "in-kernel");
  g_assert_true (g_str_has_prefix (inspection->dma.source, "inferred: "));
  g_assert_cmpuint (inspection->tce_tables, ==, 2);
  g_assert_cmpstr (inspection->eeh.value, ==, "enabled");
  g_assert_cmpstr (inspection->pe_state.value, ==, "normal");
  summary = kvmhelper_inspection_summary (inspection);
  g_assert_cmpstr (summary, ==,
                   "interrupts=xive-native vectors=3 passed-through=2 dma=in-kernel eeh=enabled");

  variant = g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL));
  list = g_variant_lookup_value (variant, "vector-list", G_VARIANT_TYPE ("a(ssut)"));
  g_assert_cmpuint (g_variant_n_children (list), ==, 4);
  g_variant_get_child (list, 1, "(&s&sut)", &function, &name, &number, &count);
  g_assert_cmpstr (function, ==, FIRST);
  g_assert_cmpstr (name, ==, "msix[1]");
  g_assert_cmpuint (number, ==, 57);
  g_assert_cmpuint (count, ==, 7);
  g_variant_get_child (list, 3, "(&s&sut)", &function, NULL, NULL, NULL);
  g_assert_cmpstr (function, ==, SIBLING);
}

static void
test_controllers (void)
{
  static const struct
  {
    const char *link, *value;
  } cases[] = {
    { "anon_inode:kvm-xive", "xics-on-xive" },
    { "anon_inode:kvm-xics", "xics" },
    { NULL, "emulated" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KvmHelperDouble) host = make_host ();
      g_autoptr (KvmHelperInspection) inspection = NULL;

      add_guest (host, cases[i].link);
      inspection = inspect (host);
      g_assert_cmpstr (inspection->interrupts.value, ==, cases[i].value);
      g_assert_cmpuint (inspection->passed_through, ==, i == 0 ? 2 : 0);
      g_assert_true (g_str_has_prefix (inspection->passed_source, "inferred: "));
    }
}

/* Each group has its own, and one container for both is no EEH. */
static void
test_two_groups (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) inspection = NULL;

  add_guest (host, "anon_inode:kvm-xive-native");
  kvmhelper_double_hold (host, PID, 4);
  inspection = inspect (host);
  g_assert_cmpuint (inspection->passed_through, ==, 2);
  g_assert_cmpstr (inspection->eeh.value, ==, "unavailable");
}

/* What speaks against it is a fact, with where it was read. */
static void
test_not_passed (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) off = NULL;
  g_autoptr (KvmHelperInspection) handled = NULL;

  add_guest (host, "anon_inode:kvm-xive-native");
  kvmhelper_double_file (host, "sys/module/kvm_hv/parameters/kvm_irq_bypass", "0\n");
  off = inspect (host);
  g_assert_cmpuint (off->passed_through, ==, 0);
  g_assert_cmpstr (off->passed_source, ==, "/sys/module/kvm_hv/parameters/kvm_irq_bypass");
  g_assert_cmpuint (off->list->len, ==, 4);

  kvmhelper_double_file (host, "sys/module/kvm_hv/parameters/kvm_irq_bypass", "1\n");
  kvmhelper_double_file (host, "proc/interrupts",
                         "           CPU0\n"
                         " 56:          1  PNV-PCI-MSI 524288 Edge      vfio-msix[0](" FIRST ")\n"
                         " 59:          0  XIVE-IRQ 1044472 Level     vfio-intx(" FIRST ")\n");
  handled = inspect (host);
  g_assert_cmpuint (handled->passed_through, ==, 0);
  g_assert_cmpstr (handled->passed_source, ==, "/proc/interrupts");
}

static void
test_without_evidence (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) nobody = inspect (host);
  g_autoptr (KvmHelperInspection) stranger = NULL;
  g_autoptr (KvmHelperInspection) blind = NULL;
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (kvmhelper_inspection_to_variant (nobody, NULL));

  g_assert_cmpuint (nobody->holder_pid, ==, 0);
  g_assert_cmpuint (g_variant_n_children (variant), ==, 2);

  kvmhelper_double_hold (host, PID, 3);
  stranger = inspect (host);
  g_assert_cmpstr (stranger->interrupts.value, ==, "unknown");
  g_assert_cmpstr (stranger->dma.value, ==, "unknown");
  g_assert_cmpstr (stranger->eeh.value, ==, "unknown");

  /* without the list nothing is claimed of interrupts that are passed through */
  add_guest (host, "anon_inode:kvm-xive-native");
  kvmhelper_double_remove (host, "proc/interrupts");
  kvmhelper_double_remove (host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state");
  blind = inspect (host);
  g_assert_cmpuint (blind->passed_through, ==, 0);
  g_assert_true (g_str_has_prefix (blind->passed_source, "inferred: "));
  g_assert_cmpstr (blind->eeh.value, ==, "unavailable");
  g_assert_cmpstr (blind->pe_state.value, ==, "unknown");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/inspect/guest", test_guest);
  g_test_add_func ("/kvmhelper/inspect/controllers", test_controllers);
  g_test_add_func ("/kvmhelper/inspect/two-groups", test_two_groups);
  g_test_add_func ("/kvmhelper/inspect/not-passed", test_not_passed);
  g_test_add_func ("/kvmhelper/inspect/without-evidence", test_without_evidence);
  return g_test_run ();
}
