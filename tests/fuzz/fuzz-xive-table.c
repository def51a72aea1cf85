/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmhelper/kvmhelper-xive-table.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* KVM's table of a guest's interrupts: each row that is taken has a state and a known number. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (KvmHelperXiveTable) table = kvmhelper_xive_table_parse (text);

  for (guint i = 0; i < table->sources->len; i++)
    {
      const KvmHelperSource *source = &g_array_index (table->sources, KvmHelperSource, i);

      g_assert_cmpuint (strlen (source->pq), ==, 2);
      g_assert_nonnull (kvmhelper_xive_table_find (table, source->lisn));
    }
  return 0;
}
