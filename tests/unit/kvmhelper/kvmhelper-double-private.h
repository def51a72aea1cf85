/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper-double.h"

/** What the double's files (kvmhelper-double.c) and its calls (kvmhelper-double-calls.c) share. */

/* "sys", "proc" and "dev", by KvmHelperRoot */
extern const char *const kvmhelper_double_roots[3];
/* Its data is the double. */
extern const KvmHelperKernelCalls kvmhelper_double_calls;

/* Of a file of the host's, where it is on this machine. */
char *kvmhelper_double_full_path (KvmHelperDouble *self, const char *path);
/* "sys/devices/pci0000:00/ADDRESS/NAME" */
char *kvmhelper_double_device_path (const char *address, const char *name);
/* What is in a file, without the white space around it, or the name that a link leads to; "" where
 * there is none. */
char *kvmhelper_double_read_file (KvmHelperDouble *self, const char *path);
char *kvmhelper_double_read_link (KvmHelperDouble *self, const char *path);

gboolean kvmhelper_double_device_exists (KvmHelperDouble *self, const char *address);
/* Binds the function, "" is to none, with what follows: the group's node comes, or goes. */
void kvmhelper_double_set_driver (KvmHelperDouble *self, const char *address, const char *driver);
