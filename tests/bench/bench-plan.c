/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "bench-series.h"
#include "hostdev/hostdev-plan.h"

/*
 * What a plan costs, next to what nobody can do without: libxml2's parsing of the same domain XML.
 * Guests with 1 to 256 devices of the host, on hosts with 10 to 4,096 functions. The steps are
 * measured in turn, round after round, so that whatever else the machine does falls on all of them;
 * of each the median counts.
 *
 * Output, one JSON object:
 *   rounds    of the median
 *   guests    for each number of devices:
 *     hostdevs, domain-bytes
 *     parse-usec    libxml2 alone: parse the domain XML, free the tree
 *     domain-usec   read the same XML as a HostdevDomain
 *     hosts         for each number of functions:
 *       functions
 *       start-usec    make the plan to start the guest
 *       attach-usec   make the plan to attach one more device to it
 *       ratio         the larger of both, to parse-usec
 *   hosts     functions, host-usec: read the description from D-Bus
 *   worst-ratio   at most 1, or it fails
 *   growth        how much worse than linear a start is, from one number of devices to the next and
 *                 from one of functions to the next, by the least of the rounds: at most 1.5, or it
 *                 fails
 */

#define ROUNDS     51
#define MAX_RATIO  1.0
#define MAX_GROWTH 1.5

/* Functions of a group; a guest has PHBs for 30 groups, and 256 devices. */
#define GROUP 16

static const guint guests[] = { 1, 4, 16, 64, 256 };
static const guint sizes[] = { 10, 64, 512, 4096 };

#define GUESTS G_N_ELEMENTS (guests)
#define SIZES  G_N_ELEMENTS (sizes)

typedef struct
{
  gint64 nsec[ROUNDS];
} Series;

/* One guest, and what was measured of it. */
typedef struct
{
  char *xml;
  int length;
  HostdevDomain *domain;
  Series parse, read, start[SIZES], attach[SIZES];
} Guest;

static double
median (Series *series)
{
  return bench_median (series->nsec, ROUNDS) / 1000;
}

/* The least: what a growth is told by, as what else the machine does hits the long ones more. */
static double
least (Series *series)
{
  median (series);
  return (double) series->nsec[0] / 1000;
}

static gint64
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

/* As libvirt writes one that runs: a guest as nova makes one, with disks and interfaces, a policy,
 * and devices whose groups have a PHB each. */
