/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libxml/parser.h>

#include "bench-series.h"
#include "hostdev/hostdev-plan.h"

/*
 * What a plan costs, next to what nobody can do without: libxml2's parsing of the same domain XML.
 * The steps are measured in turn, round after round, so that whatever else the machine does falls
 * on all of them; of each the median counts.
 *
 * Output, one JSON object:
 *   domain-bytes    size of the domain XML
 *   rounds          of the median
 *   parse-usec      libxml2 alone: parse the domain XML, free the tree
 *   domain-usec     read the same XML as a HostdevDomain
 *   domain-ratio    domain-usec / parse-usec
 *   hosts           for hosts of 40, 400 and 4000 functions:
 *     functions, host-usec (read the description from D-Bus), attach-usec, start-usec (make the
 * plan), plan-ratio (domain-usec + attach-usec, to parse-usec)
 */

#define ROUNDS 101

static const guint sizes[] = { 40, 400, 4000 };

typedef struct
{
  gint64 usec[ROUNDS];
} Series;

static double
median (Series *series)
{
  return bench_median (series->usec, ROUNDS);
}

/* A guest as nova makes one, with two PCI devices, a policy, disks and interfaces. */
static char *
make_domain (void)
{
  GString *xml = g_string_new (
      "<domain type='kvm' id='1'><name>instance-00000042</name>"
      "<uuid>5bd1dc5d-9a3f-4c62-8d4b-70773970c640</uuid><metadata>"
      "<ppc64:passthrough xmlns:ppc64='" HOSTDEV_POLICY_NAMESPACE "' eeh='required'>"
      "<ppc64:device alias='ua-net0' xive='required'/></ppc64:passthrough></metadata>"
      "<memory unit='KiB'>67108864</memory><vcpu>32</vcpu>"
      "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices>");

  for (int i = 0; i < 8; i++)
    g_string_append_printf (
        xml,
        "<controller type='pci' index='%d' model='pci-root'><model name='spapr-pci-host-bridge'/>"
        "<target index='%d'/><alias name='pci.%d'/></controller>",
        i, i, i);
  for (int i = 0; i < 8; i++)
    g_string_append_printf (
        xml,
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
        "<source file='/var/lib/libvirt/images/disk%d.qcow2'/><target dev='vd%c' bus='virtio'/>"
        "<alias name='virtio-disk%d'/><address type='pci' domain='0x0000' bus='0x00' slot='0x%02x' "
        "function='0x0'/></disk><interface type='bridge'><mac address='52:54:00:00:00:%02x'/>"
        "<source bridge='br%d'/><model type='virtio'/><address type='pci' domain='0x0000' "
        "bus='0x00' slot='0x%02x' function='0x0'/></interface>",
        i, 'a' + i, i, i + 1, i, i, i + 10);
  for (int i = 0; i < 2; i++)
    g_string_append_printf (
        xml,
        "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"
        "<address domain='0x0000' bus='0x%02x' slot='0x00' function='0x0'/></source>"
        "<alias name='ua-net%d'/><address type='pci' domain='0x0000' bus='0x%02x' slot='0x01' "
        "function='0x0'/></hostdev>",
        i + 1, i, i + 1);
  g_string_append (xml, "</devices></domain>");
  return g_string_free (xml, FALSE);
}

/* Two functions a group; each PHB has up to 255 buses. */
static GVariant *
make_function (guint group, guint function)
{
  GVariantDict dict;
  g_autofree char *address
      = g_strdup_printf ("%04x:%02x:00.%u", group / 255, group % 255 + 1, function);

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "address", "s", address);
  g_variant_dict_insert (&dict, "vendor", "u", 0x8086);
  g_variant_dict_insert (&dict, "device", "u", 0x10d3);
  g_variant_dict_insert (&dict, "subsystem-vendor", "u", 0x8086);
  g_variant_dict_insert (&dict, "subsystem-device", "u", 0xa01f);
  g_variant_dict_insert (&dict, "class", "u", 0x020000);
  g_variant_dict_insert (&dict, "vendor-name", "s", "Intel Corporation");
  g_variant_dict_insert (&dict, "device-name", "s", "82574L Gigabit Network Connection");
  g_variant_dict_insert (&dict, "class-name", "s", "Ethernet controller");
  g_variant_dict_insert (&dict, "endpoint", "b", TRUE);
  g_variant_dict_insert (&dict, "driver", "s", "e1000e");
  g_variant_dict_insert (&dict, "driver-override", "s", "");
  return g_variant_dict_end (&dict);
}

