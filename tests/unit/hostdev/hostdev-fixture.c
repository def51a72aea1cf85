/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-fixture.h"

#include <string.h>

static HostdevHost *
read_host (const char *xml)
{
  g_autoptr (GError) error = NULL;
  HostdevHost *host = hostdev_host_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  g_assert_nonnull (host);
  return host;
}

HostdevHost *
fixture_host (const char *name, const char *from, const char *to)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "hostdev", "data", name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GString) xml = g_string_new (text);
  if (from != NULL)
    g_assert_cmpuint (g_string_replace (xml, from, to, 0), >, 0);
  return read_host (xml->str);
}

HostdevDomain *
fixture_domain (const char *top, const char *devices)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = g_strdup_printf (
      "<domain type='kvm' id='1'><name>guest</name><uuid>" FIXTURE_UUID "</uuid>%s"
      "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices>%s</devices>"
      "</domain>",
      top, devices);
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  g_assert_nonnull (domain);
  return domain;
}

char *
fixture_hostdev (const char *address, const char *more)
{
  PciAddress parsed;

  g_assert_true (pci_address_parse (address, &parsed, NULL));
  return g_strdup_printf ("<hostdev mode='subsystem' type='pci' managed='yes'><source>"
                          "<address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>"
                          "</source>%s</hostdev>",
                          parsed.domain, parsed.bus, parsed.slot, parsed.function, more);
}

HostdevDevice *
fixture_device (const char *address, const char *more)
{
  g_autofree char *xml = fixture_hostdev (address, more);
  g_autoptr (GError) error = NULL;
  HostdevDevice *device;

  g_assert_true (hostdev_device_new_from_xml (xml, -1, &device, &error));
  g_assert_no_error (error);
  g_assert_nonnull (device);
  return device;
}

HostdevPlan *
fixture_attach (const char *host, const char *top, const char *devices, const char *address,
                const char *more)
{
  g_autoptr (HostdevHost) description = fixture_host (host, NULL, NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain (top, devices);
  g_autoptr (HostdevDevice) device = fixture_device (address, more);

  return hostdev_plan_attach (domain, device, description);
}

const HostdevReason *
fixture_find (const HostdevPlan *plan, CommonErrorCode code)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      if (reason->code == code)
        return reason;
    }
  return NULL;
}

const HostdevReason *
fixture_expect (const HostdevPlan *plan, HostdevSeverity severity, CommonErrorCode code,
                const char *word)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);
  const HostdevReason *found = NULL;

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      g_test_message ("%s %s: %s %s", hostdev_severity_to_string (reason->severity),
                      common_error_name (reason->code), reason->sentence, reason->remedy);
      if (reason->code != code || reason->severity != severity)
        continue;
      g_assert_null (found);
      found = reason;
    }
  g_assert_nonnull (found);
  g_assert_nonnull (strstr (found->sentence, word));
  g_assert_cmpuint (strlen (found->remedy), >, 0);
  if (severity == HOSTDEV_REFUSE)
    g_assert_false (hostdev_plan_is_allowed (plan));
  return found;
}

void
fixture_expect_clean (const HostdevPlan *plan)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      g_test_message ("%s: %s", reason->statement->code, reason->sentence);
      g_assert_cmpint (reason->severity, ==, HOSTDEV_ADVISE);
    }
  g_assert_true (hostdev_plan_is_allowed (plan));
}

char *
fixture_join (const GPtrArray *addresses)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < addresses->len; i++)
    {
      char address[PCI_ADDRESS_LEN];

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                              pci_address_format (addresses->pdata[i], address));
    }
  return g_string_free (text, FALSE);
}
