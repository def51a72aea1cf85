/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "hostdev-fixture.h"
#include "hostdev/hostdev-set.h"

static void
expect_source (const HostdevHost *host, HostdevCapability capability, HostdevAnswer answer,
               const char *source)
{
  HostdevFact fact = hostdev_host_get_capability (host, capability);

  g_assert_cmpint (fact.answer, ==, answer);
  g_assert_cmpstr (fact.source, ==, source);
}

static const HostdevFunction *
find (const HostdevHost *host, const char *text, const HostdevGroup **group)
{
  PciAddress address;

  g_assert_true (pci_address_parse (text, &address, NULL));
  return hostdev_host_find (host, &address, group);
}

static void
test_xml (void)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  const HostdevGroup *group;

  g_assert_cmpstr (hostdev_host_get_platform (host), ==, "powernv");
  g_assert_cmpstr (hostdev_host_get_kernel (host), ==, "6.12.107");
  g_assert_cmpstr (hostdev_host_get_cpu (host), ==, "POWER9, altivec supported");
  g_assert_cmpstr (hostdev_host_get_model (host), ==, "PowerNV 9006-22P");
  g_assert_cmpstr (hostdev_host_get_firmware (host), ==, "OPAL");
  g_assert_cmpuint (hostdev_host_get_page_size (host), ==, 65536);
  expect_source (host, HOSTDEV_CAP_XIVE_NATIVE, HOSTDEV_YES, "KVM_CAP_PPC_IRQ_XIVE");
  g_assert_cmpuint (hostdev_host_get_groups (host)->len, ==, 12);
  g_assert_cmpuint (hostdev_host_get_ungrouped (host)->len, ==, 2);

  /* by PHB, then by name */
  static const guint order[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 8, 10, 11 };
  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    {
      group = hostdev_host_get_groups (host)->pdata[i];
      g_assert_cmpuint (group->number, ==, order[i]);
    }

  const HostdevFunction *function = find (host, "0000:01:00.0", &group);
  g_assert_cmpuint (group->number, ==, 0);
  g_assert_cmpstr (group->name, ==, "domain0-pe1fd");
  g_assert_true (group->has_pe);
  g_assert_cmpuint (group->pe, ==, 0x1fd);
  g_assert_cmpstr (group->pe_state, ==, "normal");
  g_assert_cmpstr (group->holder, ==, "none");
  g_assert_cmpstr (group->lease, ==, "");
  g_assert_cmpuint (function->vendor, ==, 0x8086);
  g_assert_cmpuint (function->device, ==, 0x10d3);
  g_assert_cmpuint (function->subsystem_vendor, ==, 0x8086);
  g_assert_cmpuint (function->subsystem_device, ==, 0xa01f);
  g_assert_cmpuint (function->class, ==, 0x020000);
  g_assert_cmpstr (function->vendor_name, ==, "Intel Corporation");
  g_assert_cmpstr (function->device_name, ==, "82574L Gigabit Network Connection");
  g_assert_cmpstr (function->class_name, ==, "Ethernet controller");
  g_assert_cmpstr (function->driver, ==, "e1000e");
  g_assert_true (function->endpoint);
  g_assert_false (function->is_vf);

  /* by address, whatever the order in the file */
  find (host, "0001:02:00.0", &group);
  g_assert_cmpuint (group->members->len, ==, 3);
  const HostdevFunction *first = group->members->pdata[0];
  const HostdevFunction *last = group->members->pdata[2];
  g_assert_false (first->endpoint);
  g_assert_cmpuint (last->address.function, ==, 1);

  const HostdevBusy *busy = find (host, "0002:01:00.0", &group)->busy->pdata[1];
  g_assert_cmpstr (busy->kind, ==, "swap");
  g_assert_cmpstr (busy->detail, ==, "/dev/nvme0n1p3");

  function = find (host, "0008:01:00.2", &group);
  g_assert_true (function->is_vf);
  g_assert_cmpuint (function->physfn.domain, ==, 8);
  g_assert_cmpuint (group->pe, ==, 0);
  g_assert_true (group->has_pe);
  g_assert_cmpuint (find (host, "0008:01:00.0", NULL)->numvfs, ==, 1);

  find (host, "000a:01:00.0", &group);
  g_assert_cmpstr (group->lease, ==, "l10");
  g_assert_cmpstr (group->domain_uuid, ==, FIXTURE_UUID);
  g_assert_cmpstr (group->domain_name, ==, "guest");
  g_assert_cmpstr (group->holder, ==, "guest");
  g_assert_cmpuint (group->holder_pid, ==, 1000);

  g_assert_nonnull (find (host, "0000:00:00.0", &group));
  g_assert_null (group);
  g_assert_null (find (host, "0000:00:00.1", &group));
  g_assert_null (group);
}

