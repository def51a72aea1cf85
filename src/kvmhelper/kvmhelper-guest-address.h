/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"

/**
 * KvmHelperGuestAddresses: where guests see the functions that are lent to them, so that what the
 * host's log says of one can be found in the guest's. The helper cannot know it: it is told by who
 * reads libvirt's XML (hostdev/hostdev-guest-address.h has how it is made). It is shown, and
 * nothing is decided by it; a helper that starts anew is told again.
 *
 * From any thread.
 */
typedef struct _KvmHelperGuestAddresses KvmHelperGuestAddresses;

typedef struct
{
  char guest[PCI_ADDRESS_LEN]; /* as Linux in the guest names it; "" where it cannot be told */
  guint64 buid;                /* the Bus Unit Id of the guest's PHB; 0: not known */
  gboolean has_pe;
  guint pe; /* the guest's number of the PE, as its kernel's log has it */
} KvmHelperGuestAddress;

KvmHelperGuestAddresses *kvmhelper_guest_addresses_new (void);
void kvmhelper_guest_addresses_free (KvmHelperGuestAddresses *addresses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperGuestAddresses, kvmhelper_guest_addresses_free)

/**
 * kvmhelper_guest_addresses_set: those of @lease, in the place of what was known. @functions: as
 * SetGuestAddresses has it. FALSE with COMMON_ERROR_INVALID_ARGUMENT or
 * COMMON_ERROR_INVALID_ADDRESS, for a function too that is no member of the lease, and nothing
 * changed.
 */
gboolean
kvmhelper_guest_addresses_set (KvmHelperGuestAddresses *addresses, const KvmHelperLease *lease,
                               GVariant *functions, GError **error);

/** kvmhelper_guest_addresses_forget: the lease is done. */
void kvmhelper_guest_addresses_forget (KvmHelperGuestAddresses *addresses, const char *lease);

/** kvmhelper_guest_addresses_find: of a function of a lease; FALSE: nobody told. */
gboolean
kvmhelper_guest_addresses_find (KvmHelperGuestAddresses *addresses, const char *lease,
                                const PciAddress *function, KvmHelperGuestAddress *address);

/** kvmhelper_guest_address_add: its keys for a dictionary: guest-address, guest-buid, guest-pe. */
void kvmhelper_guest_address_add (const KvmHelperGuestAddress *address, GVariantBuilder *builder);

/** kvmhelper_guest_address_pe_name: "PHB#1-PE#1", as the guest's log has it; NULL: not known. */
char *kvmhelper_guest_address_pe_name (const KvmHelperGuestAddress *address);
