/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-helper.h"

#include <glib/gi18n-lib.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper-dbus.h"

struct _DriverHelper
{
  char *address;
  GMutex lock; /* of the connection */
  GDBusConnection *connection;
};

DriverHelper *
driver_helper_new (const char *address)
{
  DriverHelper *self = g_new0 (DriverHelper, 1);

  /* Makes GDBus know the names of our errors. */
  common_error_quark ();
  self->address = g_strdup (address);
  g_mutex_init (&self->lock);
  return self;
}

void
driver_helper_free (DriverHelper *self)
{
  if (self == NULL)
    return;
  g_free (self->address);
  if (self->connection != NULL)
    g_dbus_connection_close_sync (self->connection, NULL, NULL);
  g_clear_object (&self->connection);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
driver_lease_free (DriverLease *lease)
{
  if (lease == NULL)
    return;
  g_free (lease->id);
  g_free (lease->domain_uuid);
  g_free (lease->domain_name);
  g_free (lease->phase);
  g_array_unref (lease->members);
  g_free (lease);
}

gboolean
driver_lease_is_in (const DriverLease *lease, const HostdevDomain *domain)
{
  for (guint i = 0; i < lease->members->len; i++)
    if (hostdev_domain_find_address (domain, &g_array_index (lease->members, PciAddress, i)))
      return TRUE;
  return FALSE;
}

/* Says in our own terms what D-Bus says. Returns FALSE, for its callers to return. */
static gboolean
fail (GError *from, GError **error)
{
  g_dbus_error_strip_remote_error (from);
  if (from->domain == COMMON_ERROR)
    g_propagate_error (error, from);
  else
    {
      gboolean slow = g_error_matches (from, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
                      || g_error_matches (from, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT)
                      || g_error_matches (from, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT);

      g_set_error (
          error, COMMON_ERROR, slow ? COMMON_ERROR_TIMED_OUT : COMMON_ERROR_HELPER_UNAVAILABLE,
          slow ? _ ("ppc64-kvmhelper did not answer in time (%s). It may be at work still; see "
                    "“journalctl -u ppc64-kvmhelper”.")
               : _ ("ppc64-kvmhelper, which takes PCI devices from the host, cannot be reached "
                    "(%s). See “systemctl status ppc64-kvmhelper”."),
          from->message);
      g_error_free (from);
    }
  return FALSE;
}

static GDBusConnection *
connect_unlocked (const char *address, GError **error)
{
  g_autofree char *system = NULL;

  if (address == NULL)
    address = system = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (address == NULL)
    return NULL;
  return g_dbus_connection_new_for_address_sync (
      address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, error);
}

/* The connection, made again where the bus went away. */
static GDBusConnection *
connect_bus (DriverHelper *self, GError **error)
{
  GDBusConnection *connection;

  g_mutex_lock (&self->lock);
  if (self->connection != NULL && g_dbus_connection_is_closed (self->connection))
    g_clear_object (&self->connection);
  if (self->connection == NULL)
    self->connection = connect_unlocked (self->address, error);
  connection = self->connection != NULL ? g_object_ref (self->connection) : NULL;
  g_mutex_unlock (&self->lock);
  return connection;
}

/* A proxy for one call, with its own limit in seconds. It loads nothing and listens to nothing. */
static KvmHelperDBusKvmHelper1 *
new_proxy (DriverHelper *self, guint timeout, GError **error)
{
  GError *failed = NULL;
  g_autoptr (GDBusConnection) connection = connect_bus (self, &failed);
  KvmHelperDBusKvmHelper1 *proxy = NULL;

  if (connection != NULL)
    proxy = kvm_helper_dbus_kvm_helper1_proxy_new_sync (
        connection,
        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS
            | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION,
        COMMON_DBUS_KVMHELPER_NAME, COMMON_DBUS_KVMHELPER_PATH, NULL, &failed);
  if (proxy == NULL)
    fail (failed, error);
  else
    g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (proxy), (int) timeout * 1000);
  return proxy;
}

HostdevHost *
driver_helper_get_host (DriverHelper *self, GError **error)
{
  g_autoptr (KvmHelperDBusKvmHelper1) proxy = new_proxy (self, DRIVER_HELPER_READ_TIMEOUT, error);
  g_autoptr (GVariant) host = NULL;
  GError *failed = NULL;

  if (proxy == NULL)
    return NULL;
  if (!kvm_helper_dbus_kvm_helper1_call_get_host_sync (proxy, &host, NULL, &failed))
    {
      fail (failed, error);
      return NULL;
    }
  return hostdev_host_new_from_variant (host, error);
}

static char *
dup_key (GVariant *dictionary, const char *key)
{
  const char *text = "";

  g_variant_lookup (dictionary, key, "&s", &text);
  return g_strdup (text);
}

/* What ListLeases and Prepare have in common. */
static DriverLease *
lease_new (GVariant *details)
{
  DriverLease *lease = g_new0 (DriverLease, 1);
  g_autoptr (GVariant) members
      = g_variant_lookup_value (details, "members", G_VARIANT_TYPE ("aa{sv}"));
  gsize n = members != NULL ? g_variant_n_children (members) : 0;

  lease->id = dup_key (details, "lease");
  lease->domain_uuid = dup_key (details, "domain-uuid");
  lease->domain_name = dup_key (details, "domain-name");
  lease->phase = dup_key (details, "phase");
  g_variant_lookup (details, "since", "x", &lease->since);
  lease->members = g_array_new (FALSE, FALSE, sizeof (PciAddress));
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) member = g_variant_get_child_value (members, i);
      g_autofree char *text = dup_key (member, "address");
      PciAddress address;

      if (pci_address_parse (text, &address, NULL))
        g_array_append_val (lease->members, address);
    }
  return lease;
}