static GVariant *
make_host (guint functions)
{
  GVariantBuilder groups, capabilities;
  GVariantDict host;

  g_variant_builder_init (&groups, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < functions / 2; i++)
    {
      GVariant *members[2] = { make_function (i, 0), make_function (i, 1) };
      g_autofree char *name = g_strdup_printf ("domain%u-pe%x", i / 255, i % 255);
      GVariantDict group;

      g_variant_dict_init (&group, NULL);
      g_variant_dict_insert (&group, "number", "u", i);
      g_variant_dict_insert (&group, "name", "s", name);
      g_variant_dict_insert (&group, "phb", "u", i / 255);
      g_variant_dict_insert (&group, "pe", "u", i % 255);
      g_variant_dict_insert (&group, "pe-state", "(ss)", "normal", "eeh_pe_state");
      g_variant_dict_insert (&group, "holder", "s", "none");
      g_variant_dict_insert_value (&group, "members",
                                   g_variant_new_array (G_VARIANT_TYPE_VARDICT, members, 2));
      g_variant_builder_add_value (&groups, g_variant_dict_end (&group));
    }
  g_variant_builder_init (&capabilities, G_VARIANT_TYPE ("a{s(ss)}"));
  for (int i = 0; i < HOSTDEV_CAP_LAST; i++)
    g_variant_builder_add (&capabilities, "{s(ss)}",
                           hostdev_capability_name ((HostdevCapability) i), "yes", "bench");
  g_variant_dict_init (&host, NULL);
  g_variant_dict_insert (&host, "platform", "s", "powernv");
  g_variant_dict_insert_value (&host, "capabilities", g_variant_builder_end (&capabilities));
  g_variant_dict_insert_value (&host, "groups", g_variant_builder_end (&groups));

  /* As it comes over D-Bus: bytes, which are looked into only when they are read. */
  g_autoptr (GVariant) built = g_variant_ref_sink (g_variant_dict_end (&host));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (built);
  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, TRUE));
}

static gint64
time_parse (const char *xml, int length)
{
  gint64 start = g_get_monotonic_time ();
  xmlDoc *document = xmlReadMemory (xml, length, NULL, NULL, XML_PARSE_NONET);

  g_assert_nonnull (document);
  xmlFreeDoc (document);
  return g_get_monotonic_time () - start;
}

static gint64
time_domain (const char *xml, gssize length)
{
  gint64 start = g_get_monotonic_time ();
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, length, NULL);

  g_assert_nonnull (domain);
  hostdev_domain_free (domain);
  return g_get_monotonic_time () - start;
}

static gint64
time_host (GVariant *description)
{
  gint64 start = g_get_monotonic_time ();
  HostdevHost *host = hostdev_host_new_from_variant (description, NULL);

  g_assert_nonnull (host);
  hostdev_host_free (host);
  return g_get_monotonic_time () - start;
}

static gint64
time_attach (const HostdevDomain *domain, const HostdevDevice *device, const HostdevHost *host)
{
  gint64 start = g_get_monotonic_time ();
  HostdevPlan *plan = hostdev_plan_attach (domain, device, host);

  g_assert_true (hostdev_plan_is_allowed (plan));
  hostdev_plan_free (plan);
  return g_get_monotonic_time () - start;
}

static gint64
time_start (const HostdevDomain *domain, const HostdevHost *host)
{
  gint64 start = g_get_monotonic_time ();
  HostdevPlan *plan = hostdev_plan_start (domain, host);

  g_assert_true (hostdev_plan_is_allowed (plan));
  hostdev_plan_free (plan);
  return g_get_monotonic_time () - start;
}

int
main (void)
{
  g_autofree char *xml = make_domain ();
  gssize length = (gssize) strlen (xml);
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (xml, length, NULL);
  HostdevDevice device = { { 0, 3, 0, 0 }, TRUE };
  static Series parse, read, host_series[G_N_ELEMENTS (sizes)], attach[G_N_ELEMENTS (sizes)],
      start[G_N_ELEMENTS (sizes)];
  GVariant *descriptions[G_N_ELEMENTS (sizes)];
  HostdevHost *hosts[G_N_ELEMENTS (sizes)];

  g_assert_nonnull (domain);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      descriptions[i] = make_host (sizes[i]);
      hosts[i] = hostdev_host_new_from_variant (descriptions[i], NULL);
    }
  for (int round = 0; round < ROUNDS; round++)
    {
      parse.usec[round] = time_parse (xml, (int) length);
      read.usec[round] = time_domain (xml, length);
      for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          attach[i].usec[round] = time_attach (domain, &device, hosts[i]);
          start[i].usec[round] = time_start (domain, hosts[i]);
        }
    }
  /* Apart from the rest: after the largest, the allocator and the caches start anew. */
  for (int round = 0; round < ROUNDS; round++)
    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
      host_series[i].usec[round] = time_host (descriptions[i]);

  double parse_usec = MAX (median (&parse), 1), domain_usec = median (&read);
  g_print ("{\"domain-bytes\":%d,\"rounds\":%d,\"parse-usec\":%.0f,\"domain-usec\":%.0f,"
           "\"domain-ratio\":%.2f,\"hosts\":[",
           (int) length, ROUNDS, parse_usec, domain_usec, domain_usec / parse_usec);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      double attach_usec = median (&attach[i]);

      g_print ("%s{\"functions\":%u,\"host-usec\":%.0f,\"attach-usec\":%.0f,\"start-usec\":%.0f,"
               "\"plan-ratio\":%.2f}",
               i > 0 ? "," : "", sizes[i], median (&host_series[i]), attach_usec,
               median (&start[i]), (domain_usec + attach_usec) / parse_usec);
      hostdev_host_free (hosts[i]);
      g_variant_unref (descriptions[i]);
    }
  g_print ("]}\n");
  return 0;
}
