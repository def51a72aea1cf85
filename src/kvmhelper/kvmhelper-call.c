/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-call.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-check.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-object.h"
#include "kvmhelper/kvmhelper-service-private.h"
#include "kvmhelper/kvmhelper-users.h"

#include <glib/gi18n-lib.h>

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* A caller may have only so much under way. Whose he is decides about more, as soon as it is known:
 * those whose names are all new do not count together, since they may be of one user. */
static gboolean
is_full (const KvmHelperCaller *caller)
{
  return caller == NULL || caller->calls.length >= KVMHELPER_MAX_CALLS_PER_CALLER;
}

static GError *
busy (void)
{
  return g_error_new_literal (COMMON_ERROR, COMMON_ERROR_BUSY,
                              _ ("Too many calls of this user are under way; try again later"));
}

GError *
kvmhelper_call_cancelled (const KvmHelperService *service)
{
  return g_error_new_literal (COMMON_ERROR, COMMON_ERROR_CANCELLED,
                              service->stopping ? _ ("The helper stops; call it again")
                                                : _ ("The caller has left"));
}

static GError *
denied (const char *method)
{
  return g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED, _ ("%s: not authorized"), method);
}

static KvmHelperCall *
call_new (KvmHelperService *service, GDBusMethodInvocation *invocation,
          const KvmHelperPolicy *policy, KvmHelperCaller *caller)
{
  KvmHelperCall *call = g_new0 (KvmHelperCall, 1);

  call->service = service;
  call->invocation = invocation;
  call->policy = policy;
  call->action = policy->action;
  call->caller = kvmhelper_caller_ref (caller);
  call->cancellable = g_cancellable_new ();
  g_queue_push_tail (&caller->calls, call);
  g_hash_table_add (service->open, call);
  service->calls++;
  return call;
}

/* Out of everything that counts it. Its invocation is answered. */
static void
call_end (KvmHelperCall *call)
{
  KvmHelperService *service = call->service;

  g_mutex_lock (&service->lock);
  g_queue_remove (&call->caller->calls, call);
  if (call->counted)
    {
      kvmhelper_users_leave (service->users, call->caller->uid);
      service->admitted--;
    }
  g_hash_table_remove (service->open, call);
  service->calls--;
  service->idle_since = g_get_monotonic_time ();
  g_cond_broadcast (&service->idle);
  g_mutex_unlock (&service->lock);
  kvmhelper_caller_unref (call->caller);
  g_object_unref (call->cancellable);
  kvmhelper_details_clear (&call->details);
  g_free (call);
}

void
kvmhelper_call_refuse (KvmHelperCall *call, GError *error)
{
  g_dbus_method_invocation_take_error (call->invocation, error);
  call_end (call);
}

void
kvmhelper_call_return (KvmHelperCall *call, GVariant *value)
{
  g_dbus_method_invocation_return_value (call->invocation, value);
  call_end (call);
}

/* Its caller is known. */
static void
admit (KvmHelperCall *call)
{
  KvmHelperService *service = call->service;

  g_mutex_lock (&service->lock);
  call->counted = service->admitted < KVMHELPER_MAX_CALLS
                  && kvmhelper_users_enter (service->users, call->caller->uid);
  service->admitted += call->counted;
  g_mutex_unlock (&service->lock);
  if (!call->counted)
    {
      kvmhelper_call_refuse (call, busy ());
      return;
    }
  call->lane
      = (guint64) call->caller->uid * KVMHELPER_N_SHARES + kvmhelper_policy_share (call->policy);
  kvmhelper_details_init (&call->details, service->leases,
                          g_dbus_method_invocation_get_method_info (call->invocation),
                          g_dbus_method_invocation_get_parameters (call->invocation));
  kvmhelper_call_ask (call);
}

/* No property is there: nobody learns more by this than by introspection. One that is added has to
 * have its own place in the table, and its answer here. */
static gboolean
answer_properties (GDBusMethodInvocation *invocation)
{
  const GDBusInterfaceInfo *info = kvm_helper_dbus_kvm_helper1_interface_info ();
  const char *method = g_dbus_method_invocation_get_method_name (invocation);

  if (!g_str_equal (g_dbus_method_invocation_get_interface_name (invocation), PROPERTIES))
    return FALSE;
  if (g_str_equal (method, "GetAll") && (info->properties == NULL || info->properties[0] == NULL))
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(a{sv})", NULL));
  else
    g_dbus_method_invocation_take_error (invocation, denied (method));
  return TRUE;
}

/* No is the answer where the table has none. */
static GError *
find_refusal (KvmHelperService *service, const char *method, const KvmHelperPolicy *policy,
              KvmHelperCaller *caller)
{
  if (service->stopping)
    return kvmhelper_call_cancelled (service);
  if (is_full (caller))
    return busy ();
  if (policy == NULL || caller->left)
    return denied (method);
  return NULL;
}

void
kvmhelper_call_arrived (KvmHelperService *service, GDBusMethodInvocation *invocation)
{
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  const KvmHelperPolicy *policy = kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, method);
  KvmHelperCaller *caller;
  KvmHelperCall *call = NULL;
  GError *refusal;

  if (answer_properties (invocation))
    return;
  g_mutex_lock (&service->lock);
  caller
      = kvmhelper_callers_get (service->callers, g_dbus_method_invocation_get_sender (invocation));
  refusal = find_refusal (service, method, policy, caller);
  if (refusal == NULL)
    call = call_new (service, invocation, policy, caller);
  g_mutex_unlock (&service->lock);
  if (refusal != NULL)
    g_dbus_method_invocation_take_error (invocation, refusal);
  else if (call->caller->known)
    admit (call);
}

