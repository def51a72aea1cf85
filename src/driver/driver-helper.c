/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-helper.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-owner.h"
#include "hostdev/hostdev-guest-address.h"

enum
{
  /* What a helper that is there has, at the end, for each answer that it only tells. */
  LAST_MILLISECONDS = 3000,
};

struct _DriverHelper
{
  char *address;
  GCancellable *given_up;
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
  self->given_up = g_cancellable_new ();
  g_mutex_init (&self->lock);
  return self;
}

void
driver_helper_free (DriverHelper *self)
{
  if (self == NULL)
    return;
  g_free (self->address);
  g_object_unref (self->given_up);
  if (self->connection != NULL)
    g_dbus_connection_close_sync (self->connection, NULL, NULL);
  g_clear_object (&self->connection);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
driver_helper_give_up (DriverHelper *self)
{
  g_cancellable_cancel (self->given_up);
}

static gboolean
is_slow (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT);
}

/* It was there, and left the bus with the call; another one that came in its place does not know of
 * it. */
static gboolean
has_ended (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
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
      if (is_slow (from))
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
                     _ ("ppc64-kvmhelper did not answer in time (%s). It may be at work still; see "
                        "“journalctl -u ppc64-kvmhelper”."),
                     from->message);
      else if (has_ended (from))
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
                     _ ("ppc64-kvmhelper ended before it answered (%s). What it had begun is "
                        "undone when it starts again; see “journalctl -u ppc64-kvmhelper”."),
                     from->message);
      else
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
                     _ ("ppc64-kvmhelper, which takes PCI devices from the host, cannot be reached "
                        "(%s). See “systemctl status ppc64-kvmhelper”."),
                     from->message);
      g_error_free (from);
    }
  return FALSE;
}

static GDBusConnection *
connect_unlocked (const char *address, GCancellable *cancellable, GError **error)
{
  g_autofree char *system = NULL;

  if (address == NULL)
    address = system = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, cancellable, error);
  if (address == NULL)
    return NULL;
  return g_dbus_connection_new_for_address_sync (
      address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, cancellable, error);
}

static gboolean
is_over (const DriverHelper *self)
{
  return g_cancellable_is_cancelled (self->given_up);
}

/* The connection, made again where the bus went away; not at the end. */
static GDBusConnection *
connect_bus (DriverHelper *self, GError **error)
{
  GDBusConnection *connection;

  g_mutex_lock (&self->lock);
  if (self->connection != NULL && g_dbus_connection_is_closed (self->connection))
    g_clear_object (&self->connection);
  if (self->connection == NULL)
    self->connection = connect_unlocked (self->address, self->given_up, error);
  connection = self->connection != NULL ? g_object_ref (self->connection) : NULL;
  g_mutex_unlock (&self->lock);
  return connection;
}

/* It left the bus before the call came to it, as it does when it had nothing to do for a while: the
 * bus starts another one. */
