/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-domains.h"

/* Seconds. libvirt answers at once, unless a hook or a start holds the domain. */
enum
{
  LOOKUP_TIMEOUT = 30,
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
driver_alias_may_be_hostdev (const char *alias)
{
  return g_str_has_prefix (alias, "hostdev") || g_str_has_prefix (alias, "ua-");
}
