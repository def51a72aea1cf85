/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-lease.h"

#define NIC    "0000:01:00.0"
#define DISK   "0001:01:00.0"
#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define BRIDGE "0003:00:00.0"

static const char cpuinfo[] = "processor\t: 0\n"
                              "cpu\t\t: POWER9, altivec supported\n"
                              "\n"
                              "platform\t: PowerNV\n"
                              "model\t\t: 8335-GTH\n"
                              "firmware\t: OPAL\n";

static KvmHelperDouble *
make_host (void)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (host, SECOND, 3, "", 0);
  kvmhelper_double_function (host, BRIDGE, -1, "pcieport", 1);
  kvmhelper_double_function (host, NIC, 0, "vfio-pci", 0);
  kvmhelper_double_function (host, DISK, 1, "nvme", 0);
  kvmhelper_double_bytes (host, "sys/firmware/devicetree/base/compatible",
                          "ibm,witherspoon\0ibm,powernv", 28);
  kvmhelper_double_file (host, "proc/cpuinfo", cpuinfo);
  return host;
}

static GVariant *
read_host (KvmHelperDouble *host, const GPtrArray *leases)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  return g_variant_ref_sink (
      kvmhelper_host_read (&host->kernel, leases == NULL ? none : leases, NULL));
}

static const char *
get_text (GVariant *dict, const char *key)
{
  const char *text = "(no such key)";

  g_variant_lookup (dict, key, "&s", &text);
  return text;
}

static GVariant *
get_group (GVariant *host, gsize index)
{
  g_autoptr (GVariant) groups = g_variant_lookup_value (host, "groups", G_VARIANT_TYPE ("aa{sv}"));

  g_assert_nonnull (groups);
  return g_variant_get_child_value (groups, index);
}

static void
assert_fact (GVariant *dict, const char *key, const char *value, const char *source)
{
  const char *its_value, *its_source;

  g_assert_true (g_variant_lookup (dict, key, "(&s&s)", &its_value, &its_source));
  g_assert_cmpstr (its_value, ==, value);
  g_assert_cmpstr (its_source, ==, source);
}

static void
test_description (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (GVariant) description = read_host (host, NULL);
  g_autoptr (GVariant) first = get_group (description, 0);
  g_autoptr (GVariant) third = get_group (description, 2);
  g_autoptr (GVariant) members
      = g_variant_lookup_value (third, "members", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) ungrouped
      = g_variant_lookup_value (description, "ungrouped", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) member = g_variant_get_child_value (members, 0);
  g_autoptr (GVariant) bridge = g_variant_get_child_value (ungrouped, 0);
  guint number;
  gboolean endpoint;

  g_assert_cmpstr (get_text (description, "platform"), ==, "powernv");
  g_assert_cmpstr (get_text (description, "kernel"), ==, "6.12.107");
  g_assert_cmpstr (get_text (description, "model"), ==, "8335-GTH");
  g_assert_cmpstr (get_text (description, "firmware"), ==, "OPAL");
  g_assert_true (g_variant_lookup (description, "page-size", "u", &number));
  g_assert_cmpuint (number, ==, 65536);

  g_assert_cmpstr (get_text (first, "name"), ==, "domain0-pe1f0");
  g_assert_cmpstr (get_text (first, "holder"), ==, "none");
  assert_fact (first, "pe-state", "unknown", "/sys/bus/pci/devices/" NIC "/eeh_pe_state");
  g_assert_cmpstr (get_text (third, "name"), ==, "domain3-pe1f3");
  g_assert_true (g_variant_lookup (third, "phb", "u", &number));
  g_assert_cmpuint (number, ==, 3);
  g_assert_true (g_variant_lookup (third, "pe", "u", &number));
  g_assert_cmphex (number, ==, 0x1f3);

  g_assert_cmpuint (g_variant_n_children (members), ==, 2);
  g_assert_cmpstr (get_text (member, "address"), ==, FIRST);
  g_assert_cmpstr (get_text (member, "driver"), ==, "e1000e");
  g_assert_cmpstr (get_text (member, "driver-override"), ==, "");
  g_assert_true (g_variant_lookup (member, "device", "u", &number));
  g_assert_cmphex (number, ==, 0x10d3);
  g_assert_true (g_variant_lookup (member, "class", "u", &number));
  g_assert_cmphex (number, ==, 0x20000);
  g_assert_false (g_variant_lookup (member, "busy", "a(ss)", NULL));

  g_assert_cmpuint (g_variant_n_children (ungrouped), ==, 1);
  g_assert_true (g_variant_lookup (bridge, "endpoint", "b", &endpoint));
  g_assert_false (endpoint);
  g_assert_cmpuint (host->writes, ==, 0);
  g_assert_cmpuint (host->group_opens, ==, 0);
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
}

