/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-ports.h"

#include "hostdev/hostdev-network.h"

/* More than a host has guests; UUIDs alone, which do no harm when they are old. */
#define NOTED_MAX 4096

struct _DriverPorts
{
  DriverHelper *helper;
  GMutex lock;
  GHashTable *noted; /* UUID */
};

DriverPorts *
driver_ports_new (DriverHelper *helper)
{
  DriverPorts *self = g_new0 (DriverPorts, 1);

  self->helper = helper;
  g_mutex_init (&self->lock);
  self->noted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
driver_ports_free (DriverPorts *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->noted);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
driver_ports_note (DriverPorts *self, const char *domain_uuid)
{
  g_mutex_lock (&self->lock);
  if (g_hash_table_size (self->noted) >= NOTED_MAX)
    g_hash_table_remove_all (self->noted);
  g_hash_table_add (self->noted, g_strdup (domain_uuid));
  g_mutex_unlock (&self->lock);
}

static gboolean
is_noted (DriverPorts *self, const char *domain_uuid)
{
  g_mutex_lock (&self->lock);
  gboolean noted = g_hash_table_contains (self->noted, domain_uuid);
  g_mutex_unlock (&self->lock);
  return noted;
}

static gboolean
has_member (const DriverLease *lease, const PciAddress *address)
{
  for (guint i = 0; i < lease->members->len; i++)
    if (pci_address_equal (&g_array_index (lease->members, PciAddress, i), address))
      return TRUE;
  return FALSE;
}

/* libvirt tells of a running guest's ports again when it has been restarted: what is leased needs
   nothing. */
static gboolean
is_leased (const GPtrArray *leases, const PciAddress *address)
{
  for (guint i = 0; leases != NULL && i < leases->len; i++)
    if (has_member (leases->pdata[i], address))
      return TRUE;
  return FALSE;
}

gboolean
driver_ports_take (DriverPorts *self, const char *xml, GError **error)
{
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (DriverLease) lease = NULL;
  g_auto (HostdevNetworkPort) port = { NULL, NULL };
  gboolean noted;

  if (!hostdev_network_read_hook (xml, -1, &port))
    return TRUE;
  noted = is_noted (self, port.domain_uuid);
  leases = driver_helper_list_leases (self->helper, port.domain_uuid, noted ? error : NULL);
  if (!noted && (leases == NULL || leases->len == 0))
    return TRUE;
  if (leases == NULL)
    return FALSE;
  if (is_leased (leases, &port.address))
    return TRUE;
  lease = driver_helper_prepare (self->helper, port.domain_uuid, port.domain_name, &port.address,
                                 HOSTDEV_REHEARSE_AUTO, error);
  return lease != NULL;
}

char *
driver_ports_get_owner (const char *xml)
{
  g_auto (HostdevNetworkPort) port = { NULL, NULL };

  return hostdev_network_read_hook (xml, -1, &port) ? g_steal_pointer (&port.domain_uuid) : NULL;
}
