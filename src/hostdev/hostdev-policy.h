/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "common/pci-address.h"

/**
 * HostdevPolicy: what the domain's owner asks for in <metadata>, in the one element
 *
 *   <ppc64:passthrough xmlns:ppc64="http://libvirt.org/schemas/domain/ppc64/1.0"
 *                      xive="required" tce="preferred" rehearse="auto" spare-phbs="2">
 *     <ppc64:device alias="ua-net0" eeh="required"/>
 *     <ppc64:device xive="off">
 *       <ppc64:address domain="0x0000" bus="0x01" slot="0x00" function="0x0"/>
 *     </ppc64:device>
 *   </ppc64:passthrough>
 *
 * Schema: schemas/domain-ppc64.rng. No element, or no attribute: all "preferred", rehearse "auto",
 * no spare PHB. A device's attribute goes before the guest's.
 */
#define HOSTDEV_POLICY_NAMESPACE "http://libvirt.org/schemas/domain/ppc64/1.0"

typedef enum
{
  HOSTDEV_WISH_PREFERRED, /* have it where it can be had, say so where not */
  HOSTDEV_WISH_REQUIRED,  /* refuse where it cannot be had */
  HOSTDEV_WISH_OFF        /* do not care, say nothing */
} HostdevWish;

typedef enum
{
  HOSTDEV_REHEARSE_AUTO,
  HOSTDEV_REHEARSE_ALWAYS,
  HOSTDEV_REHEARSE_NEVER
} HostdevRehearse;

/* What holds for one device, after the guest's own attributes were taken in. */
typedef struct
{
  HostdevWish xive;
  HostdevWish tce;
  HostdevWish eeh;
  HostdevRehearse rehearse;
} HostdevPolicy;

/* What a guest has of a device, in the helper's words (Inspect); NULL: not read. */
typedef struct
{
  char *interrupts, *dma, *eeh;
} HostdevGot;

void hostdev_got_clear (HostdevGot *got);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HostdevGot, hostdev_got_clear)

/** hostdev_policy_is_known: FALSE where something is required of which was not read whether the
 * guest has it. */
gboolean hostdev_policy_is_known (const HostdevPolicy *policy, const HostdevGot *got);

/**
 * hostdev_policy_check: FALSE where the guest is known not to have what is required, with
 * COMMON_ERROR_XIVE_UNAVAILABLE, COMMON_ERROR_TCE_UNAVAILABLE or COMMON_ERROR_EEH_UNAVAILABLE.
 * @guest: its name; @address: the device, both for the message
 */
gboolean hostdev_policy_check (const HostdevPolicy *policy, const HostdevGot *got,
                               const char *guest, const PciAddress *address, GError **error);

/* "preferred", "required", "off"; "auto", "always", "never". */
const char *hostdev_wish_to_string (HostdevWish wish);
const char *hostdev_rehearse_to_string (HostdevRehearse rehearse);
