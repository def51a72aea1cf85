/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * KvmHelperRehearsed: which devices passed a rehearsal, at which address, under this kernel and in
 * this boot. It stands in a file of the state directory, so that it survives the helper; one of
 * another boot or kernel counts for nothing. Losing it costs a rehearsal: no error is made of it.
 */
typedef struct _KvmHelperRehearsed KvmHelperRehearsed;

KvmHelperRehearsed *
kvmhelper_rehearsed_open (const KvmHelperKernel *kernel, const char *state_directory);
void kvmhelper_rehearsed_free (KvmHelperRehearsed *rehearsed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperRehearsed, kvmhelper_rehearsed_free)

gboolean kvmhelper_rehearsed_has (const KvmHelperRehearsed *rehearsed, const PciAddress *address,
                                  const KvmHelperIdentity *identity);
void kvmhelper_rehearsed_add (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                              const KvmHelperIdentity *identity);
/** kvmhelper_rehearsed_remove: it failed. */
void kvmhelper_rehearsed_remove (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                                 const KvmHelperIdentity *identity);
