/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * A kernel for tests: three directories of files, and a layer that reacts to writes as the driver
 * core and VFIO do. All of its state is in the files, so that it outlives a process that is killed.
 *
 * A VFIO group is held by a link "/dev/vfio/N" in a process' fd directory, or by KVM alone.
 */
typedef struct
{
  KvmHelperKernel kernel; /* what the code under test gets */

  /* Faults: the write number @fail_at (from 1) is refused with @fail_errno; after the write number
   * @crash_at the process ends on the spot. 0: none. */
  guint fail_at;
  int fail_errno;
  guint crash_at;
  /* A driver that never takes a function, while drivers_probe and bind say that all went well. */
  const char *liar;

  guint writes; /* so far */
  guint calls;  /* … of any kind */
  guint group_opens;

  /* What ioctl does; without it every ioctl is ENOTTY. */
  int (*ioctl) (gpointer data, int handle, gulong request, gulong argument);
  gpointer ioctl_data;

  char *directory;
  KvmHelperKernel *base;
  GHashTable *open_paths; /* handle -> "sys/…" */
} KvmHelperDouble;

/* A new empty host. kvmhelper_double_attach: another double of the same files, as after a restart.
 */
KvmHelperDouble *kvmhelper_double_new (void);
KvmHelperDouble *kvmhelper_double_attach (const char *directory);
/* Removes the files too; detach does not. */
void kvmhelper_double_free (KvmHelperDouble *self);
void kvmhelper_double_detach (KvmHelperDouble *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperDouble, kvmhelper_double_free)

/* Writes a file, below "sys/", "proc/" or "dev/", with the directories that it needs. */
void kvmhelper_double_file (KvmHelperDouble *self, const char *path, const char *text);
void
kvmhelper_double_bytes (KvmHelperDouble *self, const char *path, const char *bytes, gsize length);
void kvmhelper_double_link (KvmHelperDouble *self, const char *path, const char *target);
void kvmhelper_double_remove (KvmHelperDouble *self, const char *path);

/*
 * A function behind the root bus of its domain, of vendor:device 8086:10d3, in @group (-1: none),
 * bound to @driver ("": none), which is also the one the kernel would choose. @header: 0 endpoint,
 * 1 bridge.
 */
void kvmhelper_double_function (KvmHelperDouble *self, const char *address, int group,
                                const char *driver, int header);

/* Of a text that is one. */
PciAddress kvmhelper_double_address (const char *text);

/* Another device at the same address; or none at all. */
void kvmhelper_double_replace (KvmHelperDouble *self, const char *address);
void kvmhelper_double_unplug (KvmHelperDouble *self, const char *address);

/* Process @pid holds, or lets go of, @group. */
void kvmhelper_double_hold (KvmHelperDouble *self, guint pid, guint group);
void kvmhelper_double_let_go (KvmHelperDouble *self, guint pid);
/* KVM holds it, for no process. */
void kvmhelper_double_hold_in_kernel (KvmHelperDouble *self, guint group, gboolean held);

char *kvmhelper_double_driver (KvmHelperDouble *self, const char *address);
char *kvmhelper_double_override (KvmHelperDouble *self, const char *address);
/* Fails the test unless the function has both. */
void kvmhelper_double_assert (KvmHelperDouble *self, const char *address, const char *driver,
                              const char *override);
