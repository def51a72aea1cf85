/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-caller.h"
#include "kvmhelper/kvmhelper-details.h"
#include "kvmhelper/kvmhelper-policy.h"
#include "kvmhelper/kvmhelper-service.h"

/**
 * KvmHelperCall: a method call on its way, from its arrival to its end. On the main loop, and
 * without ever waiting there: its caller's uid is found, polkit is asked, as often as the table of
 * policies says; then a thread of the queue does the work. What the caller sent is not looked at
 * before polkit said yes, but for what polkit is told.
 *
 * Bounded, by the caller's name and by his uid: how many calls may be under way, how many questions
 * may wait for a person, and how many threads work. A call too many is refused at once, with
 * COMMON_ERROR_BUSY.
 *
 * Where the caller leaves the bus, a question to polkit is withdrawn and a call that waits is
 * dropped. One that is worked at is told by its cancellable: a rehearsal is broken off and a new
 * lease undone, what gives a device back goes on to its end.
 */
typedef struct
{
  KvmHelperService *service;
  GDBusMethodInvocation *invocation;
  const KvmHelperPolicy *policy;
  KvmHelperCaller *caller;
  GCancellable *cancellable; /* cancelled: the caller has left */
  KvmHelperDetails details;  /* as polkit was told */
  const char *action;        /* that polkit is asked for now */
  guint question;            /* to polkit, its number */
  GSource *timer;            /* of polkit's answer */
  gboolean too_late;
  gboolean asking;           /* polkit */
  gboolean questions_person; /* … that may ask a person */
  gboolean counted;          /* among those of its uid */
  guint64 lane;              /* of the queue */
} KvmHelperCall;

/** kvmhelper_call_arrived: the service has been called. @invocation is taken. */
void kvmhelper_call_arrived (KvmHelperService *service, GDBusMethodInvocation *invocation);

/** kvmhelper_call_ask: asks who decides about call->action. It ends in kvmhelper_call_authorized,
 * or the call is refused. */
void kvmhelper_call_ask (KvmHelperCall *call);

/** kvmhelper_call_authorized: polkit, or who decides in its place, said yes to call->action. */
void kvmhelper_call_authorized (KvmHelperCall *call);

/** kvmhelper_call_refuse: the call ends with @error, which is taken. */
void kvmhelper_call_refuse (KvmHelperCall *call, GError *error);

/** kvmhelper_call_return: the call ends with @value, of the method's type. */
void kvmhelper_call_return (KvmHelperCall *call, GVariant *value);

/** kvmhelper_call_cancelled: why a call is not made whose caller has left, or while the helper
 * stops. */
GError *kvmhelper_call_cancelled (const KvmHelperService *service);

/** kvmhelper_call_work: what the queue's threads do. The call's cancellable is the thread's current
 * one meanwhile. */
void kvmhelper_call_work (gpointer call, gpointer service);

/** kvmhelper_call_caller_known, kvmhelper_call_caller_left: what the callers tell of one. */
void kvmhelper_call_caller_known (KvmHelperCaller *caller, gpointer service);
void kvmhelper_call_caller_left (KvmHelperCaller *caller, gpointer service);

/** kvmhelper_call_stop_all: refuses what is not worked at yet, or has it refused by the main loop:
 * until service->asking and the callers' are 0. */
void kvmhelper_call_stop_all (KvmHelperService *service);
