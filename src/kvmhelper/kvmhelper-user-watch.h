/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-leases.h"

/**
 * KvmHelperUserWatch: looks after the leases of users (kvmhelper-leases-users.h), in a thread
 * of its own, every KVMHELPER_WATCH_USERS_SECONDS while there is one, and not at all else. Where a
 * user's processes have ended, be it that he logged out, his leases do; and where a consent is gone
 * the lease that was made of it goes, whatever became of Revoke.
 */
typedef struct _KvmHelperUserWatch KvmHelperUserWatch;

/** kvmhelper_user_watch_new: nothing is looked at before it is woken. @leases and @consents outlive
 * it. */
KvmHelperUserWatch *kvmhelper_user_watch_new (KvmHelperLeases *leases, KvmHelperConsents *consents);

/** kvmhelper_user_watch_wake: there is a lease of a user. From any thread. */
void kvmhelper_user_watch_wake (KvmHelperUserWatch *watch);

/** kvmhelper_user_watch_free: when this returns nothing is looked at any more. */
void kvmhelper_user_watch_free (KvmHelperUserWatch *watch);
