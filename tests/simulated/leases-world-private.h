/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "leases-world.h"

/** What of the host of leases-world.h its lives and its checks know. */

/* Two functions in a group; and one whose override is not in force. */
#define CARD  "0000:01:00.0"
#define OTHER "0005:01:00.0"

/* One on VFIO from the beginning: its node outlives a lease. */
#define ON_VFIO "0004:01:00.0"

/* A user, and how much memory a process of his may lock by itself, in bytes. */
#define USER   1000
#define LITTLE (8 * 1024 * 1024)

/* Those that are the host's at first. */
extern const char *const world_addresses[3];
