/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-define.h"

#include <string.h>

#include "common/common-error.h"
#include "common/common-log.h"

void
driver_define_log (const HostdevPlan *plan, const HostdevDomain *domain)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];
      char buffer[PCI_ADDRESS_LEN];

      common_log_lease (reason->severity == HOSTDEV_ADVISE ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_MESSAGE,
                        reason->has_address ? pci_address_format (&reason->address, buffer) : NULL,
                        hostdev_domain_get_uuid (domain), NULL, "%s: %s: %s %s",
                        hostdev_domain_get_name (domain), reason->statement->code, reason->sentence,
                        reason->remedy);
    }
}

void
driver_define_check (DriverHelper *helper, const DriverDomains *domains, const char *uuid)
{
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (HostdevPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (!driver_domains_get_resting (domains, uuid, &domain, &error))
    {
      /* Our own element in its metadata may be what cannot be read: it will not start so. */
      common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, uuid, NULL, "%s", error->message);
      return;
    }
  if (domain == NULL || hostdev_domain_is_running (domain)
      || !hostdev_domain_is_pseries_kvm (domain) || hostdev_domain_get_devices (domain)->len == 0)
    return;
  host = driver_helper_get_host (helper, &error);
  if (host == NULL)
    {
      common_log_lease (G_LOG_LEVEL_INFO, NULL, uuid, NULL, "%s was not checked: %s",
                        hostdev_domain_get_name (domain), error->message);
      return;
    }
  plan = hostdev_plan_start (domain, host);
  driver_define_log (plan, domain);
}

gboolean
driver_define_may_require (const char *xml)
{
  return strstr (xml, HOSTDEV_POLICY_NAMESPACE) != NULL && strstr (xml, "required") != NULL;
}

static gboolean
is_required (const HostdevReason *reason)
{
  return reason->severity == HOSTDEV_REFUSE
         && (reason->code == COMMON_ERROR_XIVE_UNAVAILABLE
             || reason->code == COMMON_ERROR_TCE_UNAVAILABLE
             || reason->code == COMMON_ERROR_EEH_UNAVAILABLE);
}

gboolean
driver_define_allows (DriverHelper *helper, const char *xml, GError **error)
{
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (xml, -1, NULL);
  g_autoptr (HostdevHost) host = NULL;
  g_autoptr (HostdevPlan) plan = NULL;
  const GPtrArray *reasons;

  if (domain == NULL || !hostdev_domain_is_pseries_kvm (domain)
      || hostdev_domain_get_devices (domain)->len == 0)
    return TRUE;
  host = driver_helper_get_host (helper, NULL);
  if (host == NULL)
    return TRUE;
  plan = hostdev_plan_start (domain, host);
  reasons = hostdev_plan_get_reasons (plan);
  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      if (!is_required (reason))
        continue;
      g_set_error (error, COMMON_ERROR, reason->code, "%s %s", reason->sentence, reason->remedy);
      return FALSE;
    }
  return TRUE;
}