void
kvmhelper_call_caller_known (KvmHelperCaller *caller, gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (GList) calls = NULL;

  g_mutex_lock (&service->lock);
  calls = g_list_copy (caller->calls.head);
  g_mutex_unlock (&service->lock);
  for (GList *call = calls; call != NULL; call = call->next)
    if (service->stopping || caller->left)
      kvmhelper_call_refuse (call->data, kvmhelper_call_cancelled (service));
    else
      admit (call->data);
}

/* What a call is about is what polkit was told: a lease may have come to its end meanwhile. */
static GError *
find_change (const KvmHelperCall *call)
{
  g_auto (KvmHelperDetails) now = { NULL, NULL, NULL };

  kvmhelper_details_init (&now, call->service->leases,
                          g_dbus_method_invocation_get_method_info (call->invocation),
                          g_dbus_method_invocation_get_parameters (call->invocation));
  if (kvmhelper_details_equal (&now, &call->details))
    return NULL;
  if (now.address == NULL)
    return g_error_new_literal (COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                                _ ("There is no such lease; it may have been given back"));
  return g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                      _ ("%s: what the call is about changed while it was authorized"),
                      call->policy->name);
}

/* Why a call that polkit let through is not made; NULL: it is. */
static GError *
find_obstacle (const KvmHelperCall *call)
{
  KvmHelperService *service = call->service;
  gboolean ends;

  g_mutex_lock (&service->lock);
  ends = call->caller->left || service->stopping;
  g_mutex_unlock (&service->lock);
  return ends ? kvmhelper_call_cancelled (service) : find_change (call);
}

static void
enqueue (KvmHelperCall *call)
{
  guint threads = kvmhelper_share_threads (kvmhelper_policy_share (call->policy));

  kvmhelper_queue_push (call->service->queue, call->lane, threads, call);
}

void
kvmhelper_call_authorized (KvmHelperCall *call)
{
  GDBusMethodInvocation *invocation = call->invocation;
  const KvmHelperPolicy *policy = call->policy;
  GError *obstacle = find_obstacle (call);

  if (obstacle != NULL)
    kvmhelper_call_refuse (call, obstacle);
  else if (policy->option != NULL && !g_str_equal (call->action, policy->option_action)
           && kvmhelper_details_has_option (g_dbus_method_invocation_get_method_info (invocation),
                                            g_dbus_method_invocation_get_parameters (invocation),
                                            policy->option))
    {
      call->action = policy->option_action;
      kvmhelper_call_ask (call);
    }
  else if (policy->is_question)
    kvmhelper_check_client (call);
  else
    enqueue (call);
}

void
kvmhelper_call_work (gpointer data, gpointer user_data)
{
  KvmHelperCall *call = data;
  GError *obstacle = find_obstacle (call);

  if (obstacle != NULL)
    {
      kvmhelper_call_refuse (call, obstacle);
      return;
    }
  g_cancellable_push_current (call->cancellable);
  kvmhelper_object_dispatch (call->invocation);
  g_cancellable_pop_current (call->cancellable);
  call_end (call);
}

/* What of @calls was waiting for a thread, out of the queue; what was not is cancelled, or where
 * @asking, only what polkit is asked about. With the lock; what is to be cancelled is added to
 * @cancellables. */
static GSList *
take_waiting (KvmHelperService *service, GList *calls, gboolean asking, GPtrArray *cancellables)
{
  GSList *waiting = NULL;

  for (GList *item = calls; item != NULL; item = item->next)
    {
      KvmHelperCall *call = item->data;

      if (kvmhelper_queue_remove (service->queue, call->lane, call))
        waiting = g_slist_prepend (waiting, call);
      else if (!asking || call->asking)
        g_ptr_array_add (cancellables, g_object_ref (call->cancellable));
    }
  return waiting;
}

static void
drop (KvmHelperService *service, GSList *waiting, GPtrArray *cancellables)
{
  for (guint i = 0; i < cancellables->len; i++)
    g_cancellable_cancel (cancellables->pdata[i]);
  for (GSList *call = waiting; call != NULL; call = call->next)
    kvmhelper_call_refuse (call->data, kvmhelper_call_cancelled (service));
}

void
kvmhelper_call_caller_left (KvmHelperCaller *caller, gpointer data)
{
  KvmHelperService *service = data;
  g_autoptr (GPtrArray) cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GSList) waiting = NULL;

  g_mutex_lock (&service->lock);
  waiting = take_waiting (service, caller->calls.head, FALSE, cancellables);
  g_mutex_unlock (&service->lock);
  drop (service, waiting, cancellables);
}

void
kvmhelper_call_stop_all (KvmHelperService *service)
{
  g_autoptr (GPtrArray) cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GList) open = NULL;
  g_autoptr (GSList) waiting = NULL;

  g_mutex_lock (&service->lock);
  open = g_hash_table_get_keys (service->open);
  waiting = take_waiting (service, open, TRUE, cancellables);
  g_mutex_unlock (&service->lock);
  drop (service, waiting, cancellables);
}
