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
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_config_addr", "0x1fd\n");
  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/eeh_pe_state",
                         "0x00000078 0x00000800\n");
  kvmhelper_double_file (host, "proc/interrupts", interrupts);
  kvmhelper_double_file (host, "sys/module/kvm_hv/parameters/kvm_irq_bypass", "1\n");
  kvmhelper_double_bytes (host, "sys/firmware/devicetree/base/compatible", "ibm,powernv", 12);
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
  inspection = kvmhelper_inspection_new (&host->kernel, &address, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
  g_assert_cmpuint (host->group_opens, ==, 0);
  return inspection;
}

static void
assert_vector (GVariant *list, gsize index, const char *function, const char *name, guint number,
               guint64 count, const char *path, const char *reason)
{
  g_autoptr (GVariant) vector = g_variant_get_child_value (list, index);
  const char *text, *source;
  guint32 irq;
  guint64 handled;

  g_assert_true (g_variant_lookup (vector, "function", "&s", &text));
  g_assert_cmpstr (text, ==, function);
  g_assert_true (g_variant_lookup (vector, "name", "&s", &text));
  g_assert_cmpstr (text, ==, name);
  g_assert_true (g_variant_lookup (vector, "irq", "u", &irq));
  g_assert_cmpuint (irq, ==, number);
  g_assert_true (g_variant_lookup (vector, "host-count", "t", &handled));
  g_assert_cmpuint (handled, ==, count);
  g_assert_true (g_variant_lookup (vector, "path", "(&s&s)", &text, &source));
  g_assert_cmpstr (text, ==, path);
  g_assert_cmpstr (source, !=, "");
  g_assert_true (g_variant_lookup (vector, "reason", "&s", &text));
  g_assert_cmpstr (text, ==, reason);
}

/* @codes: each with a space behind it. */
static void
assert_warnings (GVariant *variant, const char *codes)
{
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GVariantIter) warnings = NULL;
  const char *code, *sentence;

  g_assert_true (g_variant_lookup (variant, "warnings", "a(ss)", &warnings));
  while (g_variant_iter_next (warnings, "(&s&s)", &code, &sentence))
    g_string_append_printf (found, "%s ", code);
  g_assert_cmpstr (found->str, ==, codes);
}

static void
test_guest (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariant) list = NULL;
  g_autofree char *summary = NULL;
  guint used, limit;

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
  list = g_variant_lookup_value (variant, "vector-list", G_VARIANT_TYPE ("aa{sv}"));
  g_assert_cmpuint (g_variant_n_children (list), ==, 4);
  assert_vector (list, 0, FIRST, "msix[0]", 56, 0, "guest", "none-at-host");
  assert_vector (list, 1, FIRST, "msix[1]", 57, 7, "host", "handled");
  assert_vector (list, 2, FIRST, "intx", 59, 0, "host", "intx");
  assert_vector (list, 3, SIBLING, "msi[0]", 61, 0, "guest", "none-at-host");
  /* of this guest's group, not of the other one */
  g_assert_true (g_variant_lookup (variant, "guest-msis", "(uu)", &used, &limit));
  g_assert_cmpuint (used, ==, 3);
  g_assert_cmpuint (limit, ==, 3328);
  g_assert_true (g_variant_lookup (variant, "guest-bypass", "(uu)", &used, &limit));
  g_assert_cmpuint (used, ==, 3);
  g_assert_cmpuint (limit, ==, 1024);
  assert_warnings (variant, "");
}

/* A second group of @count MSIs, which the same process holds. */
static void
add_many (KvmHelperDouble *host, guint count)
{
  g_autoptr (GString) text = g_string_new (interrupts);

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "%u: 0 PNV-PCI-MSI %u Edge vfio-msix[%u](" SECOND ")\n", 100 + i,
                            600000 + i, i + 1);
  kvmhelper_double_file (host, "proc/interrupts", text->str);
  kvmhelper_double_hold (host, PID, 4);
}

