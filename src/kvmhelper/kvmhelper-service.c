/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

static void
lease_changed (const KvmHelperLease *lease, const char *phase, gpointer data)
{
  KvmHelperService *service = data;
  char name[PCI_ADDRESS_LEN];

  kvm_helper_dbus_kvm_helper1_emit_lease_changed (
      service->skeleton, lease->id, pci_address_format (&lease->address, name), phase);
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
  service->skeleton = kvm_helper_dbus_kvm_helper1_skeleton_new ();
  service->cancellable = g_cancellable_new ();
  service->questions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&service->host_lock);
  g_mutex_init (&service->lock);
  g_cond_init (&service->idle);
  service->leases
      = kvmhelper_leases_open (config->kernel, config->state_directory, config->rehearse, &listener,
                               service->cancellable, error);
  if (service->leases == NULL)
    {
      kvmhelper_service_free (service);
      return NULL;
    }
  g_dbus_interface_skeleton_set_flags (
      G_DBUS_INTERFACE_SKELETON (service->skeleton),
      G_DBUS_INTERFACE_SKELETON_FLAGS_HANDLE_METHOD_INVOCATIONS_IN_THREAD);
  g_signal_connect (service->skeleton, "g-authorize-method",
                    G_CALLBACK (kvmhelper_service_authorize), service);
  kvmhelper_service_connect_methods (service);
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (service->skeleton), connection,
                                         COMMON_DBUS_KVMHELPER_PATH, error))
    {
      kvmhelper_service_free (service);
      return NULL;
    }
  return service;
}

gboolean
kvmhelper_service_stop (KvmHelperService *service)
{
  gint64 deadline = g_get_monotonic_time () + KVMHELPER_STOP_SECONDS * G_USEC_PER_SEC;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  service->stopping = TRUE;
  g_cancellable_cancel (service->cancellable);
  while (service->calls > 0)
    if (!g_cond_wait_until (&service->idle, &service->lock, deadline))
      {
        kvmhelper_leases_abandon (service->leases);
        return FALSE;
      }
  return TRUE;
}

void
kvmhelper_service_free (KvmHelperService *service)
{
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (service->skeleton))
      != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (service->skeleton));
  g_clear_pointer (&service->leases, kvmhelper_leases_free);
  g_clear_object (&service->authority);
  g_object_unref (service->skeleton);
  g_object_unref (service->cancellable);
  g_hash_table_unref (service->questions);
  g_mutex_clear (&service->host_lock);
  g_mutex_clear (&service->lock);
  g_cond_clear (&service->idle);
  g_free (service);
}
