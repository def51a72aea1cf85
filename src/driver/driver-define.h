/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-domains.h"
#include "driver/driver-helper.h"
#include "hostdev/hostdev-plan.h"

/** driver_define_log: the reasons of a plan. */
void driver_define_log (const HostdevPlan *plan, const HostdevDomain *domain);

/**
 * driver_define_check: plans the start of a domain as it is defined now, and logs the reasons. Only
 * for one of pSeries KVM that does not run and has PCI devices of the host; else the helper is not
 * asked. For worker threads.
 */
void driver_define_check (DriverHelper *helper, const DriverDomains *domains, const char *uuid);