static void
test_holders (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  g_autoptr (GPtrArray) leases
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_lease_free);
  PciAddress address;
  g_autoptr (KvmHelperGroup) group = NULL;
  g_autoptr (GVariant) before = NULL;
  g_autoptr (GVariant) after = NULL;
  g_autoptr (GVariant) foreign = NULL;
  g_autoptr (GVariant) guest = NULL;
  g_autoptr (GVariant) ours = NULL;
  guint pid;

  kvmhelper_double_hold (host, 31, 0);
  before = read_host (host, NULL);
  foreign = get_group (before, 0);
  g_assert_cmpstr (get_text (foreign, "holder"), ==, "foreign");
  g_assert_true (g_variant_lookup (foreign, "holder-pid", "u", &pid));
  g_assert_cmpuint (pid, ==, 31);

  g_assert_true (pci_address_parse (NIC, &address, NULL));
  group = kvmhelper_group_read (&host->kernel, &address, NULL);
  g_ptr_array_add (leases, kvmhelper_lease_new ("boot", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0",
                                                "guest", &address, group->members));
  after = read_host (host, leases);
  guest = get_group (after, 0);
  g_assert_cmpstr (get_text (guest, "holder"), ==, "guest");
  g_assert_cmpstr (get_text (guest, "domain-name"), ==, "guest");

  /* a worker of ours is no holder */
  kvmhelper_double_file (host, "proc/31/stat", "31 (x (y) z) S 4242 1 1\n");
  g_clear_pointer (&after, g_variant_unref);
  after = read_host (host, leases);
  ours = get_group (after, 0);
  g_assert_cmpstr (get_text (ours, "holder"), ==, "none");
}

/* A descriptor that only names the node (O_PATH), as anybody can have one, holds nothing. */
static void
test_name_only (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  kvmhelper_double_hold (host, 31, 0);
  g_assert_cmpuint (kvmhelper_holder_find (&host->kernel, 0), ==, 31);
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *info = g_strdup_printf ("proc/31/fdinfo/%u", i);
      g_autofree char *text = g_strdup_printf ("pos:\t0\nflags:\t0%o\nmnt_id:\t24\n", O_PATH);

      kvmhelper_double_file (host, info, text);
    }
  g_assert_cmpuint (kvmhelper_holder_find (&host->kernel, 0), ==, 0);
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *info = g_strdup_printf ("proc/31/fdinfo/%u", i);

      kvmhelper_double_file (host, info, "pos:\t0\nflags:\t02400002\nmnt_id:\t24\n");
    }
  g_assert_cmpuint (kvmhelper_holder_find (&host->kernel, 0), ==, 31);
}

static void
test_pe_states (void)
{
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000078 0x00000800").name, ==, "normal");
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000000 0x00000801").name, ==, "frozen");
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000078 0x00000802").name, ==, "frozen");
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000008 0x00000800").name, ==, "frozen");
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000001 0x00000800").name, ==, "unavailable");
  g_assert_cmpstr (kvmhelper_eeh_parse ("0x00000078 0x00000c00").name, ==, "failed");
  g_assert_cmpstr (kvmhelper_eeh_parse ("normal").name, ==, "unknown");
  g_assert_cmpstr (kvmhelper_eeh_parse ("").name, ==, "unknown");
}

/* --- capabilities --- */

typedef struct
{
  KvmHelperDouble *host;
  int vm_answer, extension_answer;
} Kvm;

