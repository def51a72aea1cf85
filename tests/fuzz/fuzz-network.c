/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-network.h"

/**
 * What libvirt's networks say, and what names them: the hook's XML, a network's, its ports' and a
 * device's. What is read is whole.
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size), *network = NULL;
  g_autoptr (HostdevDevice) device
      = hostdev_network_device_new ((const char *) data, (gssize) size, &network);
  g_autoptr (HostdevDevice) chosen = g_new0 (HostdevDevice, 1);
  const char *const texts[] = { text, text, NULL };
  const char *const alone[] = { text, NULL };
  g_auto (HostdevNetworkPort) port = { NULL, NULL };

  g_assert_true ((device == NULL) == (network == NULL));
  if (hostdev_network_read_hook ((const char *) data, (gssize) size, &port))
    {
      g_assert_true (g_uuid_string_is_valid (port.domain_uuid));
      g_assert_true (g_utf8_validate (port.domain_name, -1, NULL));
    }
  hostdev_network_choose (texts, chosen);
  hostdev_network_choose (alone, chosen);
  return 0;
}
