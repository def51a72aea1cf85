/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-life.h"

#include <systemd/sd-daemon.h>

#include "kvmhelper/kvmhelper-limits.h"

static gboolean
kick (gpointer service)
{
  kvmhelper_service_idle_since (service); /* takes the lock, for a moment or for ever */
  sd_notify (0, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

void
kvmhelper_life_kick_watchdog (KvmHelperService *service)
{
  guint64 usec;

  if (sd_watchdog_enabled (0, &usec) > 0)
    g_timeout_add ((guint) (usec / 1000 / 3), kick, service);
}

typedef struct
{
  KvmHelperService *service;
  gint64 limit;     /* in microseconds */
  gint64 busy_when; /* it was last seen to have something to do */
  GFunc leave;
  gpointer data;
} Idle;

static gboolean look (gpointer data);

static void
look_in (Idle *idle, gint64 usec)
{
  g_timeout_add ((guint) (usec / 1000) + 1, look, idle);
}

static gboolean
look (gpointer data)
{
  Idle *idle = data;
  gint64 since = kvmhelper_service_idle_since (idle->service);
  gint64 now = g_get_monotonic_time ();
  gint64 left;

  if (since < 0 || kvmhelper_service_has_leases (idle->service))
    idle->busy_when = now;
  left = MAX (since, idle->busy_when) + idle->limit - now;
  if (left > 0)
    {
      look_in (idle, left);
      return G_SOURCE_REMOVE;
    }
  idle->leave (idle->data, NULL);
  g_free (idle);
  return G_SOURCE_REMOVE;
}

void
kvmhelper_life_watch_idle (KvmHelperService *service, guint seconds, GFunc leave, gpointer data)
{
  Idle *idle;

  if (seconds == 0)
    return;
  idle = g_new0 (Idle, 1);
  *idle = (Idle){ service, seconds * G_USEC_PER_SEC, 0, leave, data };
  look_in (idle, idle->limit);
}

typedef struct
{
  KvmHelperService *service;
  KvmHelperLeave how;
} Leaving;

/* Its watch and its tries go on in another helper. */
static void
call_for_successor (const KvmHelperLeave *how)
{
  g_dbus_connection_call (how->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "StartServiceByName",
                          g_variant_new ("(su)", how->name, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          NULL, NULL, NULL);
}

static gboolean
try_to_go (gpointer data)
{
  Leaving *leaving = data;

  if (!kvmhelper_service_is_drained (leaving->service))
    return G_SOURCE_CONTINUE;
  if (kvmhelper_service_has_leases (leaving->service))
    call_for_successor (&leaving->how);
  leaving->how.gone (leaving->how.data, NULL);
  g_free (leaving);
  return G_SOURCE_REMOVE;
}

static gboolean
begin_to_go (gpointer leaving)
{
  if (try_to_go (leaving))
    g_timeout_add (KVMHELPER_DRAIN_POLL_MS, try_to_go, leaving);
  return G_SOURCE_REMOVE;
}

void
kvmhelper_life_leave (KvmHelperService *service, const KvmHelperLeave *leave)
{
  Leaving *leaving = g_new0 (Leaving, 1);
  gboolean managed = sd_notify (0, "STOPPING=1") > 0;

  if (managed)
    sd_notify_barrier (0, KVMHELPER_BARRIER_SECONDS * G_USEC_PER_SEC);
  leaving->service = service;
  leaving->how = *leave;
  leave->give_up_name (leave->data, NULL);
  /* Who asked the bus who has the name before that will call us, not the name. */
  g_timeout_add (managed ? KVMHELPER_LINGER_MS : 0, begin_to_go, leaving);
}
