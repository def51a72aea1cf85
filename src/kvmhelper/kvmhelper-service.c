/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-call.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-object.h"
#include "kvmhelper/kvmhelper-users.h"

static void
lease_changed (const KvmHelperLease *lease, const char *phase, gpointer data)
{
  KvmHelperService *service = data;
  char name[PCI_ADDRESS_LEN];

  kvm_helper_dbus_kvm_helper1_emit_lease_changed (
      service->skeleton, lease->id, pci_address_format (&lease->address, name), phase);
  kvmhelper_service_eeh_lease (service, lease->id, phase);
  kvmhelper_service_grant_lease (service, lease);
}

static void
step_done (const PciAddress *address, const KvmHelperStep *step, gpointer data)
{
  KvmHelperService *service = data;
  char name[PCI_ADDRESS_LEN];

  kvm_helper_dbus_kvm_helper1_emit_rehearsal_step (
      service->skeleton, pci_address_format (address, name), kvmhelper_step_to_variant (step));
}

KvmHelperService *
kvmhelper_service_new (const KvmHelperServiceConfig *config, GDBusConnection *connection,
                       GError **error)
{
  KvmHelperService *service;
  KvmHelperListener listener = { lease_changed, step_done, NULL };

  if (config->authorize != NULL && config->kernel->simulated == NULL)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INTERNAL,
                           "nothing but polkit decides about a real kernel");
      return NULL;
    }
  service = g_new0 (KvmHelperService, 1);
  listener.data = service;
  service->kernel = config->kernel;
  service->authorize = config->authorize;
  service->config = config->config != NULL ? config->config : kvmhelper_config_defaults ();
  service->skeleton = kvmhelper_object_new (service);
  service->cancellable = g_cancellable_new ();
  service->open = g_hash_table_new (NULL, NULL);
  service->idle_since = g_get_monotonic_time ();
  service->users = kvmhelper_users_new ();
  g_mutex_init (&service->host_lock);
  g_mutex_init (&service->lock);
  g_cond_init (&service->idle);
  service->guests = kvmhelper_guest_addresses_new ();
  service->leases
      = kvmhelper_leases_open (config->kernel, config->state_directory, config->rehearse, &listener,
                               service->cancellable, error);
  if (service->leases == NULL)
    {
      kvmhelper_service_free (service);
      return NULL;
    }
  kvmhelper_leases_configure (service->leases, service->config);
  service->consents = kvmhelper_consents_open (config->state_directory);
  kvmhelper_service_start_eeh (service);
  kvmhelper_service_start_grants (service);
  service->queue = kvmhelper_queue_new (KVMHELPER_MAX_THREADS, kvmhelper_call_work, service);
  service->callers = kvmhelper_callers_new (connection, &service->lock, kvmhelper_call_caller_known,
                                            kvmhelper_call_caller_left, service);
  service->gate = kvmhelper_gate_new (connection, kvm_helper_dbus_kvm_helper1_interface_info ());
  kvmhelper_service_connect_methods (service);
  kvmhelper_service_connect_eeh (service);
  kvmhelper_service_connect_grants (service);
  kvmhelper_service_connect_consents (service);
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (service->skeleton), connection,
                                         COMMON_DBUS_KVMHELPER_PATH, error))
    {
      kvmhelper_service_free (service);
      return NULL;
    }
  return service;
}

/* Whether the main loop still has something to hear of a call. */
static gboolean
is_asking (KvmHelperService *service)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  return service->asking > 0 || kvmhelper_callers_asking (service->callers) > 0;
}

static gboolean
wait_for_calls (KvmHelperService *service, gint64 deadline)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  while (service->calls > 0)
    if (!g_cond_wait_until (&service->idle, &service->lock, deadline))
      return FALSE;
  return TRUE;
}

static gboolean
wake_up (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* What the bus and polkit were asked is answered, or withdrawn, on the main loop. */
static void
wait_for_answers (KvmHelperService *service, gint64 deadline)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GSource) ticks = g_timeout_source_new (100);

  g_source_set_callback (ticks, wake_up, NULL, NULL);
  g_source_attach (ticks, context);
  while (is_asking (service) && g_get_monotonic_time () < deadline)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (ticks);
}

gboolean
kvmhelper_service_stop (KvmHelperService *service)
{
  gint64 deadline = g_get_monotonic_time () + KVMHELPER_STOP_SECONDS * G_USEC_PER_SEC;

  g_mutex_lock (&service->lock);
  service->stopping = TRUE;
  g_mutex_unlock (&service->lock);
  g_cancellable_cancel (service->cancellable);
  kvmhelper_call_stop_all (service);
  wait_for_answers (service, deadline);
  if (wait_for_calls (service, deadline))
    return TRUE;
  kvmhelper_leases_abandon (service->leases);
  return FALSE;
}

gint64
kvmhelper_service_idle_since (KvmHelperService *service)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  return service->calls > 0 ? -1 : service->idle_since;
}

gboolean
kvmhelper_service_has_leases (KvmHelperService *service)
{
  g_autoptr (GPtrArray) leases = kvmhelper_leases_list (service->leases);

  return leases->len > 0;
}

gboolean
kvmhelper_service_is_drained (KvmHelperService *service)
{
  return kvmhelper_gate_waiting (service->gate) == 0 && kvmhelper_service_idle_since (service) >= 0;
}

void
kvmhelper_service_free (KvmHelperService *service)
{
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (service->skeleton))
      != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (service->skeleton));
  g_clear_pointer (&service->gate, kvmhelper_gate_free);
  g_clear_pointer (&service->queue, kvmhelper_queue_free);
  g_clear_pointer (&service->callers, kvmhelper_callers_free);
  kvmhelper_service_stop_grants (service);
  kvmhelper_service_stop_eeh (service);
  g_clear_pointer (&service->leases, kvmhelper_leases_free);
  g_clear_pointer (&service->consents, kvmhelper_consents_free);
  g_clear_pointer (&service->guests, kvmhelper_guest_addresses_free);
  g_object_unref (service->skeleton);
  g_object_unref (service->cancellable);
  g_hash_table_unref (service->open);
  g_hash_table_unref (service->users);
  g_mutex_clear (&service->host_lock);
  g_mutex_clear (&service->lock);
  g_cond_clear (&service->idle);
  g_free (service);
}
