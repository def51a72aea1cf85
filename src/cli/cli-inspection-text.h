/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-table.h"

/**
 * cli_inspection_add: rows of what the holder of a group has, an a{sv} as of Inspect. Each fact
 * has where it was read, and each interrupt its way, where @verbose.
 */
void cli_inspection_add (CliTable *table, GVariant *inspection, gboolean verbose);
