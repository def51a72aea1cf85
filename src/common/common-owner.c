/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-owner.h"

#include "common/common-dbus.h"
#include "common/common-error.h"

#include <glib/gi18n-lib.h>

/* A start of the helper takes well under a second. */
#define TIMEOUT_MSEC (60 * 1000)

static GVariant *
call_bus (GDBusConnection *bus, const char *method, GVariant *parameters, const char *reply,
          GCancellable *cancellable, GError **error)
{
  return g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
      parameters, G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MSEC, cancellable, error);
}

/* The unique name behind the helper's, which is started where nobody has it. */
static char *
find_unique (GDBusConnection *bus, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) name
      = g_variant_ref_sink (g_variant_new ("(s)", COMMON_DBUS_KVMHELPER_NAME));
  g_autoptr (GVariant) started = NULL;
  g_autoptr (GVariant) owner = NULL;
  g_autoptr (GError) local = NULL;
  char *unique;

  owner = call_bus (bus, "GetNameOwner", name, "(s)", cancellable, &local);
  if (g_error_matches (local, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    {
      started = call_bus (bus, "StartServiceByName",
                          g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 0), "(u)", cancellable,
                          error);
      if (started == NULL)
        return NULL;
      owner = call_bus (bus, "GetNameOwner", name, "(s)", cancellable, error);
    }
  else if (owner == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  if (owner == NULL)
    return NULL;
  g_variant_get (owner, "(s)", &unique);
  return unique;
}

char *
common_owner_find (GDBusConnection *bus, guint32 also, GCancellable *cancellable, GError **error)
{
  g_autofree char *unique = find_unique (bus, cancellable, error);
  g_autoptr (GVariant) user
      = unique == NULL ? NULL
                       : call_bus (bus, "GetConnectionUnixUser", g_variant_new ("(s)", unique),
                                   "(u)", cancellable, error);
  guint32 uid;

  if (user == NULL)
    return NULL;
  g_variant_get (user, "(u)", &uid);
  if (uid == 0 || uid == also)
    return g_steal_pointer (&unique);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
               _ ("On the bus, %s belongs to user %u and not to root: what it says is not "
                  "believed. Find out with “busctl status %s” which process that is."),
               COMMON_DBUS_KVMHELPER_NAME, uid, COMMON_DBUS_KVMHELPER_NAME);
  return NULL;
}
