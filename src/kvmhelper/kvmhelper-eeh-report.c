/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-eeh-report.h"

#include "common/common-log.h"

/* "0003:01:00.0, as 0001:00:01.0 (PHB#1-PE#1) in guest web": as far as it is known. */
static char *
describe (const KvmHelperEehChange *change, const KvmHelperGuestAddress *guest,
          const char *guest_pe)
{
  char name[PCI_ADDRESS_LEN];
  GString *text = g_string_new (pci_address_format (&change->pe->function, name));

  if (guest != NULL && *guest->guest != '\0')
    g_string_append_printf (text, ", which is %s", guest->guest);
  if (guest_pe != NULL)
    g_string_append_printf (text, " (%s)", guest_pe);
  g_string_append_printf (text, "%s in guest %s", guest != NULL && *guest->guest != '\0' ? "" : ",",
                          change->lease->domain_name);
  return g_string_free (text, FALSE);
}

static const char *
message_id (const char *state)
{
  if (g_str_equal (state, KVMHELPER_EEH_NORMAL))
    return KVMHELPER_MESSAGE_EEH_NORMAL;
  return g_str_equal (state, KVMHELPER_EEH_FROZEN) ? KVMHELPER_MESSAGE_EEH_FROZEN
                                                   : KVMHELPER_MESSAGE_EEH_LOST;
}

void
kvmhelper_eeh_report_log (const KvmHelperEehChange *change, const KvmHelperGuestAddress *guest)
{
  gboolean normal = g_str_equal (change->after, KVMHELPER_EEH_NORMAL);
  g_autofree char *host_pe = kvmhelper_eeh_pe_name (change->pe);
  g_autofree char *guest_pe = guest == NULL ? NULL : kvmhelper_guest_address_pe_name (guest);
  g_autofree char *where = describe (change, guest, guest_pe);
  g_autofree char *buid = guest == NULL || guest->buid == 0
                              ? NULL
                              : g_strdup_printf ("%" G_GINT64_MODIFIER "x", guest->buid);
  char name[PCI_ADDRESS_LEN];
  const char *const fields[] = {
    "MESSAGE_ID",
    message_id (change->after),
    "PCI_ADDRESS",
    pci_address_format (&change->pe->function, name),
    "DOMAIN_UUID",
    change->lease->domain_uuid,
    "DOMAIN_NAME",
    change->lease->domain_name,
    "LEASE",
    change->lease->id,
    "EEH_STATE",
    change->after,
    "EEH_BEFORE",
    change->before,
    "EEH_PE",
    host_pe,
    "GUEST_ADDRESS",
    guest == NULL ? NULL : guest->guest,
    "GUEST_BUID",
    buid,
    "GUEST_PE",
    guest_pe,
    NULL,
  };

  common_log_event (normal ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_WARNING, fields,
                    "EEH: the PE %s is %s, and was %s: %s", host_pe, change->after, change->before,
                    where);
}

static void
add (GVariantBuilder *builder, const char *key, GVariant *value)
{
  g_variant_builder_add (builder, "{sv}", key, value);
}

GVariant *
kvmhelper_eeh_report_variant (const KvmHelperEehChange *change, const KvmHelperGuestAddress *guest)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add (&builder, "state", g_variant_new_string (change->after));
  add (&builder, "state-before", g_variant_new_string (change->before));
  add (&builder, "phb", g_variant_new_uint32 (change->pe->phb));
  add (&builder, "pe", g_variant_new_uint32 (change->pe->number));
  add (&builder, "lease", g_variant_new_string (change->lease->id));
  add (&builder, "domain-uuid", g_variant_new_string (change->lease->domain_uuid));
  add (&builder, "domain-name", g_variant_new_string (change->lease->domain_name));
  if (guest != NULL)
    kvmhelper_guest_address_add (guest, &builder);
  return g_variant_builder_end (&builder);
}
