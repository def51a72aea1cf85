/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz-hostdev-plan.h"

#include <string.h>

static char *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  return text;
}

const HostdevHost *
fuzz_host (void)
{
  static HostdevHost *host;

  if (host == NULL)
    {
      g_autofree char *xml = read_file (FUZZ_HOST);

      host = hostdev_host_new_from_xml (xml, -1, NULL);
      g_assert_nonnull (host);
    }
  return host;
}

const HostdevDomain *
fuzz_domain (void)
{
  static HostdevDomain *domain;

  if (domain == NULL)
    {
      g_autofree char *xml = read_file (FUZZ_DOMAIN);

      domain = hostdev_domain_new_from_xml (xml, -1, NULL);
      g_assert_nonnull (domain);
    }
  return domain;
}

/* What holds for every plan. */
static void
ask (HostdevPlan *plan)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);
  const GPtrArray *devices = hostdev_plan_get_devices (plan);
  g_autofree char *refusal = hostdev_plan_get_refusal (plan);
  g_autoptr (JsonNode) node = hostdev_plan_to_json (plan);
  g_autofree char *json = json_to_string (node, FALSE);
  int last = HOSTDEV_REFUSE;

  g_assert_cmpint (hostdev_plan_is_allowed (plan), ==, refusal == NULL);
  g_assert_cmpint (hostdev_plan_set_error (plan, NULL), ==, refusal != NULL);
  g_assert_cmpuint (strlen (json), >, 0);
  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      g_assert_cmpint (reason->severity, >=, last);
      g_assert_cmpuint (strlen (reason->sentence), >, 0);
      g_assert_cmpuint (strlen (reason->remedy), >, 0);
      last = (int) reason->severity;
    }
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevPlanDevice *device = devices->pdata[i];

      g_assert_cmpuint (device->companions->len, <=, device->taken->len);
      g_assert_true (device->has_group || device->taken->len == 0);
      g_assert_true (device->has_seat || !device->has_phb
                     || hostdev_plan_get_operation (plan) == HOSTDEV_OPERATION_DETACH);
      g_assert_cmpuint (device->seat.slot, <=, 31);
      g_assert_cmpuint (device->seat.function, <=, 7);
    }
  hostdev_plan_free (plan);
}

void
fuzz_plan (const HostdevDomain *domain, const HostdevHost *host)
{
  const GPtrArray *groups = hostdev_host_get_groups (host);
  const GPtrArray *devices = hostdev_domain_get_devices (domain);

  ask (hostdev_plan_start (domain, host));
  for (guint i = 0; i < MIN (devices->len, 4); i++)
    {
      ask (hostdev_plan_attach (domain, devices->pdata[i], host));
      ask (hostdev_plan_detach (domain, devices->pdata[i], host));
    }
  for (guint i = 0; i < MIN (groups->len, 16); i++)
    {
      const HostdevGroup *group = groups->pdata[i];

      for (guint j = 0; j < MIN (group->members->len, 2); j++)
        {
          const HostdevFunction *function = group->members->pdata[j];
          HostdevDevice device = { function->address, i % 2 == 0 };

          ask (hostdev_plan_attach (domain, &device, host));
        }
    }
}
