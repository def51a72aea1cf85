/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-simulation-bus.h"

#include <fcntl.h>
#include <gio/gunixconnection.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-guard.h"

#include <glib/gi18n-lib.h>

/* Where the system bus is, also for those whose environment says otherwise. */
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

#define TIMEOUT_MSEC 10000

static GDBusConnection *
connect_address (const char *address, GError **error)
{
  return g_dbus_connection_new_for_address_sync (
      address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, error);
}

static GVariant *
call_bus (GDBusConnection *bus, const char *method, GVariant *parameters, const char *reply,
          GError **error)
{
  return g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
      parameters, G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MSEC, NULL, error);
}

/* A bus is known by its id, whatever address it was found by; NULL: it cannot be reached. */
static char *
bus_id (GDBusConnection *bus)
{
  g_autoptr (GVariant) reply = bus == NULL ? NULL : call_bus (bus, "GetId", NULL, "(s)", NULL);
  char *id = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &id);
  return id;
}

static gboolean
is_same_bus (const char *id, const char *address)
{
  g_autoptr (GDBusConnection) other = address == NULL ? NULL : connect_address (address, NULL);
  g_autofree char *other_id = bus_id (other);

  return other_id != NULL && g_str_equal (id, other_id);
}

GDBusConnection *
kvmhelper_simulation_connect_bus (const char *address, GError **error)
{
  g_autofree char *session
      = address != NULL ? NULL : g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, NULL, error);
  g_autofree char *system = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
  g_autoptr (GDBusConnection) bus = NULL;
  g_autofree char *id = NULL;

  if (address == NULL && session == NULL)
    {
      g_prefix_error (error, "%s: ", _ ("The session bus cannot be found; --bus names another"));
      return NULL;
    }
  bus = kvmhelper_guard_connect (address != NULL ? address : session, error);
  if (bus == NULL)
    return NULL;
  id = bus_id (bus);
  if (id != NULL && !is_same_bus (id, system) && !is_same_bus (id, SYSTEM_BUS))
    return g_steal_pointer (&bus);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       id == NULL ? _ ("The bus does not tell its id, so that it is not used")
                                  : _ ("That is the system bus, on which there are no simulated "
                                       "hosts; use the session's, or one of your own"));
  return NULL;
}

GDBusConnection *
kvmhelper_simulation_connect_socket (int socket, GError **error)
{
  g_autoptr (GSocket) end = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  g_autofree char *guid = g_dbus_generate_guid ();
  int flags = fcntl (socket, F_GETFD);

  if (flags >= 0)
    fcntl (socket, F_SETFD, flags | FD_CLOEXEC);
  end = g_socket_new_from_fd (socket, error);
  if (end == NULL)
    return NULL;
  stream = g_socket_connection_factory_create_connection (end);
  if (!G_IS_UNIX_CONNECTION (stream))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("--socket-fd names no Unix socket"));
      return NULL;
    }
  return g_dbus_connection_new_sync (G_IO_STREAM (stream), guid,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                         | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_REQUIRE_SAME_USER
                                         | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                     NULL, NULL, error);
}

gboolean
kvmhelper_simulation_find_user (GDBusMethodInvocation *invocation, guint32 *user, GError **error)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  g_autoptr (GVariant) reply = NULL;

  if (g_dbus_connection_get_unique_name (connection) == NULL)
    {
      GCredentials *peer = g_dbus_connection_get_peer_credentials (connection);

      *user = peer == NULL ? (guint32) -1 : (guint32) g_credentials_get_unix_user (peer, error);
      return *user != (guint32) -1;
    }
  reply
      = call_bus (connection, "GetConnectionUnixUser", g_variant_new ("(s)", sender), "(u)", error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", user);
  return TRUE;
}

gboolean
kvmhelper_simulation_authorize (GDBusMethodInvocation *invocation, guint32 uid, GError **error)
{
  if (uid == geteuid ())
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
               _ ("%s: this simulated host is another user's"),
               g_dbus_method_invocation_get_method_name (invocation));
  return FALSE;
}
