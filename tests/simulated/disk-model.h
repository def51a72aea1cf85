/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal-calls.h"

/**
 * DiskModel: a directory as a disk may have it after a loss of power, from the calls that were
 * made. What a file holds is on disk when it was synced, and a name when its directory was; of what
 * was not, any part may be there: each change of a name by itself, and of a file's bytes none, some
 * or all (fsync(2), rename(2); no file system promises more to programs that should run on any).
 */
typedef struct _DiskModel DiskModel;

DiskModel *disk_model_new (void);
void disk_model_free (DiskModel *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DiskModel, disk_model_free)

/** disk_model_note: a call that succeeded. */
void disk_model_note (DiskModel *disk, const JournalCall *call);

/**
 * disk_model_lose: every directory that may be found after a loss of power now. Elements
 * GHashTable, name -> text.
 */
GPtrArray *disk_model_lose (DiskModel *disk);
