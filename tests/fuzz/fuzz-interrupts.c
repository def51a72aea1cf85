/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmhelper/kvmhelper-interrupts.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* /proc/interrupts: each vector that is taken has a name and an address that can be written. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GArray) vectors = kvmhelper_interrupts_parse (text);

  for (guint i = 0; i < vectors->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (vectors, KvmHelperVector, i);
      char address[PCI_ADDRESS_LEN];
      PciAddress again;

      g_assert_cmpuint (strnlen (vector->name, sizeof vector->name), <, sizeof vector->name);
      g_assert_true (
          pci_address_parse (pci_address_format (&vector->function, address), &again, NULL));
    }
  return 0;
}
