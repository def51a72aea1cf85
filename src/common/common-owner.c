/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-owner.h"

#include "common/common-dbus.h"
#include "common/common-error.h"

#include <glib/gi18n-lib.h>

/* A start of the helper takes well under a second. */
#define TIMEOUT_MSEC (60 * 1000)

/* The bus, and how long it is waited for. */
typedef struct
{
  GDBusConnection *bus;
  gint timeout; /* milliseconds */
  GCancellable *cancellable;
} Asked;

static GVariant *
call_bus (const Asked *asked, const char *method, GVariant *parameters, const char *reply,
          GError **error)
{
  return g_dbus_connection_call_sync (asked->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", method, parameters,
                                      G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE,
                                      asked->timeout, asked->cancellable, error);
}

static GVariant *
get_owner (const Asked *asked, GError **error)
{
  return call_bus (asked, "GetNameOwner", g_variant_new ("(s)", COMMON_DBUS_KVMHELPER_NAME), "(s)",
                   error);
}

static char *
dup_unique (GVariant *owner)
{
  char *unique;

  g_variant_get (owner, "(s)", &unique);
  return unique;
}

/* The unique name behind the helper's, which is started where nobody has it. */
static char *
find_unique (const Asked *asked, GError **error)
{
  g_autoptr (GVariant) started = NULL;
  g_autoptr (GVariant) owner = NULL;
  g_autoptr (GError) local = NULL;

  owner = get_owner (asked, &local);
  if (g_error_matches (local, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    {
      started = call_bus (asked, "StartServiceByName",
                          g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 0), "(u)", error);
      if (started == NULL)
        return NULL;
      owner = get_owner (asked, error);
    }
  else if (owner == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return owner != NULL ? dup_unique (owner) : NULL;
}

/* Takes @found; NULL: there is none, and @error is set. */
static char *
check_user (const Asked *asked, char *found, guint32 also, GError **error)
{
  g_autofree char *unique = found;
  g_autoptr (GVariant) user = unique == NULL
                                  ? NULL
                                  : call_bus (asked, "GetConnectionUnixUser",
                                              g_variant_new ("(s)", unique), "(u)", error);
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

char *
common_owner_find (GDBusConnection *bus, guint32 also, GCancellable *cancellable, GError **error)
{
  const Asked asked = { bus, TIMEOUT_MSEC, cancellable };

  return check_user (&asked, find_unique (&asked, error), also, error);
}

char *
common_owner_find_running (GDBusConnection *bus, guint32 also, guint milliseconds, GError **error)
{
  const Asked asked = { bus, (gint) milliseconds, NULL };
  g_autoptr (GVariant) owner = get_owner (&asked, error);

  return check_user (&asked, owner != NULL ? dup_unique (owner) : NULL, also, error);
}
