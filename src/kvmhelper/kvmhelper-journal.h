/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-lease.h"

/**
 * KvmHelperJournal: the records of leases on disk, a file each, in the "leases" directory of the
 * state directory. When a write or a removal succeeds, it has reached the disk: file, name and
 * directory; a reader finds the record that was before, or the new one, whole. Where it fails the
 * disk has one of both. All errors are COMMON_ERROR_JOURNAL_FAILED. Used by one thread at a time.
 */
typedef struct _KvmHelperJournal KvmHelperJournal;

/**
 * kvmhelper_journal_open: makes the directory, for root alone, where there is none. Fails while
 * another process has it open.
 */
KvmHelperJournal *kvmhelper_journal_open (const char *state_directory, GError **error);
void kvmhelper_journal_free (KvmHelperJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperJournal, kvmhelper_journal_free)

/** kvmhelper_journal_abandon: another process may open it; this one is at its end. */
void kvmhelper_journal_abandon (KvmHelperJournal *journal);

gboolean
kvmhelper_journal_write (KvmHelperJournal *journal, const KvmHelperLease *lease, GError **error);

/** kvmhelper_journal_remove: a record that is not there is removed already. */
gboolean kvmhelper_journal_remove (KvmHelperJournal *journal, const char *id, GError **error);

/**
 * kvmhelper_journal_load: every record, elements KvmHelperLease. For one that makes no sense a
 * lease stands that says so ("unreadable"); it stays as it is on disk. One that the disk does not
 * give is an error.
 */
GPtrArray *kvmhelper_journal_load (KvmHelperJournal *journal, GError **error);
