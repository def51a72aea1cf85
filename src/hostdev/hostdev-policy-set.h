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

/** hostdev_policy_is_element: whether @node is an element of our namespace, whatever its name. */
gboolean hostdev_policy_is_element (const xmlNode *node);

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

/**
 * hostdev_policy_set_find_stray: the alias or address of a <device> that no device of the domain
 * has; NULL.
 * @by_alias, @by_address: those that there are, by char * and by PciAddress
 */
const char *hostdev_policy_set_find_stray (const HostdevPolicySet *set, GHashTable *by_alias,
                                           GHashTable *by_address);

/** hostdev_policy_set_get_spare_phbs: how many PHBs hotplug should find free; 0 by default. */
guint hostdev_policy_set_get_spare_phbs (const HostdevPolicySet *set);
