/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev/hostdev-plan-build.h"
#include "libvirt-data.h"

/*
 * What libvirt's own tests say that it makes of a pSeries domain, against what a plan says that it
 * will: the PHBs, and the bus and slot of every device; the memory that QEMU may lock. The data are
 * those of libvirt's source (tests/schema/fetch-libvirt), whose directory is in LIBVIRT_DATA; the
 * host is the one that they are made for (tests/virpcimock.c).
 */

/* What was looked at; so that it is said how much. */
typedef struct
{
  guint domains, phbs, hostdevs, buses, arguments;
} Count;

/* -device '{"driver":"vfio-pci","host":"0001:01:00.0",…,"bus":"pci.2.0","addr":"0x1"}' */
static void
check_arguments (const char *suite, const char *name, const HostdevDomain *expected,
                 const HostdevPlanDevice *device, Count *count)
{
  g_autofree char *file = g_strconcat (name, ".ppc64-latest.args", NULL);
  g_autofree char *old = libvirt_data_find_file (suite, "qemuxml2argvdata", file);
  g_autofree char *arguments = old != NULL
                                   ? g_steal_pointer (&old)
                                   : libvirt_data_find_file (suite, "qemuxmlconfdata", file);
  g_autofree char *address = pci_address_to_string (&device->address);
  g_autofree char *host = g_strdup_printf ("\"host\":\"%s\"", address);
  const GPtrArray *phbs = hostdev_domain_get_phbs (expected);

  if (arguments == NULL)
    return;
  for (guint i = 0; i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];
      g_autofree char *seat
          = phb->index == 0
                ? g_strdup_printf ("\"bus\":\"pci.0\",\"addr\":\"0x%x\"", device->seat.slot)
                : g_strdup_printf ("\"bus\":\"pci.%u.0\",\"addr\":\"0x%x\"", phb->target_index,
                                   device->seat.slot);

      if (phb->index != device->seat.bus)
        continue;
      const char *line = strstr (arguments, host);
      g_assert_nonnull (line);
      g_autofree char *rest = g_strndup (line, strcspn (line, "}"));
      g_assert_nonnull (strstr (rest, seat));
      count->arguments++;
    }
}

static void
check_devices (const char *suite, const char *name, const HostdevPlan *plan,
               const HostdevDomain *expected, Count *count)
{
  const GPtrArray *devices = hostdev_plan_get_devices (plan);

  g_assert_cmpuint (devices->len, ==, hostdev_domain_get_devices (expected)->len);
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevPlanDevice *device = devices->pdata[i];
      const HostdevDevice *other = hostdev_domain_find_address (expected, &device->address);

      g_assert_nonnull (other);
      g_assert_true (device->has_seat);
      g_assert_true (other->has_guest_bus);
      g_assert_cmpuint (device->seat.bus, ==, other->guest_bus);
      g_assert_cmpuint (device->seat.slot, ==, other->guest_slot);
      g_assert_cmpuint (device->seat.function, ==, other->guest_function);
      count->hostdevs++;
      check_arguments (suite, name, expected, device, count);
    }
}

/* The PHBs, and what is taken on each bus by whom ever. */
static void
check_buses (const char *suite, const HostdevPlanning *planning, const HostdevDomain *expected,
             Count *count)
{
  const GPtrArray *before = hostdev_domain_get_phbs (planning->domain);
  const GPtrArray *after = hostdev_domain_get_phbs (expected);
  const GPtrArray *devices = hostdev_domain_get_devices (expected);
  const HostdevEmulated *emulated = hostdev_domain_get_emulated (planning->domain);
  g_autofree HostdevSlots *slots = hostdev_plan_seats_new (planning);
  HostdevSlots theirs = *hostdev_domain_get_slots (expected);
  guint bus, slot;

  g_assert_cmpuint (slots->count, ==, theirs.count);
  g_assert_cmpuint (before->len + slots->count - hostdev_domain_get_slots (planning->domain)->count,
                    ==, after->len);
  for (guint i = 0; i < before->len; i++)
    {
      const HostdevPhb *ours = before->pdata[i], *its = after->pdata[i];

      g_assert_cmpuint (ours->index, ==, its->index);
      /* 9.0 numbers the targets of those that it adds last, which is what newer ones do not. */
      if (strcmp (suite, "bookworm") != 0 || slots->count <= 2)
        g_assert_cmpuint (ours->target_index, ==, its->target_index);
    }
  count->phbs += after->len;

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];
      const HostdevDevice *own = hostdev_domain_find_address (planning->domain, &device->address);

      const HostdevGroup *group = NULL;

      hostdev_host_find (planning->host, &device->address, &group);
      hostdev_slots_mark (&theirs, device->guest_bus, device->guest_slot, 0);
      if (!own->has_guest_bus)
        hostdev_slots_mark (slots, device->guest_bus, device->guest_slot,
                            group != NULL ? group->number + 1 : 0);
    }
  for (guint i = 0; i < emulated->after; i++)
    g_assert_true (hostdev_slots_take (slots, 0, FALSE, &bus, &slot));
  for (bus = 0; bus < slots->count; bus++)
    g_assert_cmphex (slots->bus[bus].used, ==, theirs.bus[bus].used);
  count->buses += slots->count;
}

