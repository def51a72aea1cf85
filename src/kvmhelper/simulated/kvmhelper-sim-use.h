/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * What a function's own driver makes of it for the host: network interfaces and disks, which the
 * host may need. They are there while that driver is bound.
 */
typedef struct
{
  char *name;
  char *address; /* "52:54:00:09:00:00" */
  gboolean up;
  gboolean route; /* the default route leads through it */
} KvmHelperSimInterface;

/* A disk, or a partition of one. */
typedef struct _KvmHelperSimDisk KvmHelperSimDisk;
struct _KvmHelperSimDisk
{
  char *name;
  guint64 size;          /* sectors of 512 bytes */
  guint minor;           /* its number is 259:minor */
  char *mount;           /* "": not mounted */
  gboolean swap;         /* is swapped to */
  GPtrArray *partitions; /* elements KvmHelperSimDisk */
};

struct _KvmHelperSimUses
{
  GPtrArray *interfaces; /* elements KvmHelperSimInterface */
  GPtrArray *disks;      /* elements KvmHelperSimDisk */
  gboolean there;        /* the driver is bound */
};

KvmHelperSimUses *kvmhelper_sim_uses_new (void);
void kvmhelper_sim_uses_free (KvmHelperSimUses *uses);
KvmHelperSimInterface *kvmhelper_sim_uses_add_interface (KvmHelperSimUses *uses, const char *name);
/** kvmhelper_sim_disk_add: one more disk, or partition, in @disks. */
KvmHelperSimDisk *kvmhelper_sim_disk_add (KvmHelperSim *sim, GPtrArray *disks, const char *name);

/** kvmhelper_sim_uses_publish, _withdraw: the function's own driver was bound, or lets it go. What
 * was mounted stays mounted, as the kernel's list has it; an interface takes its routes along. */
void kvmhelper_sim_uses_publish (KvmHelperSimFunction *function);
void kvmhelper_sim_uses_withdraw (KvmHelperSimFunction *function);

/** kvmhelper_sim_uses_start: what of it is in use: /proc/swaps, and mounts and routes of every
 * process: all are in one namespace. */
void kvmhelper_sim_uses_start (KvmHelperSim *sim);
