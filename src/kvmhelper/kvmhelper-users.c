/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-users.h"

#include "kvmhelper/kvmhelper-limits.h"

typedef struct
{
  guint calls;
  guint questions; /* of the calls, those that wait for a person */
} User;

GHashTable *
kvmhelper_users_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

gboolean
kvmhelper_users_enter (GHashTable *users, guint32 uid)
{
  User *user = g_hash_table_lookup (users, GUINT_TO_POINTER (uid));

  if (user == NULL)
    {
      user = g_new0 (User, 1);
      g_hash_table_insert (users, GUINT_TO_POINTER (uid), user);
    }
  if (user->calls >= KVMHELPER_MAX_CALLS_PER_CALLER)
    return FALSE;
  user->calls++;
  return TRUE;
}

void
kvmhelper_users_leave (GHashTable *users, guint32 uid)
{
  User *user = g_hash_table_lookup (users, GUINT_TO_POINTER (uid));

  if (--user->calls == 0)
    g_hash_table_remove (users, GUINT_TO_POINTER (uid));
}

gboolean
kvmhelper_users_ask (GHashTable *users, guint32 uid)
{
  User *user = g_hash_table_lookup (users, GUINT_TO_POINTER (uid));

  if (user->questions >= KVMHELPER_MAX_QUESTIONS_PER_CALLER)
    return FALSE;
  user->questions++;
  return TRUE;
}

void
kvmhelper_users_answered (GHashTable *users, guint32 uid)
{
  User *user = g_hash_table_lookup (users, GUINT_TO_POINTER (uid));

  user->questions--;
}
