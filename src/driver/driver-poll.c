/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-poll.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

enum
{
  /* Taken at a time; the others have their turn in the next round. */
  EVENTS_MAX = 64,
  /* How long the context's other sources wait while a frame goes on and on. */
  TURN_USEC = 1000,
};

/* They are the same bits (poll(2), epoll_ctl(2)). */
G_STATIC_ASSERT ((int) G_IO_IN == EPOLLIN && (int) G_IO_OUT == EPOLLOUT);
G_STATIC_ASSERT ((int) G_IO_HUP == EPOLLHUP && (int) G_IO_ERR == EPOLLERR);

struct _DriverPoll
{
  guint refs;
  int epoll;
  GSource *source;
  GQueue waiting;     /* DriverPollMember */
  gboolean expecting; /* more will be there at once */
};

typedef struct
{
  GSource source;
  DriverPoll *poll;
  gpointer tag;
} Source;

/* Of the default main context: it asks each of its descriptors every time. */
static DriverPoll *the_poll;

static gboolean
source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return ((Source *) source)->poll->waiting.length > 0;
}

static gboolean
source_check (GSource *source)
{
  return ((Source *) source)->poll->waiting.length > 0
         || g_source_query_unix_fd (source, ((Source *) source)->tag) != 0;
}

/* TRUE: there was something. */
static gboolean
find_ready (DriverPoll *self)
{
  struct epoll_event events[EVENTS_MAX];
  int n = epoll_wait (self->epoll, events, EVENTS_MAX, 0);

  for (int i = 0; i < n; i++)
    {
      DriverPollSocket *socket = events[i].data.ptr;

      socket->ready |= (GIOCondition) events[i].events;
      driver_poll_wake (socket->member);
    }
  return n > 0;
}

/* Who is woken meanwhile has its turn in the next round. */
static void
run_waiting (DriverPoll *self)
{
  for (guint round = self->waiting.length; round > 0 && self->waiting.length > 0; round--)
    {
      DriverPollMember *member = g_queue_pop_head_link (&self->waiting)->data;

      member->waiting = FALSE;
      member->run (member->data);
    }
}

/* To sleep and be woken costs more. Whoever writes it may wait for this processor: he goes first.
   All sockets are looked at. TRUE: somebody is to run. */
static gboolean
look_again (DriverPoll *self)
{
  sched_yield ();
  return find_ready (self);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  DriverPoll *self = ((Source *) source)->poll;
  gint64 now, end = 0;

  find_ready (self);
  do
    {
      self->expecting = FALSE;
      run_waiting (self);
      /* Who was woken by others has its turn when all sources of the context had theirs. */
      if (!self->expecting || self->waiting.length > 0)
        break;
      now = g_get_monotonic_time ();
      end = end == 0 ? now + TURN_USEC : end;
    }
  while (now < end && look_again (self));
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { source_prepare, source_check, source_dispatch, NULL };

static DriverPoll *
new_poll (void)
{
  DriverPoll *self = g_new0 (DriverPoll, 1);
  int epoll = epoll_create1 (EPOLL_CLOEXEC);

  if (epoll < 0)
    g_error ("cannot watch connections: %s", g_strerror (errno));
  self->epoll = epoll;
  g_queue_init (&self->waiting);
  self->source = g_source_new (&source_funcs, sizeof (Source));
  ((Source *) self->source)->poll = self;
  ((Source *) self->source)->tag = g_source_add_unix_fd (self->source, epoll, G_IO_IN);
  g_source_set_static_name (self->source, "connections");
  /* Else the context takes the descriptor out for each dispatch, and wakes itself up twice. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, NULL);
  return self;
}

DriverPoll *
driver_poll_ref (void)
{
  if (the_poll == NULL)
    the_poll = new_poll ();
  the_poll->refs++;
  return the_poll;
}

void
driver_poll_unref (DriverPoll *self)
{
  if (self == NULL || --self->refs > 0)
    return;
  the_poll = NULL;
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->epoll);
  g_free (self);
}

void
driver_poll_join (DriverPoll *self, DriverPollMember *member, void (*run) (gpointer data),
                  gpointer data)
{
  *member = (DriverPollMember){ .poll = self, .run = run, .data = data, .link.data = member };
}

void
driver_poll_leave (DriverPollMember *member)
{
  if (member->waiting)
    g_queue_unlink (&member->poll->waiting, &member->link);
  member->waiting = FALSE;
}

void
driver_poll_wake (DriverPollMember *member)
{
  if (member->waiting)
    return;
  member->waiting = TRUE;
  g_queue_push_tail_link (&member->poll->waiting, &member->link);
}

void
driver_poll_expect (DriverPoll *self)
{
  self->expecting = TRUE;
}

gboolean
driver_poll_watch (DriverPollSocket *socket, GIOCondition wanted)
{
  struct epoll_event event = { .events = wanted, .data.ptr = socket };

  if (socket->watched && socket->wanted == wanted)
    return TRUE;
  if (epoll_ctl (socket->member->poll->epoll, socket->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                 socket->fd, &event)
      != 0)
    return FALSE;
  socket->watched = TRUE;
  socket->wanted = wanted;
  return TRUE;
}

void
driver_poll_forget (DriverPollSocket *socket)
{
  struct epoll_event none = { 0 };

  if (socket->watched)
    epoll_ctl (socket->member->poll->epoll, EPOLL_CTL_DEL, socket->fd, &none);
  socket->watched = FALSE;
  socket->ready = 0;
}
