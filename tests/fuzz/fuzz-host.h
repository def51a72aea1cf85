/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-kernel.h"

/**
 * A kernel that says what an input says. The input is a host: a line "== WORD", and below it what
 * each file, link or directory has whose path has WORD in it, up to the next such line; of a
 * directory the names, a line each; of a link its text, up to the line's end; of a device node
 * "cMAJOR:MINOR" in the second line; of a node's access list its bytes. The first one that fits
 * counts. What stands below a WORD that fits the path "ioctl" are the answers to ioctls, one after
 * another: a byte, which is the answer, or from 0x80 on 0x80 and an errno; and as many bytes as the
 * request has for its struct.
 *
 * What is written is refused, but for an access list, which is kept.
 */
typedef struct _FuzzHost FuzzHost;

/* The PID of the process that this kernel runs for. */
#define FUZZ_HOST_PID 4242

FuzzHost *fuzz_host_new (const char *data, gsize size);
void fuzz_host_free (FuzzHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FuzzHost, fuzz_host_free)

const KvmHelperKernel *fuzz_host_kernel (const FuzzHost *host);

/** fuzz_host_get: what @path has, NULL: nothing. */
const GString *fuzz_host_get (const FuzzHost *host, const char *path);

/** fuzz_strict: what GLib calls critical is a crash, and nothing else is logged, as what is wrong
 * in a file. For LLVMFuzzerInitialize. */
void fuzz_strict (void);
