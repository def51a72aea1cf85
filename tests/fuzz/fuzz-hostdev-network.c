/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hostdev/hostdev-network.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* An <interface>, a network and a port of it, each from its beginning to a NUL. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *texts[] = { "", "", "", NULL };
  g_autofree char *text = g_malloc0 (size + 1);
  g_autofree char *network = NULL;
  const char *place = text;

  if (size > 0)
    memcpy (text, data, size);
  for (gsize i = 0; i < 3 && place <= text + size; i++)
    {
      texts[i] = place;
      place += strlen (place) + 1;
    }

  g_autoptr (HostdevDevice) device = hostdev_network_device_new (texts[0], -1, &network);
  g_assert_cmpint (device != NULL, ==, network != NULL);
  if (device == NULL)
    device = g_new0 (HostdevDevice, 1);
  if (hostdev_network_choose (texts + 1, device))
    {
      g_autofree char *address = pci_address_to_string (&device->address);

      g_assert_true (pci_address_parse (address, &(PciAddress){ 0 }, NULL));
    }
  return 0;
}
