/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include <gio/gunixfdlist.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-call.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-leases-grant.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-methods.h"

#include <glib/gi18n-lib.h>

/* Leases of users' own guests, and the watch over them. */

void
kvmhelper_service_start_grants (KvmHelperService *service)
{
  KvmHelperUserWatch *watch = kvmhelper_user_watch_new (service->leases, service->consents);
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (service->leases);

  g_atomic_pointer_set (&service->user_watch, watch);
  for (guint i = 0; i < leases->len; i++)
    kvmhelper_service_grant_lease (service, leases->pdata[i]);
}

void
kvmhelper_service_grant_lease (KvmHelperService *service, const KvmHelperLease *lease)
{
  KvmHelperUserWatch *watch = g_atomic_pointer_get (&service->user_watch);

  if (watch != NULL && lease->grant != NULL)
    kvmhelper_user_watch_wake (watch);
}

void
kvmhelper_service_stop_grants (KvmHelperService *service)
{
  g_clear_pointer (&service->user_watch, kvmhelper_user_watch_free);
}

gboolean
kvmhelper_service_find_user (KvmHelperService *service, GDBusMethodInvocation *invocation,
                             guint *user, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, service->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      const KvmHelperCall *call = key;

      if (call->invocation != invocation)
        continue;
      *user = call->caller->uid;
      return TRUE;
    }
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INTERNAL, "whose call is it?");
  return FALSE;
}

gboolean
kvmhelper_service_check_memory (const KvmHelperKernel *kernel, guint64 memory, GError **error)
{
  guint64 most = kvmhelper_meminfo (kernel, "MemTotal") * 2;
  g_autofree char *text = g_format_size_full (most, G_FORMAT_SIZE_IEC_UNITS);

  if (memory == 0)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                         _ ("How much memory the guest has to lock is missing"));
  else if (most > 0 && memory > most)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                 _ ("At most %s may be locked, which is twice the memory of this host"), text);
  else
    return TRUE;
  return FALSE;
}

/* --- Grant and GiveBack --- */

/* What is asked for; the handle is this call's. */
typedef struct
{
  KvmHelperService *service;
  guint user;
  const char *domain_uuid, *domain_name;
  PciAddress address;
  KvmHelperRehearseMode mode;
  guint64 memory;
  int handle;
} Request;