static int
answer (gpointer data, int handle, gulong request, gulong argument)
{
  const Kvm *kvm = data;

  if (request == KVM_CREATE_VM && argument == KVM_VM_PPC_HV)
    return kvm->vm_answer < 0
               ? kvm->vm_answer
               : kvmhelper_kernel_open (&kvm->host->kernel, KVMHELPER_DEV, "kvm", O_RDONLY);
  if (request == KVM_CHECK_EXTENSION && argument == KVM_CAP_PPC_IRQ_XIVE)
    return kvm->extension_answer;
  return request == KVM_CHECK_EXTENSION || request == VFIO_CHECK_EXTENSION ? 1 : -ENOTTY;
}

static void
assert_fact_value (GVariant *dict, const char *key, const char *value)
{
  const char *its_value, *its_source;

  g_assert_true (g_variant_lookup (dict, key, "(&s&s)", &its_value, &its_source));
  g_assert_cmpstr (its_value, ==, value);
  g_assert_cmpstr (its_source, !=, "");
}

static void
assert_capability (GVariant *host, const char *name, const char *value)
{
  g_autoptr (GVariant) capabilities
      = g_variant_lookup_value (host, "capabilities", G_VARIANT_TYPE ("a{s(ss)}"));

  assert_fact_value (capabilities, name, value);
}

static void
test_capabilities (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  Kvm kvm = { host, 0, 1 };
  g_autoptr (GVariant) without = read_host (host, NULL);
  g_autoptr (GVariant) with = NULL;
  g_autoptr (GVariant) partition = NULL;

  assert_capability (without, "kvm-hv", "no");
  assert_capability (without, "xive-native", "unknown");
  assert_capability (without, "irq-bypass", "unknown");
  assert_capability (without, "eeh", "no");
  assert_capability (without, "host-xive", "unknown");

  kvmhelper_double_file (host, "dev/kvm", "");
  kvmhelper_double_file (host, "sys/module/kvm_hv/parameters/kvm_irq_bypass", "1\n");
  kvmhelper_double_file (host, "proc/powerpc/eeh",
                         "EEH Subsystem is enabled\nno device=0\neeh_slot_resets=1\n");
  kvmhelper_double_file (host, "proc/interrupts", " 18:  1  XIVE-IRQ 1044472 Level     x\n");
  host->ioctl = answer;
  host->ioctl_data = &kvm;
  with = read_host (host, NULL);
  assert_capability (with, "kvm-hv", "yes");
  assert_capability (with, "host-xive", "yes");
  assert_capability (with, "xive-native", "yes");
  assert_capability (with, "xics", "yes");
  assert_capability (with, "irq-bypass", "yes");
  assert_capability (with, "spapr-tce", "yes");
  assert_capability (with, "spapr-tce-vfio", "yes");
  assert_capability (with, "vfio-spapr-v2", "yes");
  assert_capability (with, "eeh", "yes");
  assert_capability (with, "vfio-eeh", "yes");

  kvm.extension_answer = 0;
  kvmhelper_double_bytes (host, "sys/firmware/devicetree/base/compatible", "IBM,9009-42A", 13);
  kvmhelper_double_file (host, "proc/cpuinfo", "platform : pSeries\nmodel : IBM,9009-42A\n");
  kvmhelper_double_file (host, "proc/powerpc/eeh", "EEH Subsystem is globally disabled\n");
  partition = read_host (host, NULL);
  g_assert_cmpstr (get_text (partition, "platform"), ==, "pseries");
  assert_capability (partition, "xive-native", "no");
  assert_capability (partition, "irq-bypass", "no");
  assert_capability (partition, "eeh", "no");
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
}

