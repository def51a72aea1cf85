/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * PciAddress: where a PCI function sits on the host.
 *
 * The kernel writes it "DDDD:BB:SS.F" in lower-case hexadecimal (drivers/pci/probe.c: dev_set_name
 * with "%04x:%02x:%02x.%d"). A domain wider than 16 bits, as the kernel's own for VMD, is not to be
 * had on POWER and is refused.
 */
typedef struct
{
  guint16 domain;
  guint8 bus;
  guint8 slot;     /* 0 to 31 */
  guint8 function; /* 0 to 7 */
} PciAddress;

/* "DDDD:BB:SS.F" and its NUL. */
#define PCI_ADDRESS_LEN 13

/**
 * pci_address_parse: reads the canonical form and nothing else: no white space, no upper case, no
 * missing domain. What passes is safe as a name of a directory in /sys/bus/pci/devices.
 *
 * Returns: TRUE and *address; else FALSE and COMMON_ERROR_INVALID_ADDRESS, *address as it was.
 */
gboolean pci_address_parse (const char *text, PciAddress *address, GError **error);

/** pci_address_format: the canonical form, into @buffer of PCI_ADDRESS_LEN bytes; returns @buffer.
 */
const char *pci_address_format (const PciAddress *address, char *buffer);

/** pci_address_to_string: the canonical form, to be freed. */
char *pci_address_to_string (const PciAddress *address);

/** pci_address_compare: orders by domain, bus, slot and function, as a GCompareFunc does. */
int pci_address_compare (const PciAddress *a, const PciAddress *b);

/** pci_address_hash: as a GHashFunc; (GEqualFunc) pci_address_equal goes with it. */
guint pci_address_hash (const PciAddress *address);

static inline gboolean
pci_address_equal (const PciAddress *a, const PciAddress *b)
{
  return pci_address_compare (a, b) == 0;
}
