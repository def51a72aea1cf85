/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverTurnedAway: clients of whose user there are too many: each is told so in the answer to its
 * first call, and its connection ends. A few at a time: what comes beside them ends at once.
 */
typedef struct _DriverTurnedAway DriverTurnedAway;

DriverTurnedAway *driver_turned_away_new (void);
void driver_turned_away_free (DriverTurnedAway *turned_away);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverTurnedAway, driver_turned_away_free)

/** driver_turned_away_add: @client is taken; it does not block. */
void driver_turned_away_add (DriverTurnedAway *turned_away, int client);
