/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "libvirt-data.h"

/* What libvirt's own tests say that it makes of an s390x domain, against what a plan says that it
 * will: the slot of every device of the host, its uid and its fid. */

/* What was looked at; so that it is said how much. */
typedef struct
{
  guint domains, hostdevs, arguments;
} Count;

static const HostdevReason *
find_reason (const HostdevPlan *plan, HostdevStatementId id)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    if (((const HostdevReason *) reasons->pdata[i])->statement->id == id)
      return reasons->pdata[i];
  return NULL;
}

/* {"driver":"zpci","uid":1,"fid":0,"target":"hostdev0",…}, or the older form of it */
static void
check_zpci_arguments (const char *suite, const char *name, const HostdevPlanDevice *device,
                      guint number, Count *count)
{
  g_autofree char *file = g_strconcat (name, ".s390x-latest.args", NULL);
  g_autofree char *plain = g_strconcat (name, ".args", NULL);
  g_autofree char *arguments = NULL;
  g_autofree char *json = g_strdup_printf ("\"uid\":%u,\"fid\":%u,\"target\":\"hostdev%u\"",
                                           device->uid, device->fid, number);
  g_autofree char *old
      = g_strdup_printf ("zpci,uid=%u,fid=%u,target=hostdev%u,", device->uid, device->fid, number);
  const char *const files[] = { file, plain };

  for (gsize i = 0; arguments == NULL && i < G_N_ELEMENTS (files); i++)
    {
      arguments = libvirt_data_find_file (suite, "qemuxml2argvdata", files[i]);
      if (arguments == NULL)
        arguments = libvirt_data_find_file (suite, "qemuxmlconfdata", files[i]);
    }
  g_assert_nonnull (arguments);
  g_assert_true (strstr (arguments, json) != NULL || strstr (arguments, old) != NULL);
  count->arguments++;
}

/* The same of s390x domains: their slots, and uid and fid. One that libvirt refuses is refused, for
 * what is wrong with its numbers. */
static void
test_zpci (const void *suite)
{
  g_autoptr (HostdevHost) host = libvirt_data_read_host (suite);
  g_autoptr (GPtrArray) names = libvirt_data_list_names (suite, "machine='s390-ccw-virtio");
  Count count = { 0 };
  guint refused = 0;

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *file = g_strconcat (name, ".xml", NULL);
      g_autofree char *old = libvirt_data_find_file (suite, "qemuxml2argvdata", file);
      g_autofree char *text = old != NULL ? g_steal_pointer (&old)
                                          : libvirt_data_find_file (suite, "qemuxmlconfdata", file);

      if (strstr (text, "<hostdev mode='subsystem' type='pci'") == NULL)
        continue;
      g_test_message ("%s", name);
      g_autofree char *result = libvirt_data_find_expected (suite, name, "s390x");
      g_autoptr (HostdevDomain) domain = libvirt_data_read_domain (text);
      g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
      const GPtrArray *devices = hostdev_plan_get_devices (plan);
      gboolean wrong = find_reason (plan, HOSTDEV_SAYS_ZPCI_ID_RANGE) != NULL
                       || find_reason (plan, HOSTDEV_SAYS_ZPCI_UID_TWICE) != NULL
                       || find_reason (plan, HOSTDEV_SAYS_ZPCI_FID_TWICE) != NULL;

      g_assert_true (hostdev_domain_is_s390x_kvm (domain));
      g_assert_cmpint (wrong, ==, result == NULL);
      if (result == NULL)
        {
          refused++;
          continue;
        }
      g_autoptr (HostdevDomain) expected = libvirt_data_read_domain (result);
      g_assert_cmpuint (devices->len, ==, hostdev_domain_get_devices (expected)->len);
      for (guint j = 0; j < devices->len; j++)
        {
          const HostdevPlanDevice *device = devices->pdata[j];
          const HostdevDevice *other = hostdev_domain_find_address (expected, &device->address);

          g_assert_true (device->has_seat && device->has_zpci);
          g_assert_cmpuint (device->seat.bus, ==, other->guest_bus);
          g_assert_cmpuint (device->seat.slot, ==, other->guest_slot);
          g_assert_cmpuint (device->seat.function, ==, other->guest_function);
          g_assert_cmphex (device->uid, ==, other->zpci.uid);
          g_assert_cmphex (device->fid, ==, other->zpci.fid);
          count.hostdevs++;
          check_zpci_arguments (suite, name, device, j, &count);
        }
      count.domains++;
    }
  g_test_message ("s390x: %u domains, %u hostdevs, %u of them in QEMU's arguments; %u refused",
                  count.domains, count.hostdevs, count.arguments, refused);
  g_assert_cmpuint (count.domains, >=, 7);
  g_assert_cmpuint (count.hostdevs, >=, 17);
  g_assert_cmpuint (count.arguments, >=, 17);
  g_assert_cmpuint (refused, >=, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (g_getenv ("LIBVIRT_DATA") == NULL)
    {
      g_print ("1..0 # SKIP LIBVIRT_DATA is not set: tests/schema/fetch-libvirt\n");
      return 0;
    }
  g_test_add_data_func ("/libvirt/bookworm/zpci", "bookworm", test_zpci);
  g_test_add_data_func ("/libvirt/trixie/zpci", "trixie", test_zpci);
  return g_test_run ();
}
