/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-methods.h"

#include <glib/gi18n-lib.h>

/* What administrators agree to for users' own guests, and what there is of it. */

static gboolean
allow (KvmHelperService *service, guint user, const char *address, guint64 memory, GError **error)
{
  g_autoptr (KvmHelperConsent) consent = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, error)
      || !kvmhelper_service_check_memory (service->kernel, memory, error))
    return FALSE;
  consent = kvmhelper_consent_new (service->kernel, user, &function, memory, error);
  return consent != NULL && kvmhelper_consents_add (service->consents, consent, error);
}

static gboolean
on_allow (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, guint user,
          const char *address, guint64 memory, gpointer data)
{
  GError *error = NULL;

  if (!allow (data, user, address, memory, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_allow (object, invocation);
  return TRUE;
}

static gboolean
is_of (const KvmHelperLease *lease, guint user, const PciAddress *address)
{
  return lease->grant != NULL && lease->grant->user == user
         && kvmhelper_lease_find_member (lease, address) != NULL;
}

/* The consent first: no new lease comes of it from then on. */
static gboolean
withdraw (KvmHelperService *service, guint user, const char *address, gboolean *done,
          GError **error)
{
  g_autoptr (GPtrArray) leases = NULL;
  PciAddress function;
  gboolean found;

  *done = TRUE;
  if (!pci_address_parse (address, &function, error)
      || !kvmhelper_consents_remove (service->consents, user, &function, &found, error))
    return FALSE;
  leases = kvmhelper_leases_list (service->leases);
  for (guint i = 0; i < leases->len; i++)
    {
      const KvmHelperLease *lease = leases->pdata[i];
      gboolean released = FALSE;

      if (!is_of (lease, user, &function))
        continue;
      found = TRUE;
      if (!kvmhelper_leases_release (service->leases, lease->id, 0, &released, error))
        return FALSE;
      *done &= released;
    }
  if (!found)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_CONSENT_MISSING,
                 _ ("User %u was granted nothing on %s"), user, address);
  return found;
}

static gboolean
on_revoke (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, guint user,
           const char *address, gpointer data)
{
  GError *error = NULL;
  gboolean done;

  if (!withdraw (data, user, address, &done, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_revoke (object, invocation, done ? "done" : "pending");
  return TRUE;
}

/* --- ListGrants --- */

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  if (*value != '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static void
add_lease (GVariantBuilder *builder, const KvmHelperLease *lease)
{
  add_string (builder, "lease", lease->id);
  add_string (builder, "domain-uuid", lease->domain_uuid);
  add_string (builder, "domain-name", lease->domain_name);
  add_string (builder, "phase", kvmhelper_phase_name (lease->phase));
  add_string (builder, "left", lease->left);
}

static void
add_subject (GVariantBuilder *builder, guint user, const PciAddress *address)
{
  char name[PCI_ADDRESS_LEN];

  g_variant_builder_add (builder, "{sv}", "user", g_variant_new_uint32 (user));
  add_string (builder, "address", pci_address_format (address, name));
}

/* A consent, with the lease that was made of it, which leaves @leases. */
static void
add_consent (GVariantBuilder *list, const KvmHelperConsent *consent, GPtrArray *leases)
{
  g_variant_builder_open (list, G_VARIANT_TYPE_VARDICT);
  add_subject (list, consent->user, &consent->address);
  add_string (list, "user-name", consent->user_name);
  add_string (list, "device", consent->device);
  g_variant_builder_add (list, "{sv}", "memory", g_variant_new_uint64 (consent->memory));
  g_variant_builder_add (list, "{sv}", "since", g_variant_new_int64 (consent->since));
  for (guint i = 0; i < leases->len; i++)
    if (is_of (leases->pdata[i], consent->user, &consent->address))
      {
        add_lease (list, leases->pdata[i]);
        g_ptr_array_remove_index (leases, i);
        break;
      }
  g_variant_builder_close (list);
}

static GVariant *
list_grants (KvmHelperService *service, const guint *user)
{
  g_autoptr (GPtrArray) consents = kvmhelper_consents_list (service->consents, user);
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (service->leases);
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < consents->len; i++)
    add_consent (&list, consents->pdata[i], leases);
  /* Leases whose consent was revoked, and that are not back yet. */
  for (guint i = 0; i < leases->len; i++)
    {
      const KvmHelperLease *lease = leases->pdata[i];

      if (lease->grant == NULL || (user != NULL && lease->grant->user != *user))
        continue;
      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      add_subject (&list, lease->grant->user, &lease->address);
      add_lease (&list, lease);
      g_variant_builder_close (&list);
    }
  return g_variant_builder_end (&list);
}

static gboolean
get_all (GVariant *options, gboolean *all, GError **error)
{
  static const char *const known[] = { "all", NULL };
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "all", NULL);

  *all = FALSE;
  if (!kvmhelper_method_check_options (options, known, error))
    return FALSE;
  if (value == NULL)
    return TRUE;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    {
      *all = g_variant_get_boolean (value);
      return TRUE;
    }
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The option \"all\" is true or false"));
  return FALSE;
}

static gboolean
on_list_grants (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation,
                GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  GError *error = NULL;
  gboolean all;
  guint user;

  if (!kvmhelper_service_find_user (service, invocation, &user, &error)
      || !get_all (options, &all, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_list_grants (object, invocation,
                                                    list_grants (service, all ? NULL : &user));
  return TRUE;
}

void
kvmhelper_service_connect_consents (KvmHelperService *service)
{
  static const struct
  {
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { "handle-allow", G_CALLBACK (on_allow) },
    { "handle-revoke", G_CALLBACK (on_revoke) },
    { "handle-list-grants", G_CALLBACK (on_list_grants) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (service->skeleton, handlers[i].signal, handlers[i].handler, service);
}
