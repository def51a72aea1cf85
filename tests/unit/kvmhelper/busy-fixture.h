/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper-double.h"

/**
 * A host whose devices the host itself needs: kinds of needs, laid out as a real kernel does
 * (tests/power9/test-busy has the real one).
 */

/* Each in a group by itself, but the two functions of the card. */
#define BUSY_NVME   "0004:01:00.0"
#define BUSY_CARD   "0003:01:00.0"
#define BUSY_SECOND "0003:01:00.1"

/* With these three functions, nothing of which is needed: its disk is another. */
KvmHelperDouble *busy_host_new (void);

/* A block device of that name and number ("259:0\n"), in @directory below /sys/devices: below
 * another one's, or a function's. */
void
busy_add_block (KvmHelperDouble *host, const char *directory, const char *name, const char *number);
/* nvme0n1 and its partition nvme0n1p1, of BUSY_NVME */
void busy_add_disk (KvmHelperDouble *host);
/* A network interface, of what is in @directory below /sys/devices. */
void busy_add_interface (KvmHelperDouble *host, const char *directory, const char *name);

/* All needs of a function, "KIND: DETAIL" each, with "!" where it is final, and "; " between them;
 * and whether they are these. */
char *busy_get_needs (const KvmHelperKernel *kernel, const char *address);
void busy_expect_needs (KvmHelperDouble *host, const char *address, const char *expected);