/* The limits are the guest's, over all of its groups. */
static void
test_limits (void)
{
  static const struct
  {
    guint more; /* beside the 4 of both groups */
    guint passed_through;
    const char *path, *reason, *warnings;
  } limits[] = {
    { 918, 2, "guest", "none-at-host", "" },
    { 919, 2, "guest", "none-at-host", "interrupt-limit " },
    { 1020, 2, "guest", "none-at-host", "interrupt-limit " },
    { 1021, 0, "unknown", "limit", "interrupt-limit " },
    { 2993, 0, "unknown", "limit", "interrupt-limit interrupt-limit " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (KvmHelperDouble) host = make_host ();
      g_autoptr (KvmHelperInspection) inspection = NULL;
      g_autoptr (GVariant) variant = NULL;
      g_autoptr (GVariant) list = NULL;

      g_test_message ("%u more", limits[i].more);
      add_guest (host, "anon_inode:kvm-xive-native");
      add_many (host, limits[i].more);
      inspection = inspect (host);
      g_assert_cmpuint (inspection->passing.messages, ==, 4 + limits[i].more);
      g_assert_cmpuint (inspection->passed_through, ==, limits[i].passed_through);
      variant = g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL));
      list = g_variant_lookup_value (variant, "vector-list", G_VARIANT_TYPE ("aa{sv}"));
      assert_vector (list, 0, FIRST, "msix[0]", 56, 0, limits[i].path, limits[i].reason);
      assert_warnings (variant, limits[i].warnings);
    }
}

static void
test_memory (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (KvmHelperInspection) exempt = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariant) more = NULL;
  gboolean unlimited;
  guint64 bytes;

  add_guest (host, "anon_inode:kvm-xive-native");
  kvmhelper_double_file (host, "proc/1234/limits", "Max locked memory   1073741824   x bytes\n");
  kvmhelper_double_file (host, "proc/1234/status",
                         "VmLck:\t1000000 kB\nVmPin:\t0 kB\nCapEff:\t0000000000000000\n");
  inspection = inspect (host);
  variant = g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL));
  g_assert_true (g_variant_lookup (variant, "memory-locked", "t", &bytes));
  g_assert_cmpuint (bytes, ==, 1024000000);
  g_assert_true (g_variant_lookup (variant, "memory-limit", "t", &bytes));
  g_assert_cmpuint (bytes, ==, 1073741824);
  g_assert_true (g_variant_lookup (variant, "memory-unlimited", "b", &unlimited));
  g_assert_false (unlimited);
  assert_warnings (variant, "memory-limit ");

  kvmhelper_double_file (host, "proc/1234/status",
                         "VmLck:\t1000000 kB\nVmPin:\t0 kB\nCapEff:\t0000000000004000\n");
  exempt = inspect (host);
  more = g_variant_ref_sink (kvmhelper_inspection_to_variant (exempt, NULL));
  g_assert_true (g_variant_lookup (more, "memory-unlimited", "b", &unlimited));
  g_assert_true (unlimited);
  assert_warnings (more, "");
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
      g_assert_cmpstr (g_array_index (inspection->list, KvmHelperInspectedVector, 0).way.reason, ==,
                       i == 0   ? "none-at-host"
                       : i == 1 ? "xics"
                                : "emulated");
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
  g_assert_true (g_str_has_prefix (off->passed_source, "inferred: "));
  g_assert_cmpstr (g_array_index (off->list, KvmHelperInspectedVector, 1).way.source, ==,
                   "/sys/module/kvm_hv/parameters/kvm_irq_bypass");
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
  g_test_add_func ("/kvmhelper/inspect/limits", test_limits);
  g_test_add_func ("/kvmhelper/inspect/memory", test_memory);
  g_test_add_func ("/kvmhelper/inspect/controllers", test_controllers);
  g_test_add_func ("/kvmhelper/inspect/two-groups", test_two_groups);
  g_test_add_func ("/kvmhelper/inspect/not-passed", test_not_passed);
  g_test_add_func ("/kvmhelper/inspect/without-evidence", test_without_evidence);
  return g_test_run ();
}
