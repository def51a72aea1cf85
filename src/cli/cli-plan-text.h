/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-exit.h"
#include "hostdev/hostdev-plan.h"

/* What a plan comes to. */
typedef enum
{
  CLI_VERDICT_YES,
  CLI_VERDICT_BUT, /* it can be, and there is a warning: the guest would lack something */
  CLI_VERDICT_NO
} CliVerdict;

/** cli_plan_verdict: NO where a reason refuses, BUT where one warns; advice changes nothing. */
CliVerdict cli_plan_verdict (const HostdevPlan *plan);

/** cli_exit_for_plan: how a command ends whose answer is that plan. */
CliExit cli_exit_for_plan (const HostdevPlan *plan);

/** cli_plan_print_reasons: its reasons, each with what to do. */
void cli_plan_print_reasons (const HostdevPlan *plan);

/**
 * cli_plan_print: a plan for people: the verdict, each reason with what to do, each device with
 * what it takes along and what the guest will have. @verbose adds where each of that follows from.
 */
void cli_plan_print (const HostdevPlan *plan, const HostdevDomain *domain, gboolean verbose);
