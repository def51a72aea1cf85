/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-libvirt.h"

#include <glib/gi18n-lib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "common/common-error.h"
#include "driver/driver-events.h"
#include "driver/driver-reading.h"

enum
{
  /* Seconds between two tries to connect, at first and at most. */
  BACKOFF_MIN = 1,
  BACKOFF_MAX = 30,
  /* libvirt's own pace: dead after five pings without an answer. */
  KEEPALIVE_INTERVAL = 5,
  KEEPALIVE_COUNT = 5,
  /* Lookups at a time; libvirt works on five of one client (max_client_requests). */
  LOOKUPS_MAX = 4,
  /* Those that can wait, of which each may wait for a hook that has no end. */
  PATIENT_MAX = 1,
};

struct _DriverLibvirt
{
  char *uri;
  DriverDomains domains;
  DriverEvents events;
  DriverLibvirtFuncs funcs;
  gpointer data;
  GThread *keeper;
  DriverEventsIds ids; /* the keeper's */
  GThreadPool *lookups, *patient;

  GMutex lock; /* of what follows */
  GCond changed;
  virConnectPtr connection; /* NULL: none now */
  gboolean lost, stop, wanted;
};

typedef GStrv (*ReadFunc) (virConnectPtr connection, const char *name, GError **error);

/* One question for a domain's XML, or for a network's and its ports', between who asks and the
 * thread that asks libvirt. */
typedef struct
{
  gatomicrefcount references;
  char *uuid; /* or the network's name */
  ReadFunc read;
  gint64 deadline;
  GMutex lock;
  GCond answered;
  gboolean done;
  GStrv texts; /* NULL: there is no such thing */
  GError *error;
} Lookup;

static void
lookup_unref (Lookup *lookup)
{
  if (!g_atomic_ref_count_dec (&lookup->references))
    return;
  g_free (lookup->uuid);
  g_strfreev (lookup->texts);
  g_clear_error (&lookup->error);
  g_cond_clear (&lookup->answered);
  g_mutex_clear (&lookup->lock);
  g_free (lookup);
}

static void
set_timed_out (GError **error)
{
  g_set_error_literal (
      error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
      _ ("libvirt did not tell in time what the guest has. Another operation on it "
         "may be under way; try again later."));
}

/* --- lookups -------------------------------------------------------------------------------- */

/* A reference to the connection; waits for one until the deadline. */
static virConnectPtr
get_connection (DriverLibvirt *self, gint64 deadline)
{
  virConnectPtr connection = NULL;

  g_mutex_lock (&self->lock);
  while (self->connection == NULL && !self->stop)
    {
      self->wanted = TRUE;
      g_cond_broadcast (&self->changed);
      if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
        break;
    }
  if (self->connection != NULL && virConnectRef (self->connection) == 0)
    connection = self->connection;
  g_mutex_unlock (&self->lock);
  return connection;
}

/* In a thread of the pool. */
static void
run_lookup (gpointer data, gpointer user_data)
{
  DriverLibvirt *self = user_data;
  Lookup *lookup = data;
  virConnectPtr connection = get_connection (self, lookup->deadline);
  GError *error = NULL;
  GStrv texts = NULL;

  if (connection == NULL)
    driver_reading_set_unavailable (&error, _ ("no connection"));
  else
    {
      /* Who asked waits no more where it came to its turn too late. */
      if (g_get_monotonic_time () < lookup->deadline)
        texts = lookup->read (connection, lookup->uuid, &error);
      else
        set_timed_out (&error);
      virConnectClose (connection);
    }
  g_mutex_lock (&lookup->lock);
  lookup->texts = texts;
  lookup->error = error;
  lookup->done = TRUE;
  g_cond_signal (&lookup->answered);
  g_mutex_unlock (&lookup->lock);
  lookup_unref (lookup);
}

static gboolean
look_up (GThreadPool *threads, const char *uuid, ReadFunc read, guint timeout, GStrv *texts,
         GError **error)
{
  gint64 deadline = g_get_monotonic_time () + timeout * G_TIME_SPAN_SECOND;
  Lookup *lookup = g_new0 (Lookup, 1);
  gboolean ok, waiting = TRUE;

  g_atomic_ref_count_init (&lookup->references);
  g_atomic_ref_count_inc (&lookup->references);
  lookup->uuid = g_strdup (uuid);
  lookup->read = read;
  lookup->deadline = deadline - G_TIME_SPAN_SECOND;
  g_mutex_init (&lookup->lock);
  g_cond_init (&lookup->answered);
  g_thread_pool_push (threads, lookup, NULL);

  *texts = NULL;
  g_mutex_lock (&lookup->lock);
  while (!lookup->done && waiting)
    waiting = g_cond_wait_until (&lookup->answered, &lookup->lock, deadline);
  ok = lookup->done && lookup->error == NULL;
  if (ok)
    *texts = g_steal_pointer (&lookup->texts);
  else if (lookup->done)
    g_propagate_error (error, g_steal_pointer (&lookup->error));
  else
    set_timed_out (error);
  g_mutex_unlock (&lookup->lock);
  lookup_unref (lookup);
  return ok;
}

static gboolean
get_first (GThreadPool *threads, ReadFunc read, const char *uuid, guint timeout, char **xml,
           GError **error)
{
  g_auto (GStrv) texts = NULL;

  *xml = NULL;
  if (!look_up (threads, uuid, read, timeout, &texts, error))
    return FALSE;
  if (texts != NULL)
    *xml = g_steal_pointer (&texts[0]);
  return TRUE;
}

static gboolean
get_xml (gpointer data, const char *uuid, guint timeout, char **xml, GError **error)
{
  DriverLibvirt *self = data;

  return get_first (self->lookups, driver_reading_domain, uuid, timeout, xml, error);
}

