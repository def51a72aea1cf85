/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-guest-address.h"

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

struct _KvmHelperGuestAddresses
{
  GMutex lock;
  GHashTable *leases; /* id -> GHashTable: PciAddress -> KvmHelperGuestAddress */
};

KvmHelperGuestAddresses *
kvmhelper_guest_addresses_new (void)
{
  KvmHelperGuestAddresses *self = g_new0 (KvmHelperGuestAddresses, 1);

  g_mutex_init (&self->lock);
  self->leases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) g_hash_table_unref);
  return self;
}

void
kvmhelper_guest_addresses_free (KvmHelperGuestAddresses *self)
{
  g_hash_table_unref (self->leases);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
refuse (GError **error, const char *key)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("The guest's address of a function has a \"%s\" that is none"), key);
  return FALSE;
}

/* One key of a function's dictionary. A key that is not known is a mistake. */
static gboolean
read_key (const char *key, GVariant *value, PciAddress *function, KvmHelperGuestAddress *address,
          GError **error)
{
  PciAddress guest;

  if (g_str_equal (key, "address") && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return pci_address_parse (g_variant_get_string (value, NULL), function, error);
  if (g_str_equal (key, "guest-address") && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      if (!pci_address_parse (g_variant_get_string (value, NULL), &guest, error))
        return FALSE;
      pci_address_format (&guest, address->guest);
      return TRUE;
    }
  if (g_str_equal (key, "guest-buid") && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    {
      address->buid = g_variant_get_uint64 (value);
      return TRUE;
    }
  if (g_str_equal (key, "guest-pe") && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    {
      address->pe = g_variant_get_uint32 (value);
      address->has_pe = TRUE;
      return TRUE;
    }
  return refuse (error, key);
}

static gboolean
read_function (const KvmHelperLease *lease, GVariant *dictionary, GHashTable *table, GError **error)
{
  PciAddress function = { 0 };
  KvmHelperGuestAddress address = { 0 };
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      gboolean read = read_key (key, value, &function, &address, error);

      g_variant_unref (value);
      if (!read)
        return FALSE;
    }
  /* All zeros, where there was no address, is no member either: that is a host bridge. */
  if (kvmhelper_lease_find_member (lease, &function) == NULL)
    return refuse (error, "address");
  g_hash_table_replace (table, g_memdup2 (&function, sizeof function),
                        g_memdup2 (&address, sizeof address));
  return TRUE;
}

gboolean
kvmhelper_guest_addresses_set (KvmHelperGuestAddresses *self, const KvmHelperLease *lease,
                               GVariant *functions, GError **error)
{
  g_autoptr (GHashTable) table = g_hash_table_new_full (
      (GHashFunc) pci_address_hash, (GEqualFunc) pci_address_equal, g_free, g_free);
  gsize count = g_variant_n_children (functions);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (functions, i);

      if (!read_function (lease, dictionary, table, error))
        return FALSE;
    }
  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->leases, g_strdup (lease->id), g_steal_pointer (&table));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
kvmhelper_guest_addresses_forget (KvmHelperGuestAddresses *self, const char *lease)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->leases, lease);
  g_mutex_unlock (&self->lock);
}

gboolean
kvmhelper_guest_addresses_find (KvmHelperGuestAddresses *self, const char *lease,
                                const PciAddress *function, KvmHelperGuestAddress *address)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GHashTable *table = g_hash_table_lookup (self->leases, lease);
  const KvmHelperGuestAddress *found = table == NULL ? NULL : g_hash_table_lookup (table, function);

  if (found == NULL)
    return FALSE;
  *address = *found;
  return TRUE;
}

void
kvmhelper_guest_address_add (const KvmHelperGuestAddress *address, GVariantBuilder *builder)
{
  if (*address->guest != '\0')
    g_variant_builder_add (builder, "{sv}", "guest-address", g_variant_new_string (address->guest));
  if (address->buid != 0)
    g_variant_builder_add (builder, "{sv}", "guest-buid", g_variant_new_uint64 (address->buid));
  if (address->has_pe)
    g_variant_builder_add (builder, "{sv}", "guest-pe", g_variant_new_uint32 (address->pe));
}

char *
kvmhelper_guest_address_pe_name (const KvmHelperGuestAddress *address)
{
  PciAddress guest;

  if (!address->has_pe || !pci_address_parse (address->guest, &guest, NULL))
    return NULL;
  return g_strdup_printf ("PHB#%x-PE#%x", guest.domain, address->pe);
}
