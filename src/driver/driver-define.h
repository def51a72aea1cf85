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

/** driver_define_may_require: FALSE for domain XML that requires nothing; that is told without
 * reading it. */
gboolean driver_define_may_require (const char *xml);

/**
 * driver_define_allows: FALSE where a definition requires for a device what this host is known not
 * to have for it, with COMMON_ERROR_XIVE_UNAVAILABLE, COMMON_ERROR_TCE_UNAVAILABLE or
 * COMMON_ERROR_EEH_UNAVAILABLE. Nothing else is a reason, also not that the host cannot be asked:
 * what libvirt allows is defined.
 */
gboolean driver_define_allows (DriverHelper *helper, const char *xml, GError **error);
