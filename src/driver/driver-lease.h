/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "hostdev/hostdev-domain.h"

/** DriverLease: what ListLeases and Prepare tell of a lease. */
typedef struct
{
  char *id;
  char *domain_uuid;
  char *domain_name;
  char *phase;     /* as of ListLeases */
  gint64 since;    /* seconds since the epoch; 0: not told */
  GArray *members; /* PciAddress */
} DriverLease;

/** driver_lease_new: from the dictionary of either. What it does not say is empty. */
DriverLease *driver_lease_new (GVariant *details);
void driver_lease_free (DriverLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverLease, driver_lease_free)

/** driver_lease_is_in: TRUE where the guest has a function of the lease's group. */
gboolean driver_lease_is_in (const DriverLease *lease, const HostdevDomain *domain);
