/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-calls.h"

struct _DriverCalls
{
  GQueue held;        /* Entry */
  GHashTable *passed; /* number_of, to a DriverReplyKind: calls whose reply is not held */
};

typedef struct
{
  DriverCall *call;
  gboolean parked;
  gboolean forwarded; /* libvirt has it */
  gboolean engaged;   /* libvirt has, or had, a call of our own for it */
} Entry;

static gint64
number_of (const DriverFrameHeader *header)
{
  return (gint64) ((guint64) (guint32) header->procedure << 32 | header->serial);
}

static void
entry_free (Entry *entry)
{
  driver_call_disconnect (entry->call);
  driver_call_unref (entry->call);
  g_free (entry);
}

DriverCalls *
driver_calls_new (void)
{
  DriverCalls *self = g_new0 (DriverCalls, 1);

  g_queue_init (&self->held);
  self->passed = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return self;
}

void
driver_calls_free (DriverCalls *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->held, (GDestroyNotify) entry_free);
  g_hash_table_unref (self->passed);
  g_free (self);
}

static Entry *
find_entry (const DriverCalls *self, const DriverCall *call)
{
  for (GList *link = self->held.head; link != NULL; link = link->next)
    if (((Entry *) link->data)->call == call)
      return link->data;
  return NULL;
}

gboolean
driver_calls_is_known (const DriverCalls *self, const DriverFrameHeader *header)
{
  gint64 number = number_of (header);

  for (const GList *link = self->held.head; link != NULL; link = link->next)
    {
      const Entry *entry = link->data;

      if (number_of (driver_call_get_header (entry->call)) == number)
        return TRUE;
    }
  return g_hash_table_contains (self->passed, &number);
}

static gint
count_fds (GUnixFDList *fds)
{
  return fds != NULL ? g_unix_fd_list_get_length (fds) : 0;
}

gboolean
driver_calls_has_room (const DriverCalls *self, GUnixFDList *fds)
{
  gint count = count_fds (fds);

  for (const GList *link = self->held.head; link != NULL; link = link->next)
    count += count_fds (driver_call_get_fds (((const Entry *) link->data)->call));
  return self->held.length < DRIVER_CALLS_MAX && count <= DRIVER_CALLS_FDS_MAX;
}

void
driver_calls_add (DriverCalls *self, DriverCall *call, gboolean parked)
{
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ driver_call_ref (call), parked, FALSE, FALSE };
  g_queue_push_tail (&self->held, entry);
}

DriverCall *
driver_calls_take_parked (DriverCalls *self)
{
  for (GList *link = self->held.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;

      if (!entry->parked)
        continue;
      entry->parked = FALSE;
      return entry->call;
    }
  return NULL;
}

void
driver_calls_forwarded (DriverCalls *self, DriverCall *call)
{
  find_entry (self, call)->forwarded = TRUE;
}

static void
note (DriverCalls *self, const DriverFrameHeader *header, DriverReplyKind kind)
{
  gint64 number = number_of (header);

  g_hash_table_insert (self->passed, g_memdup2 (&number, sizeof number), GINT_TO_POINTER (kind));
}

void
driver_calls_sent_own (DriverCalls *self, DriverCall *call, const DriverFrameHeader *own)
{
  find_entry (self, call)->engaged = TRUE;
  note (self, own, DRIVER_REPLY_OURS);
}

void
driver_calls_remove (DriverCalls *self, DriverCall *call)
{
  Entry *entry = find_entry (self, call);

  /* It waited long enough, and libvirt works on it still. */
  if (driver_call_get_outcome (call) == DRIVER_OUTCOME_LATE)
    note (self, driver_call_get_header (call), DRIVER_REPLY_PASSES);
  g_queue_remove (&self->held, entry);
  entry_free (entry);
}

void
driver_calls_passed (DriverCalls *self, const DriverFrameHeader *header)
{
  note (self, header, DRIVER_REPLY_PASSES);
}

DriverReplyKind
driver_calls_find_reply (const DriverCalls *self, const DriverFrameHeader *reply, DriverCall **call)
{
  gint64 number = number_of (reply);

  for (GList *link = self->held.head; link != NULL; link = link->next)
    {
      const Entry *entry = link->data;

      *call = entry->call;
      if ((entry->forwarded || entry->engaged) && driver_call_awaits (entry->call, reply))
        return DRIVER_REPLY_HELD;
    }
  *call = NULL;
  return (DriverReplyKind) GPOINTER_TO_INT (g_hash_table_lookup (self->passed, &number));
}

void
driver_calls_replied (DriverCalls *self, const DriverFrameHeader *reply)
{
  gint64 number = number_of (reply);

  g_hash_table_remove (self->passed, &number);
}

gboolean
driver_calls_await_reply (const DriverCalls *self)
{
  for (const GList *link = self->held.head; link != NULL; link = link->next)
    {
      const Entry *entry = link->data;

      if (entry->forwarded || entry->engaged)
        return TRUE;
    }
  return FALSE;
}

void
driver_calls_never_sent (DriverCalls *self, const DriverFrameHeader *header)
{
  gint64 number = number_of (header);

  g_hash_table_remove (self->passed, &number);
  for (GList *link = self->held.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;

      if (number_of (driver_call_get_header (entry->call)) == number)
        entry->forwarded = FALSE;
      else if (driver_call_awaits (entry->call, header))
        driver_call_lose_own (entry->call);
    }
}

void
driver_calls_client_gone (DriverCalls *self)
{
  for (GList *link = self->held.head, *next; link != NULL; link = next)
    {
      Entry *entry = link->data;

      next = link->next;
      if (entry->forwarded)
        continue;
      driver_call_settle (entry->call, DRIVER_OUTCOME_NOT_FORWARDED);
      if (!entry->engaged)
        driver_calls_remove (self, entry->call);
    }
}

void
driver_calls_server_gone (DriverCalls *self)
{
  for (GList *link = self->held.head; link != NULL; link = link->next)
    {
      const Entry *entry = link->data;

      driver_call_settle (entry->call,
                          entry->forwarded ? DRIVER_OUTCOME_LOST : DRIVER_OUTCOME_NOT_FORWARDED);
      driver_call_lose_own (entry->call);
    }
}
