/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-policy.h"

void
hostdev_got_clear (HostdevGot *got)
{
  g_clear_pointer (&got->interrupts, g_free);
  g_clear_pointer (&got->dma, g_free);
  g_clear_pointer (&got->eeh, g_free);
}

static gboolean
is_read (const char *value)
{
  return value != NULL && strcmp (value, "unknown") != 0;
}

gboolean
hostdev_policy_is_known (const HostdevPolicy *policy, const HostdevGot *got)
{
  return (policy->xive != HOSTDEV_WISH_REQUIRED || is_read (got->interrupts))
         && (policy->tce != HOSTDEV_WISH_REQUIRED || is_read (got->dma))
         && (policy->eeh != HOSTDEV_WISH_REQUIRED || is_read (got->eeh));
}

static gboolean
is_unmet (HostdevWish wish, const char *value, const char *good)
{
  return wish == HOSTDEV_WISH_REQUIRED && is_read (value) && strcmp (value, good) != 0;
}

gboolean
hostdev_policy_check (const HostdevPolicy *policy, const HostdevGot *got, const char *guest,
                      const PciAddress *address, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (address, name);
  if (is_unmet (policy->xive, got->interrupts, "xive-native"))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_XIVE_UNAVAILABLE,
                 _ ("“%s” requires native XIVE interrupts for %s, and does not have them (%s). If "
                    "it is still booting, try again when it has; or write xive='preferred' in its "
                    "metadata."),
                 guest, name, got->interrupts);
  else if (is_unmet (policy->tce, got->dma, "in-kernel"))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_TCE_UNAVAILABLE,
                 _ ("“%s” requires TCE tables in the kernel for %s, and does not have them (%s). "
                    "Write tce='preferred' in its metadata to have it all the same."),
                 guest, name, got->dma);
  else if (is_unmet (policy->eeh, got->eeh, "enabled"))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_EEH_UNAVAILABLE,
                 _ ("“%s” requires EEH for %s, and does not have it (%s). Write "
                    "eeh='preferred' in its metadata to have it all the same."),
                 guest, name, got->eeh);
  else
    return TRUE;
  return FALSE;
}