/* Root writes what it likes there. It can be told, and a lease can be read again that has it. */
static void
test_override_no_text (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  const PciAddress address = kvmhelper_double_address (FIRST);
  g_autoptr (GPtrArray) functions = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (KvmHelperLease) again = NULL;
  g_autoptr (GVariant) description = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  kvmhelper_double_file (host, "sys/devices/pci0003:00/" FIRST "/driver_override", "a\xff\001b\n");
  description = read_host (host, NULL);
  functions = kvmhelper_function_read_all (&host->kernel);
  lease = kvmhelper_lease_new ("", "", "", &address, functions);
  text = kvmhelper_lease_to_text (lease);
  again = kvmhelper_lease_from_text (text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (kvmhelper_lease_find_member (again, &address)->driver_override, ==,
                   "a\xef\xbf\xbd?b");
}

static GVariant *
get_member (GVariant *host, gsize group, gsize index)
{
  g_autoptr (GVariant) dict = get_group (host, group);
  g_autoptr (GVariant) members
      = g_variant_lookup_value (dict, "members", G_VARIANT_TYPE ("aa{sv}"));

  return g_variant_get_child_value (members, index);
}

/* NUMA nodes by number, and of each what the kernel says in so many words. */
static void
test_nodes (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();

  kvmhelper_double_file (host, "sys/devices/system/node/node8/cpulist", "80-159\n");
  kvmhelper_double_file (host, "sys/devices/system/node/node8/distance", "40 10\n");
  kvmhelper_double_file (host, "sys/devices/system/node/node0/cpulist", "0-79\n");
  kvmhelper_double_file (host, "sys/devices/system/node/node0/distance", "10 40\n");
  kvmhelper_double_file (host, "sys/devices/system/node/node252/cpulist", "\n");
  kvmhelper_double_file (host, "sys/devices/system/node/node253/cpulist", "<none>\n");
  kvmhelper_double_file (host, "sys/devices/system/node/online", "0,8\n");
  g_autoptr (GVariant) description = read_host (host, NULL);
  g_autoptr (GVariant) nodes
      = g_variant_lookup_value (description, "nodes", G_VARIANT_TYPE ("aa{sv}"));
  g_autofree char *text = g_variant_print (nodes, FALSE);

  g_assert_cmpstr (text, ==,
                   "[{'number': <uint32 0>, 'cpus': <'0-79'>, 'distances': <'10 40'>}, "
                   "{'number': <uint32 8>, 'cpus': <'80-159'>, 'distances': <'40 10'>}, "
                   "{'number': <uint32 252>}, {'number': <uint32 253>}]");
}

/* A driver of VFIO's says nothing of what the device can. */
static void
test_dma_bits (void)
{
  g_autoptr (KvmHelperDouble) host = make_host ();
  guint bits;

  kvmhelper_double_file (host, "sys/bus/pci/devices/" DISK "/dma_mask_bits", "32\n");
  kvmhelper_double_file (host, "sys/bus/pci/devices/" NIC "/dma_mask_bits", "32\n");
  kvmhelper_double_file (host, "sys/bus/pci/devices/" SECOND "/dma_mask_bits", "32\n");
  g_autoptr (GVariant) description = read_host (host, NULL);
  g_autoptr (GVariant) nic = get_member (description, 0, 0);
  g_autoptr (GVariant) disk = get_member (description, 1, 0);
  g_autoptr (GVariant) first = get_member (description, 2, 0);
  g_autoptr (GVariant) second = get_member (description, 2, 1);

  g_assert_true (g_variant_lookup (disk, "dma-bits", "u", &bits));
  g_assert_cmpuint (bits, ==, 32);
  g_assert_false (g_variant_lookup (nic, "dma-bits", "u", &bits));
  g_assert_false (g_variant_lookup (first, "dma-bits", "u", &bits));
  g_assert_false (g_variant_lookup (second, "dma-bits", "u", &bits));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/host/description", test_description);
  g_test_add_func ("/kvmhelper/host/nodes", test_nodes);
  g_test_add_func ("/kvmhelper/host/dma-bits", test_dma_bits);
  g_test_add_func ("/kvmhelper/host/override-no-text", test_override_no_text);
  g_test_add_func ("/kvmhelper/host/holders", test_holders);
  g_test_add_func ("/kvmhelper/host/name-only", test_name_only);
  g_test_add_func ("/kvmhelper/host/pe-states", test_pe_states);
  g_test_add_func ("/kvmhelper/host/capabilities", test_capabilities);
  return g_test_run ();
}
