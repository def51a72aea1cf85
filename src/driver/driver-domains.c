/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-domains.h"

#include "common/common-error.h"
#include "hostdev/hostdev-network.h"

/* Seconds. libvirt answers at once, unless a hook or a start holds the domain. */
enum
{
  LOOKUP_TIMEOUT = 30,
  /* Of a network: an interface of any other kind waits for that, too. */
  NETWORK_TIMEOUT = 3,
};

gboolean
driver_domains_get (const DriverDomains *domains, const char *uuid, HostdevDomain **domain,
                    GError **error)
{
  g_autofree char *xml = NULL;

  *domain = NULL;
  if (!domains->get_xml (domains->data, uuid, LOOKUP_TIMEOUT, &xml, error))
    return FALSE;
  if (xml != NULL)
    *domain = hostdev_domain_new_from_xml (xml, -1, error);
  return xml == NULL || *domain != NULL;
}

gboolean
driver_domains_get_resting (const DriverDomains *domains, const char *uuid, HostdevDomain **domain,
                            GError **error)
{
  DriverDomains resting = *domains;

  if (resting.get_resting_xml != NULL)
    resting.get_xml = resting.get_resting_xml;
  return driver_domains_get (&resting, uuid, domain, error);
}

HostdevDomain *
driver_domains_get_guest (const DriverDomains *domains, const char *uuid, GError **error)
{
  g_autoptr (HostdevDomain) domain = NULL;
  GError *failed = NULL;

  if (!driver_domains_get (domains, uuid, &domain, &failed))
    {
      /* A domain that this code cannot read is none of ours; our own element in it is. */
      if (g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_XML)
          || g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN)
          || g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE))
        g_error_free (failed);
      else
        g_propagate_error (error, failed);
      return NULL;
    }
  if (domain == NULL || !hostdev_domain_is_running (domain)
      || !hostdev_domain_is_pseries_kvm (domain))
    return NULL;
  return g_steal_pointer (&domain);
}

gboolean
driver_domains_find_function (const DriverDomains *domains, const char *name, HostdevDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) texts = NULL;

  if (domains->get_network == NULL)
    return FALSE;
  if (!domains->get_network (domains->data, name, NETWORK_TIMEOUT, &texts, &error))
    {
      g_info ("what network %s is could not be asked: %s", name, error->message);
      return FALSE;
    }
  return texts != NULL && hostdev_network_choose ((const char *const *) texts, device);
}

gboolean
driver_alias_may_be_hostdev (const char *alias)
{
  return g_str_has_prefix (alias, "hostdev") || g_str_has_prefix (alias, "ua-");
}