static char *
make_domain (guint hostdevs)
{
  GString *xml = g_string_new (
      "<domain type='kvm' id='1'><name>instance-00000042</name>"
      "<uuid>5bd1dc5d-9a3f-4c62-8d4b-70773970c640</uuid><metadata>"
      "<ppc64:passthrough xmlns:ppc64='" HOSTDEV_POLICY_NAMESPACE "' eeh='required'>"
      "<ppc64:device alias='ua-net0' xive='required'/></ppc64:passthrough></metadata>"
      "<memory unit='KiB'>67108864</memory><vcpu>32</vcpu>"
      "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices>");
  guint phbs = (hostdevs + GROUP - 1) / GROUP + 2;

  for (guint i = 0; i < phbs; i++)
    g_string_append_printf (
        xml,
        "<controller type='pci' index='%u' model='pci-root'><model name='spapr-pci-host-bridge'/>"
        "<target index='%u'/><alias name='pci.%u'/></controller>",
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
  for (guint i = 0; i < hostdevs; i++)
    g_string_append_printf (
        xml,
        "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"
        "<address domain='0x0000' bus='0x%02x' slot='0x%02x' function='0x%x'/></source>"
        "<alias name='ua-net%u'/><address type='pci' domain='0x0000' bus='0x%02x' slot='0x%02x' "
        "function='0x0'/></hostdev>",
        i / GROUP + 1, i % GROUP / 8, i % 8, i, i / GROUP + 1, i % GROUP + 1);
  g_string_append (xml, "</devices></domain>");
  return g_string_free (xml, FALSE);
}

/* Each group is a bus; each PHB has up to 255 of them. */
static GVariant *
make_function (guint group, guint function)
{
  GVariantDict dict;
  g_autofree char *address = g_strdup_printf ("%04x:%02x:%02x.%u", group / 255, group % 255 + 1,
                                              function / 8, function % 8);

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
  for (guint i = 0; i * GROUP < functions; i++)
    {
      guint count = MIN (functions - i * GROUP, GROUP);
      GVariant *members[GROUP];
      g_autofree char *name = g_strdup_printf ("domain%u-pe%x", i / 255, i % 255);
      GVariantDict group;

      for (guint j = 0; j < count; j++)
        members[j] = make_function (i, j);
      g_variant_dict_init (&group, NULL);
      g_variant_dict_insert (&group, "number", "u", i);
      g_variant_dict_insert (&group, "name", "s", name);
      g_variant_dict_insert (&group, "phb", "u", i / 255);
      g_variant_dict_insert (&group, "pe", "u", i % 255);
      g_variant_dict_insert (&group, "pe-state", "(ss)", "normal", "eeh_pe_state");
      g_variant_dict_insert (&group, "holder", "s", "none");
      g_variant_dict_insert_value (&group, "members",
                                   g_variant_new_array (G_VARIANT_TYPE_VARDICT, members, count));
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
time_parse (const Guest *guest)
{
  gint64 start = now ();
  xmlDoc *document = xmlReadMemory (guest->xml, guest->length, NULL, NULL, XML_PARSE_NONET);

  g_assert_nonnull (document);
  xmlFreeDoc (document);
  return now () - start;
}

static gint64
time_domain (const Guest *guest)
{
  gint64 start = now ();
  HostdevDomain *domain = hostdev_domain_new_from_xml (guest->xml, guest->length, NULL);

  g_assert_nonnull (domain);
  hostdev_domain_free (domain);
  return now () - start;
}

static gint64
time_host (GVariant *description)
{
  gint64 start = now ();
  HostdevHost *host = hostdev_host_new_from_variant (description, NULL);

  g_assert_nonnull (host);
  hostdev_host_free (host);
  return now () - start;
}

static gint64
time_attach (const Guest *guest, const HostdevHost *host, guint functions)
{
  guint last = functions - 1;
  HostdevDevice device = { { (guint16) (last / GROUP / 255), (guint8) (last / GROUP % 255 + 1),
                             (guint8) (last % GROUP / 8), (guint8) (last % 8) },
                           .managed = TRUE };
  gint64 start = now ();
  HostdevPlan *plan = hostdev_plan_attach (guest->domain, &device, host);

  g_assert_cmpuint (hostdev_plan_get_devices (plan)->len, ==, 1);
  hostdev_plan_free (plan);
  return now () - start;
}

/* Allowed where the host has all the devices; else there is that much more to say. */
static gint64
time_start (const Guest *guest, const HostdevHost *host, guint functions)
{
  gint64 start = now ();
  HostdevPlan *plan = hostdev_plan_start (guest->domain, host);
  guint hostdevs = hostdev_plan_get_devices (plan)->len;

  g_assert_cmpint (hostdev_plan_is_allowed (plan), ==, hostdevs <= functions);
  hostdev_plan_free (plan);
  return now () - start;
}

static void
make_guest (Guest *guest, guint hostdevs)
{
  guest->xml = make_domain (hostdevs);
  guest->length = (int) strlen (guest->xml);
  guest->domain = hostdev_domain_new_from_xml (guest->xml, guest->length, NULL);
  g_assert_nonnull (guest->domain);
}

static void
measure (Guest *guest, HostdevHost *const *hosts, int round)
{
  guest->parse.nsec[round] = time_parse (guest);
  guest->read.nsec[round] = time_domain (guest);
  for (gsize i = 0; i < SIZES; i++)
    {
      guest->start[i].nsec[round] = time_start (guest, hosts[i], sizes[i]);
      guest->attach[i].nsec[round] = time_attach (guest, hosts[i], sizes[i]);
    }
}

static void
print_guest (Guest *guest, guint hostdevs, double *worst)
{
  double parse = median (&guest->parse);

  g_print ("{\"hostdevs\":%u,\"domain-bytes\":%d,\"parse-usec\":%.1f,\"domain-usec\":%.1f,"
           "\"hosts\":[",
           hostdevs, guest->length, parse, median (&guest->read));
  for (gsize i = 0; i < SIZES; i++)
    {
      double start = median (&guest->start[i]), attach = median (&guest->attach[i]);

      g_print ("%s{\"functions\":%u,\"start-usec\":%.1f,\"attach-usec\":%.1f,\"ratio\":%.3f}",
               i > 0 ? "," : "", sizes[i], start, attach, MAX (start, attach) / parse);
      *worst = MAX (*worst, MAX (start, attach) / parse);
    }
  g_print ("]}");
}

/* From one size to the next, by how much more than the size a start grew. */
static double
get_growth (Guest *all)
{
  double growth = 0;

  for (gsize i = 0; i < GUESTS; i++)
    for (gsize j = 0; j < SIZES; j++)
      {
        double here = least (&all[i].start[j]);

        if (i + 1 < GUESTS)
          growth = MAX (growth, least (&all[i + 1].start[j]) / here / (guests[i + 1] / guests[i]));
        if (j + 1 < SIZES && guests[i] <= sizes[j])
          growth = MAX (growth,
                        least (&all[i].start[j + 1]) / here / ((double) sizes[j + 1] / sizes[j]));
      }
  return growth;
}

int
main (void)
{
  static Guest all[GUESTS];
  static Series host_series[SIZES];
  GVariant *descriptions[SIZES];
  HostdevHost *hosts[SIZES];
  double worst = 0, growth;

  for (gsize i = 0; i < SIZES; i++)
    {
      descriptions[i] = make_host (sizes[i]);
      hosts[i] = hostdev_host_new_from_variant (descriptions[i], NULL);
    }
  for (gsize i = 0; i < GUESTS; i++)
    make_guest (&all[i], guests[i]);
  for (int round = 0; round < ROUNDS; round++)
    for (gsize i = 0; i < GUESTS; i++)
      measure (&all[i], hosts, round);
  /* Apart from the rest: after the largest, the allocator and the caches start anew. */
  for (int round = 0; round < ROUNDS; round++)
    for (gsize i = 0; i < SIZES; i++)
      host_series[i].nsec[round] = time_host (descriptions[i]);

  g_print ("{\"rounds\":%d,\"guests\":[", ROUNDS);
  for (gsize i = 0; i < GUESTS; i++)
    {
      g_print ("%s", i > 0 ? "," : "");
      print_guest (&all[i], guests[i], &worst);
    }
  g_print ("],\"hosts\":[");
  for (gsize i = 0; i < SIZES; i++)
    g_print ("%s{\"functions\":%u,\"host-usec\":%.1f}", i > 0 ? "," : "", sizes[i],
             median (&host_series[i]));
  growth = get_growth (all);
  g_print ("],\"worst-ratio\":%.3f,\"growth\":%.2f}\n", worst, growth);

  for (gsize i = 0; i < GUESTS; i++)
    {
      hostdev_domain_free (all[i].domain);
      g_free (all[i].xml);
    }
  for (gsize i = 0; i < SIZES; i++)
    {
      hostdev_host_free (hosts[i]);
      g_variant_unref (descriptions[i]);
    }
  if (worst > MAX_RATIO || growth > MAX_GROWTH)
    {
      g_printerr ("A plan costs more than it may\n");
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
