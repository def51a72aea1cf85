/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-exit.h"

G_DEFINE_QUARK (virt - ppc64 - usage, cli_usage_error)

static gboolean
is_usage (const GError *error)
{
  return error->domain == CLI_USAGE_ERROR || error->domain == G_OPTION_ERROR;
}

CliExit
cli_exit_for_error (const GError *error)
{
  if (is_usage (error))
    return CLI_EXIT_USAGE;
  switch (common_error_code (error))
    {
    case COMMON_ERROR_NOT_AUTHORIZED:
      return CLI_EXIT_NOT_AUTHORIZED;
    case COMMON_ERROR_HELPER_UNAVAILABLE:
      return CLI_EXIT_NO_HELPER;
    case COMMON_ERROR_LIBVIRT_UNAVAILABLE:
      return CLI_EXIT_NO_LIBVIRT;
    default:
      return CLI_EXIT_FAILED;
    }
}

CliExit
cli_exit_for_refusal (const GError *error)
{
  CommonErrorCode code = common_error_code (error);

  if ((code >= COMMON_ERROR_DEVICE_UNKNOWN && code <= COMMON_ERROR_ADVISE_IRQ_BYPASS)
      || code == COMMON_ERROR_REHEARSAL_FAILED)
    return CLI_EXIT_REFUSED;
  return cli_exit_for_error (error);
}

const char *
cli_exit_error_name (const GError *error)
{
  return is_usage (error) ? "usage" : common_error_name (common_error_code (error));
}
