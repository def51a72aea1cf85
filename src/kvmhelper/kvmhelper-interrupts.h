/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"

/**
 * What VFIO has in /proc/interrupts (kernel/irq/proc.c: show_interrupts):
 *
 *   57:          0          0  PNV-PCI-MSI 524288 Edge      vfio-msix[0](0000:01:00.0)
 *
 * The counts, one for each CPU, are of the host's handler. An interrupt that KVM has handed to a
 * guest does not come by there, so its count stands still, at 0 where it was handed over before the
 * device raised it. This is the only list of the kernel's that may be read at any time: KVM's own
 * table of a guest can hang the host, and the host's XIVE table makes it oops
 * (docs/kernel-defects.rst).
 */
typedef struct
{
  PciAddress function;
  char name[12];    /* "msix[2047]", "msi[0]", "intx" (vfio_pci_intrs.c) */
  gboolean message; /* not INTx, which is never handed to a guest */
  guint number;     /* the kernel's */
  guint64 count;    /* of all CPUs */
} KvmHelperVector;

/**
 * kvmhelper_interrupts_parse: the vectors that VFIO has enabled, in the order of @text, which is
 * the file's; elements KvmHelperVector. What is none is passed over; never fails.
 */
GArray *kvmhelper_interrupts_parse (const char *text);
