/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-call.h"

#include "driver/driver-refusal.h"

struct _DriverCall
{
  gatomicrefcount references;
  DriverFrameHeader header;
  GBytes *frame;
  GUnixFDList *fds; /* NULL: none */
  DriverDeviceCall *args;
  char *peer;
  GMainContext *context;

  /* Main loop only. */
  DriverCallActFunc act; /* NULL: the connection is gone */
  gpointer data;

  GMutex lock; /* of what follows */
  GCond settled;
  DriverOutcome outcome;
  GBytes *answer;
  GBytes *undo; /* NULL: it was not undone */
  DriverFrameHeader undo_header;
};

/* Serials of our own calls are far from a client's, which counts from 0; and each is another. */
static guint32
new_serial (void)
{
  static gint last;

  return 0xfff00000u | ((guint32) g_atomic_int_add (&last, 1) & 0xfffffu);
}

DriverCall *
driver_call_new (GBytes *frame, GUnixFDList *fds, DriverDeviceCall *args, const char *peer,
                 GMainContext *context, DriverCallActFunc act, gpointer data)
{
  DriverCall *call = g_new0 (DriverCall, 1);

  g_atomic_ref_count_init (&call->references);
  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &call->header);
  call->frame = g_bytes_ref (frame);
  call->fds = fds != NULL ? g_object_ref (fds) : NULL;
  call->args = args;
  call->peer = g_strdup (peer);
  call->context = context;
  call->act = act;
  call->data = data;
  g_mutex_init (&call->lock);
  g_cond_init (&call->settled);
  return call;
}

DriverCall *
driver_call_ref (DriverCall *call)
{
  g_atomic_ref_count_inc (&call->references);
  return call;
}

void
driver_call_unref (DriverCall *call)
{
  if (!g_atomic_ref_count_dec (&call->references))
    return;
  g_bytes_unref (call->frame);
  g_clear_object (&call->fds);
  g_clear_pointer (&call->undo, g_bytes_unref);
  driver_device_call_free (call->args);
  g_free (call->peer);
  g_clear_pointer (&call->answer, g_bytes_unref);
  g_cond_clear (&call->settled);
  g_mutex_clear (&call->lock);
  g_free (call);
}

const DriverFrameHeader *
driver_call_get_header (const DriverCall *call)
{
  return &call->header;
}

GUnixFDList *
driver_call_get_fds (const DriverCall *call)
{
  return call->fds;
}

GBytes *
driver_call_dup_frame (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  GBytes *frame = g_bytes_ref (call->undo != NULL ? call->undo : call->frame);
  g_mutex_unlock (&call->lock);
  return frame;
}

gboolean
driver_call_awaits (DriverCall *call, const DriverFrameHeader *reply)
{
  g_mutex_lock (&call->lock);
  const DriverFrameHeader *sent = call->undo != NULL ? &call->undo_header : &call->header;
  gboolean awaits = call->outcome == DRIVER_OUTCOME_PENDING && sent->serial == reply->serial
                    && sent->procedure == reply->procedure;
  g_mutex_unlock (&call->lock);
  return awaits;
}

gboolean
driver_call_get_undo (DriverCall *call, DriverFrameHeader *header)
{
  g_mutex_lock (&call->lock);
  gboolean undone = call->undo != NULL;
  *header = call->undo_header;
  g_mutex_unlock (&call->lock);
  return undone;
}

const DriverDeviceCall *
driver_call_get_args (const DriverCall *call)
{
  return call->args;
}

const char *
driver_call_get_peer (const DriverCall *call)
{
  return call->peer;
}

typedef struct
{
  DriverCall *call;
  DriverCallAction action;
} Request;

static void
request_free (Request *request)
{
  driver_call_unref (request->call);
  g_free (request);
}

