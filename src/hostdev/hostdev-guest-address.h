/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-domain.h"

/**
 * Where a pSeries guest sees a device of the host's, so that what its kernel's log says of one can
 * be found in the host's, and the other way round.
 */

/* QEMU's Bus Unit Id of the PHB with target index N is this and N (hw/ppc/spapr_pci.c:
 * SPAPR_PCI_BASE_BUID); the guest's device tree names the PHB by it, /pci@800000020000001. */
#define HOSTDEV_BUID_BASE G_GUINT64_CONSTANT (0x800000020000000)

typedef struct
{
  guint64 buid; /* of the guest's PHB */
  /* As Linux in the guest names the function, and its PE; not told of one behind a bridge of the
   * guest's, whose bus the guest's firmware numbers. */
  gboolean has_address;
  PciAddress address; /* the domain is the PHB's number: the lower bits of the BUID
                         (arch/powerpc/kernel/pci-common.c: get_phb_number) */
  guint pe;           /* the bus in the upper 16 bits, and 1 (QEMU, hw/ppc/spapr_pci.c:
                         rtas_ibm_get_config_addr_info2); "PHB#1-PE#1" in the guest's log */
} HostdevGuestAddress;

/**
 * hostdev_guest_address: of a device of the live XML of @domain. FALSE where it has no address
 * there yet, or one on a bus that the guest does not have.
 */
gboolean hostdev_guest_address (const HostdevDomain *domain, const HostdevDevice *device,
                                HostdevGuestAddress *address);
