/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * Who holds VFIO groups, as /proc/PID/fd of every process tells; an O_PATH descriptor holds none.
 *
 * A group is never opened to find out: it can be open once only, and whoever wants it at that
 * moment, as QEMU does, would be told that it is busy.
 */

/** kvmhelper_holder_scan: group number -> PID of one of the processes that hold it. Ours, and those
 * of our workers, are left out. */
GHashTable *kvmhelper_holder_scan (const KvmHelperKernel *kernel);

/** kvmhelper_holder_find: a process that holds @group, or 0. */
guint kvmhelper_holder_find (const KvmHelperKernel *kernel, guint group);

/* What a holder has, by the links of its descriptors (virt/kvm/kvm_main.c,
 * kvm_ioctl_create_device: "anon_inode:" and the name of the device's type). */
typedef struct
{
  int vm;          /* a descriptor of each kind, -1: none */
  int xive_native; /* KVM's native XIVE device */
  int xive;        /* … its XICS on a XIVE host */
  int xics;        /* … its XICS on a host without */
  int kvm_vfio;
  guint tce_tables;
  guint containers;
  GArray *groups; /* guint: the groups that it holds */
} KvmHelperHolding;

/** kvmhelper_holding_read: of process @pid; all empty where it is gone. */
KvmHelperHolding *kvmhelper_holding_read (const KvmHelperKernel *kernel, guint pid);
void kvmhelper_holding_free (KvmHelperHolding *holding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperHolding, kvmhelper_holding_free)

/* What stands between us and a group. */
typedef struct
{
  gboolean absent; /* no function of it is on a VFIO driver: nobody can hold it */
  gboolean held;
  guint pid;  /* of a holder; 0: the kernel alone knows, as KVM keeps what a process closed */
  int errnum; /* of the open, where no holder was seen */
} KvmHelperObstacle;

/**
 * kvmhelper_holder_seize: opens @group, so that nobody else can, and gives the handle; else -1 and
 * the obstacle.
 */
int
kvmhelper_holder_seize (const KvmHelperKernel *kernel, guint group, KvmHelperObstacle *obstacle);

/** kvmhelper_obstacle_to_string: why a group is held, for people. */
char *kvmhelper_obstacle_to_string (const KvmHelperObstacle *obstacle, guint group);
