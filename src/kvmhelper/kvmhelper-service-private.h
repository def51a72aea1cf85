/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-eeh-watch.h"
#include "kvmhelper/kvmhelper-guest-address.h"
#include "kvmhelper/kvmhelper-service.h"
#include "kvmhelper/kvmhelper-user-watch.h"

#include "kvmhelper/kvmhelper-caller.h"
#include "kvmhelper/kvmhelper-gate.h"
#include "kvmhelper/kvmhelper-queue.h"

#include "kvmhelper-dbus.h"

/**
 * Shared by the parts of the service: its life (kvmhelper-service.c), the way of a call
 * (kvmhelper-call.c), who may call (kvmhelper-authorize.c), and the methods (kvmhelper-methods.c).
 */
struct _KvmHelperService
{
  const KvmHelperKernel *kernel;
  KvmHelperAuthorize authorize; /* NULL: polkit */
  const KvmHelperConfig *config;
  KvmHelperLeases *leases;
  KvmHelperDBusKvmHelper1 *skeleton;
  GCancellable *cancellable; /* of the service: it stops */
  KvmHelperGate *gate;
  KvmHelperQueue *queue;
  KvmHelperGuestAddresses *guests; /* what was told of where guests see what they have */
  KvmHelperEehWatch *eeh_watch;    /* NULL: none is wanted; atomic */
  KvmHelperConsents *consents;     /* of administrators, to users' own guests */
  KvmHelperUserWatch *user_watch;  /* over what these have; atomic */
  GMutex host_lock;                /* one GetHost at a time: each asks the firmware */

  GMutex lock; /* of all below */
  GCond idle;  /* a call came to its end */
  KvmHelperCallers *callers;
  GHashTable *users; /* uid -> KvmHelperUser */
  GHashTable *open;  /* the calls under way: a set of KvmHelperCall */
  guint calls;       /* how many these are */
  gint64 idle_since; /* monotonic: when the last of them ended */
  guint admitted;    /* … whose caller is known */
  guint asking;      /* of how many polkit is asked */
  guint questions;   /* that wait for a person */
  gboolean stopping;
};

/** kvmhelper_service_connect_methods: the handlers of every method of the interface. */
void kvmhelper_service_connect_methods (KvmHelperService *service);

/* Users' own guests: the methods of kvmhelper-service-grant.c and kvmhelper-service-consent.c; the
 * watch, as EEH's. _find_user: whose call @invocation is, as the bus vouched for when it came.
 * _check_memory: no guest needs to lock more than twice the host's memory: the limit counts what is
 * pinned once more for tables, and 2 GiB for each PHB of the guest. */
void kvmhelper_service_connect_grants (KvmHelperService *service);
void kvmhelper_service_connect_consents (KvmHelperService *service);
gboolean kvmhelper_service_find_user (KvmHelperService *service, GDBusMethodInvocation *invocation,
                                      guint *user, GError **error);
gboolean
kvmhelper_service_check_memory (const KvmHelperKernel *kernel, guint64 memory, GError **error);
void kvmhelper_service_start_grants (KvmHelperService *service);
void kvmhelper_service_stop_grants (KvmHelperService *service);
void kvmhelper_service_grant_lease (KvmHelperService *service, const KvmHelperLease *lease);

/* EEH, kvmhelper-service-eeh.c: its method; the watch, from when there are leases on to before they
 * are freed; and that a lease has another phase, from any thread. */
void kvmhelper_service_connect_eeh (KvmHelperService *service);
void kvmhelper_service_start_eeh (KvmHelperService *service);
void kvmhelper_service_stop_eeh (KvmHelperService *service);
void kvmhelper_service_eeh_lease (KvmHelperService *service, const char *lease, const char *phase);
