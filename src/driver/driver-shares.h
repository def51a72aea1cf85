/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverShares: a bounded number of places that users share, so that nobody takes them all. Some
 * are root's alone. Of the others a user may have no more than he leaves free: one alone half of
 * them, the next one half of what is left then, and so on; there is always one for who has none,
 * until a good many users are at it together.
 *
 * Not locked: for one thread.
 */
typedef struct _DriverShares DriverShares;

/* Of whom it is not known, or not said, who he is. */
#define DRIVER_USER_NOBODY ((guint32) -1)

/** driver_shares_new: @places in all, @roots of them for root alone. */
DriverShares *driver_shares_new (guint places, guint roots);
void driver_shares_free (DriverShares *shares);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverShares, driver_shares_free)

/** driver_shares_take: one more place for @user (a uid). FALSE: he has his share. */
gboolean driver_shares_take (DriverShares *shares, guint32 user);
void driver_shares_give_back (DriverShares *shares, guint32 user);

/** driver_shares_get_taken: places that are taken, by whomever. */
guint driver_shares_get_taken (const DriverShares *shares);
