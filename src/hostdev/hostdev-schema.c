/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-xml.h"

#include "hostdev-resources.h"

static const char *const paths[HOSTDEV_SCHEMA_LAST] = {
  [HOSTDEV_SCHEMA_DOMAIN] = "/org/libvirt/ppc64/domain-ppc64.rng",
  [HOSTDEV_SCHEMA_HOST] = "/org/libvirt/ppc64/host.rng",
};

static xmlRelaxNG *
get (HostdevSchema schema)
{
  static xmlRelaxNG *grammars[HOSTDEV_SCHEMA_LAST];

  if (g_once_init_enter (&grammars[schema]))
    g_once_init_leave (&grammars[schema],
                       common_xml_schema_load (hostdev_get_resource (), paths[schema]));
  return grammars[schema];
}

gboolean
hostdev_xml_validate (xmlNode *node, HostdevSchema schema, CommonErrorCode code, GError **error)
{
  return common_xml_validate (node, get (schema), code, error);
}
