/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-call.h"

#include "driver/driver-opening.h"
#include "driver/driver-refusal.h"

/* What libvirt gets, and what came of it. */
typedef struct
{
  GBytes *frame; /* NULL: none */
  DriverFrameHeader header;
  DriverOutcome outcome;
  GBytes *answer;
} Exchange;

struct _DriverCall
{
  gatomicrefcount references;
  DriverFrameHeader header;
  GUnixFDList *fds; /* NULL: none */
  DriverDeviceCall *args;
  char *peer;
  GMainContext *context;
  guint32 user;
  gboolean limited;

  /* Main loop only. */
  DriverCallActFunc act; /* NULL: the connection is gone */
  gpointer data;

  GMutex lock; /* of what follows */
  GCond settled;
  Exchange client; /* the call itself; its answer may be a refusal of ours */
  Exchange own;    /* the last one of our own */
};

static void
exchange_clear (Exchange *exchange)
{
  g_clear_pointer (&exchange->frame, g_bytes_unref);
  g_clear_pointer (&exchange->answer, g_bytes_unref);
}

static void
exchange_set (Exchange *exchange, GBytes *frame)
{
  exchange_clear (exchange);
  exchange->frame = g_bytes_ref (frame);
  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &exchange->header);
  exchange->outcome = DRIVER_OUTCOME_PENDING;
}

static gboolean
exchange_awaits (const Exchange *exchange, const DriverFrameHeader *reply)
{
  return exchange->frame != NULL && exchange->outcome == DRIVER_OUTCOME_PENDING
         && exchange->header.serial == reply->serial
         && exchange->header.procedure == reply->procedure;
}

/* Serials of our own calls are far from a client's, which counts from 0; and each is another. One
   that a client uses all the same is for its connection to find (driver_call_renumber_own). */
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
  exchange_set (&call->client, frame);
  call->header = call->client.header;
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
  exchange_clear (&call->client);
  exchange_clear (&call->own);
  g_clear_object (&call->fds);
  driver_device_call_free (call->args);
  g_free (call->peer);
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

void
driver_call_set_user (DriverCall *call, guint32 user, gboolean limited)
{
  call->user = user;
  call->limited = limited;
}

guint32
driver_call_get_user (const DriverCall *call)
{
  return call->user;
}

gboolean
driver_call_is_limited (const DriverCall *call)
{
  return call->limited;
}

GBytes *
driver_call_dup_frame (DriverCall *call)
{
  return g_bytes_ref (call->client.frame);
}

GBytes *
driver_call_dup_own (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  GBytes *frame = g_bytes_ref (call->own.frame);
  g_mutex_unlock (&call->lock);
  return frame;
}

void
driver_call_renumber_own (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  g_autoptr (GBytes) before = g_steal_pointer (&call->own.frame);
  call->own.header.serial = new_serial ();
  call->own.frame = driver_opening_answer (before, &call->own.header);
  g_mutex_unlock (&call->lock);
}

