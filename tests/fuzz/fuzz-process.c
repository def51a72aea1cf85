/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "kvmhelper/kvmhelper-locked.h"
#include "kvmhelper/kvmhelper-tce.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What a process says of itself in /proc/PID: its command line, which it may write what it likes
 * into, and status and limits. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *exact = g_memdup2 (data, size);
  g_autofree char *text = g_strndup ((const char *) data, size);
  KvmHelperLocked locked = kvmhelper_locked_parse (text, text);
  guint major = 0, minor = 0;

  /* without a NUL behind it */
  if (!kvmhelper_qemu_machine (exact, size, &major, &minor))
    g_assert_true (major == 0 && minor == 0);
  if (kvmhelper_locked_is_near (&locked))
    g_assert_true (locked.known && !locked.ipc_lock);
  return 0;
}
