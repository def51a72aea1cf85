/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-policy.h"

/**
 * HostdevPolicySet: what one domain's <passthrough> element asks for: for the guest, and for single
 * devices. Without an element it has the defaults.
 */
typedef struct _HostdevPolicySet HostdevPolicySet;

HostdevPolicySet *hostdev_policy_set_new (void);
void hostdev_policy_set_free (HostdevPolicySet *set);

/**
 * hostdev_policy_set_read: validates the element @node and takes in what it says. Once for a set.
 *
 * Returns: FALSE with COMMON_ERROR_INVALID_METADATA, after which the set is to be freed.
 */
gboolean hostdev_policy_set_read (HostdevPolicySet *set, xmlNode *node, GError **error);

/** What holds for @device: by its alias, else by its address, else the guest's. */
HostdevPolicy hostdev_policy_set_get (const HostdevPolicySet *set, const HostdevDevice *device);
guint hostdev_policy_set_get_spare_phbs (const HostdevPolicySet *set);
