/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "cli/cli-lease.h"

/** cli_leases_to_json: a document with "devices"; @leases has elements CliLease. */
JsonObject *cli_leases_to_json (const GPtrArray *leases);
