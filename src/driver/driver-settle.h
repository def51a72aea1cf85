/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-domains.h"
#include "driver/driver-helper.h"

/* Seconds that a lease may be merely prepared before it counts as forgotten: longer than libvirt
   takes from a hook, or a forwarded call, to a domain that shows the device. */
#define DRIVER_SETTLE_GRACE 60

typedef struct
{
  const char *domain_uuid;
  const char *own_lease; /* one that the caller itself prepared: no grace; or NULL */
  guint grace;           /* seconds: DRIVER_SETTLE_GRACE but for tests */
  guint release_timeout; /* seconds to wait for a group to become free */
} DriverSettle;

typedef enum
{
  DRIVER_SETTLED,
  DRIVER_SETTLE_LATER,  /* a lease is too young to be judged: once more, after the grace */
  DRIVER_SETTLE_UNKNOWN /* libvirt or the helper does not answer: not all was done */
} DriverSettled;

/**
 * driver_settle: makes the leases of one domain fit its live XML. A lease with a function that the
 * guest has is committed where it was not; one without is released. A group is given back only when
 * the guest has none of its functions.
 *
 * For a worker thread, with no transaction of the same domain under way.
 */
DriverSettled
driver_settle (DriverHelper *helper, const DriverDomains *domains, const DriverSettle *how);

/** driver_settle_commit: notes what the guest got, and logs it. @got: to be cleared; as it was
 * where that could not be read. */
void driver_settle_commit (DriverHelper *helper, const DriverLease *lease, HostdevGot *got);

/** driver_settle_commit_start: the same for a guest that has just been started. It chooses its
 * interrupt controller later, when it boots, so that nothing is claimed of that. */
void driver_settle_commit_start (DriverHelper *helper, const DriverLease *lease);

/**
 * driver_settle_asked: the guest was asked for the function at @address, or, where that is NULL, of
 * that @alias. Where it has it still, and none other of its group, the helper is told, without
 * waiting: the lease then says that it is to be given back and who does not let go, and is, as soon
 * as somebody does. The guest keeps it until then.
 */
void driver_settle_asked (DriverHelper *helper, const DriverDomains *domains,
                          const char *domain_uuid, const PciAddress *address, const char *alias);

/** driver_settle_release: gives a group back, and logs it. FALSE where the helper did not answer,
 * or could not: the lease may be there still. */
gboolean driver_settle_release (DriverHelper *helper, const DriverLease *lease, guint timeout);
