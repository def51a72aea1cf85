/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "kvmhelper/kvmhelper-leases.h"

/**
 * KvmHelperDetails: what a polkit rule, and the person who is asked, is told of a call. In
 * canonical form only: text that is no address, no UUID or no name that a guest may have is not
 * passed on, and the method refuses it later. What is NULL is not told.
 */
typedef struct
{
  char *address;     /* "0001:02:03.4" */
  char *domain;      /* the guest's UUID */
  char *domain_name; /* and its name */
  char *user;        /* "1000": whom it is for, where that is not the caller */
  char *memory;      /* MiB that he may lock, rounded up */
  char *right;       /* "manage" or "monitor": what a client of libvirt asks for */
} KvmHelperDetails;

/**
 * kvmhelper_details_init: of a call of @method with @parameters, which are of the method's
 * signature. An argument is known by its name in the interface: "address", "domain_uuid",
 * "domain_name", "user", "memory" in bytes, "right", and "lease", which stands for all three as
 * @leases has them now. Nothing is read of the kernel.
 */
void kvmhelper_details_init (KvmHelperDetails *details, KvmHelperLeases *leases,
                             const GDBusMethodInfo *method, GVariant *parameters);
void kvmhelper_details_clear (KvmHelperDetails *details);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperDetails, kvmhelper_details_clear)

gboolean kvmhelper_details_equal (const KvmHelperDetails *a, const KvmHelperDetails *b);

/** kvmhelper_details_has_option: whether the method's argument "options" has @key. */
gboolean
kvmhelper_details_has_option (const GDBusMethodInfo *method, GVariant *parameters, const char *key);
