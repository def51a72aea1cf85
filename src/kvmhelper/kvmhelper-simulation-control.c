/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-simulation-control.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-simulation-bus.h"
#include "kvmhelper/kvmhelper-simulation-guests.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

#include <glib/gi18n-lib.h>

/* A clock is not moved by more than a year at a time. */
#define MAX_ADVANCE (G_GUINT64_CONSTANT (366) * 24 * 3600 * G_USEC_PER_SEC)

static gboolean
fail (GDBusMethodInvocation *invocation, GError *error)
{
  g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

static KvmHelperSim *
host_of (gpointer simulation)
{
  return kvmhelper_simulation_host (simulation);
}

static gboolean
on_authorize (GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autoptr (GError) error = NULL;
  guint32 uid;

  if (kvmhelper_simulation_find_user (invocation, &uid, &error)
      && kvmhelper_simulation_authorize (invocation, uid, &error))
    return TRUE;
  g_dbus_method_invocation_return_gerror (invocation, error);
  return FALSE;
}

static gboolean
on_freeze_pe (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
              const char *address, gpointer data)
{
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error)
      || !kvmhelper_sim_inject_freeze (host_of (data), &function, &error))
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_freeze_pe (object, invocation);
  return TRUE;
}

static gboolean
on_fence_phb (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
              const char *address, gboolean dead, gpointer data)
{
  KvmHelperSim *host = host_of (data);
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error)
      || !(dead ? kvmhelper_sim_inject_fail (host, &function, &error)
                : kvmhelper_sim_inject_fence (host, &function, &error)))
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_fence_phb (object, invocation);
  return TRUE;
}

static gboolean
parse_kind (const char *kind, guint *index, GError **error)
{
  static const char *const kinds[] = { [VFIO_PCI_INTX_IRQ_INDEX] = "intx",
                                       [VFIO_PCI_MSI_IRQ_INDEX] = "msi",
                                       [VFIO_PCI_MSIX_IRQ_INDEX] = "msix" };

  for (*index = 0; *index < G_N_ELEMENTS (kinds); (*index)++)
    if (g_str_equal (kinds[*index], kind))
      return TRUE;
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("An interrupt is \"msix\", \"msi\" or \"intx\""));
  return FALSE;
}

static gboolean
on_raise_interrupt (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                    const char *address, const char *kind, guint vector, gpointer data)
{
  GError *error = NULL;
  PciAddress function;
  guint index;

  if (!pci_address_parse (address, &function, &error) || !parse_kind (kind, &index, &error)
      || !kvmhelper_sim_inject_interrupt (host_of (data), &function, index, vector, &error))
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_raise_interrupt (object, invocation);
  return TRUE;
}

static gboolean
on_unplug (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation, const char *address,
           gpointer data)
{
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error)
      || !kvmhelper_sim_inject_unplug (host_of (data), &function, &error))
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_unplug (object, invocation);
  return TRUE;
}

static gboolean
on_replace (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
            const char *address, guint vendor, guint device, gpointer data)
{
  GError *error = NULL;
  PciAddress function;

  if (!pci_address_parse (address, &function, &error))
    return fail (invocation, error);
  if (vendor > G_MAXUINT16 || device > G_MAXUINT16)
    {
      g_set_error_literal (&error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("A vendor and a device have 16 bits each"));
      return fail (invocation, error);
    }
  if (!kvmhelper_sim_inject_replace (host_of (data), &function, vendor, device, &error))
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_replace (object, invocation);
  return TRUE;
}

static gboolean
on_advance_clock (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation, guint64 usec,
                  gpointer data)
{
  if (usec > MAX_ADVANCE)
    return fail (invocation,
                 g_error_new_literal (COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                                      _ ("The clock moves by no more than a year at a time")));
  kvmhelper_sim_advance (host_of (data), (gint64) usec);
  kvm_helper_dbus_simulation1_complete_advance_clock (object, invocation);
  return TRUE;
}

static gboolean
on_kernel_log (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  g_auto (GStrv) lines = kvmhelper_sim_kernel_log (host_of (data));

  kvm_helper_dbus_simulation1_complete_kernel_log (object, invocation, (const char *const *) lines);
  return TRUE;
}

GDBusInterfaceSkeleton *
kvmhelper_simulation_control_new (KvmHelperSimulation *simulation)
{
  static const struct
  {
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { "handle-freeze-pe", G_CALLBACK (on_freeze_pe) },
    { "handle-fence-phb", G_CALLBACK (on_fence_phb) },
    { "handle-raise-interrupt", G_CALLBACK (on_raise_interrupt) },
    { "handle-unplug", G_CALLBACK (on_unplug) },
    { "handle-replace", G_CALLBACK (on_replace) },
    { "handle-advance-clock", G_CALLBACK (on_advance_clock) },
    { "handle-kernel-log", G_CALLBACK (on_kernel_log) },
  };
  KvmHelperDBusSimulation1 *skeleton = kvm_helper_dbus_simulation1_skeleton_new ();

  kvm_helper_dbus_simulation1_set_description (skeleton,
                                               kvmhelper_simulation_kernel (simulation)->simulated);
  g_dbus_interface_skeleton_set_flags (
      G_DBUS_INTERFACE_SKELETON (skeleton),
      G_DBUS_INTERFACE_SKELETON_FLAGS_HANDLE_METHOD_INVOCATIONS_IN_THREAD);
  g_signal_connect (skeleton, "g-authorize-method", G_CALLBACK (on_authorize), simulation);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (skeleton, handlers[i].signal, handlers[i].handler, simulation);
  kvmhelper_guests_connect (skeleton, kvmhelper_simulation_host (simulation));
  return G_DBUS_INTERFACE_SKELETON (skeleton);
}
