/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-config.h"
#include "kvmhelper/kvmhelper-leases.h"

/**
 * KvmHelperService: the D-Bus service. Every method call is handled in a thread of the service's
 * own, after polkit said yes to the caller's bus name (kvmhelper-call.h).
 */
typedef struct _KvmHelperService KvmHelperService;

/**
 * KvmHelperAuthorize: whether a caller, a process of user @uid, may call, in the place of polkit.
 * FALSE with COMMON_ERROR_NOT_AUTHORIZED. On the main loop, which it does not keep waiting.
 */
typedef gboolean (*KvmHelperAuthorize) (GDBusMethodInvocation *invocation, guint32 uid,
                                        GError **error);

typedef struct
{
  const KvmHelperKernel *kernel; /* outlives the service */
  const char *state_directory;
  KvmHelperRehearse rehearse;
  KvmHelperAuthorize authorize;  /* NULL: polkit, and nothing else for a kernel that is real */
  const KvmHelperConfig *config; /* outlives the service; NULL: the defaults */
} KvmHelperServiceConfig;

/**
 * kvmhelper_service_new: recovers what another helper left, then stands at its path on @connection.
 * The name is the caller's to own. NULL also where @config has authorize for a kernel that is not
 * simulated: a real one is behind polkit, whatever the caller had in mind.
 */
KvmHelperService *kvmhelper_service_new (const KvmHelperServiceConfig *config,
                                         GDBusConnection *connection, GError **error);

/** kvmhelper_service_idle_since: the monotonic time at which the last call was answered; -1 while
 * there is one. */
gint64 kvmhelper_service_idle_since (KvmHelperService *service);

/** kvmhelper_service_has_leases: whether there is something to watch over. */
gboolean kvmhelper_service_has_leases (KvmHelperService *service);

/** kvmhelper_service_is_drained: whether every call that came by the connection is answered. */
gboolean kvmhelper_service_is_drained (KvmHelperService *service);

/**
 * kvmhelper_service_stop: new calls are refused, a rehearsal under way is broken off and undone, a
 * wait for a group ends. FALSE where some call did not come to its end in KVMHELPER_STOP_SECONDS.
 */
gboolean kvmhelper_service_stop (KvmHelperService *service);

/** kvmhelper_service_free: after a stop that went well. */
void kvmhelper_service_free (KvmHelperService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperService, kvmhelper_service_free)