static void
test_domains (const void *suite)
{
  g_autoptr (HostdevHost) host = libvirt_data_read_host (suite);
  g_autoptr (GPtrArray) names = libvirt_data_list_names (suite, "machine='pseries");
  Count count = { 0 };

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *file = g_strconcat (name, ".xml", NULL);
      g_autofree char *old = libvirt_data_find_file (suite, "qemuxml2argvdata", file);
      g_autofree char *text = old != NULL ? g_steal_pointer (&old)
                                          : libvirt_data_find_file (suite, "qemuxmlconfdata", file);
      g_autofree char *result = libvirt_data_find_expected (suite, name, "ppc64");

      if (result == NULL)
        continue;
      g_test_message ("%s", name);
      g_autoptr (HostdevDomain) domain = libvirt_data_read_domain (text);
      g_autoptr (HostdevDomain) expected = libvirt_data_read_domain (result);
      g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
      const HostdevPlanning planning = { plan, domain, host };

      check_devices (suite, name, plan, expected, &count);
      check_buses (suite, &planning, expected, &count);
      count.domains++;
    }
  g_test_message ("%u domains: %u PHBs, %u buses, %u hostdevs, %u of them in QEMU's arguments",
                  count.domains, count.phbs, count.buses, count.hostdevs, count.arguments);
  g_assert_cmpuint (count.domains, >=, 30);
  g_assert_cmpuint (count.hostdevs, >=, 7);
  g_assert_cmpuint (count.arguments, >=, 7);
}

/* What is plugged into a guest that runs, and what the guest has then. */
static void
test_hotplug (const void *suite)
{
  g_autoptr (HostdevHost) host = libvirt_data_read_host (suite);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = libvirt_data_find_file (suite, "qemuhotplugtestdomains",
                                                  "qemuhotplug-pseries-base-live.xml");
  g_autofree char *result = libvirt_data_find_file (
      suite, "qemuhotplugtestdomains", "qemuhotplug-pseries-base-live+hostdev-pci.xml");
  g_autofree char *xml
      = libvirt_data_find_file (suite, "qemuhotplugtestdevices", "qemuhotplug-hostdev-pci.xml");
  g_autoptr (HostdevDomain) domain = libvirt_data_read_domain (text);
  g_autoptr (HostdevDomain) expected = libvirt_data_read_domain (result);
  g_autoptr (HostdevDevice) device = NULL;
  Count count = { 0 };

  g_assert_true (hostdev_device_new_from_xml (xml, -1, &device, &error));
  g_assert_no_error (error);
  g_autoptr (HostdevPlan) plan = hostdev_plan_attach (domain, device, host);
  check_devices (suite, "", plan, expected, &count);
  g_assert_cmpuint (count.hostdevs, ==, 1);
}

/* Its DO_TEST("pseries-hostdev", 4320133120): bytes; none is G_MAXUINT64, none at all 0. */
static void
check_memory (const char *suite, const HostdevHost *host, const char *name, guint64 expected)
{
  g_autofree char *file = g_strdup_printf ("qemumemlock-%s.xml", name);
  g_autofree char *text = libvirt_data_find_file (suite, "qemumemlockdata", file);
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (text, -1, &error);
  guint64 limit = 0;

  g_test_message ("%s: %" G_GUINT64_FORMAT, name, expected);
  g_assert_no_error (error);
  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
  const HostdevPlanning planning = { plan, domain, host };
  g_autofree HostdevSlots *slots = hostdev_plan_seats_new (&planning);
  const HostdevMemory *memory = hostdev_domain_get_memory (domain);

  /* Of a guest without KVM libvirt sets a limit only where the XML asks for one. */
  if (hostdev_domain_is_pseries_kvm (domain) || memory->locked || memory->hard_limit != 0)
    limit
        = hostdev_memory_limit (memory, slots->count, hostdev_domain_get_devices (domain)->len > 0);
  g_assert_cmpuint (limit, ==, expected);
}

