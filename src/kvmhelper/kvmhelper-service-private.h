/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-service.h"

#include <polkit/polkit.h>

#include "kvmhelper-dbus.h"

/**
 * Shared by the parts of the service: its life (kvmhelper-service.c), who may call
 * (kvmhelper-authorize.c), and the methods (kvmhelper-methods.c).
 */
struct _KvmHelperService
{
  const KvmHelperKernel *kernel;
  KvmHelperAuthorize authorize; /* NULL: polkit */
  KvmHelperLeases *leases;
  KvmHelperDBusKvmHelper1 *skeleton;
  GCancellable *cancellable;
  GMutex host_lock; /* one GetHost at a time: each asks the firmware */

  GMutex lock; /* of all below */
  GCond idle;
  PolkitAuthority *authority;
  GHashTable *questions; /* bus name -> how many may wait for a person */
  guint total_questions;
  guint calls; /* under way */
  gboolean stopping;
};

/* A call is under way from before its authorization until this goes out of its method's scope. */
typedef KvmHelperService *KvmHelperCall;
void kvmhelper_call_end (KvmHelperCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperCall, kvmhelper_call_end)

/** kvmhelper_service_authorize: a handler of g-authorize-method. What it lets through is a call. */
gboolean kvmhelper_service_authorize (GDBusInterfaceSkeleton *skeleton,
                                      GDBusMethodInvocation *invocation, gpointer service);

/** kvmhelper_service_connect_methods: the handlers of every method of the interface. */
void kvmhelper_service_connect_methods (KvmHelperService *service);
