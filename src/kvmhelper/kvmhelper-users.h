/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * What the users have under way, by uid: a user has as many connections to the bus as he likes, so
 * that a bound by their names alone would be none. A GHashTable, with its owner's lock held.
 */
GHashTable *kvmhelper_users_new (void);

/** kvmhelper_users_enter: one more call of @uid; FALSE: he has KVMHELPER_MAX_CALLS_PER_CALLER. */
gboolean kvmhelper_users_enter (GHashTable *users, guint32 uid);
void kvmhelper_users_leave (GHashTable *users, guint32 uid);

/** kvmhelper_users_ask: one of the calls of @uid may wait for a person; FALSE: he has
 * KVMHELPER_MAX_QUESTIONS_PER_CALLER of these. */
gboolean kvmhelper_users_ask (GHashTable *users, guint32 uid);
void kvmhelper_users_answered (GHashTable *users, guint32 uid);