/* The same description by the two ways says the same. */
static void
test_variant (void)
{
  static const char *const text
      = "{'version': <uint32 1>, 'platform': <'pseries'>, 'kernel': <'6.12'>, 'cpu': <'POWER9'>,"
        " 'model': <'m'>, 'firmware': <'f'>, 'page-size': <uint32 65536>, 'newer': <(1, 'x')>,"
        " 'capabilities': <{'xive-native': ('no', 'KVM_CAP_PPC_IRQ_XIVE'), 'eeh': ('maybe', 's'),"
        "                   'newer': ('yes', 'x')}>,"
        " 'groups': <[{'number': <uint32 7>, 'name': <'domain1-pe0'>, 'phb': <uint32 1>,"
        "              'pe': <uint32 0>, 'pe-state': <('frozen', 'src')>, 'holder': <'foreign'>,"
        "              'holder-pid': <uint32 12>, 'newer': <true>,"
        "              'members': <[{'address': <'0001:00:00.1'>, 'driver': <'d'>,"
        "                            'busy': <[('route', 'r')]>, 'physfn': <'0001:00:00.0'>,"
        "                            'companions': <['0001:00:00.2']>,"
        "                            'class': <uint32 0x020000>, 'endpoint': <true>},"
        "                           {'address': <'0001:00:00.0'>, 'endpoint': <false>}]>},"
        "             {'number': <uint32 3>, 'name': <'domain0-pe0'>}]>,"
        " 'ungrouped': <[{'address': <'0000:00:00.0'>, 'endpoint': <false>}]>}";
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (HostdevHost) host = hostdev_host_new_from_variant (variant, &error);
  const HostdevGroup *group;

  g_assert_no_error (error);
  g_assert_cmpstr (hostdev_host_get_platform (host), ==, "pseries");
  g_assert_cmpuint (hostdev_host_get_page_size (host), ==, 65536);
  g_assert_cmpstr (hostdev_host_get_firmware (host), ==, "f");
  expect_source (host, HOSTDEV_CAP_XIVE_NATIVE, HOSTDEV_NO, "KVM_CAP_PPC_IRQ_XIVE");
  expect_source (host, HOSTDEV_CAP_EEH, HOSTDEV_UNKNOWN, "s");
  expect_source (host, HOSTDEV_CAP_KVM_HV, HOSTDEV_UNKNOWN, "not in the host description");

  group = hostdev_host_get_groups (host)->pdata[0];
  g_assert_cmpstr (group->name, ==, "domain0-pe0");
  g_assert_false (group->has_pe);
  g_assert_cmpstr (group->pe_state, ==, "unknown");
  g_assert_cmpstr (group->holder, ==, "none");
  const HostdevFunction *function = find (host, "0001:00:00.1", &group);
  g_assert_cmpuint (group->number, ==, 7);
  g_assert_true (group->has_pe);
  g_assert_cmpstr (group->pe_state, ==, "frozen");
  g_assert_cmpstr (group->pe_state_source, ==, "src");
  g_assert_cmpstr (group->holder, ==, "foreign");
  g_assert_cmpuint (group->holder_pid, ==, 12);
  g_assert_true (group->members->pdata[1] == function);
  g_assert_true (function->is_vf);
  g_assert_cmpuint (function->class, ==, 0x020000);
  g_assert_cmpuint (function->busy->len, ==, 1);
  g_assert_cmpuint (function->companions->len, ==, 1);
  g_assert_cmpstr (function->companions->pdata[0], ==, "0001:00:00.2");
  g_assert_nonnull (find (host, "0000:00:00.0", &group));
  g_assert_null (group);
}

static void
test_empty (void)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  g_autoptr (HostdevHost) from_variant = hostdev_host_new_from_variant (variant, NULL);
  g_autoptr (HostdevHost) from_xml
      = hostdev_host_new_from_xml ("<host platform='other'/>", -1, NULL);

  g_assert_cmpstr (hostdev_host_get_platform (from_variant), ==, "other");
  g_assert_cmpstr (hostdev_host_get_platform (from_xml), ==, "other");
  g_assert_cmpuint (hostdev_host_get_groups (from_variant)->len, ==, 0);
  g_assert_cmpstr (hostdev_host_get_kernel (from_xml), ==, "");
}