gboolean
driver_call_awaits (DriverCall *call, const DriverFrameHeader *reply)
{
  g_mutex_lock (&call->lock);
  gboolean awaits = exchange_awaits (&call->client, reply) || exchange_awaits (&call->own, reply);
  g_mutex_unlock (&call->lock);
  return awaits;
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
    driver_call_settle (request->call, DRIVER_OUTCOME_NOT_FORWARDED);
  else if (request->action == DRIVER_CALL_OWN)
    driver_call_lose_own (request->call);
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

/* What comes of it, with the lock held. */
static DriverOutcome
wait_for (DriverCall *call, Exchange *exchange, guint timeout)
{
  gint64 deadline = g_get_monotonic_time () + timeout * G_TIME_SPAN_SECOND;

  while (exchange->outcome == DRIVER_OUTCOME_PENDING)
    if (!g_cond_wait_until (&call->settled, &call->lock, deadline))
      {
        if (exchange->outcome == DRIVER_OUTCOME_PENDING)
          exchange->outcome = DRIVER_OUTCOME_LATE;
        break;
      }
  return exchange->outcome;
}

DriverOutcome
driver_call_forward (DriverCall *call, guint timeout)
{
  DriverOutcome outcome;

  ask (call, DRIVER_CALL_FORWARD);
  g_mutex_lock (&call->lock);
  outcome = wait_for (call, &call->client, timeout);
  g_mutex_unlock (&call->lock);
  return outcome;
}

DriverOutcome
driver_call_own (DriverCall *call, DriverDeviceOperation operation, const char *device,
                 guint timeout, int *code, char **message)
{
  g_autoptr (GBytes) frame
      = driver_device_call_new_own (call->client.frame, operation, device, new_serial ());
  g_autofree char *words = NULL;
  DriverOutcome outcome;
  int number = 0;

  g_mutex_lock (&call->lock);
  exchange_set (&call->own, frame);
  g_mutex_unlock (&call->lock);
  ask (call, DRIVER_CALL_OWN);
  g_mutex_lock (&call->lock);
  outcome = wait_for (call, &call->own, timeout);
  if (outcome == DRIVER_OUTCOME_ERROR && call->own.answer != NULL)
    words = driver_frame_error_message (call->own.answer, &number);
  g_mutex_unlock (&call->lock);
  if (code != NULL)
    *code = number;
  if (message != NULL)
    *message = g_steal_pointer (&words);
  return outcome;
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
  g_clear_pointer (&call->client.answer, g_bytes_unref);
  call->client.answer = g_steal_pointer (&frame);
  g_mutex_unlock (&call->lock);
  ask (call, DRIVER_CALL_ANSWER);
}

void
driver_call_reply_own (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  g_clear_pointer (&call->client.answer, g_bytes_unref);
  if (call->own.answer != NULL)
    call->client.answer = driver_opening_answer (call->own.answer, &call->header);
  g_mutex_unlock (&call->lock);
  ask (call, DRIVER_CALL_ANSWER);
}

char *
driver_call_dup_message (DriverCall *call)
{
  g_autoptr (GBytes) answer = driver_call_dup_answer (call);

  return answer != NULL ? driver_frame_error_message (answer, NULL) : NULL;
}

static DriverOutcome
outcome_of (const DriverFrameHeader *reply)
{
  return reply->status == DRIVER_FRAME_OK ? DRIVER_OUTCOME_OK : DRIVER_OUTCOME_ERROR;
}

/* With the lock held. */
static void
settle (DriverCall *call, Exchange *exchange, DriverOutcome outcome)
{
  if (exchange->outcome != DRIVER_OUTCOME_PENDING)
    return;
  exchange->outcome = outcome;
  g_cond_signal (&call->settled);
}

void
driver_call_replied (DriverCall *call, const DriverFrameHeader *reply, GBytes *frame)
{
  g_mutex_lock (&call->lock);
  Exchange *exchange = exchange_awaits (&call->own, reply) ? &call->own : &call->client;
  if (frame != NULL && exchange->answer == NULL)
    exchange->answer = g_bytes_ref (frame);
  settle (call, exchange, outcome_of (reply));
  g_mutex_unlock (&call->lock);
}

void
driver_call_settle (DriverCall *call, DriverOutcome outcome)
{
  g_mutex_lock (&call->lock);
  settle (call, &call->client, outcome);
  g_mutex_unlock (&call->lock);
}

void
driver_call_lose_own (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  settle (call, &call->own, DRIVER_OUTCOME_LOST);
  g_mutex_unlock (&call->lock);
}

DriverOutcome
driver_call_get_outcome (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  DriverOutcome outcome = call->client.outcome;
  g_mutex_unlock (&call->lock);
  return outcome;
}

GBytes *
driver_call_dup_answer (DriverCall *call)
{
  g_mutex_lock (&call->lock);
  GBytes *answer = call->client.answer != NULL ? g_bytes_ref (call->client.answer) : NULL;
  g_mutex_unlock (&call->lock);
  return answer;
}

void
driver_call_disconnect (DriverCall *call)
{
  call->act = NULL;
}