static void
test_memory (const void *suite)
{
  g_autofree char *source = libvirt_data_find_file (suite, "", "qemumemlocktest.c");
  g_autoptr (GRegex) regex = g_regex_new ("DO_TEST\\(\"(pseries-[^\"]+)\", (\\w+)\\)", 0, 0, NULL);
  g_autoptr (HostdevHost) host = libvirt_data_read_host (suite);
  g_autoptr (GMatchInfo) match = NULL;
  guint cases = 0;

  g_assert_nonnull (source);
  for (g_regex_match (regex, source, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL), cases++)
    {
      g_autofree char *name = g_match_info_fetch (match, 1);
      g_autofree char *value = g_match_info_fetch (match, 2);
      guint64 expected = G_MAXUINT64;

      if (strcmp (value, "VIR_DOMAIN_MEMORY_PARAM_UNLIMITED") != 0)
        g_assert_true (g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &expected, NULL));
      check_memory (suite, host, name, expected);
    }
  g_test_message ("%u memory limits", cases);
  g_assert_cmpuint (cases, >=, 9);
}

/* Domains, and what a libvirtd has made of them (tests/schema/libvirt-define): NAME.xml and
 * NAME.out.xml, for the host in host.xml. One that it refused has no second file. */
static void
test_pairs (const void *directory)
{
  g_autofree char *host_file = g_build_filename (directory, "host.xml", NULL);
  g_autofree char *host_xml = libvirt_data_read_text (host_file);
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevHost) host = hostdev_host_new_from_xml (host_xml, -1, &error);
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *file;
  Count count = { 0 };

  g_assert_no_error (error);
  while ((file = g_dir_read_name (files)) != NULL)
    {
      if (!g_str_has_suffix (file, ".out.xml"))
        continue;
      g_autofree char *out = g_build_filename (directory, file, NULL);
      g_autofree char *in
          = g_strdup_printf ("%.*s.xml", (int) (strlen (out) - strlen (".out.xml")), out);
      g_autofree char *text = libvirt_data_read_text (in);
      g_autofree char *result = libvirt_data_read_text (out);
      g_autoptr (HostdevDomain) domain = libvirt_data_read_domain (text);
      g_autoptr (HostdevDomain) expected = libvirt_data_read_domain (result);
      g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
      const HostdevPlanning planning = { plan, domain, host };

      g_test_message ("%s", file);
      check_devices ("bookworm", "", plan, expected, &count);
      check_buses ("bookworm", &planning, expected, &count);
      count.domains++;
    }
  g_test_message ("%u domains: %u PHBs, %u buses, %u hostdevs", count.domains, count.phbs,
                  count.buses, count.hostdevs);
  g_assert_cmpuint (count.domains, >=, 50);
  g_assert_cmpuint (count.hostdevs, >=, 100);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GTestDataFunc test;
  } tests[]
      = { { "domains", test_domains }, { "hotplug", test_hotplug }, { "memory", test_memory } };
  static const char *const suites[] = { "bookworm", "trixie" };

  g_test_init (&argc, &argv, NULL);
  if (g_getenv ("LIBVIRT_PAIRS") != NULL)
    {
      g_test_add_data_func ("/libvirt/pairs", g_getenv ("LIBVIRT_PAIRS"), test_pairs);
      return g_test_run ();
    }
  if (g_getenv ("LIBVIRT_DATA") == NULL)
    {
      g_print ("1..0 # SKIP LIBVIRT_DATA is not set: tests/schema/fetch-libvirt\n");
      return 0;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (suites); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (tests); j++)
      {
        g_autofree char *path = g_strdup_printf ("/libvirt/%s/%s", suites[i], tests[j].name);

        g_test_add_data_func (path, suites[i], tests[j].test);
      }
  return g_test_run ();
}
