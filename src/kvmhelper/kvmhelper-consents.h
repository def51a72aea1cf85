/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-group.h"

/**
 * KvmHelperConsents: what administrators agreed to: that a user's own guests may have a device.
 * Each is for one user, by number and name, for one device in its place with all that shares its
 * IOMMU group, and for so much locked memory. It is in the state directory ("consents", a key
 * file), durable, until somebody revokes it; a reboot does not end it.
 *
 * From any thread.
 */
typedef struct _KvmHelperConsents KvmHelperConsents;

typedef struct
{
  guint user;
  char *user_name; /* whose number that was then, as a number is given away again; "": not known */
  PciAddress address;
  char *device;   /* kvmhelper_consent_device */
  guint64 memory; /* bytes, at most */
  gint64 since;   /* seconds since the epoch */
} KvmHelperConsent;

/**
 * kvmhelper_consent_new: what is asked for now: @address, as it is, for @user. NULL with errors of
 * kvmhelper_group_read, COMMON_ERROR_NOT_ENDPOINT among them.
 */
KvmHelperConsent *kvmhelper_consent_new (const KvmHelperKernel *kernel, guint user,
                                         const PciAddress *address, guint64 memory, GError **error);
KvmHelperConsent *kvmhelper_consent_copy (const KvmHelperConsent *consent);
void kvmhelper_consent_free (KvmHelperConsent *consent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperConsent, kvmhelper_consent_free)

/**
 * kvmhelper_consents_open: a file that cannot be read is named in the log, and nobody has agreed to
 * anything then.
 */
KvmHelperConsents *kvmhelper_consents_open (const char *state_directory);
void kvmhelper_consents_free (KvmHelperConsents *consents);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperConsents, kvmhelper_consents_free)

/** kvmhelper_consents_cover: whether somebody agreed to @wanted: to the same, and to no less
 * memory. */
gboolean kvmhelper_consents_cover (KvmHelperConsents *consents, const KvmHelperConsent *wanted);

/** kvmhelper_consents_has: whether there is one for @user and @address, whatever sits there now. */
gboolean
kvmhelper_consents_has (KvmHelperConsents *consents, guint user, const PciAddress *address);

/** kvmhelper_consents_add: in the place of what the user had on that device. FALSE with
 * COMMON_ERROR_JOURNAL_FAILED, or COMMON_ERROR_BUSY where there are too many. */
gboolean kvmhelper_consents_add (KvmHelperConsents *consents, const KvmHelperConsent *consent,
                                 GError **error);

/** kvmhelper_consents_remove: *@found tells whether there was one. What could not be read of the
 * file goes, too: it comes back no more. FALSE with COMMON_ERROR_JOURNAL_FAILED: it is there still.
 */
gboolean kvmhelper_consents_remove (KvmHelperConsents *consents, guint user,
                                    const PciAddress *address, gboolean *found, GError **error);

/** kvmhelper_consents_list: all, or those of one user; by user and address. Elements
 * KvmHelperConsent, copies. */
GPtrArray *kvmhelper_consents_list (KvmHelperConsents *consents, const guint *user);
