/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * KvmHelperFaults: what goes wrong between the helper and a kernel, simulated or not: a layer over
 * any KvmHelperKernel that refuses, cuts short or delays chosen calls, or ends the process between
 * two of them. The same calls under the same rules go the same way every time.
 *
 * A rule is a line of words:
 *
 *     CALL [PATTERN] [NUMBER] ACTION
 *
 * CALL is open, close, read, write, readlink, list, stat, ioctl, mmap, munmap, load, eventfd,
 * get_acl, set_acl, pidfd, memlock, or "call" for any of them. PATTERN narrows it down: a path as
 * "/sys/…", "/proc/…" or "/dev/…", of the file that is named or whose handle it is; for an ioctl
 * its name. "*" and "?" stand for any text and any character, "/" included. Of those that fit
 * NUMBER says which one it strikes, counted from 1; "3+" is the third and all that follow. Without
 * it: each.
 *
 *     EIO, …            the call is not made and answers so
 *     short BYTES       a read, write or readlink has to do with that much
 *     lie               a write or an ioctl is not made, and answers as if it had been
 *     delay MS          it is made that much later
 *     kill              the process ends before it
 *     vanish ADDRESS    before it, the function is gone from the host
 *     replace ADDRESS   …, another device sits there
 *
 * close and load have no answer that could be an errno: "call 57 EIO" strikes the first call from
 * the 57th on that has. Of two rules that refuse one call the first is obeyed.
 *
 *     ioctl VFIO_SET_IOMMU EBUSY
 *     write *driver_override 2 EIO
 *     read *config short 4
 *     call 12 kill
 *     open /dev/vfio/?* delay 200
 *     write 2 vanish 0000:01:00.0
 */
typedef struct _KvmHelperFaults KvmHelperFaults;

/* What the rules need others for; NULL: kill is _exit, and the rest is refused as a rule. They are
 * called in the thread of the call, with no lock held. */
typedef struct
{
  void (*kill) (gpointer data);
  void (*vanish) (const PciAddress *address, gpointer data);
  void (*replace) (const PciAddress *address, gpointer data);
  gpointer data;
} KvmHelperFaultHooks;

/**
 * kvmhelper_faults_parse: @rules is NULL-terminated, each with one rule, or more with ";" between
 * them. @hooks may be NULL. NULL with COMMON_ERROR_INVALID_ARGUMENT, which names what is wrong.
 */
KvmHelperFaults *
kvmhelper_faults_parse (const char *const *rules, const KvmHelperFaultHooks *hooks, GError **error);
/** kvmhelper_faults_free: every kernel that it was wrapped around was freed. */
void kvmhelper_faults_free (KvmHelperFaults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperFaults, kvmhelper_faults_free)

/**
 * kvmhelper_faults_wrap: @base, which outlives it, under these rules; several kernels may be, and
 * their calls are counted together. Freed with kvmhelper_faults_unwrap.
 */
KvmHelperKernel *kvmhelper_faults_wrap (KvmHelperFaults *faults, const KvmHelperKernel *base);
void kvmhelper_faults_unwrap (KvmHelperKernel *kernel);

/** kvmhelper_faults_calls: how many calls were made so far. */
guint64 kvmhelper_faults_calls (KvmHelperFaults *faults);

/** kvmhelper_faults_count, _rule, _struck: the rules, as they were given, and how often each did
 * something. */
guint kvmhelper_faults_count (const KvmHelperFaults *faults);
const char *kvmhelper_faults_rule (const KvmHelperFaults *faults, guint index);
guint kvmhelper_faults_struck (KvmHelperFaults *faults, guint index);
