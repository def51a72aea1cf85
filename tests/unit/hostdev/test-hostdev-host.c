/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "hostdev-fixture.h"

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
  return g_test_run ();
}
