/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-call.h"
#include "driver/driver-domains.h"
#include "driver/driver-helper.h"

/**
 * DriverTransactions: ties plan, helper and libvirt together. Each attachment of a PCI hostdev to a
 * running pSeries KVM guest is planned, prepared, forwarded, and committed or undone by what the
 * live XML says afterwards; each detachment is followed by giving the group back. Lives on the main
 * loop; the work is done in threads.
 */
typedef struct _DriverTransactions DriverTransactions;

/**
 * driver_transactions_new: @helper and @domains must outlive it.
 * @grace: seconds, DRIVER_SETTLE_GRACE but for tests
 */
DriverTransactions *
driver_transactions_new (DriverHelper *helper, const DriverDomains *domains, guint grace);

/** driver_transactions_free: every call's connection must be closed before; waits for the work that
 * was begun. */
void driver_transactions_free (DriverTransactions *transactions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverTransactions, driver_transactions_free)

/** driver_transactions_offer: a DriverOfferFunc; @transactions is its data. */
gboolean driver_transactions_offer (DriverCall *call, gpointer transactions);

/** driver_transactions_settle: driver_settle for that domain, after @delay seconds and what is
 * under way for it. May be called in any thread. */
void
driver_transactions_settle (DriverTransactions *transactions, const char *domain_uuid, guint delay);

/** driver_transactions_check: logs what stands against the next start of that domain, or could be
 * better, as far as its PCI devices are concerned. Nothing is refused here: that is for the start.
 * Where much else is to be done, it is left out. It comes after a few seconds, so that a guest that
 * is defined and started at once is not looked for while libvirt holds it. May be called in any
 * thread. */
void driver_transactions_check (DriverTransactions *transactions, const char *domain_uuid);

/** driver_transactions_starting: that domain starts, and is planned by who starts it: no check of
 * its definition comes any more. May be called in any thread. */
void driver_transactions_starting (DriverTransactions *transactions, const char *domain_uuid);

/** driver_transactions_resync: driver_settle for every domain that has a lease. Once the helper
 * answers: it is asked again until then. May be called in any thread. */
void driver_transactions_resync (DriverTransactions *transactions);

/** How many transactions, and other work on leases, wait or run. */
guint driver_transactions_get_length (const DriverTransactions *transactions);