/* On the main loop. */
static gboolean
run_request (gpointer data)
{
  const Request *request = data;

  if (request->call->act != NULL)
    request->call->act (request->call, request->action, request->call->data);
  else if (request->action == DRIVER_CALL_FORWARD)
    driver_call_settle (request->call, DRIVER_OUTCOME_NOT_FORWARDED, NULL);
  return G_SOURCE_REMOVE;
}

/* Requests of one call, and of the calls of one domain, come to the main loop in order. It is never
   g_main_context_invoke: from the loop's own thread that would run at once. */
static void
ask (DriverCall *call, DriverCallAction action)
{
  Request *request = g_new (Request, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  *request = (Request){ driver_call_ref (call), action };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_request, request, (GDestroyNotify) request_free);
  g_source_attach (source, call->context);
}

/* To libvirt, and what came of it. */
static DriverOutcome
forward (DriverCall *call, guint timeout)
{
  gint64 deadline = g_get_monotonic_time () + timeout * G_TIME_SPAN_SECOND;
  DriverOutcome outcome;

  ask (call, DRIVER_CALL_FORWARD);
  g_mutex_lock (&call->lock);
  while (call->outcome == DRIVER_OUTCOME_PENDING)
    if (!g_cond_wait_until (&call->settled, &call->lock, deadline))
      {
        if (call->outcome == DRIVER_OUTCOME_PENDING)
          call->outcome = DRIVER_OUTCOME_LATE;
        break;
      }
  outcome = call->outcome;
  g_mutex_unlock (&call->lock);
  return outcome;
}

DriverOutcome
driver_call_forward (DriverCall *call, guint timeout)
{
  return forward (call, timeout);
}

DriverOutcome
driver_call_undo (DriverCall *call, guint timeout)
{
  g_mutex_lock (&call->lock);
  call->undo = driver_device_call_new_undo (call->frame, new_serial ());
  driver_frame_header_decode (g_bytes_get_data (call->undo, NULL), &call->undo_header);
  call->outcome = DRIVER_OUTCOME_PENDING;
  g_clear_pointer (&call->answer, g_bytes_unref);
  g_mutex_unlock (&call->lock);
  return forward (call, timeout);
}

void
driver_call_pass (DriverCall *call)
{
  ask (call, DRIVER_CALL_PASS);
}

void
driver_call_reply (DriverCall *call)
{
  ask (call, DRIVER_CALL_ANSWER);
}

void
driver_call_refuse (DriverCall *call, const GError *error)
{
  g_autoptr (GBytes) frame = driver_refusal_new_frame (&call->header, error);

  g_mutex_lock (&call->lock);
  g_clear_pointer (&call->answer, g_bytes_unref);
  call->answer = g_steal_pointer (&frame);
  g_mutex_unlock (&call->lock);
  ask (call, DRIVER_CALL_ANSWER);
}

char *
driver_call_dup_message (DriverCall *call)
{
  g_autoptr (GBytes) answer = driver_call_dup_answer (call);

  return answer != NULL ? driver_frame_error_message (answer, NULL) : NULL;
}

void
driver_call_settle (DriverCall *call, DriverOutcome outcome, GBytes *reply)
{
  g_mutex_lock (&call->lock);
  if (call->outcome == DRIVER_OUTCOME_PENDING)
    {
      call->outcome = outcome;
      g_cond_signal (&call->settled);
    }
  if (reply != NULL && call->answer == NULL)
    call->answer = g_bytes_ref (reply);
  g_mutex_unlock (&call->lock);
}

DriverOutcome
driver_call_get_outcome (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  DriverOutcome outcome = call->outcome;
  g_mutex_unlock (&call->lock);
  return outcome;
}

GBytes *
driver_call_dup_answer (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  GBytes *answer = call->answer != NULL ? g_bytes_ref (call->answer) : NULL;
  g_mutex_unlock (&call->lock);
  return answer;
}

void
driver_call_disconnect (DriverCall *call)
{
  call->act = NULL;
}
