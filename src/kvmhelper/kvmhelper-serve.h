/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-service.h"

/**
 * Where a service stands: the helper's own way from its start to its end, the same on every kernel.
 */
typedef struct
{
  GDBusConnection *connection; /* nothing that came by it is handled before the service is there */
  const char *name;            /* to own on the bus; NULL: there is no bus, but one caller */
  /* One more interface, exported beside the service; NULL. */
  GDBusInterfaceSkeleton *beside;
  const char *beside_path;
} KvmHelperPlace;

/**
 * kvmhelper_serve: serves until the process is told to end, or the connection does; what is under
 * way then comes to its end. FALSE where it could not begin, and nothing was done; else *status is
 * what to exit with. To be called once in a process, and with an _exit after it: a call that hangs
 * may look at the service still.
 */
gboolean kvmhelper_serve (const KvmHelperServiceConfig *config, const KvmHelperPlace *place,
                          int *status, GError **error);
