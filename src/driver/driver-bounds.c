/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-bounds.h"

#include <glib/gi18n-lib.h>

enum
{
  /* Fewer than libvirtd takes: who comes to it by another way than this one finds room. */
  CONNECTIONS_MAX = 4096,
  CONNECTIONS_ROOT = 512,
  ARRIVALS_MAX = 20,
  ARRIVALS_ROOT = 4,
  /* The client, libvirt, and a question about the client. */
  DESCRIPTORS_EACH = 3,
  /* Of a frame that waits for its reader, each way; of one more that is read, each way; and of
     calls that are held: DRIVER_FRAME_FDS_MAX, DRIVER_CALLS_FDS_MAX. */
  DESCRIPTORS_CARRIED = 5 * 32,
  /* Of this process itself: for the bus, libvirt, jobs, the hook and splice. */
  DESCRIPTORS_OWN = 384,
  CARRIERS_MAX = 256,
  CARRIERS_ROOT = 32,
  /* Between two lines in the log. */
  LOG_SECONDS = 10,
};

struct _DriverBounds
{
  DriverShares *connections, *arrivals, *carriers;
  GQueue waiting; /* DriverPlace */
  guint next;     /* the source that calls them; 0: none */
  gint64 logged;  /* monotonic; 0: never */
};

struct _DriverPlace
{
  DriverBounds *bounds;
  guint32 user;
  guint32 arriving_as; /* of whose share */
  gboolean arrives, carries;
  GList *waits; /* its link; NULL: it does not wait */
  DriverPlaceFunc ready;
  gpointer data;
};

DriverBounds *
driver_bounds_new (guint descriptors)
{
  DriverBounds *self = g_new0 (DriverBounds, 1);
  const guint left = descriptors > DESCRIPTORS_OWN ? descriptors - DESCRIPTORS_OWN : 0;
  /* A quarter at least is for those that pass descriptors. */
  const guint connections = MIN (left * 3 / 4 / DESCRIPTORS_EACH, CONNECTIONS_MAX);
  const guint carriers
      = MIN ((left - connections * DESCRIPTORS_EACH) / DESCRIPTORS_CARRIED, CARRIERS_MAX);

  self->connections = driver_shares_new (connections, MIN (CONNECTIONS_ROOT, connections / 4));
  self->arrivals = driver_shares_new (ARRIVALS_MAX, ARRIVALS_ROOT);
  self->carriers = driver_shares_new (carriers, MIN (CARRIERS_ROOT, carriers / 4));
  g_queue_init (&self->waiting);
  return self;
}

void
driver_bounds_free (DriverBounds *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->next, g_source_remove);
  driver_shares_free (self->connections);
  driver_shares_free (self->arrivals);
  driver_shares_free (self->carriers);
  g_free (self);
}

/* Whoever is over his share may come again and again, and the log is everybody's. */
static void
log_over (DriverBounds *self, guint32 user)
{
  gint64 now = g_get_monotonic_time ();

  if (self->logged != 0 && now - self->logged < LOG_SECONDS * G_TIME_SPAN_SECOND)
    return;
  self->logged = now;
  g_warning (_ ("a connection of user %u is refused, who has his share already; all users have %u"),
             user, driver_shares_get_taken (self->connections));
}

DriverPlace *
driver_bounds_enter (DriverBounds *self, guint32 user)
{
  DriverPlace *place;

  if (!driver_shares_take (self->connections, user))
    {
      log_over (self, user);
      return NULL;
    }
  place = g_new0 (DriverPlace, 1);
  place->bounds = self;
  place->user = user;
  return place;
}

/* Those who waited longest first. Who is called frees no place but his own. */
static gboolean
call_next (gpointer data)
{
  DriverBounds *self = data;

  self->next = 0;
  for (GList *link = self->waiting.head, *next; link != NULL; link = next)
    {
      DriverPlace *place = link->data;

      next = link->next;
      if (!driver_shares_take (self->arrivals, place->user))
        continue;
      g_queue_delete_link (&self->waiting, g_steal_pointer (&place->waits));
      place->arrives = TRUE;
      place->arriving_as = place->user;
      place->ready (place->data);
    }
  return G_SOURCE_REMOVE;
}

gboolean
driver_place_arrive (DriverPlace *self, DriverPlaceFunc ready, gpointer data)
{
  self->arrives = driver_shares_take (self->bounds->arrivals, self->user);
  self->arriving_as = self->user;
  if (self->arrives)
    return TRUE;
  self->ready = ready;
  self->data = data;
  g_queue_push_tail (&self->bounds->waiting, self);
  self->waits = self->bounds->waiting.tail;
  return FALSE;
}

void
driver_place_arrived (DriverPlace *self)
{
  if (!self->arrives)
    return;
  self->arrives = FALSE;
  driver_shares_give_back (self->bounds->arrivals, self->arriving_as);
  if (self->bounds->next == 0 && !g_queue_is_empty (&self->bounds->waiting))
    self->bounds->next = g_idle_add_full (G_PRIORITY_DEFAULT, call_next, self->bounds, NULL);
}

gboolean
driver_place_carry (DriverPlace *self)
{
  self->carries = self->carries || driver_shares_take (self->bounds->carriers, self->user);
  if (!self->carries)
    log_over (self->bounds, self->user);
  return self->carries;
}

gboolean
driver_place_move (DriverPlace *self, guint32 user)
{
  DriverBounds *bounds = self->bounds;

  if (user == self->user)
    return TRUE;
  if (!driver_shares_take (bounds->connections, user))
    {
      log_over (bounds, user);
      return FALSE;
    }
  if (self->carries && !driver_shares_take (bounds->carriers, user))
    {
      driver_shares_give_back (bounds->connections, user);
      log_over (bounds, user);
      return FALSE;
    }
  driver_shares_give_back (bounds->connections, self->user);
  if (self->carries)
    driver_shares_give_back (bounds->carriers, self->user);
  self->user = user;
  return TRUE;
}

void
driver_place_free (DriverPlace *self)
{
  if (self == NULL)
    return;
  if (self->waits != NULL)
    g_queue_delete_link (&self->bounds->waiting, self->waits);
  if (self->carries)
    driver_shares_give_back (self->bounds->carriers, self->user);
  driver_shares_give_back (self->bounds->connections, self->user);
  driver_place_arrived (self);
  g_free (self);
}
