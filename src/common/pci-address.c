/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/pci-address.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"

/* Reads exactly @digits lower-case hexadecimal digits; -1 where one of them is none. */
static int
read_hex (const char *text, int digits)
{
  int value = 0;

  for (int i = 0; i < digits; i++)
    {
      if (!g_ascii_isxdigit (text[i]) || g_ascii_isupper (text[i]))
        return -1;
      value = value * 16 + g_ascii_xdigit_value (text[i]);
    }
  return value;
}

gboolean
pci_address_parse (const char *text, PciAddress *address, GError **error)
{
  /* The length first: what follows reads no further than it. */
  if (text != NULL && strnlen (text, PCI_ADDRESS_LEN) == PCI_ADDRESS_LEN - 1 && text[4] == ':'
      && text[7] == ':' && text[10] == '.')
    {
      int domain = read_hex (text, 4);
      int bus = read_hex (text + 5, 2);
      int slot = read_hex (text + 8, 2);
      int function = read_hex (text + 11, 1);

      if (domain >= 0 && bus >= 0 && slot >= 0 && slot <= 31 && function >= 0 && function <= 7)
        {
          *address
              = (PciAddress){ (guint16) domain, (guint8) bus, (guint8) slot, (guint8) function };
          return TRUE;
        }
    }

  g_autofree char *shown = g_utf8_make_valid (text != NULL ? text : "", -1);
  g_autofree char *cut = g_utf8_substring (shown, 0, MIN (g_utf8_strlen (shown, -1), 40));
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ADDRESS,
               _ ("“%s” is not a PCI address; it is written like 0001:02:03.4"), cut);
  return FALSE;
}

const char *
pci_address_format (const PciAddress *address, char *buffer)
{
  static const char digits[] = "0123456789abcdef";
  const guint16 numbers[]
      = { address->domain >> 8, address->domain & 0xff, address->bus, address->slot & 31 };
  static const guint8 places[] = { 0, 2, 5, 8 };

  /* By hand: a plan writes thousands of them, and printf is slow. */
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      buffer[places[i]] = digits[numbers[i] >> 4];
      buffer[places[i] + 1] = digits[numbers[i] & 15];
    }
  buffer[4] = buffer[7] = ':';
  buffer[10] = '.';
  buffer[11] = digits[address->function & 7];
  buffer[12] = '\0';
  return buffer;
}

char *
pci_address_to_string (const PciAddress *address)
{
  char buffer[PCI_ADDRESS_LEN];

  return g_strdup (pci_address_format (address, buffer));
}

int
pci_address_compare (const PciAddress *a, const PciAddress *b)
{
  if (a->domain != b->domain)
    return a->domain < b->domain ? -1 : 1;
  if (a->bus != b->bus)
    return a->bus < b->bus ? -1 : 1;
  if (a->slot != b->slot)
    return a->slot < b->slot ? -1 : 1;
  return (a->function > b->function) - (a->function < b->function);
}

guint
pci_address_hash (const PciAddress *address)
{
  return (guint) address->domain << 16 | (guint) address->bus << 8 | (guint) address->slot << 3
         | address->function;
}
