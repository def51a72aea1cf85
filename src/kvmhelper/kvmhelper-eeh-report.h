/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-eeh-watch.h"
#include "kvmhelper/kvmhelper-guest-address.h"
#include "kvmhelper/kvmhelper-message.h"

/**
 * What is said of a PE whose state has changed: an entry of the journal, which the catalog explains
 * (data/ppc64-kvmhelper.catalog: journalctl -x), and the signal EehChanged.
 */

/** kvmhelper_eeh_report_log: @guest may be NULL: not known. */
void
kvmhelper_eeh_report_log (const KvmHelperEehChange *change, const KvmHelperGuestAddress *guest);

/** kvmhelper_eeh_report_variant: the signal's dictionary, floating. */
GVariant *
kvmhelper_eeh_report_variant (const KvmHelperEehChange *change, const KvmHelperGuestAddress *guest);
