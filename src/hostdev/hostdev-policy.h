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

/* "preferred", "required", "off"; "auto", "always", "never". */
const char *hostdev_wish_to_string (HostdevWish wish);
const char *hostdev_rehearse_to_string (HostdevRehearse rehearse);