static void
test_variant_refused (void)
{
  static const struct
  {
    const char *text;
    const char *word;
  } cases[] = {
    { "{'platform': <1>}", "platform" },
    { "{'page-size': <'x'>}", "page-size" },
    { "{'capabilities': <{'eeh': 'yes'}>}", "capabilities" },
    { "{'groups': <{'a': 'b'}>}", "groups" },
    { "{'groups': <[{'name': <'x'>}]>}", "number" },
    { "{'groups': <[{'number': <uint32 1>, 'members': <['0000:01:00.0']>}]>}", "members" },
    { "{'groups': <[{'number': <uint32 1>, 'phb': <uint32 0x10000>}]>}", "phb" },
    { "{'groups': <[{'number': <uint32 1>}, {'number': <uint32 1>}]>}", "group 1" },
    { "{'ungrouped': <[{'driver': <'x'>}]>}", "address" },
    { "{'ungrouped': <[{'address': <'1:0.0'>}]>}", "1:0.0" },
    { "{'ungrouped': <[{'address': <'0000:01:00.0'>, 'physfn': <''>}]>}", "physfn" },
    { "{'ungrouped': <[{'address': <'0000:01:00.0'>, 'class': <uint32 0x1000000>}]>}", "class" },
    { "{'ungrouped': <[{'address': <'0000:01:00.0'>, 'busy': <['x']>}]>}", "busy" },
    { "{'ungrouped': <[{'address': <'0000:01:00.0'>, 'companions': <['x']>}]>}", "companions" },
    { "{'ungrouped': <[{'address': <'0000:01:00.0'>}, {'address': <'0000:01:00.0'>}]>}",
      "more than once" },
    { "{'groups': <[{'number': <uint32 1>, 'members': <[{'address': <'0000:01:00.0'>}]>}]>,"
      " 'ungrouped': <[{'address': <'0000:01:00.0'>}]>}",
      "more than once" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) variant = g_variant_ref_sink (
          g_variant_parse (G_VARIANT_TYPE_VARDICT, cases[i].text, NULL, NULL, &error));
      g_assert_no_error (error);
      g_autoptr (HostdevHost) host = hostdev_host_new_from_variant (variant, &error);

      g_assert_null (host);
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].word));
    }

  g_autoptr (GVariant) other = g_variant_ref_sink (g_variant_new_string ("x"));
  g_autoptr (GError) error = NULL;
  g_assert_null (hostdev_host_new_from_variant (other, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
}

static void
test_xml_refused (void)
{
#define HOST(content) "<host platform='other'>\n" content "</host>"
  static const struct
  {
    const char *xml;
    CommonErrorCode code;
    const char *word;
  } cases[] = {
    { "<host", COMMON_ERROR_INVALID_XML, "Line 1" },
    { "<!DOCTYPE host><host platform='other'/>", COMMON_ERROR_INVALID_XML, "document type" },
    { "<domain/>", COMMON_ERROR_INVALID_HOST, "Line 1" },
    { "<host/>", COMMON_ERROR_INVALID_HOST, "Line 1" },
    { HOST ("<group/>"), COMMON_ERROR_INVALID_HOST, "Line 2" },
    { HOST ("<group number='99999999999'/>"), COMMON_ERROR_INVALID_HOST, "Line 2" },
    { HOST ("<group number='9999999999'/>"), COMMON_ERROR_INVALID_HOST, "Line 2" },
    { HOST ("<function address='0000:01:00.9'/>"), COMMON_ERROR_INVALID_HOST, "Line 2" },
    { HOST ("<function address='0000:01:00.0' vendor='0x10000'/>"), COMMON_ERROR_INVALID_HOST,
      "vendor" },
    { HOST ("<group number='1'/><group number='1'/>"), COMMON_ERROR_INVALID_HOST, "group 1" },
    { HOST ("<function address='0000:01:00.0'/><function address='0000:01:00.0'/>"),
      COMMON_ERROR_INVALID_HOST, "0000:01:00.0" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HostdevHost) host = hostdev_host_new_from_xml (cases[i].xml, -1, &error);

      g_test_message ("%s", cases[i].xml);
      g_assert_null (host);
      g_assert_error (error, COMMON_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].word));
    }
}

static void
test_names (void)
{
  for (int i = 0; i < HOSTDEV_CAP_LAST; i++)
    {
      const char *name = hostdev_capability_name ((HostdevCapability) i);
      g_autofree char *xml
          = g_strdup_printf (HOST ("<capability name='%s' answer='yes' source='here'/>"), name);
      g_autoptr (HostdevHost) host = hostdev_host_new_from_xml (xml, -1, NULL);

      for (int j = 0; j < HOSTDEV_CAP_LAST; j++)
        g_assert_cmpint (hostdev_host_get_capability (host, (HostdevCapability) j).answer, ==,
                         i == j ? HOSTDEV_YES : HOSTDEV_UNKNOWN);
    }
}

