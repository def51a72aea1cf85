/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-lease.h"

/** cli_lease_print: a device for people; @verbose adds where each fact was read. */
void cli_lease_print (const CliLease *lease, gboolean verbose);