static gboolean
has_missed (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

/* What changes nothing. */
static gboolean
only_tells (const char *method)
{
  return g_str_equal (method, "GetHost") || g_str_equal (method, "ListLeases");
}

/* What was taken is given back by them, or what a guest has is noted. */
static gboolean
may_end (const char *method)
{
  return g_str_equal (method, "ListLeases") || g_str_equal (method, "Release")
         || g_str_equal (method, "Commit") || g_str_equal (method, "SetGuestAddresses");
}

/* On a bus that was named the helper may be our own user's. */
static char *
find_owner (const DriverHelper *self, GDBusConnection *connection, gboolean over, GError **error)
{
  const guint32 also = self->address == NULL ? 0 : geteuid ();

  if (over)
    return common_owner_find_running (connection, also, LAST_MILLISECONDS, error);
  return common_owner_find (connection, also, self->given_up, error);
}

static GVariant *
try_call (DriverHelper *self, guint timeout, const char *method, GVariant *parameters,
          GUnixFDList *fds, const char *reply, GError **error)
{
  const gboolean over = is_over (self), tells = only_tells (method);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autofree char *owner = NULL;

  if (over && !may_end (method) && g_cancellable_set_error_if_cancelled (self->given_up, error))
    return NULL;
  connection = connect_bus (self, error);
  if (connection != NULL)
    owner = find_owner (self, connection, over, error);
  if (owner == NULL)
    return NULL;
  return g_dbus_connection_call_with_unix_fd_list_sync (
      connection, owner, COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME, method, parameters,
      G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NO_AUTO_START,
      over && tells ? LAST_MILLISECONDS : (int) timeout * 1000, fds, NULL,
      tells && !over ? self->given_up : NULL, error);
}

/* A call with its limit in seconds; @parameters are taken, @reply is the type of what is returned.
 * NULL with an error of D-Bus. */
static GVariant *
call_with_fds (DriverHelper *self, guint timeout, const char *method, GVariant *parameters,
               GUnixFDList *fds, const char *reply, GError **error)
{
  g_autoptr (GVariant) arguments = parameters == NULL ? NULL : g_variant_ref_sink (parameters);
  g_autoptr (GError) missed = NULL;
  GVariant *result = try_call (self, timeout, method, arguments, fds, reply, &missed);

  if (result != NULL)
    return result;
  /* Where it was asked when the end came, it is asked as at the end. */
  if (has_missed (missed)
      || (may_end (method) && g_error_matches (missed, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
    return try_call (self, timeout, method, arguments, fds, reply, error);
  g_propagate_error (error, g_steal_pointer (&missed));
  return NULL;
}

static GVariant *
call (DriverHelper *self, guint timeout, const char *method, GVariant *parameters,
      const char *reply, GError **error)
{
  return call_with_fds (self, timeout, method, parameters, NULL, reply, error);
}

HostdevHost *
driver_helper_get_host (DriverHelper *self, GError **error)
{
  GError *failed = NULL;
  g_autoptr (GVariant) reply
      = call (self, DRIVER_HELPER_READ_TIMEOUT, "GetHost", NULL, "(a{sv})", &failed);
  g_autoptr (GVariant) host = NULL;

  if (reply == NULL)
    {
      fail (failed, error);
      return NULL;
    }
  host = g_variant_get_child_value (reply, 0);
  return hostdev_host_new_from_variant (host, error);
}

DriverLease *
driver_helper_prepare (DriverHelper *self, const char *domain_uuid, const char *domain_name,
                       const PciAddress *address, HostdevRehearse rehearse, GError **error)
{
  g_autofree char *text = pci_address_to_string (address), *id = NULL;
  g_autoptr (GVariant) details = NULL;
  g_autoptr (GVariant) reply = NULL;
  GVariantDict options;
  GError *failed = NULL;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "rehearse", "s", hostdev_rehearse_to_string (rehearse));
  reply = call (
      self, DRIVER_HELPER_PREPARE_TIMEOUT, "Prepare",
      g_variant_new ("(sss@a{sv})", domain_uuid, domain_name, text, g_variant_dict_end (&options)),
      "(sa{sv})", &failed);
  if (reply == NULL)
    {
      fail (failed, error);
      return NULL;
    }
  g_variant_get (reply, "(s@a{sv})", &id, &details);

  DriverLease *lease = driver_lease_new (details);
  g_free (lease->id);
  lease->id = g_steal_pointer (&id);
  return lease;
}

/* The first of a pair, of value and source. */
static char *
dup_value (GVariant *result, const char *key)
{
  const char *value = "unknown", *source;

  g_variant_lookup (result, key, "(&s&s)", &value, &source);
  return g_strdup (value);
}

gboolean
driver_helper_commit (DriverHelper *self, const char *lease, HostdevGot *got, GError **error)
{
  GError *failed = NULL;
  g_autoptr (GVariant) reply = call (self, DRIVER_HELPER_COMMIT_TIMEOUT, "Commit",
                                     g_variant_new ("(s)", lease), "(a{sv})", &failed);
  g_autoptr (GVariant) result = NULL;

  if (reply == NULL)
    return fail (failed, error);
  result = g_variant_get_child_value (reply, 0);
  *got = (HostdevGot){ dup_value (result, "interrupts"), dup_value (result, "dma"),
                       dup_value (result, "eeh") };
  return TRUE;
}

static GVariant *
addresses_variant (const DriverLease *lease, const HostdevDomain *domain)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < lease->members->len; i++)
    {
      const PciAddress *member = &g_array_index (lease->members, PciAddress, i);
      const HostdevDevice *device = hostdev_domain_find_address (domain, member);
      HostdevGuestAddress address;
      char name[PCI_ADDRESS_LEN];

      if (device == NULL || !hostdev_guest_address (domain, device, &address))
        continue;
      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&list, "{sv}", "address",
                             g_variant_new_string (pci_address_format (member, name)));
      g_variant_builder_add (&list, "{sv}", "guest-buid", g_variant_new_uint64 (address.buid));
      if (address.has_address)
        {
          g_variant_builder_add (
              &list, "{sv}", "guest-address",
              g_variant_new_string (pci_address_format (&address.address, name)));
          g_variant_builder_add (&list, "{sv}", "guest-pe", g_variant_new_uint32 (address.pe));
        }
      g_variant_builder_close (&list);
    }
  return g_variant_builder_end (&list);
}

