/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-shares.h"

struct _DriverShares
{
  guint places, roots;
  guint taken;
  GHashTable *users; /* uid, to how many places he has */
};

DriverShares *
driver_shares_new (guint places, guint roots)
{
  DriverShares *self = g_new (DriverShares, 1);

  *self = (DriverShares){ places, MIN (roots, places), 0, g_hash_table_new (NULL, NULL) };
  return self;
}

void
driver_shares_free (DriverShares *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->users);
  g_free (self);
}

static guint
count_of (const DriverShares *self, guint32 user)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->users, GUINT_TO_POINTER (user)));
}

gboolean
driver_shares_take (DriverShares *self, guint32 user)
{
  const guint count = count_of (self, user);
  const guint reserved = user == 0 ? 0 : self->roots;

  if (self->taken + reserved >= self->places)
    return FALSE;
  if (user != 0 && count >= self->places - reserved - self->taken)
    return FALSE;
  self->taken++;
  g_hash_table_insert (self->users, GUINT_TO_POINTER (user), GUINT_TO_POINTER (count + 1));
  return TRUE;
}

void
driver_shares_give_back (DriverShares *self, guint32 user)
{
  const guint count = count_of (self, user);

  g_assert (count > 0);
  self->taken--;
  if (count > 1)
    g_hash_table_insert (self->users, GUINT_TO_POINTER (user), GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (self->users, GUINT_TO_POINTER (user));
}

guint
driver_shares_get_taken (const DriverShares *self)
{
  return self->taken;
}
