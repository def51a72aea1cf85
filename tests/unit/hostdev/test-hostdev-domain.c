/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-error.h"
#include "hostdev-fixture.h"

#define OS(arch, machine) "<os><type " arch " machine='" machine "'>hvm</type></os>"

static HostdevDomain *
read_domain (const char *xml)
{
  g_autoptr (GError) error = NULL;
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  g_assert_nonnull (domain);
  return domain;
}

static void
expect_refused (const char *xml, CommonErrorCode code, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_test_message ("%s", xml);
  g_assert_null (domain);
  g_assert_error (error, COMMON_ERROR, (int) code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_identity (void)
{
  g_autoptr (HostdevDomain) live
      = read_domain ("<domain type='kvm' id='12'><name>a b</name><uuid>5BD1DC5D9A3F4C62"
                     "8D4B-70773970C640</uuid></domain>");
  g_autoptr (HostdevDomain) bare = read_domain ("<domain/>");

  g_assert_cmpstr (hostdev_domain_get_name (live), ==, "a b");
  g_assert_cmpstr (hostdev_domain_get_uuid (live), ==, "5bd1dc5d-9a3f-4c62-8d4b-70773970c640");
  g_assert_true (hostdev_domain_is_running (live));
  g_assert_cmpstr (hostdev_domain_get_name (bare), ==, "");
  g_assert_cmpstr (hostdev_domain_get_uuid (bare), ==, "");
  g_assert_false (hostdev_domain_is_running (bare));
  g_assert_cmpuint (hostdev_domain_get_devices (bare)->len, ==, 0);
  g_assert_cmpuint (hostdev_domain_get_spare_phbs (bare), ==, 0);
}

static void
test_pseries_kvm (void)
{
  static const struct
  {
    const char *xml;
    gboolean expected;
  } cases[] = {
    { "<domain type='kvm'>" OS ("arch='ppc64le'", "pseries") "</domain>", TRUE },
    { "<domain type='kvm'>" OS ("arch='ppc64'", "pseries-rhel9.0.0") "</domain>", TRUE },
    { "<domain type='qemu'>" OS ("arch='ppc64le'", "pseries") "</domain>", FALSE },
    { "<domain>" OS ("arch='ppc64le'", "pseries") "</domain>", FALSE },
    { "<domain type='kvm'>" OS ("", "pseries") "</domain>", FALSE },
    { "<domain type='kvm'>" OS ("arch='x86_64'", "q35") "</domain>", FALSE },
    { "<domain type='kvm'>" OS ("arch='ppc64le'", "powernv9") "</domain>", FALSE },
    { "<domain type='kvm'>" OS ("arch='ppc64le'", "pseriesx") "</domain>", FALSE },
    { "<domain type='kvm'><os><type arch='ppc64le'>hvm</type></os></domain>", FALSE },
    { "<domain type='kvm'/>", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HostdevDomain) domain = read_domain (cases[i].xml);

      g_test_message ("%s", cases[i].xml);
      g_assert_cmpint (hostdev_domain_is_pseries_kvm (domain), ==, cases[i].expected);
    }
}

static void
expect_phb (const HostdevDomain *domain, guint place, guint index, guint target, guint emulated)
{
  const HostdevPhb *phb = g_ptr_array_index (hostdev_domain_get_phbs (domain), place);

  g_assert_cmpuint (phb->index, ==, index);
  g_assert_cmpuint (phb->target_index, ==, target);
  g_assert_cmpuint (phb->emulated, ==, emulated);
}

static void
expect_bus (const HostdevDomain *domain, guint bus, guint expected)
{
  guint index = 1000;

  g_assert_true (hostdev_domain_get_phb_of_bus (domain, bus, &index));
  g_assert_cmpuint (index, ==, expected);
}

static void
test_phbs (void)
{
  g_autoptr (HostdevDomain) domain = fixture_domain (
      "", "<controller type='pci' index='4' model='pci-root'><target index='1'/></controller>"
          "<controller type='pci' index='0' model='pci-root'>"
          "<model name='spapr-pci-host-bridge'/><target index='0'/></controller>"
          "<controller type='pci' index='1' model='pci-root'/>"
          "<controller type='pci' index='2' model='pci-bridge'>"
          "<address type='pci' domain='0' bus='0x1' slot='1' function='0'/></controller>"
          "<controller type='pci' index='3' model='pci-bridge'>"
          "<address type='pci' domain='0' bus='0x2' slot='1' function='0'/></controller>"
          "<controller type='scsi' index='0' model='virtio-scsi'>"
          "<address type='pci' domain='0' bus='0x3' slot='5' function='0'/></controller>"
          "<interface type='network'><address type='pci' bus='0' slot='2'/></interface>"
          "<disk type='file'><address type='drive' bus='4' unit='0'/></disk>"
          "<interface type='network'><address type='pci' bus='9' slot='2'/></interface>"
          "<interface type='network'><address type='pci'/></interface>"
          "<memballoon model='none'/>");

  /* libvirt adds those up to bus 9, which an address names */
  g_assert_cmpuint (hostdev_domain_get_phbs (domain)->len, ==, 8);
  expect_phb (domain, 0, 0, 0, 1);
  expect_phb (domain, 1, 1, 2, 3); /* two bridges and the controller behind them */
  expect_phb (domain, 2, 4, 1, 0);
  expect_phb (domain, 7, 9, 7, 1);
  expect_bus (domain, 0, 0);
  expect_bus (domain, 1, 1);
  expect_bus (domain, 2, 1);
  expect_bus (domain, 3, 1);
  expect_bus (domain, 4, 4);
  expect_bus (domain, 5, 5);
  g_assert_false (hostdev_domain_get_phb_of_bus (domain, 10, &(guint){ 0 }));
  g_assert_false (hostdev_domain_get_phb_of_bus (domain, G_MAXUINT, &(guint){ 0 }));
  g_assert_cmpuint (hostdev_domain_get_free_bus (domain, 1), ==, 10);
  g_assert_cmpuint (hostdev_domain_get_free_bus (domain, 11), ==, 11);
}

/* libvirt numbers those that have no index, and adds PHB 0 where it is not there then. */
static void
test_implicit_phbs (void)
{
  g_autoptr (HostdevDomain) bare = fixture_domain ("", "");
  g_autoptr (HostdevDomain) unnumbered
      = fixture_domain ("", "<controller type='pci' model='pci-root'/>"
                            "<controller type='pci' index='1' model='pci-root'/>"
                            "<controller type='pci' model='pci-root'/>");

  g_assert_cmpuint (hostdev_domain_get_phbs (bare)->len, ==, 1);
  expect_phb (bare, 0, 0, 0, 0);
  g_assert_cmpuint (hostdev_domain_get_phbs (unnumbered)->len, ==, 3);
  expect_phb (unnumbered, 0, 0, 0, 0);
  expect_phb (unnumbered, 1, 1, 1, 0);
  expect_phb (unnumbered, 2, 2, 2, 0);
}

/* As libvirt 11.3 numbers the same XML: it keeps controllers by index, and those that had none
 * behind the others. */
static void
test_numbering (void)
{
  g_autoptr (HostdevDomain) domain
      = fixture_domain ("", "<controller type='pci' model='pci-root'/>"
                            "<controller type='pci' index='4' model='pci-root'/>"
                            "<controller type='pci' index='2' model='pci-bridge'/>"
                            "<controller type='pci' model='pci-root'/>");

  g_assert_cmpuint (hostdev_domain_get_phbs (domain)->len, ==, 4);
  expect_phb (domain, 0, 0, 0, 0);
  expect_phb (domain, 1, 1, 3, 0);
  expect_phb (domain, 2, 3, 1, 0);
  expect_phb (domain, 3, 4, 2, 0);
}

/* Bridges that sit on each other, or on nothing, are on no PHB. */
static void
test_bridge_circle (void)
{
  g_autoptr (HostdevDomain) domain
      = fixture_domain ("", "<controller type='pci' index='1' model='pci-bridge'>"
                            "<address type='pci' bus='2' slot='1'/></controller>"
                            "<controller type='pci' index='2' model='pci-bridge'>"
                            "<address type='pci' bus='1' slot='1'/></controller>"
                            "<controller type='pci' index='3' model='pci-bridge'>"
                            "<address type='pci' bus='77' slot='1'/></controller>"
                            "<controller type='pci' index='4' model='pci-bridge'/>");

  for (guint bus = 1; bus <= 3; bus++)
    g_assert_false (hostdev_domain_get_phb_of_bus (domain, bus, &(guint){ 0 }));
  expect_bus (domain, 4, 0);
}

static void
test_devices (void)
{
  g_autofree char *first = fixture_hostdev ("0001:02:00.0", "<alias name='ua-net0'/>");
  g_autofree char *second = fixture_hostdev (
      "0001:02:00.1", "<alias name='hostdev1'/><address type='pci' bus='1' slot='1'/>");
  g_autofree char *devices = g_strconcat (
      FIXTURE_PHB (1), first,
      "<hostdev mode='subsystem' type='usb'><source><vendor id='1'/></source></hostdev>"
      "<hostdev mode='subsystem' type='mdev'><address type='pci' bus='1' slot='3'/></hostdev>",
      second, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", devices);
  const GPtrArray *found = hostdev_domain_get_devices (domain);
  PciAddress address;

  g_assert_cmpuint (found->len, ==, 2);
  g_assert_cmpstr (((const HostdevDevice *) found->pdata[0])->alias, ==, "ua-net0");
  g_assert_cmpstr (((const HostdevDevice *) found->pdata[1])->alias, ==, "hostdev1");
  g_assert_true (pci_address_parse ("0001:02:00.1", &address, NULL));
  g_assert_true (hostdev_domain_find_address (domain, &address) == found->pdata[1]);
  address.function = 2;
  g_assert_null (hostdev_domain_find_address (domain, &address));
  expect_phb (domain, 1, 1, 1, 1); /* the mdev, not the hostdev */
}

static void
test_ic_mode (void)
{
  static const struct
  {
    const char *top;
    HostdevIcMode ic_mode;
    gboolean kernel_irqchip;
  } cases[] = {
#define ARGS(arguments)                                                                            \
  "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>" arguments                 \
  "</q:commandline>"
#define ARG(value) "<q:arg value='" value "'/>"
    { "", HOSTDEV_IC_DUAL, TRUE },
    { FIXTURE_MACHINE_OPTIONS ("ic-mode=xive"), HOSTDEV_IC_XIVE, TRUE },
    { FIXTURE_MACHINE_OPTIONS ("ic-mode=xics"), HOSTDEV_IC_XICS, TRUE },
    { FIXTURE_MACHINE_OPTIONS ("pseries,ic-mode=xics,kernel-irqchip=off"), HOSTDEV_IC_XICS, FALSE },
    { FIXTURE_MACHINE_OPTIONS ("kernel_irqchip=off"), HOSTDEV_IC_DUAL, FALSE },
    { FIXTURE_MACHINE_OPTIONS ("kernel-irqchip=off,kernel-irqchip=on"), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-M") ARG ("ic-mode=xics") ARG ("--machine") ARG ("ic-mode=dual")),
      HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-accel") ARG ("kvm,kernel-irqchip=off")), HOSTDEV_IC_DUAL, FALSE },
    { ARGS (ARG ("ic-mode=xics")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-device") ARG ("ic-mode=xics")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-name") ARG ("-machine") ARG ("x") ARG ("ic-mode=xics")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-machine")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-machine") ARG ("-machine") ARG ("ic-mode=xics")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS (ARG ("-machine") ARG ("pseries") ARG ("ic-mode=xics")), HOSTDEV_IC_DUAL, TRUE },
    { ARGS ("<q:arg/><q:env name='a' value='-machine'/>"), HOSTDEV_IC_DUAL, TRUE },
    { "<commandline><arg value='-machine'/><arg value='ic-mode=xics'/></commandline>",
      HOSTDEV_IC_DUAL, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HostdevDomain) domain = fixture_domain (cases[i].top, "");

      g_test_message ("%s", cases[i].top);
      g_assert_cmpint (hostdev_domain_get_ic_mode (domain), ==, cases[i].ic_mode);
      g_assert_cmpint (hostdev_domain_has_kernel_irqchip (domain), ==, cases[i].kernel_irqchip);
    }
}

static void
test_networks (void)
{
  static const struct
  {
    const char *xml;
    gboolean has;
  } cases[] = { { "", FALSE },
                { "<interface type='bridge'/>", FALSE },
                { "<interface type='bridge'/><interface type='network'/>", TRUE } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HostdevDomain) domain = fixture_domain ("", cases[i].xml);

      g_assert_cmpint (hostdev_domain_has_networks (domain), ==, cases[i].has);
    }
}

static void
test_refused (void)
{
#define IN_METADATA(element) "<domain>\n<metadata>\n" element "</metadata></domain>"
#define OURS(rest)           "<p:" rest
#define NS                   " xmlns:p='" HOSTDEV_POLICY_NAMESPACE "'"
  static const struct
  {
    const char *xml;
    CommonErrorCode code;
    const char *word;
  } cases[] = {
    { "<domain", COMMON_ERROR_INVALID_XML, "Line 1" },
    { "<!DOCTYPE domain><domain/>", COMMON_ERROR_INVALID_XML, "document type" },
    { "<network/>", COMMON_ERROR_INVALID_DOMAIN, "<network>" },
    { "<domain>\n<uuid>abc</uuid></domain>", COMMON_ERROR_INVALID_DOMAIN, "Line 2" },
    { "<domain>\n<uuid>5bd1dc5d-9a3f-4c62-8d4b-70773970c6400</uuid></domain>",
      COMMON_ERROR_INVALID_DOMAIN, "UUID" },
    { "<domain><devices>\n<controller type='pci' index='256'/></devices></domain>",
      COMMON_ERROR_INVALID_DOMAIN, "Line 2" },
    { "<domain><devices><controller type='pci' index='1' model='pci-root'>\n<target index='31'/>"
      "</controller></devices></domain>",
      COMMON_ERROR_INVALID_DOMAIN, "Line 2" },
    { "<domain><devices>\n<hostdev type='pci'/></devices></domain>", COMMON_ERROR_INVALID_DEVICE,
      "Line 2" },
    { "<domain><devices><hostdev type='pci'><source><address bus='1'/></source></hostdev>\n"
      "<hostdev type='pci'><source><address bus='0x1'/></source></hostdev></devices></domain>",
      COMMON_ERROR_INVALID_DEVICE, "0000:01:00.0" },
    { IN_METADATA (OURS ("passthrough" NS " xive='maybe'/>")), COMMON_ERROR_INVALID_METADATA,
      "Line 3" },
    { IN_METADATA (OURS ("passthrough" NS "><p:device alias='hostdev0'/></p:passthrough>")),
      COMMON_ERROR_INVALID_METADATA, "ua-" },
    { IN_METADATA (OURS ("passthru" NS "/>")), COMMON_ERROR_INVALID_METADATA, "Line 3" },
    { IN_METADATA (OURS ("passthrough" NS "/>") "\n" OURS ("passthrough" NS "/>")),
      COMMON_ERROR_INVALID_METADATA, "Line 4" },
    { "<domain><metadata/>\n<metadata>\n" OURS ("passthrough" NS "/>") "</metadata></domain>",
      COMMON_ERROR_INVALID_METADATA, "Line 2" },
    { IN_METADATA (OURS ("passthrough" NS ">") "<p:device alias='ua-a'/>\n"
                                               "<p:device alias='ua-a'/></p:passthrough>"),
      COMMON_ERROR_INVALID_METADATA, "Line 4" },
    { IN_METADATA (
          OURS ("passthrough" NS ">") "<p:device><p:address bus='1' slot='0'/></p:device>"
                                      "\n<p:device><p:address domain='0x0' bus='0x01' "
                                      "slot='0' function='0'/></p:device></p:passthrough>"),
      COMMON_ERROR_INVALID_METADATA, "0000:01:00.0" },
    { IN_METADATA (OURS ("passthrough" NS ">") "<p:device><p:address bus='999' slot='0'/>"
                                               "</p:device></p:passthrough>"),
      COMMON_ERROR_INVALID_METADATA, "999" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_refused (cases[i].xml, cases[i].code, cases[i].word);
}

static void
test_traits (void)
{
  g_autoptr (HostdevDomain) empty = fixture_domain ("", "");
  g_autoptr (HostdevDomain) domain = fixture_domain (
      "<cpu mode='host-model'><model fallback='forbid'> POWER8E_v2.0</model><numa><cell/><cell/>"
      "</numa></cpu><vcpu cpuset='0-7'>8</vcpu><cputune><vcpupin vcpu='0' cpuset='3'/><vcpupin "
      "vcpu='1' cpuset='8-9'/></cputune><numatune><memory mode='strict' nodeset='0-1'/></numatune>"
      "<currentMemory unit='MiB'>5</currentMemory>" FIXTURE_MACHINE_OPTIONS ("ic-mode=dual"),
      "<memballoon model='none'/><interface type='bridge'><address type='pci' bus='1' slot='2' "
      "function='3'/></interface><controller type='pci' index='1' model='pci-root'><target "
      "index='1'>"
      "<node>0</node></target></controller>");
  const HostdevTraits *none = hostdev_domain_get_traits (empty);
  const HostdevTraits *traits = hostdev_domain_get_traits (domain);

  g_assert_cmpuint (none->machine_major, ==, 7);
  g_assert_cmpuint (none->machine_minor, ==, 2);
  g_assert_cmpuint (none->cpu_power, ==, 0);
  g_assert_true (none->balloon);
  g_assert_null (none->cpus);
  g_assert_false (none->ic_mode_given);
  g_assert_cmpuint (traits->cpu_power, ==, 8);
  g_assert_cmpuint (traits->cells, ==, 2);
  g_assert_cmpstr (traits->cpus, ==, "3,8-9");
  g_assert_cmpstr (traits->memory_nodes, ==, "0-1");
  g_assert_cmpuint (traits->current, ==, 5 * 1024);
  g_assert_false (traits->balloon);
  g_assert_true (traits->ic_mode_given);
  g_assert_cmpuint (traits->used[1][2], ==, 1 << 3);
  g_assert_true (traits->phb_node[1]);
  g_assert_false (traits->phb_node[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/domain/identity", test_identity);
  g_test_add_func ("/hostdev/domain/pseries-kvm", test_pseries_kvm);
  g_test_add_func ("/hostdev/domain/phbs", test_phbs);
  g_test_add_func ("/hostdev/domain/implicit-phbs", test_implicit_phbs);
  g_test_add_func ("/hostdev/domain/numbering", test_numbering);
  g_test_add_func ("/hostdev/domain/bridge-circle", test_bridge_circle);
  g_test_add_func ("/hostdev/domain/devices", test_devices);
  g_test_add_func ("/hostdev/domain/ic-mode", test_ic_mode);
  g_test_add_func ("/hostdev/domain/networks", test_networks);
  g_test_add_func ("/hostdev/domain/traits", test_traits);
  g_test_add_func ("/hostdev/domain/refused", test_refused);
  return g_test_run ();
}
