/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-edit.h"
#include "hostdev/hostdev-plan.h"

/**
 * What can be done in a domain's XML about what a plan says of it: a rule for each code that the
 * XML is the cause of. What the host is the cause of, or the owner's policy, is no matter of
 * these: the policy is not weakened to have its way.
 */

/**
 * cli_fix_apply: does what is to be done about one reason of @plan.
 * @domain: of the text that @edit has
 *
 * Returns: FALSE where there is nothing that can be done, after which the text is as it was.
 */
gboolean
cli_fix_apply (CliEdit *edit, const HostdevDomain *domain, const HostdevHost *host,
               const HostdevDevice *device, const HostdevPlan *plan, const HostdevReason *reason);

/** cli_fix_wish_spare: has the metadata wish for @count PHBs free for hotplug; FALSE where it does
 * already. */
gboolean cli_fix_wish_spare (CliEdit *edit, const HostdevDomain *domain, guint count);
