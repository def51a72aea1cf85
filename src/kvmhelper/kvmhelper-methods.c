/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-methods.h"
#include "kvmhelper/kvmhelper-policy.h"

#include <glib/gi18n-lib.h>

gboolean
kvmhelper_method_fail (GDBusMethodInvocation *invocation, GError *error)
{
  if (error->domain != COMMON_ERROR)
    {
      g_dbus_method_invocation_return_error_literal (invocation, COMMON_ERROR,
                                                     COMMON_ERROR_INTERNAL, error->message);
      g_error_free (error);
    }
  else
    g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

/* That every key of @options is among @known, which ends with NULL. */
gboolean
kvmhelper_method_check_options (GVariant *options, const char *const *known, GError **error)
{
  GVariantIter iter;
  const char *key;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&s@v}", &key, NULL))
    if (!g_strv_contains (known, key))
      {
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                     _ ("There is no option \"%s\""), key);
        return FALSE;
      }
  return TRUE;
}

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  if (*value != '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static GVariant *
members_variant (const KvmHelperService *service, const KvmHelperLease *lease)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *now = kvmhelper_function_driver (service->kernel, &member->address);
      KvmHelperGuestAddress guest;
      char name[PCI_ADDRESS_LEN];

      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      add_string (&list, "address", pci_address_format (&member->address, name));
      add_string (&list, "slot", member->slot);
      add_string (&list, "slot-name", member->slot_name);
      g_variant_builder_add (&list, "{sv}", "driver", g_variant_new_string (member->driver));
      g_variant_builder_add (&list, "{sv}", "driver-override",
                             g_variant_new_string (member->driver_override));
      g_variant_builder_add (&list, "{sv}", "driver-now", g_variant_new_string (now));
      if (kvmhelper_guest_addresses_find (service->guests, lease->id, &member->address, &guest))
        kvmhelper_guest_address_add (&guest, &list);
      g_variant_builder_close (&list);
    }
  return g_variant_builder_end (&list);
}

/* The keys of a lease that Prepare and ListLeases share. */
static void
add_lease (GVariantBuilder *builder, const KvmHelperService *service, const KvmHelperLease *lease)
{
  add_string (builder, "lease", lease->id);
  add_string (builder, "domain-uuid", lease->domain_uuid);
  add_string (builder, "domain-name", lease->domain_name);
  add_string (builder, "phase", kvmhelper_phase_name (lease->phase));
  if (lease->grant != NULL)
    g_variant_builder_add (builder, "{sv}", "user", g_variant_new_uint32 (lease->grant->user));
  g_variant_builder_add (builder, "{sv}", "members", members_variant (service, lease));
}

static void
add_pe_state (GVariantBuilder *builder, const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  KvmHelperFact state = kvmhelper_eeh_lease_fact (kernel, lease);

  if (state.source != NULL)
    g_variant_builder_add (builder, "{sv}", "pe-state",
                           g_variant_new ("(ss)", state.value, state.source));
  kvmhelper_fact_clear (&state);
}

static gboolean
on_get_host (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (GPtrArray) leases = NULL;
  GVariant *host;

  leases = kvmhelper_leases_list (service->leases);
  g_mutex_lock (&service->host_lock);
  host = kvmhelper_host_read (service->kernel, leases,
                              kvmhelper_leases_get_rehearsed (service->leases));
  g_mutex_unlock (&service->host_lock);
  kvm_helper_dbus_kvm_helper1_complete_get_host (object, invocation, host);
  return TRUE;
}

/* The kinds of needs that are accepted; polkit has been asked for that. */
static gboolean
get_override (GVariant *options, char ***override, GError **error)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "override", NULL);
  g_auto (GStrv) kinds = NULL;
  g_autofree char *all = g_strjoinv (", ", (char **) kvmhelper_busy_kinds ());

  *override = NULL;
  if (value == NULL)
    return TRUE;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
    kinds = g_variant_dup_strv (value, NULL);
  for (guint i = 0; kinds != NULL && kinds[i] != NULL; i++)
    if (!g_strv_contains (kvmhelper_busy_kinds (), kinds[i]))
      g_clear_pointer (&kinds, g_strfreev);
  *override = g_steal_pointer (&kinds);
  if (*override != NULL)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("The option \"override\" is a list of needs of the host's: %s"), all);
  return FALSE;
}

