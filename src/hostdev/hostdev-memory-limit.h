/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "common/common-error.h"

/**
 * How much memory a guest's QEMU may lock. VFIO pins all of a guest's memory and accounts it, and
 * the TCE tables, as locked (mm/util.c: __account_locked_vm). libvirt sets the limit by a formula
 * of its own when the guest starts and again when it gets its first device; QEMU's message where
 * the limit does not do is wrong: "Memory registering failed: Operation not permitted", whatever
 * the errno was.
 */

/* Of a domain's XML, in KiB, rounded up as libvirt does. */
typedef struct
{
  guint64 memory;     /* <memory>: all there is at present; 0: the XML has none */
  guint64 max_memory; /* <maxMemory>, 0: none */
  guint64 hard_limit; /* <memtune><hard_limit>, 0: none, or as good as none */
  gboolean locked;    /* <memoryBacking><locked/> */
  gboolean hugepages; /* <memoryBacking><hugepages/> */
  guint64 page;       /* of those the smallest, where all of it is made of such pages; 0: the host's
                         default, or of some NUMA nodes alone */
} HostdevMemory;

/** hostdev_memory_read_size: the child @name of @domain, an amount of memory, in KiB; 0 where there
 * is none, or it is no such amount. */
guint64 hostdev_memory_read_size (const xmlNode *domain, const char *name);

/** hostdev_memory_read: of a <domain>. FALSE with COMMON_ERROR_INVALID_DOMAIN. */
gboolean hostdev_memory_read (const xmlNode *domain, HostdevMemory *memory, GError **error);

/**
 * hostdev_memory_limit: the limit that libvirt sets, bytes; G_MAXUINT64: none. A hard limit decides
 * before all else; <locked/> without one means no limit.
 *
 * Source: libvirt 9.0 to 11.3, src/qemu/qemu_domain.c: qemuDomainGetMemLockLimitBytes and
 * getPPC64MemLockLimitBytes, of a ppc64 guest under KVM. Left out: NVLink2, which neither Linux
 * (since 5.13) nor QEMU has for guests any more.
 *
 * @phbs: spapr-pci-host-bridge controllers, the first one included
 * @vfio: whether it has, or is to get, a device of VFIO
 */
guint64 hostdev_memory_limit (const HostdevMemory *memory, guint phbs, gboolean vfio);

/** hostdev_memory_formula: the same by the formula alone, as without <hard_limit> and <locked/>. */
guint64 hostdev_memory_formula (const HostdevMemory *memory, guint phbs, gboolean vfio);
