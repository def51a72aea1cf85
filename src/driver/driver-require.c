/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-require.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"

enum
{
  /* Seconds. libvirt waits ten for a pSeries guest (src/qemu/qemu_hotplug.c:
     QEMU_UNPLUG_TIMEOUT_PPC64). */
  UNDO_TIMEOUT = 60,
};

gboolean
driver_require (DriverCall *call, const DriverLease *lease, const PciAddress *address,
                const HostdevPolicy *policy, const HostdevGot *got, gboolean *asked, GError **error)
{
  g_autoptr (GError) unmet = NULL;
  g_autofree char *said = NULL;
  char buffer[PCI_ADDRESS_LEN];

  *asked = FALSE;
  pci_address_format (address, buffer);
  if (!hostdev_policy_is_known (policy, got))
    common_log_lease (G_LOG_LEVEL_WARNING, buffer, lease->domain_uuid, lease->id,
                      _ ("whether guest %s has what it requires for %s could not be read"),
                      lease->domain_name, buffer);
  if (hostdev_policy_check (policy, got, lease->domain_name, address, &unmet))
    return TRUE;

  DriverOutcome outcome
      = driver_call_own (call, DRIVER_DEVICE_DETACH, NULL, UNDO_TIMEOUT, NULL, &said);
  *asked = outcome == DRIVER_OUTCOME_OK;
  if (*asked)
    g_set_error (error, COMMON_ERROR, unmet->code, _ ("%s The guest was asked to give it back."),
                 unmet->message);
  else
    g_set_error (error, COMMON_ERROR, unmet->code,
                 _ ("%s It could not be taken from the guest again (%s): detach it."),
                 unmet->message, said != NULL ? said : _ ("libvirt did not answer"));
  common_log_lease (G_LOG_LEVEL_MESSAGE, buffer, lease->domain_uuid, lease->id, "%s",
                    (*error)->message);
  return FALSE;
}
