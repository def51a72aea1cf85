/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"

/**
 * Messages in the journal that programs may look for: each has a MESSAGE_ID, which never changes
 * and is never used for something else, and an entry in the catalog (data/ppc64-kvmhelper.catalog;
 * journalctl -x). ppc64-kvmhelper(8) lists them.
 */
/* taken for a guest */
#define KVMHELPER_MESSAGE_LEASE_PREPARED "4311289b9d8f48b5a0ea93683e761e6c"
/* a guest has it */
#define KVMHELPER_MESSAGE_LEASE_ACTIVE "1e0698e729b84835a51ff18353583660"
/* the host has it back */
#define KVMHELPER_MESSAGE_LEASE_GIVEN_BACK "95b4f650705243a590f8fbcb63b7ea3a"
/* to be given back, and something is in the way */
#define KVMHELPER_MESSAGE_LEASE_PENDING "6b9a8495bb4f4f328187b31cf0e4b7b0"
/* the kernel refused a step */
#define KVMHELPER_MESSAGE_REHEARSAL_FAILED "32690ef2becb42059bee8769133b3b65"
/* taken in spite of what the host needs it for */
#define KVMHELPER_MESSAGE_OVERRIDE "86b6f38a03b94b8d9bfdae5ae748139c"
/* a line of ppc64-kvmhelper.conf that means nothing */
#define KVMHELPER_MESSAGE_CONFIG "5a7e1e4cda444940bc86c6b6e01a577e"

/* Of a PE, see kvmhelper-eeh-report.h. */
#define KVMHELPER_MESSAGE_EEH_FROZEN "b16e7cf2ef0c4326a9b6d82f1871b732"
#define KVMHELPER_MESSAGE_EEH_LOST   "2447c5fd3e404ebea784c88b36e04f54" /* unavailable, failed */
#define KVMHELPER_MESSAGE_EEH_NORMAL "0f584299a0d247709b99043d3e0f9b27"

/** kvmhelper_message_of_phase: of a lease that has come to @phase ("prepared", …, "done"); NULL:
 * none. */
const char *kvmhelper_message_of_phase (const char *phase);

/** kvmhelper_message_log: with MESSAGE_ID (where @id is one), LEASE, PCI_ADDRESS, and what is known
 * of the guest: DOMAIN_UUID and DOMAIN_NAME. */
void kvmhelper_message_log (GLogLevelFlags level, const char *id, const KvmHelperLease *lease,
                            const char *format, ...) G_GNUC_PRINTF (4, 5);
