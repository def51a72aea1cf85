/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-host.h"
#include "conformance-result.h"

/** conformance_report_tap: a result, as a line of TAP. */
void conformance_report_tap (const ConformanceResult *result, guint number);

/** conformance_report_json: all results (elements ConformanceResult), into a file. @facts: of the
 * host that was asked. */
gboolean conformance_report_json (const char *path, const ConformanceFacts *facts,
                                  GPtrArray *results, GError **error);

/** conformance_compare: what conformance_report_json left of a model and of kernels, side by side.
 * The number of differences, or -1. */
int conformance_compare (char **paths, GError **error);
