/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "common/common-error.h"
#include "hostdev/hostdev-device.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Device XML, as any client of libvirt sends it. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  HostdevDevice *device = NULL;
  gboolean read = hostdev_device_new_from_xml ((const char *) data, (gssize) size, &device, &error);

  g_assert_cmpint (read, ==, error == NULL);
  g_assert_true (read || device == NULL);
  g_assert_true (read || g_utf8_validate (error->message, -1, NULL));
  if (device != NULL)
    {
      g_autofree char *address = pci_address_to_string (&device->address);

      g_assert_true (pci_address_parse (address, &(PciAddress){ 0 }, NULL));
      g_assert_true (device->has_guest_bus || device->guest_bus == 0);
    }
  hostdev_device_free (device);
  return 0;
}
