/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-watch.h"

/**
 * Shared by the parts that look for needs: disks (kvmhelper-busy-disk.c) and what is mounted of
 * them (kvmhelper-busy-mount.c), network (kvmhelper-busy-network.c), console
 * (kvmhelper-busy-console.c).
 */
struct _KvmHelperBusy
{
  KvmHelperWatch watch;
  const KvmHelperKernel *kernel; /* of the watch */
  GHashTable *needs;             /* "0001:01:00.0" -> GPtrArray of KvmHelperNeed */
};

/** kvmhelper_busy_add: @owner's function is needed; takes @detail. The same need is noted once. */
void kvmhelper_busy_add (KvmHelperBusy *busy, const char *owner, const char *kind, char *detail);

/**
 * kvmhelper_busy_owner: the PCI function that @path, a link into /sys/devices as
 * /sys/class/block/sda, leads below: the nearest one. NULL where there is none.
 */
char *kvmhelper_busy_owner (const KvmHelperBusy *busy, const char *path);

/** kvmhelper_busy_file: of process 1, which is the host's: our own are those of a sandbox; "" for
 * none. *cut (may be NULL): there is more of it. */
char *kvmhelper_busy_file (const KvmHelperBusy *busy, const char *file, gboolean *cut);

/** kvmhelper_busy_unmangle: the kernel writes white space in names as octal (fs/seq_file.c:
 * mangle_path). */
char *kvmhelper_busy_unmangle (const char *text);

/* Block devices, or network interfaces, that are stacked, from one of them on: each is looked at
 * once, however many ways lead to it (the legs of a RAID, the VLANs of a bond), as the number of
 * ways can double with each floor. The names are in the order in which they were met. */
typedef struct
{
  GPtrArray *names;
  GHashTable *met;
} KvmHelperWalk;

/** kvmhelper_walk_add: a name that was met; the first one begins a walk that is all zero. */
void kvmhelper_walk_add (KvmHelperWalk *walk, const char *name);
void kvmhelper_walk_clear (KvmHelperWalk *walk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperWalk, kvmhelper_walk_clear)

void kvmhelper_busy_find_disks (KvmHelperBusy *busy);
void kvmhelper_busy_find_routes (KvmHelperBusy *busy);
void kvmhelper_busy_find_consoles (KvmHelperBusy *busy);

/** kvmhelper_busy_is_away: whether @function has a network interface in another network namespace
 * than that of /sys. */
gboolean kvmhelper_busy_is_away (const KvmHelperBusy *busy, const KvmHelperFunction *function);

/* The block devices, by their names in /sys/class/block, and what is mounted of them. */
typedef struct
{
  GPtrArray *names;    /* all of them */
  GHashTable *numbers; /* "8:1" -> "sda1" */
  GHashTable *aliases; /* the device mapper's names, "vg-root" -> "dm-0" */
  GHashTable *mounts;  /* "sda1" -> GPtrArray of "/dev/sda1 on /" */
  char *doubt;         /* why any may be mounted that is not in the list; NULL: none */
} KvmHelperBlocks;

/** kvmhelper_blocks_read: takes what is there; kvmhelper_blocks_clear after it. */
void kvmhelper_blocks_read (KvmHelperBlocks *blocks, const KvmHelperBusy *busy);
void kvmhelper_blocks_clear (KvmHelperBlocks *blocks);

/** kvmhelper_blocks_find: the name of the block device that a path ("/dev/mapper/vg-root") is of,
 * as far as names tell; NULL: none. */
const char *kvmhelper_blocks_find (const KvmHelperBlocks *blocks, const char *path);

/** kvmhelper_blocks_read_mounts: fills in what is mounted. */
void kvmhelper_blocks_read_mounts (KvmHelperBlocks *blocks, const KvmHelperBusy *busy);