DriverLease *
driver_helper_prepare (DriverHelper *self, const char *domain_uuid, const char *domain_name,
                       const PciAddress *address, HostdevRehearse rehearse, GError **error)
{
  g_autoptr (KvmHelperDBusKvmHelper1) proxy
      = new_proxy (self, DRIVER_HELPER_PREPARE_TIMEOUT, error);
  g_autofree char *text = pci_address_to_string (address), *id = NULL;
  g_autoptr (GVariant) details = NULL;
  GVariantDict options;
  GError *failed = NULL;

  if (proxy == NULL)
    return NULL;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "rehearse", "s", hostdev_rehearse_to_string (rehearse));
  if (!kvm_helper_dbus_kvm_helper1_call_prepare_sync (proxy, domain_uuid, domain_name, text,
                                                      g_variant_dict_end (&options), &id, &details,
                                                      NULL, &failed))
    {
      fail (failed, error);
      return NULL;
    }

  DriverLease *lease = lease_new (details);
  g_free (lease->id);
  lease->id = g_steal_pointer (&id);
  return lease;
}

/* "interrupts xive-native, dma in-kernel, eeh enabled" */
static char *
describe_got (GVariant *result)
{
  static const char *const keys[] = { "interrupts", "dma", "eeh" };
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const char *value = "unknown", *source;

      g_variant_lookup (result, keys[i], "(&s&s)", &value, &source);
      g_string_append_printf (text, "%s%s %s", i > 0 ? ", " : "", keys[i], value);
    }
  return g_string_free (text, FALSE);
}

gboolean
driver_helper_commit (DriverHelper *self, const char *lease, char **got, GError **error)
{
  g_autoptr (KvmHelperDBusKvmHelper1) proxy = new_proxy (self, DRIVER_HELPER_COMMIT_TIMEOUT, error);
  g_autoptr (GVariant) result = NULL;
  GError *failed = NULL;

  if (proxy == NULL)
    return FALSE;
  if (!kvm_helper_dbus_kvm_helper1_call_commit_sync (proxy, lease, &result, NULL, &failed))
    return fail (failed, error);
  *got = describe_got (result);
  return TRUE;
}

gboolean
driver_helper_release (DriverHelper *self, const char *lease, guint timeout, gboolean *done,
                       GError **error)
{
  /* Longer than what the helper waits: giving back takes its own time. */
  g_autoptr (KvmHelperDBusKvmHelper1) proxy
      = new_proxy (self, timeout + DRIVER_HELPER_READ_TIMEOUT, error);
  g_autofree char *state = NULL;
  GVariantDict options;
  GError *failed = NULL;

  if (proxy == NULL)
    return FALSE;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "timeout", "u", timeout);
  if (!kvm_helper_dbus_kvm_helper1_call_release_sync (proxy, lease, g_variant_dict_end (&options),
                                                      &state, NULL, &failed))
    {
      if (!g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN))
        return fail (failed, error);
      g_error_free (failed);
      *done = TRUE;
      return TRUE;
    }
  *done = g_strcmp0 (state, "done") == 0;
  return TRUE;
}

GPtrArray *
driver_helper_list_leases (DriverHelper *self, const char *domain_uuid, GError **error)
{
  g_autoptr (KvmHelperDBusKvmHelper1) proxy = new_proxy (self, DRIVER_HELPER_READ_TIMEOUT, error);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) driver_lease_free);
  g_autoptr (GVariant) leases = NULL;
  GError *failed = NULL;

  if (proxy == NULL)
    return NULL;
  if (!kvm_helper_dbus_kvm_helper1_call_list_leases_sync (proxy, &leases, NULL, &failed))
    {
      fail (failed, error);
      return NULL;
    }
  for (gsize i = 0; i < g_variant_n_children (leases); i++)
    {
      g_autoptr (GVariant) details = g_variant_get_child_value (leases, i);
      g_autoptr (DriverLease) lease = lease_new (details);

      if (domain_uuid == NULL || g_strcmp0 (lease->domain_uuid, domain_uuid) == 0)
        g_ptr_array_add (list, g_steal_pointer (&lease));
    }
  return g_steal_pointer (&list);
}
