/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

typedef enum
{
  CLI_HELPER_OPENING,   /* the helper was looked for, and started */
  CLI_HELPER_CALLING,   /* it was there, and was asked */
  CLI_HELPER_SIMULATING /* one on a simulated host was there, and was asked */
} CliHelperMoment;

/**
 * cli_helper_error_explain: turns an error of D-Bus into one of COMMON_ERROR that says what was
 * wrong and what to do, so that a helper that is not installed, one that does not start, one that
 * died, one that is too slow and one that said no can be told apart. One that is of COMMON_ERROR
 * already keeps its code, and loses what GDBus put before the message.
 */
void cli_helper_error_explain (GError **error, CliHelperMoment moment);