static gboolean
on_rehearse (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation,
             const char *address, GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  static const char *const known[] = { NULL };
  g_autoptr (GPtrArray) steps = NULL;
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error)
      || !kvmhelper_method_check_options (options, known, &error))
    return kvmhelper_method_fail (invocation, error);
  steps = kvmhelper_leases_rehearse (service->leases, &function, &error);
  if (steps == NULL)
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_rehearse (object, invocation, kvmhelper_steps_passed (steps),
                                                 kvmhelper_steps_to_variant (steps));
  return TRUE;
}

gboolean
kvmhelper_method_get_mode (GVariant *options, KvmHelperRehearseMode *mode, GError **error)
{
  static const char *const known[] = { "rehearse", "override", NULL };
  static const char *const names[] = { "auto", "always", "never" };
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "rehearse", NULL);
  const char *text;

  *mode = KVMHELPER_REHEARSE_AUTO;
  if (!kvmhelper_method_check_options (options, known, error))
    return FALSE;
  if (value == NULL)
    return TRUE;
  text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ? g_variant_get_string (value, NULL)
                                                             : "";
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text, names[i]))
      {
        *mode = (KvmHelperRehearseMode) i;
        return TRUE;
      }
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The option \"rehearse\" is \"auto\", \"always\" or \"never\""));
  return FALSE;
}

gboolean
kvmhelper_method_check_domain (const char *uuid, const char *name, GError **error)
{
  if (!kvmhelper_uuid_is_canonical (uuid))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("The guest's UUID is none, or not in lower case"));
      return FALSE;
    }
  if (kvmhelper_domain_name_is_sane (name))
    return TRUE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The guest's name is empty, too long, or has control characters"));
  return FALSE;
}

GVariant *
kvmhelper_method_prepared (const KvmHelperService *service, const KvmHelperPrepared *prepared)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_lease (&builder, service, prepared->lease);
  add_string (&builder, "rehearsed", prepared->rehearsed);
  add_string (&builder, "rehearsed-why",
              prepared->rehearsed_why == NULL ? "" : prepared->rehearsed_why);
  add_string (&builder, "irq-bypass", prepared->bypass == NULL ? "" : prepared->bypass);
  if (prepared->steps != NULL)
    g_variant_builder_add (&builder, "{sv}", "steps", kvmhelper_steps_to_variant (prepared->steps));
  return g_variant_builder_end (&builder);
}

static gboolean
on_prepare (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation,
            const char *domain_uuid, const char *domain_name, const char *address,
            GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperPrepared) prepared = { NULL };
  g_auto (GStrv) override = NULL;
  KvmHelperRehearseMode mode;
  GError *error = NULL;
  PciAddress function;

  if (!kvmhelper_method_check_domain (domain_uuid, domain_name, &error)
      || !pci_address_parse (address, &function, &error)
      || !kvmhelper_method_get_mode (options, &mode, &error)
      || !get_override (options, &override, &error)
      || !kvmhelper_leases_prepare (service->leases, domain_uuid, domain_name, &function, mode,
                                    (const char *const *) override, &prepared, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_prepare (object, invocation, prepared.lease->id,
                                                kvmhelper_method_prepared (service, &prepared));
  return TRUE;
}

static gboolean
on_commit (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *lease,
           gpointer data)
{
  KvmHelperService *service = data;
  GError *error = NULL;
  GVariant *result;

  result = kvmhelper_leases_commit (service->leases, lease, &error);
  if (result == NULL)
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_commit (object, invocation, result);
  return TRUE;
}

gboolean
kvmhelper_method_get_timeout (GVariant *options, guint *seconds, GError **error)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "timeout", NULL);

  *seconds = KVMHELPER_RELEASE_SECONDS;
  if (value == NULL)
    return TRUE;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32)
      && g_variant_get_uint32 (value) <= KVMHELPER_MAX_RELEASE_SECONDS)
    {
      *seconds = g_variant_get_uint32 (value);
      return TRUE;
    }
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("The option \"timeout\" is a number of seconds up to %d"),
               KVMHELPER_MAX_RELEASE_SECONDS);
  return FALSE;
}

