/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmhelper/kvmhelper-lease.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The record of a lease: what is taken has no name that leads out of a directory, and says the same
 * when it is written and read again. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLease) lease = kvmhelper_lease_from_text ((const char *) data, size, &error);
  g_autoptr (KvmHelperLease) again = NULL;
  g_autofree char *text = NULL;
  g_autofree char *text_again = NULL;

  g_assert_true ((lease == NULL) == (error != NULL));
  if (lease == NULL)
    return 0;
  g_assert_null (strchr (lease->id, '/'));
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];

      g_assert_null (strchr (member->driver, '/'));
      g_assert_null (strchr (member->driver_override, '\n'));
    }
  text = kvmhelper_lease_to_text (lease);
  again = kvmhelper_lease_from_text (text, strlen (text), &error);
  g_assert_no_error (error);
  text_again = kvmhelper_lease_to_text (again);
  g_assert_cmpstr (text, ==, text_again);
  return 0;
}
