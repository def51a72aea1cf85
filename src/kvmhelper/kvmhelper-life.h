/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-service.h"

/**
 * How long a helper lives: a service manager's watchdog restarts one that hangs, and one that has
 * nothing to do ends. All of it is on the main loop, for as long as the process lives.
 */

/**
 * kvmhelper_life_kick_watchdog: tells the service manager, where it wants to hear it
 * (WatchdogSec=), three times in its interval that the main loop goes round and that nobody sits on
 * the service's lock. A call that hangs in the kernel does not count: it undoes what it did when
 * the kernel lets it go, which a new helper could not do any sooner; all others are answered
 * meanwhile.
 */
void kvmhelper_life_kick_watchdog (KvmHelperService *service);

/** kvmhelper_life_watch_idle: @leave is called once there was nothing to do for @seconds; once. 0:
 * never. */
void
kvmhelper_life_watch_idle (KvmHelperService *service, guint seconds, GFunc leave, gpointer data);

/**
 * kvmhelper_life_leave: the way out that loses no call. The service manager knows that this one
 * stops before the bus knows that its name is free, so a call that comes from then on starts a new
 * one after the end of this one; what came before is answered. @give_up_name is called to give the
 * name to the bus, and does not return before it is; @gone when nothing is left to answer. Where
 * a lease came into being meanwhile, a new helper is called for.
 */
typedef struct
{
  GDBusConnection *connection;
  const char *name;
  GFunc give_up_name, gone;
  gpointer data;
} KvmHelperLeave;

void kvmhelper_life_leave (KvmHelperService *service, const KvmHelperLeave *leave);