gboolean
driver_helper_tell_addresses (DriverHelper *self, const DriverLease *lease,
                              const HostdevDomain *domain)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = call (
      self, DRIVER_HELPER_COMMIT_TIMEOUT, "SetGuestAddresses",
      g_variant_new ("(s@aa{sv})", lease->id, addresses_variant (lease, domain)), "()", &error);

  if (reply == NULL)
    common_log_lease (G_LOG_LEVEL_INFO, NULL, lease->domain_uuid, lease->id,
                      "the helper was not told where guest %s has its devices: %s",
                      lease->domain_name, error->message);
  return reply != NULL;
}

gboolean
driver_helper_release (DriverHelper *self, const char *lease, guint timeout, gboolean *done,
                       GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  GVariantDict options;
  GError *failed = NULL;
  const char *state;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "timeout", "u", timeout);
  /* Longer than what the helper waits: giving back takes its own time. */
  reply = call (self, timeout + DRIVER_HELPER_READ_TIMEOUT, "Release",
                g_variant_new ("(s@a{sv})", lease, g_variant_dict_end (&options)), "(s)", &failed);
  if (reply == NULL)
    {
      if (!g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN))
        return fail (failed, error);
      g_error_free (failed);
      *done = TRUE;
      return TRUE;
    }
  g_variant_get (reply, "(&s)", &state);
  *done = g_str_equal (state, "done");
  return TRUE;
}

GPtrArray *
driver_helper_list_leases (DriverHelper *self, const char *domain_uuid, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) driver_lease_free);
  GError *failed = NULL;
  g_autoptr (GVariant) reply
      = call (self, DRIVER_HELPER_READ_TIMEOUT, "ListLeases", NULL, "(aa{sv})", &failed);
  g_autoptr (GVariant) leases = NULL;

  if (reply == NULL)
    {
      fail (failed, error);
      return NULL;
    }
  leases = g_variant_get_child_value (reply, 0);
  for (gsize i = 0; i < g_variant_n_children (leases); i++)
    {
      g_autoptr (GVariant) details = g_variant_get_child_value (leases, i);
      g_autoptr (DriverLease) lease = driver_lease_new (details);

      /* A guest of a user's own is none of this libvirt's, whatever its UUID. */
      if (g_variant_lookup (details, "user", "u", NULL))
        continue;
      if (domain_uuid == NULL || g_strcmp0 (lease->domain_uuid, domain_uuid) == 0)
        g_ptr_array_add (list, g_steal_pointer (&lease));
    }
  return g_steal_pointer (&list);
}

gboolean
driver_helper_check_client (DriverHelper *self, int socket, gboolean read_only,
                            DriverVerdict *verdict, GError **error)
{
  static const char *const words[] = {
    [DRIVER_VERDICT_YES] = "yes",
    [DRIVER_VERDICT_NO] = "no",
    [DRIVER_VERDICT_DISMISSED] = "dismissed",
    [DRIVER_VERDICT_CHALLENGE] = "challenge",
  };
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;
  GError *failed = NULL;
  const char *answer;

  *verdict = DRIVER_VERDICT_NO;
  if (g_unix_fd_list_append (fds, socket, &failed) >= 0)
    reply = call_with_fds (self, DRIVER_HELPER_CHECK_TIMEOUT, "CheckClient",
                           g_variant_new ("(hs)", 0, read_only ? "monitor" : "manage"), fds, "(s)",
                           &failed);
  if (reply == NULL)
    return fail (failed, error);
  g_variant_get (reply, "(&s)", &answer);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (answer, words[i]))
      *verdict = (DriverVerdict) i;
  return TRUE;
}