static void
request_clear (Request *request)
{
  if (request->handle >= 0)
    kvmhelper_kernel_close (request->service->kernel, request->handle);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
take_handle (Request *request, GUnixFDList *list, GVariant *process, GError **error)
{
  const KvmHelperKernel *kernel = request->service->kernel;
  int fd = list == NULL ? -1 : g_unix_fd_list_get (list, g_variant_get_handle (process), NULL);

  request->handle = fd < 0 ? -1 : kernel->calls->receive (kernel->data, fd);
  if (request->handle >= 0)
    return TRUE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The descriptor is none of a process (pidfd_open)"));
  return FALSE;
}

static gboolean
check_consent (const Request *request, GError **error)
{
  g_autoptr (KvmHelperConsent) wanted = kvmhelper_consent_new (
      request->service->kernel, request->user, &request->address, request->memory, error);
  g_autofree char *memory = NULL;
  char name[PCI_ADDRESS_LEN];

  if (wanted == NULL)
    return FALSE;
  if (kvmhelper_consents_cover (request->service->consents, wanted))
    return TRUE;
  memory = g_format_size_full (request->memory, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (
      error, COMMON_ERROR, COMMON_ERROR_CONSENT_MISSING,
      _ ("No administrator has agreed that user %u gets %s, as it is now, with %s of locked "
         "memory"),
      request->user, pci_address_format (&request->address, name), memory);
  return FALSE;
}

/* A lease that came of this call goes with its failure; one that was there before stays. */
static void
undo (const Request *request, const KvmHelperPrepared *prepared)
{
  g_autoptr (GError) error = NULL;
  gboolean done;

  if (!prepared->lease->grant->node
      && !kvmhelper_leases_release (request->service->leases, prepared->lease->id, 0, &done,
                                    &error))
    g_warning ("%s", error->message);
}

static gboolean
grant (const Request *request, KvmHelperPrepared *prepared, GError **error)
{
  KvmHelperLeases *leases = request->service->leases;
  g_autoptr (KvmHelperGrant) wanted = kvmhelper_grant_new (request->user);
  KvmHelperGrantProcess process;
  KvmHelperLease *lease;

  if (!kvmhelper_grant_process_read (request->service->kernel, request->handle, request->user,
                                     &process, error)
      || !kvmhelper_grant_add (wanted, &process, error) || !check_consent (request, error)
      || !kvmhelper_leases_prepare_for (leases, request->domain_uuid, request->domain_name,
                                        &request->address, request->mode, wanted, prepared, error))
    return FALSE;
  lease = kvmhelper_leases_give (leases, prepared->lease->id, request->user, request->handle,
                                 request->memory, error);
  /* It may have been revoked since. */
  if (lease == NULL || !check_consent (request, error))
    {
      undo (request, prepared);
      g_clear_pointer (&lease, kvmhelper_lease_free);
      return FALSE;
    }
  kvmhelper_lease_free (prepared->lease);
  prepared->lease = lease;
  return TRUE;
}

static gboolean
on_grant (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, GUnixFDList *list,
          const char *domain_uuid, const char *domain_name, const char *address, GVariant *process,
          guint64 memory, GVariant *options, gpointer data)
{
  static const char *const known[] = { "rehearse", NULL };
  KvmHelperService *service = data;
  g_auto (Request) request = { .service = service,
                               .domain_uuid = domain_uuid,
                               .domain_name = domain_name,
                               .memory = memory,
                               .handle = -1 };
  g_auto (KvmHelperPrepared) prepared = { NULL };
  GError *error = NULL;

  if (!kvmhelper_service_find_user (service, invocation, &request.user, &error)
      || !kvmhelper_method_check_domain (domain_uuid, domain_name, &error)
      || !pci_address_parse (address, &request.address, &error)
      || !kvmhelper_method_check_options (options, known, &error)
      || !kvmhelper_method_get_mode (options, &request.mode, &error)
      || !kvmhelper_service_check_memory (service->kernel, memory, &error)
      || !take_handle (&request, list, process, &error) || !grant (&request, &prepared, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_grant (object, invocation, NULL, prepared.lease->id,
                                              kvmhelper_method_prepared (service, &prepared));
  return TRUE;
}

/* Another user's lease is as none. */
static gboolean
give_back (KvmHelperService *service, guint user, const char *id, GVariant *options, gboolean *done,
           GError **error)
{
  static const char *const known[] = { "timeout", NULL };
  g_autoptr (KvmHelperLease) lease = NULL;
  guint seconds;

  if (!kvmhelper_method_check_options (options, known, error)
      || !kvmhelper_method_get_timeout (options, &seconds, error))
    return FALSE;
  lease = kvmhelper_leases_find (service->leases, id, NULL);
  if (lease != NULL && lease->grant != NULL && lease->grant->user == user)
    return kvmhelper_leases_release (service->leases, id, seconds, done, error);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                       _ ("There is no such lease; it may have been given back"));
  return FALSE;
}

static gboolean
on_give_back (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation, const char *lease,
              GVariant *options, gpointer data)
{
  GError *error = NULL;
  gboolean done;
  guint user;

  if (!kvmhelper_service_find_user (data, invocation, &user, &error)
      || !give_back (data, user, lease, options, &done, &error))
    return kvmhelper_method_fail (invocation, error);
  kvm_helper_dbus_kvm_helper1_complete_give_back (object, invocation, done ? "done" : "pending");
  return TRUE;
}

void
kvmhelper_service_connect_grants (KvmHelperService *service)
{
  static const struct
  {
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { "handle-grant", G_CALLBACK (on_grant) },
    { "handle-give-back", G_CALLBACK (on_give_back) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (service->skeleton, handlers[i].signal, handlers[i].handler, service);
}
