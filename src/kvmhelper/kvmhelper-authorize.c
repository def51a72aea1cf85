/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-policy.h"

#include <glib/gi18n-lib.h>

static PolkitAuthority *
get_authority (KvmHelperService *service, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (service->authority == NULL)
    service->authority = polkit_authority_get_sync (service->cancellable, error);
  return service->authority == NULL ? NULL : g_object_ref (service->authority);
}

/* Whether polkit may ask a person, who may leave it without an answer. */
static gboolean
is_interactive (GDBusMethodInvocation *invocation)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);

  return (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION)
         != 0;
}

/* A caller, or all of them, may leave only so many questions to people open: each has a thread that
 * waits. A question that polkit answers by itself does not count: virtppc64d asks for many guests
 * at a time, and nobody else's open questions may keep it out. */
static gboolean
begin_question (KvmHelperService *service, const char *sender)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);
  guint mine = GPOINTER_TO_UINT (g_hash_table_lookup (service->questions, sender));

  if (mine >= KVMHELPER_MAX_QUESTIONS_PER_CALLER
      || service->total_questions >= KVMHELPER_MAX_QUESTIONS)
    return FALSE;
  g_hash_table_replace (service->questions, g_strdup (sender), GUINT_TO_POINTER (mine + 1));
  service->total_questions++;
  return TRUE;
}

static void
end_question (KvmHelperService *service, const char *sender)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);
  guint mine = GPOINTER_TO_UINT (g_hash_table_lookup (service->questions, sender));

  if (mine > 1)
    g_hash_table_replace (service->questions, g_strdup (sender), GUINT_TO_POINTER (mine - 1));
  else
    g_hash_table_remove (service->questions, sender);
  service->total_questions--;
}

static gboolean
begin_call (KvmHelperService *service)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (service->stopping)
    return FALSE;
  service->calls++;
  return TRUE;
}

void
kvmhelper_call_end (KvmHelperCall *call)
{
  KvmHelperService *service = *call;

  g_mutex_lock (&service->lock);
  service->calls--;
  g_cond_broadcast (&service->idle);
  g_mutex_unlock (&service->lock);
}

static const char *
get_argument (GVariant *parameters, int index)
{
  const char *text;

  g_variant_get_child (parameters, (gsize) index, "&s", &text);
  return text;
}

/* What a rule is told, in canonical form only: text that is no address or no UUID is not passed on,
 * and the method refuses it later. */
static PolkitDetails *
make_details (KvmHelperService *service, const KvmHelperPolicy *policy, GVariant *parameters)
{
  PolkitDetails *details = polkit_details_new ();
  PciAddress address;
  char name[PCI_ADDRESS_LEN];

  if (policy->address >= 0
      && pci_address_parse (get_argument (parameters, policy->address), &address, NULL))
    polkit_details_insert (details, "address", pci_address_format (&address, name));
  if (policy->domain >= 0
      && kvmhelper_uuid_is_canonical (get_argument (parameters, policy->domain)))
    polkit_details_insert (details, "domain", get_argument (parameters, policy->domain));
  if (policy->lease >= 0)
    {
      g_autoptr (KvmHelperLease) lease
          = kvmhelper_leases_find (service->leases, get_argument (parameters, policy->lease), NULL);

      if (lease != NULL)
        {
          polkit_details_insert (details, "address", pci_address_format (&lease->address, name));
          if (!kvmhelper_lease_is_rehearsal (lease))
            polkit_details_insert (details, "domain", lease->domain_uuid);
        }
    }
  return details;
}

static gboolean
ask (KvmHelperService *service, GDBusMethodInvocation *invocation, const KvmHelperPolicy *policy,
     GError **error)
{
  g_autoptr (PolkitAuthority) authority = get_authority (service, error);
  g_autoptr (PolkitSubject) subject
      = polkit_system_bus_name_new (g_dbus_method_invocation_get_sender (invocation));
  g_autoptr (PolkitDetails) details
      = make_details (service, policy, g_dbus_method_invocation_get_parameters (invocation));
  g_autoptr (PolkitAuthorizationResult) result = NULL;

  if (authority == NULL)
    return FALSE;
  result = polkit_authority_check_authorization_sync (
      authority, subject, policy->action, details,
      is_interactive (invocation) ? POLKIT_CHECK_AUTHORIZATION_FLAGS_ALLOW_USER_INTERACTION
                                  : POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE,
      service->cancellable, error);
  if (result == NULL)
    return FALSE;
  if (polkit_authorization_result_get_is_authorized (result))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
               polkit_authorization_result_get_is_challenge (result)
                   ? _ ("%s: authentication is needed (%s)")
                   : _ ("%s: not authorized (%s)"),
               policy->method, policy->action);
  return FALSE;
}

static gboolean
deny (const char *method, GError **error)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED, _ ("%s: not authorized"), method);
  return FALSE;
}

/* A call whose sender no bus vouches for has no subject that polkit knows. */
static gboolean
ask_polkit (KvmHelperService *service, GDBusMethodInvocation *invocation,
            const KvmHelperPolicy *policy, GError **error)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  gboolean interactive = is_interactive (invocation);
  g_autoptr (GError) local = NULL;
  gboolean authorized;

  if (sender == NULL)
    return deny (policy->method, error);
  if (interactive && !begin_question (service, sender))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                           _ ("Too many calls wait for an authorization"));
      return FALSE;
    }
  authorized = ask (service, invocation, policy, &local);
  if (interactive)
    end_question (service, sender);
  if (authorized)
    return TRUE;
  if (local->domain == COMMON_ERROR)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  g_warning ("polkit: %s", local->message);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
               _ ("%s: polkit could not be asked: %s"), policy->method, local->message);
  return FALSE;
}

/* No is the answer until somebody says yes. */
static gboolean
authorize (KvmHelperService *service, GDBusMethodInvocation *invocation, GError **error)
{
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  const KvmHelperPolicy *policy = kvmhelper_policy_find (method);

  if (policy == NULL)
    return deny (method, error);
  if (service->authorize != NULL)
    return service->authorize (invocation, error);
  return ask_polkit (service, invocation, policy, error);
}

gboolean
kvmhelper_service_authorize (GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation,
                             gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (GError) error = NULL;

  if (!begin_call (service))
    {
      g_dbus_method_invocation_return_error_literal (
          invocation, COMMON_ERROR, COMMON_ERROR_CANCELLED, _ ("The helper stops; call it again"));
      return FALSE;
    }
  if (authorize (service, invocation, &error))
    return TRUE;
  g_dbus_method_invocation_return_gerror (invocation, error);
  kvmhelper_call_end (&service);
  return FALSE;
}