static gboolean
get_resting_xml (gpointer data, const char *uuid, guint timeout, char **xml, GError **error)
{
  DriverLibvirt *self = data;

  return get_first (self->patient, driver_reading_resting_domain, uuid, timeout, xml, error);
}

static gboolean
get_network (gpointer data, const char *name, guint timeout, GStrv *texts, GError **error)
{
  DriverLibvirt *self = data;

  return look_up (self->lookups, name, driver_reading_network, timeout, texts, error);
}

/* --- the keeper ----------------------------------------------------------------------------- */

static void
on_close (virConnectPtr connection, int reason, void *data)
{
  DriverLibvirt *self = data;

  g_mutex_lock (&self->lock);
  self->lost = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
on_changed (const char *domain_uuid, gpointer data)
{
  DriverLibvirt *self = data;

  self->funcs.changed (domain_uuid, self->data);
}

static void
on_defined (const char *domain_uuid, gpointer data)
{
  DriverLibvirt *self = data;

  self->funcs.defined (domain_uuid, self->data);
}

/* All that holds the connection open goes with it. */
static void
close_connection (DriverLibvirt *self, virConnectPtr connection)
{
  driver_events_unregister (connection, &self->ids);
  virConnectUnregisterCloseCallback (connection, on_close);
  virConnectClose (connection);
}

static virConnectPtr
open_connection (DriverLibvirt *self, GError **error)
{
  virConnectPtr connection = virConnectOpenReadOnly (self->uri);

  self->ids = (DriverEventsIds){ { -1, -1 } };
  if (connection == NULL)
    {
      driver_reading_set_unavailable (error, virGetLastErrorMessage ());
      return NULL;
    }
  if (virConnectSetKeepAlive (connection, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT) < 0
      || virConnectRegisterCloseCallback (connection, on_close, self, NULL) < 0)
    driver_reading_set_unavailable (error, virGetLastErrorMessage ());
  else if (driver_events_register (connection, &self->events, &self->ids, error))
    return connection;
  close_connection (self, connection);
  return NULL;
}

/* Sleeps that long, or until somebody wants a connection now. */
static void
pause_keeper (DriverLibvirt *self, guint seconds)
{
  gint64 until = g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;

  g_mutex_lock (&self->lock);
  self->wanted = FALSE;
  while (!self->stop && !self->wanted)
    if (!g_cond_wait_until (&self->changed, &self->lock, until))
      break;
  g_mutex_unlock (&self->lock);
  /* However much it is wanted: not without any pause. */
  g_usleep (G_USEC_PER_SEC / 10);
}

/* Keeps a connection that works until it is lost, or this ends. */
static void
hold_connection (DriverLibvirt *self, virConnectPtr connection)
{
  g_mutex_lock (&self->lock);
  self->connection = connection;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);

  g_message (_ ("connected to libvirt"));
  self->funcs.connected (self->data);

  g_mutex_lock (&self->lock);
  while (!self->lost && !self->stop)
    g_cond_wait (&self->changed, &self->lock);
  self->connection = NULL;
  g_mutex_unlock (&self->lock);
}

static gpointer
keep (gpointer data)
{
  DriverLibvirt *self = data;
  guint backoff = BACKOFF_MIN;

  for (gboolean stop = FALSE; !stop;)
    {
      g_autoptr (GError) error = NULL;
      virConnectPtr connection;

      g_mutex_lock (&self->lock);
      self->lost = FALSE;
      g_mutex_unlock (&self->lock);
      connection = open_connection (self, &error);
      if (connection != NULL)
        {
          hold_connection (self, connection);
          close_connection (self, connection);
          backoff = BACKOFF_MIN;
        }
      else
        {
          if (backoff == BACKOFF_MIN)
            g_warning ("%s", error->message);
          pause_keeper (self, backoff);
          backoff = MIN (backoff * 2, BACKOFF_MAX);
        }
      g_mutex_lock (&self->lock);
      stop = self->stop;
      g_mutex_unlock (&self->lock);
    }
  return NULL;
}

DriverLibvirt *
driver_libvirt_new (const char *uri)
{
  DriverLibvirt *self = g_new0 (DriverLibvirt, 1);

  self->uri = g_strdup (uri);
  self->domains = (DriverDomains){ get_xml, self, get_network, get_resting_xml };
  self->events = (DriverEvents){ on_changed, on_defined, self };
  self->lookups = g_thread_pool_new (run_lookup, self, LOOKUPS_MAX, FALSE, NULL);
  self->patient = g_thread_pool_new (run_lookup, self, PATIENT_MAX, FALSE, NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

void
driver_libvirt_start (DriverLibvirt *self, const DriverLibvirtFuncs *funcs, gpointer data)
{
  self->funcs = *funcs;
  self->data = data;
  self->keeper = g_thread_new ("libvirt-keeper", keep, self);
}

void
driver_libvirt_stop (DriverLibvirt *self)
{
  g_mutex_lock (&self->lock);
  self->stop = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->keeper != NULL)
    g_thread_join (g_steal_pointer (&self->keeper));
}

void
driver_libvirt_free (DriverLibvirt *self)
{
  if (self == NULL)
    return;
  driver_libvirt_stop (self);
  g_thread_pool_free (self->lookups, FALSE, TRUE);
  g_thread_pool_free (self->patient, FALSE, TRUE);
  g_free (self->uri);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

const DriverDomains *
driver_libvirt_get_domains (const DriverLibvirt *self)
{
  return &self->domains;
}

char *
driver_libvirt_uri (const char *path)
{
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);

  return g_strconcat ("qemu+unix:///system?socket=", escaped, NULL);
}