/* What functions are made of, and the NUMA nodes, in either form. */
static void
check_hardware (const HostdevHost *host)
{
  const HostdevFunction *function = find (host, "0000:01:00.0", NULL);
  const HostdevNode *node = hostdev_host_find_node (host, 8);

  g_assert_cmpuint (function->intx, ==, 1);
  g_assert_cmpuint (function->msi, ==, 1);
  g_assert_cmpuint (function->msix, ==, 5);
  g_assert_true (function->in_use_only);
  g_assert_true (function->has_numa_node);
  g_assert_cmpuint (function->numa_node, ==, 8);
  g_assert_cmpuint (function->dma_bits, ==, 40);
  g_assert_cmpstr (function->reset_methods, ==, "flr bus");
  g_assert_cmpuint (hostdev_host_get_nodes (host)->len, ==, 2);
  g_assert_nonnull (node);
  g_assert_cmpstr (node->cpus, ==, "80-159");
  g_assert_cmpstr (node->distances, ==, "40 10");
  g_assert_null (hostdev_host_find_node (host, 1));
}

static void
test_hardware (void)
{
  g_autoptr (HostdevHost) host = fixture_host (
      "powernv.xml", "driver=\"e1000e\"/>\n  </group>",
      "driver=\"e1000e\" intx=\"1\" msi=\"1\" msix=\"5\" interrupts-in-use-only=\"yes\" "
      "numa-node=\"8\" dma-bits=\"40\" reset-methods=\"flr bus\"/>\n  </group><node number=\"8\" "
      "cpus=\"80-159\" distances=\"40 10\"/><node number=\"0\"/>");
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_parsed (
      "{'groups': <[{'number': <uint32 0>, 'members': <[{'address': <'0000:01:00.0'>, 'intx': "
      "<uint32 1>, 'msi': <uint32 1>, 'msix': <uint32 5>, 'interrupts-in-use-only': <true>, "
      "'numa-node': <uint32 8>, 'dma-bits': <uint32 40>, 'reset-methods': <'flr bus'>}]>}]>, "
      "'nodes': <[{'number': <uint32 8>, 'cpus': <'80-159'>, 'distances': <'40 10'>}, {'number': "
      "<uint32 0>}]>}"));
  g_autoptr (GVariant) wrong = g_variant_ref_sink (
      g_variant_new_parsed ("{'nodes': <[{'number': <uint32 8>, 'cpus': <'eight'>}]>}"));
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevHost) told = hostdev_host_new_from_variant (variant, &error);

  g_assert_no_error (error);
  check_hardware (host);
  check_hardware (told);
  g_assert_null (hostdev_host_new_from_variant (wrong, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
  /* what is left out is not known */
  g_autoptr (HostdevHost) plain = fixture_host ("powernv.xml", NULL, NULL);
  const HostdevFunction *function = find (plain, "0000:01:00.0", NULL);
  g_assert_false (function->has_numa_node);
  g_assert_null (function->reset_methods);
  g_assert_cmpuint (hostdev_host_get_nodes (plain)->len, ==, 0);
}

static void
expect_set (const char *text, const char *expected)
{
  g_autoptr (HostdevSet) set = hostdev_set_new (text);
  g_autoptr (GString) numbers = g_string_new (NULL);

  for (guint i = 0; set != NULL && i <= HOSTDEV_SET_MAX; i++)
    if (hostdev_set_has (set, i))
      g_string_append_printf (numbers, "%u ", i);
  g_assert_cmpstr (set == NULL ? "none" : numbers->str, ==, expected);
}

static void
test_set (void)
{
  expect_set ("0", "0 ");
  expect_set ("0-3,8", "0 1 2 3 8 ");
  expect_set (" 0-3 , ^2,16383", "0 1 3 16383 ");
  expect_set ("", "none");
  expect_set ("1,", "none");
  expect_set ("3-1", "none");
  expect_set ("16384", "none");
  expect_set ("1 2", "none");
  expect_set ("^1-2", "none");
  expect_set ("a", "none");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/host/xml", test_xml);
  g_test_add_func ("/hostdev/host/variant", test_variant);
  g_test_add_func ("/hostdev/host/empty", test_empty);
  g_test_add_func ("/hostdev/host/variant-refused", test_variant_refused);
  g_test_add_func ("/hostdev/host/xml-refused", test_xml_refused);
  g_test_add_func ("/hostdev/host/names", test_names);
  g_test_add_func ("/hostdev/host/hardware", test_hardware);
  g_test_add_func ("/hostdev/host/set", test_set);
  return g_test_run ();
}
