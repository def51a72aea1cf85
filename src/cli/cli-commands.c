/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-commands.h"

const CliCommand *const cli_commands[] = {
  &cli_host_command,     &cli_groups_command,
  &cli_plan_command,     &cli_explain_command,
  &cli_rehearse_command, &cli_status_command,
  &cli_grant_command,    &cli_grants_command,
  &cli_release_command,  &cli_validate_command,
  &cli_fix_command,      &cli_map_command,
  &cli_nova_command,     NULL,
};
