/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-lease.h"

static char *
dup_key (GVariant *dictionary, const char *key)
{
  const char *text = "";

  g_variant_lookup (dictionary, key, "&s", &text);
  return g_strdup (text);
}

DriverLease *
driver_lease_new (GVariant *details)
{
  DriverLease *lease = g_new0 (DriverLease, 1);
  g_autoptr (GVariant) members
      = g_variant_lookup_value (details, "members", G_VARIANT_TYPE ("aa{sv}"));
  gsize n = members != NULL ? g_variant_n_children (members) : 0;

  lease->id = dup_key (details, "lease");
  lease->domain_uuid = dup_key (details, "domain-uuid");
  lease->domain_name = dup_key (details, "domain-name");
  lease->phase = dup_key (details, "phase");
  g_variant_lookup (details, "since", "x", &lease->since);
  lease->members = g_array_new (FALSE, FALSE, sizeof (PciAddress));
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) member = g_variant_get_child_value (members, i);
      g_autofree char *text = dup_key (member, "address");
      PciAddress address;

      if (pci_address_parse (text, &address, NULL))
        g_array_append_val (lease->members, address);
    }
  return lease;
}

void
driver_lease_free (DriverLease *lease)
{
  if (lease == NULL)
    return;
  g_free (lease->id);
  g_free (lease->domain_uuid);
  g_free (lease->domain_name);
  g_free (lease->phase);
  g_array_unref (lease->members);
  g_free (lease);
}

gboolean
driver_lease_is_in (const DriverLease *lease, const HostdevDomain *domain)
{
  for (guint i = 0; i < lease->members->len; i++)
    if (hostdev_domain_find_address (domain, &g_array_index (lease->members, PciAddress, i)))
      return TRUE;
  return FALSE;
}
