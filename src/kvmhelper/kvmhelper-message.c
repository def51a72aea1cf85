/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-message.h"

#include "common/common-log.h"

const char *
kvmhelper_message_of_phase (const char *phase)
{
  static const struct
  {
    const char *phase, *id;
  } table[] = {
    { "prepared", KVMHELPER_MESSAGE_LEASE_PREPARED },
    { "active", KVMHELPER_MESSAGE_LEASE_ACTIVE },
    { "pending", KVMHELPER_MESSAGE_LEASE_PENDING },
    { "done", KVMHELPER_MESSAGE_LEASE_GIVEN_BACK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].phase, phase))
      return table[i].id;
  return NULL;
}

void
kvmhelper_message_log (GLogLevelFlags level, const char *id, const KvmHelperLease *lease,
                       const char *format, ...)
{
  gboolean guest = !lease->unreadable && !kvmhelper_lease_is_rehearsal (lease);
  char name[PCI_ADDRESS_LEN];
  const char *const fields[] = {
    "MESSAGE_ID",  id,
    "PCI_ADDRESS", lease->unreadable ? NULL : pci_address_format (&lease->address, name),
    "DOMAIN_UUID", guest ? lease->domain_uuid : NULL,
    "DOMAIN_NAME", guest ? lease->domain_name : NULL,
    "LEASE",       lease->id,
    NULL,
  };
  va_list args;

  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  common_log_event (level, fields, "%s", message);
}
