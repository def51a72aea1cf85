/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-xml.h"

/**
 * cli_simulated_schema_check: a description of a simulated host against its schema, which is within
 * the program. What is beyond a schema, as two functions at one address, the helper tells that
 * starts on it.
 *
 * Returns: FALSE with COMMON_ERROR_INVALID_HOST; the message has the line.
 */
gboolean cli_simulated_schema_check (xmlNode *root, GError **error);