static gboolean
get_forget (GVariant *options, gboolean *forget, GError **error)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "forget", NULL);

  *forget = FALSE;
  if (value == NULL)
    return TRUE;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    {
      *forget = g_variant_get_boolean (value);
      return TRUE;
    }
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The option \"forget\" is true or false"));
  return FALSE;
}

static gboolean
release (KvmHelperLeases *leases, const char *lease, GVariant *options, gboolean *done,
         GError **error)
{
  static const char *const known[] = { "timeout", "forget", NULL };
  gboolean forget;
  guint seconds;

  if (!kvmhelper_method_check_options (options, known, error)
      || !kvmhelper_method_get_timeout (options, &seconds, error)
      || !get_forget (options, &forget, error))
    return FALSE;
  if (!forget)
    return kvmhelper_leases_release (leases, lease, seconds, done, error);
  *done = kvmhelper_leases_forget (leases, lease, error);
  return *done;
}

static gboolean
on_release (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *lease,
            GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  GError *error = NULL;
  gboolean done;

  if (!release (service->leases, lease, options, &done, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_release (object, invocation, done ? "done" : "pending");
  return TRUE;
}

static gboolean
on_list_leases (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (GPtrArray) leases = NULL;
  GVariantBuilder list;

  leases = kvmhelper_leases_list (service->leases);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < leases->len; i++)
    {
      const KvmHelperLease *lease = leases->pdata[i];
      char name[PCI_ADDRESS_LEN];
      int group;

      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      add_lease (&list, service, lease);
      add_pe_state (&list, service->kernel, lease);
      if (!lease->unreadable)
        add_string (&list, "address", pci_address_format (&lease->address, name));
      g_variant_builder_add (&list, "{sv}", "since", g_variant_new_int64 (lease->since));
      if (kvmhelper_binding_group (service->kernel, lease, &group, NULL) && group >= 0)
        g_variant_builder_add (&list, "{sv}", "group", g_variant_new_uint32 ((guint) group));
      add_string (&list, "left", lease->left);
      add_string (&list, "command", lease->command);
      g_variant_builder_close (&list);
    }
  kvm_helper_dbus_kvm_helper1_complete_list_leases (object, invocation,
                                                    g_variant_builder_end (&list));
  return TRUE;
}

static gboolean
on_inspect (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *address,
            gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error))
    return kvmhelper_method_fail (invocation, error);
  inspection = kvmhelper_inspection_new (service->kernel, &function,
                                         kvmhelper_leases_get_rehearsed (service->leases), &error);
  if (inspection == NULL)
    return kvmhelper_method_fail (invocation, error);
  lease = kvmhelper_leases_find_function (service->leases, &function);
  kvm_helper_dbus_kvm_helper1_complete_inspect (
      object, invocation, kvmhelper_inspection_to_variant (inspection, lease));
  return TRUE;
}

void
kvmhelper_service_connect_methods (KvmHelperService *service)
{
  static const struct
  {
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { "handle-get-host", G_CALLBACK (on_get_host) },
    { "handle-rehearse", G_CALLBACK (on_rehearse) },
    { "handle-prepare", G_CALLBACK (on_prepare) },
    { "handle-commit", G_CALLBACK (on_commit) },
    { "handle-release", G_CALLBACK (on_release) },
    { "handle-list-leases", G_CALLBACK (on_list_leases) },
    { "handle-inspect", G_CALLBACK (on_inspect) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (service->skeleton, handlers[i].signal, handlers[i].handler, service);
}
