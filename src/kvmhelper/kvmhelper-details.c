/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-details.h"

#include "kvmhelper/kvmhelper-check.h"
#include "kvmhelper/kvmhelper-policy.h"

/* What is left of a MiB. */
#define MIB ((1 << 20) - 1)

/* The argument @name of the type @signature; NULL: the method has none. */
static GVariant *
get_argument (const GDBusMethodInfo *method, GVariant *parameters, const char *name,
              const char *signature)
{
  for (gsize i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    if (g_str_equal (method->in_args[i]->name, name)
        && g_str_equal (method->in_args[i]->signature, signature))
      return g_variant_get_child_value (parameters, i);
  return NULL;
}

static void
set_address (KvmHelperDetails *details, const PciAddress *address)
{
  g_free (details->address);
  details->address = pci_address_to_string (address);
}

static void
set_lease (KvmHelperDetails *details, KvmHelperLeases *leases, const char *id)
{
  g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find (leases, id, NULL);

  /* Of a record that cannot be read nothing is known but its id. */
  if (lease == NULL || lease->unreadable)
    return;
  set_address (details, &lease->address);
  if (kvmhelper_lease_is_rehearsal (lease))
    return;
  details->domain = g_strdup (lease->domain_uuid);
  details->domain_name = g_strdup (lease->domain_name);
}

void
kvmhelper_details_init (KvmHelperDetails *details, KvmHelperLeases *leases,
                        const GDBusMethodInfo *method, GVariant *parameters)
{
  g_autoptr (GVariant) address = get_argument (method, parameters, "address", "s");
  g_autoptr (GVariant) domain = get_argument (method, parameters, "domain_uuid", "s");
  g_autoptr (GVariant) name = get_argument (method, parameters, "domain_name", "s");
  g_autoptr (GVariant) lease = get_argument (method, parameters, "lease", "s");
  g_autoptr (GVariant) user = get_argument (method, parameters, "user", "u");
  g_autoptr (GVariant) memory = get_argument (method, parameters, "memory", "t");
  g_autoptr (GVariant) right = get_argument (method, parameters, "right", "s");
  PciAddress parsed;

  *details = (KvmHelperDetails){ NULL };
  if (user != NULL)
    details->user = g_strdup_printf ("%u", g_variant_get_uint32 (user));
  if (memory != NULL)
    details->memory = g_strdup_printf ("%" G_GUINT64_FORMAT,
                                       (g_variant_get_uint64 (memory) >> 20)
                                           + ((g_variant_get_uint64 (memory) & MIB) != 0));
  if (address != NULL && pci_address_parse (g_variant_get_string (address, NULL), &parsed, NULL))
    set_address (details, &parsed);
  if (domain != NULL && kvmhelper_uuid_is_canonical (g_variant_get_string (domain, NULL)))
    details->domain = g_variant_dup_string (domain, NULL);
  if (name != NULL && kvmhelper_domain_name_is_sane (g_variant_get_string (name, NULL)))
    details->domain_name = g_variant_dup_string (name, NULL);
  if (right != NULL && kvmhelper_check_action (g_variant_get_string (right, NULL)) != NULL)
    details->right = g_variant_dup_string (right, NULL);
  if (lease != NULL)
    set_lease (details, leases, g_variant_get_string (lease, NULL));
}

void
kvmhelper_details_clear (KvmHelperDetails *details)
{
  g_clear_pointer (&details->address, g_free);
  g_clear_pointer (&details->domain, g_free);
  g_clear_pointer (&details->domain_name, g_free);
  g_clear_pointer (&details->user, g_free);
  g_clear_pointer (&details->memory, g_free);
  g_clear_pointer (&details->right, g_free);
}

gboolean
kvmhelper_details_equal (const KvmHelperDetails *a, const KvmHelperDetails *b)
{
  return g_strcmp0 (a->address, b->address) == 0 && g_strcmp0 (a->domain, b->domain) == 0
         && g_strcmp0 (a->domain_name, b->domain_name) == 0 && g_strcmp0 (a->user, b->user) == 0
         && g_strcmp0 (a->memory, b->memory) == 0 && g_strcmp0 (a->right, b->right) == 0;
}

gboolean
kvmhelper_details_has_option (const GDBusMethodInfo *method, GVariant *parameters, const char *key)
{
  g_autoptr (GVariant) options = get_argument (method, parameters, "options", "a{sv}");
  g_autoptr (GVariant) value = options == NULL ? NULL : g_variant_lookup_value (options, key, NULL);

  return value != NULL;
}
