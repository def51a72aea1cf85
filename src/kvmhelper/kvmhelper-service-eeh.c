/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-service-private.h"

#include "kvmhelper/kvmhelper-eeh-report.h"

/* In the watch's thread. */
static void
eeh_changed (const KvmHelperEehChange *change, gpointer data)
{
  KvmHelperService *service = data;
  KvmHelperGuestAddress address;
  const KvmHelperGuestAddress *guest = NULL;
  char name[PCI_ADDRESS_LEN];

  if (kvmhelper_guest_addresses_find (service->guests, change->lease->id, &change->pe->function,
                                      &address))
    guest = &address;
  kvmhelper_eeh_report_log (change, guest);
  kvm_helper_dbus_kvm_helper1_emit_eeh_changed (service->skeleton,
                                                pci_address_format (&change->pe->function, name),
                                                kvmhelper_eeh_report_variant (change, guest));
}

void
kvmhelper_service_start_eeh (KvmHelperService *service)
{
  KvmHelperEehWatch *watch;

  if (service->config->eeh_watch_seconds == 0)
    return;
  watch = kvmhelper_eeh_watch_new (service->kernel, service->leases,
                                   service->config->eeh_watch_seconds, eeh_changed, service);
  g_atomic_pointer_set (&service->eeh_watch, watch);
}

void
kvmhelper_service_eeh_lease (KvmHelperService *service, const char *lease, const char *phase)
{
  KvmHelperEehWatch *watch = g_atomic_pointer_get (&service->eeh_watch);

  if (g_str_equal (phase, "done"))
    kvmhelper_guest_addresses_forget (service->guests, lease);
  if (watch != NULL)
    kvmhelper_eeh_watch_wake (watch);
}

void
kvmhelper_service_stop_eeh (KvmHelperService *service)
{
  g_clear_pointer (&service->eeh_watch, kvmhelper_eeh_watch_free);
}

static gboolean
on_set_guest_addresses (KvmHelperDBusKvmHelper1 *object, GDBusMethodInvocation *invocation,
                        const char *lease, GVariant *functions, gpointer data)
{
  KvmHelperService *service = data;
  GError *error = NULL;
  g_autoptr (KvmHelperLease) found = kvmhelper_leases_find (service->leases, lease, &error);

  if (found == NULL || !kvmhelper_guest_addresses_set (service->guests, found, functions, &error))
    g_dbus_method_invocation_take_error (invocation, error);
  else
    kvm_helper_dbus_kvm_helper1_complete_set_guest_addresses (object, invocation);
  return TRUE;
}

void
kvmhelper_service_connect_eeh (KvmHelperService *service)
{
  g_signal_connect (service->skeleton, "handle-set-guest-addresses",
                    G_CALLBACK (on_set_guest_addresses), service);
}
