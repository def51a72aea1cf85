/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/**
 * cli_plan_print: a plan for people: the verdict, each reason with what to do, each device with
 * what it takes along and what the guest will have. @verbose adds where each of that follows from.
 */
void cli_plan_print (const HostdevPlan *plan, const HostdevDomain *domain, gboolean verbose);
