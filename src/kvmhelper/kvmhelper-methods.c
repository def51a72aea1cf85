/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/kvmhelper-inspect.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-policy.h"

#include <glib/gi18n-lib.h>

static gboolean
fail (GDBusMethodInvocation *invocation, GError *error)
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

/* A key of @options that is not @known (NULL: none is). */
static gboolean
check_options (GVariant *options, const char *known, GError **error)
{
  GVariantIter iter;
  const char *key;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&s@v}", &key, NULL))
    if (g_strcmp0 (key, known) != 0)
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
members_variant (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *now = kvmhelper_function_driver (kernel, &member->address);
      char name[PCI_ADDRESS_LEN];

      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      add_string (&list, "address", pci_address_format (&member->address, name));
      g_variant_builder_add (&list, "{sv}", "driver", g_variant_new_string (member->driver));
      g_variant_builder_add (&list, "{sv}", "driver-override",
                             g_variant_new_string (member->driver_override));
      g_variant_builder_add (&list, "{sv}", "driver-now", g_variant_new_string (now));
      g_variant_builder_close (&list);
    }
  return g_variant_builder_end (&list);
}

/* The keys of a lease that Prepare and ListLeases share. */
static void
add_lease (GVariantBuilder *builder, const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  add_string (builder, "lease", lease->id);
  add_string (builder, "domain-uuid", lease->domain_uuid);
  add_string (builder, "domain-name", lease->domain_name);
  add_string (builder, "phase", kvmhelper_phase_name (lease->phase));
  g_variant_builder_add (builder, "{sv}", "members", members_variant (kernel, lease));
}

static gboolean
on_get_host (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  g_autoptr (GPtrArray) leases = NULL;
  GVariant *host;

  leases = kvmhelper_leases_list (service->leases);
  g_mutex_lock (&service->host_lock);
  host = kvmhelper_host_read (service->kernel, leases);
  g_mutex_unlock (&service->host_lock);
  kvm_helper_dbus_kvm_helper1_complete_get_host (object, invocation, host);
  return TRUE;
}

static gboolean
on_rehearse (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation,
             const char *address, GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  g_autoptr (GPtrArray) steps = NULL;
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error) || !check_options (options, NULL, &error))
    return fail (invocation, error);
  steps = kvmhelper_leases_rehearse (service->leases, &function, &error);
  if (steps == NULL)
    return fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_rehearse (object, invocation, kvmhelper_steps_passed (steps),
                                                 kvmhelper_steps_to_variant (steps));
  return TRUE;
}

static gboolean
get_mode (GVariant *options, KvmHelperRehearseMode *mode, GError **error)
{
  static const char *const names[] = { "auto", "always", "never" };
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "rehearse", NULL);
  const char *text;

  *mode = KVMHELPER_REHEARSE_AUTO;
  if (!check_options (options, "rehearse", error))
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

static gboolean
check_domain (const char *uuid, const char *name, GError **error)
{
  if (!kvmhelper_uuid_is_canonical (uuid))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("The guest's UUID is none, or not in lower case"));
      return FALSE;
    }
  for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      name = "";
  if (*name != '\0' && strlen (name) <= KVMHELPER_MAX_DOMAIN_NAME)
    return TRUE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The guest's name is empty, too long, or has control characters"));
  return FALSE;
}

static GVariant *
prepared_variant (const KvmHelperKernel *kernel, const KvmHelperPrepared *prepared)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_lease (&builder, kernel, prepared->lease);
  add_string (&builder, "rehearsed", prepared->rehearsed);
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
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  KvmHelperRehearseMode mode;
  GError *error = NULL;
  PciAddress function;

  if (!check_domain (domain_uuid, domain_name, &error)
      || !pci_address_parse (address, &function, &error) || !get_mode (options, &mode, &error)
      || !kvmhelper_leases_prepare (service->leases, domain_uuid, domain_name, &function, mode,
                                    &prepared, &error))
    return fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_prepare (object, invocation, prepared.lease->id,
                                                prepared_variant (service->kernel, &prepared));
  return TRUE;
}

static gboolean
on_commit (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *lease,
           gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  GError *error = NULL;
  GVariant *result;

  result = kvmhelper_leases_commit (service->leases, lease, &error);
  if (result == NULL)
    return fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_commit (object, invocation, result);
  return TRUE;
}

static gboolean
get_timeout (GVariant *options, guint *seconds, GError **error)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (options, "timeout", NULL);

  *seconds = KVMHELPER_RELEASE_SECONDS;
  if (!check_options (options, "timeout", error))
    return FALSE;
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
on_release (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *lease,
            GVariant *options, gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  GError *error = NULL;
  gboolean done;
  guint seconds;

  if (!get_timeout (options, &seconds, &error)
      || !kvmhelper_leases_release (service->leases, lease, seconds, &done, &error))
    return fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_release (object, invocation, done ? "done" : "pending");
  return TRUE;
}

static gboolean
on_list_leases (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  KvmHelperService *service = data;
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
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
      add_lease (&list, service->kernel, lease);
      add_string (&list, "address", pci_address_format (&lease->address, name));
      g_variant_builder_add (&list, "{sv}", "since", g_variant_new_int64 (lease->since));
      if (kvmhelper_binding_group (service->kernel, lease, &group, NULL) && group >= 0)
        g_variant_builder_add (&list, "{sv}", "group", g_variant_new_uint32 ((guint) group));
      add_string (&list, "left", lease->left);
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
  g_auto (KvmHelperCall) call G_GNUC_UNUSED = service;
  g_autoptr (KvmHelperInspection) inspection = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error))
    return fail (invocation, error);
  inspection = kvmhelper_inspection_new (service->kernel, &function, &error);
  if (inspection == NULL)
    return fail (invocation, error);
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
