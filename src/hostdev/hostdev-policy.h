/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "common/pci-address.h"

/**
 * HostdevPolicy: what the domain's owner asks for in <metadata>, in the one element
 *
 *   <ppc64:passthrough xmlns:ppc64="http://libvirt.org/schemas/domain/ppc64/1.0"
 *                      xive="required" tce="preferred" rehearse="auto" companions="leave"
 *                      spare-phbs="2">
 *     <ppc64:device alias="ua-net0" eeh="required"/>
 *     <ppc64:device xive="off">
 *       <ppc64:address domain="0x0000" bus="0x01" slot="0x00" function="0x0"/>
 *     </ppc64:device>
 *   </ppc64:passthrough>
 *
 * Schema: schemas/domain-ppc64.rng, told in docs/domain-ppc64.md. No element, or no attribute: all
 * "preferred", rehearse "auto", any page sizes, companions "leave", lacking "warn", no spare PHB. A
 * device's attribute goes before the guest's.
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

/* What becomes of the other functions of a device's IOMMU group, which all leave the host. */
typedef enum
{
  HOSTDEV_COMPANIONS_LEAVE,  /* the guest gets what was asked for */
  HOSTDEV_COMPANIONS_ATTACH, /* a running guest gets them by the same request, and gives them back
                              */
  HOSTDEV_COMPANIONS_REFUSE  /* the device is refused where the guest does not get them all */
} HostdevCompanions;

/* What holds for one device, after the guest's own attributes were taken in. */
typedef struct
{
  HostdevWish xive;
  HostdevWish tce;
  HostdevWish eeh;
  HostdevRehearse rehearse;
  HostdevWish window64; /* the 64-bit DMA window, which maps all of the guest's memory */
  guint64 page_sizes;   /* of that window, which are required: a bit for each; 0: any */
  HostdevCompanions companions;
  gboolean refuse_lacking; /* what is preferred was made required by lacking='refuse' */
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
/* "leave", "attach", "refuse". */
const char *hostdev_companions_to_string (HostdevCompanions companions);

/** hostdev_policy_page_sizes: a mask of page sizes in words, "4K 64K"; to be freed. */
char *hostdev_policy_page_sizes (guint64 mask);
