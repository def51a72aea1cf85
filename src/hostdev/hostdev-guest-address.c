/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-guest-address.h"

static const HostdevPhb *
find_phb (const HostdevDomain *domain, guint index)
{
  const GPtrArray *phbs = hostdev_domain_get_phbs (domain);

  for (guint i = 0; i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];

      if (phb->index == index)
        return phb;
    }
  return NULL;
}

gboolean
hostdev_guest_address (const HostdevDomain *domain, const HostdevDevice *device,
                       HostdevGuestAddress *address)
{
  const HostdevPhb *phb = NULL;
  guint index;

  *address = (HostdevGuestAddress){ 0 };
  if (device->has_guest_bus && hostdev_domain_get_phb_of_bus (domain, device->guest_bus, &index))
    phb = find_phb (domain, index);
  if (phb == NULL || phb->target_index > HOSTDEV_PHB_TARGET_MAX)
    return FALSE;
  address->buid = HOSTDEV_BUID_BASE + phb->target_index;
  if (device->guest_bus != phb->index)
    return TRUE;
  address->has_address = TRUE;
  address->address
      = (PciAddress){ (guint16) phb->target_index, 0, device->guest_slot, device->guest_function };
  address->pe = 1;
  return TRUE;
}
