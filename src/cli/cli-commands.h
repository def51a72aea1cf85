/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-options.h"

/** The commands of virt-ppc64, in the order of its help; NULL ends the table. */
extern const CliCommand *const cli_commands[];

extern const CliCommand cli_host_command;
extern const CliCommand cli_groups_command;
extern const CliCommand cli_plan_command;
extern const CliCommand cli_explain_command;
extern const CliCommand cli_rehearse_command;
extern const CliCommand cli_status_command;
extern const CliCommand cli_grant_command;
extern const CliCommand cli_grants_command;
extern const CliCommand cli_release_command;
extern const CliCommand cli_validate_command;
extern const CliCommand cli_nova_command;
extern const CliCommand cli_fix_command;
extern const CliCommand cli_map_command;
