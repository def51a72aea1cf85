/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "driver/driver-access.h"
#include "driver/driver-lease.h"
#include "hostdev/hostdev-host.h"

/**
 * DriverHelper: ppc64-kvmhelper, over D-Bus (data/org.libvirt.Ppc64.KvmHelper1.xml). Its calls
 * block, so they are for worker threads, never for the main loop; it is safe in any number of them.
 *
 * Errors are the helper's own (COMMON_ERROR), or COMMON_ERROR_TIMED_OUT where it works still, or
 * COMMON_ERROR_HELPER_UNAVAILABLE where it could not be asked.
 */
typedef struct _DriverHelper DriverHelper;

/* Seconds. Prepare may rehearse, and an adapter may take long to let go of its driver. */
enum
{
  DRIVER_HELPER_PREPARE_TIMEOUT = 90,
  DRIVER_HELPER_COMMIT_TIMEOUT = 15,
  DRIVER_HELPER_READ_TIMEOUT = 15,
  /* A person may be asked for a password: longer than the helper waits for that
     (KVMHELPER_QUESTION_SECONDS). */
  DRIVER_HELPER_CHECK_TIMEOUT = 660,
};

/** driver_helper_new: @address is a bus address; NULL: the system bus. Connects when first used. */
DriverHelper *driver_helper_new (const char *address);
void driver_helper_free (DriverHelper *helper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverHelper, driver_helper_free)

/** driver_helper_give_up: for the end of this process: nobody waits any more for the bus, for the
 * helper to be started, or for what it only tells (GetHost, ListLeases), now or later; and nothing
 * is begun. What it was asked to do is waited for as before, and a helper that is there gives back
 * what it took then, and has three seconds to tell the leases for that. In any thread. */
void driver_helper_give_up (DriverHelper *helper);

HostdevHost *driver_helper_get_host (DriverHelper *helper, GError **error);

/** driver_helper_prepare: as the D-Bus method; the lease's members are those of the group. */
DriverLease *
driver_helper_prepare (DriverHelper *helper, const char *domain_uuid, const char *domain_name,
                       const PciAddress *address, HostdevRehearse rehearse, GError **error);

/** driver_helper_commit: @got is what the guest has, to be cleared. */
gboolean
driver_helper_commit (DriverHelper *helper, const char *lease, HostdevGot *got, GError **error);

/** driver_helper_tell_addresses: where the guest sees what it has of @lease, by its live XML. That
 * is for logs alone, so that little hangs on it: FALSE, and logged, where the helper did not take
 * it. */
gboolean driver_helper_tell_addresses (DriverHelper *helper, const DriverLease *lease,
                                       const HostdevDomain *domain);

/** driver_helper_release: @timeout in seconds; *@done is FALSE where the helper goes on by itself.
 * A lease that is gone already is done. */
gboolean driver_helper_release (DriverHelper *helper, const char *lease, guint timeout,
                                gboolean *done, GError **error);

/** driver_helper_list_leases: elements DriverLease; those of one guest, or of all (NULL). Leases of
 * users' own guests (Grant) are not among them. */
GPtrArray *
driver_helper_list_leases (DriverHelper *helper, const char *domain_uuid, GError **error);

/**
 * driver_helper_check_client: what polkit says of the client at the other end of @socket, as a
 * DriverAskFunc. It may ask a person; shutting down the socket ends that.
 */
gboolean driver_helper_check_client (DriverHelper *helper, int socket, gboolean read_only,
                                     DriverVerdict *verdict, GError **error);
