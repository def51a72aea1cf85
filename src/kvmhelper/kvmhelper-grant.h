/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * KvmHelperGrant: what a lease of a user's own has beside all others: whose it is, what the helper
 * gave him besides the drivers, and what to put back when it ends. A part of the lease's record.
 *
 * A user's QEMU (qemu:///session) is not root's, and nobody opens a device for it: it needs the
 * right to the group's node, and a limit of locked memory that is large enough.
 */

/* The user has no entry of his own in the node's ACL. */
#define KVMHELPER_NO_ENTRY -1

/* A process of the user's that the lease is for. A PID alone would be another's one day. */
typedef struct
{
  guint pid;
  guint64 start;         /* when it began, in ticks of the kernel's: field 22 of /proc/PID/stat */
  KvmHelperLimit before; /* its limit of locked memory, as it was */
  guint64 limit;         /* what that was raised to, or is about to be; 0: it was left alone */
} KvmHelperGrantProcess;

typedef struct
{
  guint user;        /* UID, as the bus vouched for it */
  gboolean node;     /* the node has his entry, or is about to */
  int entry_before;  /* what he had there by himself: permissions, or KVMHELPER_NO_ENTRY */
  GArray *processes; /* KvmHelperGrantProcess */
} KvmHelperGrant;

KvmHelperGrant *kvmhelper_grant_new (guint user);
/** kvmhelper_grant_copy: NULL of NULL. */
KvmHelperGrant *kvmhelper_grant_copy (const KvmHelperGrant *grant);
void kvmhelper_grant_free (KvmHelperGrant *grant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperGrant, kvmhelper_grant_free)

/** kvmhelper_grant_find: the process that has @pid and began at @start; NULL. */
KvmHelperGrantProcess *kvmhelper_grant_find (const KvmHelperGrant *grant, guint pid, guint64 start);

/** kvmhelper_grant_add: one more process; FALSE with COMMON_ERROR_BUSY where there are too many. */
gboolean
kvmhelper_grant_add (KvmHelperGrant *grant, const KvmHelperGrantProcess *process, GError **error);

/**
 * kvmhelper_grant_inherit: a child has its parent's limits: QEMU those of the daemon that started
 * it. Where @child has the limit that a process of @grant was lifted to it gets what that process
 * had before, and its limit: TRUE.
 */
gboolean kvmhelper_grant_inherit (const KvmHelperGrant *grant, KvmHelperGrantProcess *child);

/** kvmhelper_grant_save: into the record of a lease, in groups of its own. */
void kvmhelper_grant_save (const KvmHelperGrant *grant, GKeyFile *record);

/**
 * kvmhelper_grant_load: from there; *@grant is NULL where the lease is not a user's. FALSE with
 * G_KEY_FILE_ERROR where it cannot be read: what is left to take away would be forgotten.
 */
gboolean kvmhelper_grant_load (GKeyFile *record, KvmHelperGrant **grant, GError **error);
