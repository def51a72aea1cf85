/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper-dbus.h"
#include "kvmhelper/kvmhelper-service.h"

/**
 * The object on the bus. All that anybody asks of its interface, properties too, arrives at
 * kvmhelper_call_arrived, with its arguments still packed. What GDBus answers by itself is the same
 * for everybody: introspection, org.freedesktop.DBus.Peer, and that there is no such member.
 */
KvmHelperDBusKvmHelper1 *kvmhelper_object_new (KvmHelperService *service);

/**
 * kvmhelper_object_dispatch: unpacks the arguments of @invocation and has the method's handler
 * called ("handle-prepare" …), in this thread. @invocation is taken.
 */
void kvmhelper_object_dispatch (GDBusMethodInvocation *invocation);
